//! History: archives whose rows are events of instruments, in the formats in which people keep them.
//!
//! A format is a file here and one line in [`FORMATS`]. Its rows become packed frames
//! ([`crate::frame::packed`]), and go the way of every other frame.

mod dbn;
mod format;
mod lobster;
mod mbo_book;
mod packed_rows;
pub mod row;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

pub use self::format::HistoryOptions;
use self::format::{Archive, FileHead, HistoryFormat};
pub use self::lobster::{BookComparison, compare as compare_books};
pub(super) use self::packed_rows::PackedRows;
use crate::units::Nanos;

/// The formats and their names, in the order in which they are asked.
const FORMATS: &[(&str, &dyn HistoryFormat)] = &[
    ("dbn", &dbn::Dbn),
    ("dbz", &dbn::Dbz),
    ("lobster", &lobster::Lobster),
];

/// The files among the inputs that are read beside others of them.
pub(super) fn companions(paths: &[PathBuf]) -> Vec<PathBuf> {
    lobster::pairs(paths)
        .into_iter()
        .map(|pair| pair.1)
        .collect()
}

/// LOBSTER's message files among the inputs that have their order book files there too, with these.
#[must_use]
pub fn books_beside_messages(paths: &[PathBuf]) -> Vec<(PathBuf, PathBuf)> {
    lobster::pairs(paths)
}

/// Opens a file as an archive; none where no format knows it, or it is no regular file.
///
/// # Errors
/// Where it is an archive and cannot be read.
pub(super) fn open(
    path: &Path,
    file: &File,
    options: &HistoryOptions,
    begin: Option<Nanos>,
) -> io::Result<Option<Archive>> {
    if !file.metadata()?.is_file() {
        return Ok(None);
    }
    let mut file = file.try_clone()?;
    let head = FileHead::read(&mut file)?;
    let is_of = |one: &&(&str, &dyn HistoryFormat)| one.1.recognises(path, &head);
    let Some((name, format)) = FORMATS.iter().find(is_of) else {
        return Ok(None);
    };
    let rows = format.open(path, file, options, begin)?;
    Ok(Some(Archive { format: name, rows }))
}
