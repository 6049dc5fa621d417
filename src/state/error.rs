//! Why a snapshot cannot be written or read.

use std::io;
use std::path::PathBuf;

/// Why a snapshot cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The system refuses it.
    #[error("while {doing} {}: {cause}", path.display())]
    File {
        /// What was being done: `reading state`.
        doing: &'static str,
        /// The file or the folder.
        path: PathBuf,
        /// The system's error.
        cause: io::Error,
    },
    /// The file is no snapshot, or a damaged one.
    #[error("while reading state {}: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
}
