//! One row of an archive, and what gives rows, whatever the format.

use std::io;

use crate::event::Level;
pub use crate::frame::packed::{RowBody, RowFault};
use crate::frame::packed::{UnpackedRow, encode};
use crate::units::Nanos;

/// One row of an archive, as an event of one instrument. Reused from row to row.
#[derive(Clone, Debug)]
pub struct HistoryRow {
    /// The venue's time; [`Nanos::UNDEFINED`] where it cannot be read. One that is not plausible is left as
    /// it is: the decoder refuses it, and names the likely unit.
    pub ts_event: Nanos,
    /// When it was received; [`Nanos::UNDEFINED`] where the archive does not say.
    pub ts_recv: Nanos,
    /// The whole name of the instrument: `BTCUSDT.BINANCE`.
    pub instrument: String,
    /// What happened. Values are as the archive has them: the decoder refuses those that cannot be meant.
    pub body: RowBody,
    /// The levels of a book change, bids first.
    pub levels: Vec<Level>,
    /// What stands in a cell that cannot be read; of use with [`RowBody::Unreadable`] alone.
    pub cell: String,
    /// The column of that cell; empty where none is known.
    pub column: String,
}

impl Default for HistoryRow {
    fn default() -> Self {
        Self {
            ts_event: Nanos::UNDEFINED,
            ts_recv: Nanos::UNDEFINED,
            instrument: String::new(),
            body: RowBody::Unreadable(RowFault::Missing("row")),
            levels: vec![],
            cell: String::new(),
            column: String::new(),
        }
    }
}

impl HistoryRow {
    /// Makes the row a dead letter: what is wrong, and the cell as it stands in the archive.
    pub fn fail(&mut self, fault: RowFault, cell: &str) {
        self.body = RowBody::Unreadable(fault);
        self.column.clear();
        self.cell.clear();
        self.cell.extend(cell.chars().take(CELL_CHARS_MAX));
    }

    /// The same of a cell of this column, with what could stand there.
    pub fn fail_in(&mut self, column: &str, fault: RowFault, cell: &str, advice: &str) {
        self.fail(fault, cell);
        self.column.push_str(column);
        self.cell = match cell.is_empty() {
            true => format!("nothing: {advice}"),
            false => format!("`{}`: {advice}", self.cell),
        };
    }

    /// Writes the row as a packed frame over what `out` held. `position` tells where an unreadable cell is.
    pub(crate) fn pack(&self, position: impl FnOnce() -> String, out: &mut Vec<u8>) {
        let cell = match self.body {
            RowBody::Unreadable(_) if self.column.is_empty() => {
                format!("{}: {}", position(), self.cell)
            }
            RowBody::Unreadable(_) => {
                format!(
                    "{}, column `{}` holds {}",
                    position(),
                    self.column,
                    self.cell
                )
            }
            _ => String::new(),
        };
        let row = UnpackedRow {
            ts_event: self.ts_event,
            ts_recv: self.ts_recv,
            instrument: &self.instrument,
            body: self.body,
            levels: &self.levels,
            cell: &cell,
        };
        encode(&row, out);
    }
}

/// Characters of a cell that a dead letter shows.
const CELL_CHARS_MAX: usize = 200;

/// Rows of an archive, in the order of the file.
pub trait HistoryRows: Send {
    /// Reads the next row into `row`; false at the end.
    ///
    /// # Errors
    /// Where the file cannot be read on: it is cut, damaged, or the disk fails.
    fn next_row(&mut self, row: &mut HistoryRow) -> io::Result<bool>;

    /// Where the row read last stands: `row 17`, `record 17`, `line 18`.
    fn position(&self) -> String;

    /// Records of the file so far; none where each row is one.
    fn records(&self) -> Option<u64> {
        None
    }
}
