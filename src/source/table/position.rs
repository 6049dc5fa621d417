//! Where a row stands in a table, as its reader counts, and errors about that.

use std::{fmt, io};

/// Where a row stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TablePosition {
    /// The line of a CSV file on which the row begins, from 1; the header is the first.
    Line(u64),
    /// The number of the row in a Parquet file, from 1.
    Row(u64),
}

impl fmt::Display for TablePosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(f, "line {line}"),
            Self::Row(row) => write!(f, "row {row}"),
        }
    }
}

/// An error about what a file holds.
pub(super) fn invalid(what: &str) -> io::Error {
    io::Error::other(what.to_owned())
}
