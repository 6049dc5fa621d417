//! The rows of a table, whatever its format.

use std::io;

use serde_json::{Map, Value};

use super::position::TablePosition;

/// Rows of a table, in order.
pub(super) trait TableRows: Send {
    /// The names of the columns.
    fn names(&self) -> &[String];

    /// The next row, cell by cell; none at the end.
    fn next_row(&mut self) -> io::Result<Option<Map<String, Value>>>;

    /// Where the row given last stands.
    fn position(&self) -> TablePosition;
}
