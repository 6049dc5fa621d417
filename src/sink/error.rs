//! Why signals could not be written, for all sinks.

use std::io;
use std::path::PathBuf;

use super::alert_journal::AlertJournalError;
use super::kafka::error::KafkaSinkError;
use crate::login::LoginError;

/// Why signals could not be written.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// A file cannot be written.
    #[error("while writing to {}: {cause}{}", path.display(), disk_hint(cause))]
    File {
        /// The file.
        path: PathBuf,
        /// The system's error.
        cause: io::Error,
    },
    /// Standard output cannot be written, as when its reader has closed it.
    #[error("while writing signals to standard output: {0}")]
    Stdout(io::Error),
    /// Alerts cannot begin, or their state not be written.
    #[error(transparent)]
    Alerts(#[from] AlertJournalError),
    /// A Parquet file cannot be written.
    #[error("while writing Parquet to {}: {what}", path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// The error of the Parquet writer.
        what: String,
    },
    /// The brokers do not let the pipeline in.
    #[error(transparent)]
    Login(#[from] LoginError),
    /// Transactions need a name of this process among the instances of its group.
    #[error(
        "while naming this instance for its transactions: no lock file can be had in the folder of temporary files; \
         set `[kafka] instance` to a name that is the same after a restart and that no other instance has"
    )]
    NoInstance,
    /// Kafka does not take records.
    #[error(transparent)]
    Kafka(Box<KafkaSinkError>),
}

fn disk_hint(cause: &io::Error) -> &'static str {
    match cause.kind() {
        io::ErrorKind::StorageFull => {
            "; free some space and start again: signals that were not written are made again"
        }
        io::ErrorKind::NotFound => "; make the folder first",
        io::ErrorKind::PermissionDenied => "; the user running foretick may not write there",
        _ => "",
    }
}
