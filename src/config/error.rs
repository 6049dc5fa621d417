//! What is wrong with a configuration: the key at fault, and the message that names file and line.

use std::path::PathBuf;

/// What is wrong with a configuration, where, and what to do.
#[derive(Debug, thiserror::Error)]
#[error("{}{}: {what}", path.display(), line.map_or(String::new(), |line| format!(":{line}")))]
pub struct ConfigError {
    /// The file.
    pub path: PathBuf,
    /// The line, counted from 1; none where the fault has no line in the file.
    pub line: Option<usize>,
    /// What is wrong and what to write instead.
    pub what: String,
}

/// A value that was refused, by its key. [`Document::error`](super::Document::error) finds the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFault {
    /// The key from the root of the document, such as `engine.shards`, `feature[2]`, `sink.fields[0]`.
    pub key: String,
    /// What is wrong and what to write instead.
    pub what: String,
}

impl ConfigFault {
    /// A fault of the value under `key`.
    #[must_use]
    pub fn at(key: impl Into<String>, what: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            what: what.into(),
        }
    }
}
