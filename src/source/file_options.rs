//! How the files of a run are read.

use super::history::HistoryOptions;
use super::table::TableColumns;
use crate::units::Nanos;

/// How the files of a run are read.
#[derive(Clone, Debug, Default)]
pub struct FileOptions {
    /// A longer message is cut to a length that is still over it, so that the decoder refuses and counts it,
    /// and says at its end how long it was.
    pub max_frame_bytes: usize,
    /// What the rows of tables are.
    pub tables: TableMeaning,
    /// Frames that were received before are left out, at the beginning of each file: a line without receive
    /// time counts by its `ts_event`, with neither by the time of the line before. Frames of a session begin
    /// with a gap where frames before them are left out.
    pub begin: Option<Nanos>,
    /// Rows of archives from this time on are not read: a file is over at the first one. Lines are read
    /// to the end, because they need not be in order.
    pub end: Option<Nanos>,
    /// A line without receive time whose event is more than this ahead of the line before, while the next
    /// lines are back there, gets the time of the line before as its receive time, so that the decoder
    /// refuses it: only the lines around it show that its time cannot be. So does the first line where the
    /// second and third are far behind it. None: times are not compared.
    pub max_jump_ns: Option<i64>,
}

/// What the rows of tables are.
#[derive(Clone, Debug)]
pub enum TableMeaning {
    /// Applications or statements, whose columns are explained; where they are not, tables are refused.
    Records(Option<TableColumns>),
    /// Events of a market.
    History(HistoryOptions),
}

impl Default for TableMeaning {
    fn default() -> Self {
        Self::History(HistoryOptions::default())
    }
}
