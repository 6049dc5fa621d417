//! How the files of a run are read.

use std::path::{Path, PathBuf};

use super::history;
use super::history::HistoryOptions;
use super::span_end::SpanEnd;
use super::table::TableColumns;
use crate::kafka::Properties;
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
    /// Each file ends at the end of the span, or what is behind it is passed over; none: they are read to
    /// their ends.
    pub end: Option<SpanEnd>,
    /// A line without receive time whose event is more than this ahead of the line before, while the next
    /// lines are back there, gets the time of the line before as its receive time, so that the decoder
    /// refuses it: only the lines around it show that its time cannot be. So does the first line where the
    /// second and third are far behind it. None: times are not compared.
    pub max_jump_ns: Option<i64>,
    /// Properties of the clients that read topics.
    pub kafka: Properties,
}

impl FileOptions {
    /// The same, which know the inputs that are read beside others of them.
    pub(super) fn of_inputs(&self, paths: &[PathBuf]) -> Self {
        let mut options = self.clone();
        if let TableMeaning::History(history) = &mut options.tables {
            history.companions = history::companions(paths);
        }
        options
    }

    /// Whether a file is read beside another one, and not alone.
    pub(super) fn is_companion(&self, path: &Path) -> bool {
        match &self.tables {
            TableMeaning::History(history) => history.companions.iter().any(|other| other == path),
            TableMeaning::Records(_) => false,
        }
    }
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
