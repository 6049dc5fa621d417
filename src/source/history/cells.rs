//! The cells of the row that an archive is at, whatever its format.

use crate::event::Level;
use crate::frame::packed::RowFault;
use crate::units::{Nanos, NumberError, Price, Side, Size};

/// RowCells of one row, by the places of their columns.
pub(super) trait RowCells {
    /// A time; an empty cell is [`CellFault::Missing`].
    fn time(&self, at: usize) -> Result<Nanos, CellFault>;
    /// Whether a time is one of the clock on a wall, rather than one that says how far it is from UTC.
    fn is_of_clock(&self, at: usize) -> bool;
    /// A price; undefined where the cell is empty.
    fn price(&self, at: usize) -> Result<Price, CellFault>;
    /// A size; undefined where the cell is empty.
    fn size(&self, at: usize) -> Result<Size, CellFault>;
    /// A whole number; none where the cell is empty.
    fn number(&self, at: usize) -> Result<Option<u64>, CellFault>;
    /// A truth value; none where the cell is empty.
    fn flag(&self, at: usize) -> Result<Option<bool>, CellFault>;
    /// The side that took; none where the cell is empty or says that it is unknown.
    fn side(&self, at: usize) -> Result<Option<Side>, CellFault>;
    /// A text; empty where the cell is.
    fn text(&self, at: usize) -> &str;
    /// Appends the levels of a list, and says how many.
    fn levels(&self, at: usize, out: &mut Vec<Level>) -> Result<u32, CellFault>;
    /// The cell as it is written.
    fn shown(&self, at: usize) -> String;
}

/// What is wrong with a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CellFault {
    /// It is empty, and must not be.
    Missing,
    /// It is no number, or no time.
    BadNumber,
    /// Its value cannot be meant.
    OutOfRange,
    /// It has more digits than are kept exactly.
    TooPrecise,
    /// A time that the clocks of its zone skip.
    Skipped,
}

impl CellFault {
    /// The same of a field.
    pub(super) fn of(self, field: &'static str) -> RowFault {
        match self {
            Self::Missing => RowFault::Missing(field),
            Self::BadNumber => RowFault::BadNumber(field),
            Self::OutOfRange | Self::Skipped => RowFault::OutOfRange(field),
            Self::TooPrecise => RowFault::TooPrecise(field),
        }
    }
}

impl From<NumberError> for CellFault {
    fn from(error: NumberError) -> Self {
        match error {
            NumberError::NotANumber => Self::BadNumber,
            NumberError::OutOfRange => Self::OutOfRange,
            NumberError::TooPrecise => Self::TooPrecise,
        }
    }
}

/// Words for sides, in upper or lower case.
pub(super) const BUY: [&str; 5] = ["buy", "b", "bid", "buyer", "1"];
pub(super) const SELL: [&str; 6] = ["sell", "s", "ask", "a", "seller", "-1"];
pub(super) const UNKNOWN: [&str; 6] = ["unknown", "none", "n", "nan", "0", ""];

/// The side that a word means; none where it says that the side is unknown.
pub(super) fn side_of(word: &str) -> Result<Option<Side>, CellFault> {
    let is = |words: &[&str]| words.iter().any(|one| word.eq_ignore_ascii_case(one));
    if is(&BUY) {
        Ok(Some(Side::Buy))
    } else if is(&SELL) {
        Ok(Some(Side::Sell))
    } else if is(&UNKNOWN) {
        Ok(None)
    } else {
        Err(CellFault::OutOfRange)
    }
}

/// The truth value that a word means; none where it is empty.
pub(super) fn flag_of(word: &str) -> Result<Option<bool>, CellFault> {
    match word {
        "true" | "True" | "TRUE" | "1" => Ok(Some(true)),
        "false" | "False" | "FALSE" | "0" => Ok(Some(false)),
        "" => Ok(None),
        _ => Err(CellFault::OutOfRange),
    }
}
