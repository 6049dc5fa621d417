//! Why a file or a topic cannot be read, and what to do.

use std::io;
use std::path::{Path, PathBuf};

use super::input_paths::is_topic;

/// Why a capture cannot be read.
#[derive(Debug, thiserror::Error)]
#[error(
    "{}{cause}{}",
    place(path, *line),
    hint(cause)
)]
pub struct FileError {
    /// The file.
    pub path: PathBuf,
    /// The line that could not be read, counted from 1, where reading had begun; none for tables, whose
    /// errors name the row themselves.
    pub line: Option<u64>,
    /// The error of the system or the decompressor.
    pub cause: io::Error,
}

/// What was being read: the error of a topic tells that itself.
fn place(path: &Path, line: Option<u64>) -> String {
    let line = line.map_or(String::new(), |line| format!(", line {line}"));
    match is_topic(path) {
        true => String::new(),
        false => format!("while reading the capture {}{line}: ", path.display()),
    }
}

fn hint(cause: &io::Error) -> &'static str {
    match cause.kind() {
        io::ErrorKind::NotFound => "; check the path",
        io::ErrorKind::PermissionDenied => "; the user running foretick may not read it",
        io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
            "; the file is cut off or damaged: record or copy it again"
        }
        _ if cause.to_string().contains("too much memory") => {
            "; its window is over 1 GiB: compress it again with `zstd --long=30` or less"
        }
        _ => "",
    }
}
