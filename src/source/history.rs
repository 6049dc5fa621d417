//! History: archives whose rows are events of instruments, in the formats in which people keep them.
//!
//! A format is a file here and one line in `FORMATS`. Its rows become packed frames
//! ([`crate::frame::packed`]), and go the way of every other frame.

mod archive_name;
mod arrow_cells;
mod arrow_check;
mod arrow_ipc;
mod arrow_rows;
mod arrow_values;
mod cell_advice;
mod cells;
mod csv_cells;
mod csv_file;
mod csv_header;
mod csv_records;
mod damage_guard;
mod dbn;
mod format;
mod known;
mod lacking;
mod layout;
mod lobster;
pub mod mapping;
mod mbo_book;
mod naming;
mod packed_rows;
mod parquet;
pub mod row;
mod row_kind;
mod row_maker;
mod tardis;
#[cfg(test)]
mod tests;
mod text_cell;
mod tick_rule;
mod time_form;
mod told;
mod zip_directory;
mod zip_file;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use self::arrow_ipc::ArrowIpc;
use self::csv_file::Csv;
pub use self::format::HistoryOptions;
use self::format::{Archive, FileHead, HistoryFormat};
pub use self::lobster::{BookComparison, compare as compare_books};
pub(super) use self::packed_rows::PackedRows;
use self::parquet::Parquet;
use self::zip_file::Zip;
use crate::units::Nanos;

/// A key in the metadata of the schema of archives that we write. Such a file says itself what its columns
/// hold: nothing that is told about archives concerns it.
pub const ARCHIVE_KEY: &str = "foretick.archive";

/// The formats and their names, in the order in which they are asked.
const FORMATS: &[(&str, &dyn HistoryFormat)] = &[
    ("parquet", &Parquet),
    ("arrow", &ArrowIpc),
    ("zip", &Zip),
    ("dbn", &dbn::Dbn),
    ("dbz", &dbn::Dbz),
    ("dbn_fragment", &dbn::DbnFragment),
    ("lobster", &lobster::Lobster),
    ("csv", &Csv),
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

/// The names of the files in a zip archive, in the order in which they are read; none where it is no such
/// archive.
///
/// # Errors
/// Where the archive is cut or damaged.
pub fn files_in_zip(path: &Path) -> io::Result<Option<Vec<String>>> {
    if !path.is_file() {
        return Ok(None);
    }
    let mut file = File::open(path)?;
    let head = FileHead::read(&mut file)?;
    match Zip.recognises(path, &head) {
        true => zip_file::names_in(file).map(Some),
        false => Ok(None),
    }
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
