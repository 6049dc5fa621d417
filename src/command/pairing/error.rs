//! Why signals cannot be read to be compared.

use std::path::PathBuf;

use crate::source::file::FileError;
use crate::source::kafka::whole_topic::{AddressError, TopicAddress, TopicError};

/// Why signals cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum PairingError {
    /// A file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// A text names no topic.
    #[error("while reading the name of a topic: {0}")]
    Address(#[from] AddressError),
    /// A topic cannot be read.
    #[error(transparent)]
    Topic(#[from] TopicError),
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
        "while reading signals from {}: it is {kind}, but `{command}` compares JSON lines and Parquet; write \
         the signals as one of them (`replay --output signals.jsonl`)", path.display()
    )]
    NotSignals {
        /// The file.
        path: PathBuf,
        /// What it is.
        kind: &'static str,
        /// What was asked to compare.
        command: &'static str,
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
    /// A record is not a signal.
    #[error(
        "while reading signals from {address}, partition {partition}, offset {offset}: {what}; a topic that \
         Foretick has written signals to is expected"
    )]
    Record {
        /// The topic.
        address: TopicAddress,
        /// The record's partition.
        partition: i32,
        /// Its offset.
        offset: i64,
        /// What is wrong.
        what: String,
    },
    /// Neither side has a signal.
    #[error(
        "while comparing signals: neither side has any; is the span of time, and are the files, the right \
         ones?"
    )]
    Nothing,
}
