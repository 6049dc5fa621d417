//! Why a set cannot be looked at for leaks.

use std::path::PathBuf;

/// Why a set was not checked.
#[derive(Debug, thiserror::Error)]
pub enum LeakageError {
    /// The file cannot be read, or is no Parquet.
    #[error("while reading the set {}: {what}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what to do.
        what: String,
    },
    /// The columns are not what the options or the set's own description say.
    #[error(transparent)]
    Columns(#[from] WrongColumns),
}

/// An option names a column that is not there or cannot be what it is named for.
#[derive(Debug, thiserror::Error)]
#[error("while looking for the columns of the set {}: {what}", path.display())]
pub struct WrongColumns {
    pub(super) path: PathBuf,
    pub(super) what: String,
}
