//! Why two files of signals cannot be compared.

use std::path::PathBuf;

use crate::source::file::FileError;

/// Why two files cannot be compared.
#[derive(Debug, thiserror::Error)]
pub enum DiffError {
    /// A file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// A Parquet file cannot be read.
    #[error("while reading signals from the Parquet file {}: {what}", path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// A file holds neither lines of text nor Parquet.
    #[error(
        "while reading signals from {}: it is {kind}, but `diff` compares JSON lines and Parquet; write the signals as \
         one of them (`replay --output signals.jsonl`)", path.display()
    )]
    NotSignals {
        /// The file.
        path: PathBuf,
        /// What it is.
        kind: &'static str,
    },
    /// A line is not a signal.
    #[error(
        "while reading signals from {}, line {line}: {what}; JSON lines or Parquet as `replay --output` \
         writes them are expected", path.display()
    )]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is wrong.
        what: String,
    },
}
