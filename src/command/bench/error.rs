//! The errors of `bench`.

use std::path::PathBuf;

use crate::model::ModelError;

/// The reason for which nothing was measured.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The model cannot be used.
    #[error("{0}")]
    Model(ModelError),
    /// A file cannot be read or written.
    #[error("while {doing} {}: {cause}", path.display())]
    File {
        /// What was being done.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// The error of the system.
        cause: std::io::Error,
    },
    /// A row is not one that the model takes.
    #[error("while reading rows: {}:{line}: {what}", path.display())]
    Row {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong, and what to do.
        what: String,
    },
    /// There are too few rows.
    #[error(
        "while reading rows: {} has {rows}, and the first window is complete at row {needed}; give at \
         least so many",
        path.display()
    )]
    TooFewRows {
        /// The file.
        path: PathBuf,
        /// Rows in it.
        rows: usize,
        /// Rows that are needed.
        needed: u64,
    },
}

impl BenchError {
    /// Whether it is a usage error: other options would do.
    #[must_use]
    pub fn is_usage_error(&self) -> bool {
        matches!(self, Self::Model(ModelError::Window { .. }))
    }
}
