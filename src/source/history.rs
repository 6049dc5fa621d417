//! History: archives whose rows are events of instruments, in the formats in which people keep them.
//!
//! A format is a file here and one line in [`FORMATS`]. Its rows become packed frames
//! ([`crate::frame::packed`]), and go the way of every other frame.

mod archive_name;
mod arrow_cells;
mod arrow_ipc;
mod arrow_rows;
mod arrow_values;
mod cells;
mod csv_cells;
mod csv_file;
mod csv_header;
mod csv_records;
mod format;
mod known;
mod layout;
pub mod mapping;
mod naming;
mod packed_rows;
mod parquet;
pub mod row;
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
use std::path::Path;

use self::arrow_ipc::ArrowIpc;
use self::csv_file::Csv;
pub use self::format::HistoryOptions;
use self::format::{FileHead, HistoryFormat};
pub(super) use self::packed_rows::PackedRows;
use self::parquet::Parquet;
use self::row::HistoryRows;
use self::zip_file::Zip;
use crate::units::Nanos;

/// The formats, in the order in which they are asked.
const FORMATS: &[&dyn HistoryFormat] = &[&Parquet, &ArrowIpc, &Zip, &Csv];

/// Opens a file as an archive; none where no format knows it, or it is no regular file.
///
/// # Errors
/// Where it is an archive and cannot be read.
pub(super) fn open(
    path: &Path,
    file: &File,
    options: &HistoryOptions,
    begin: Option<Nanos>,
) -> io::Result<Option<Box<dyn HistoryRows>>> {
    if !file.metadata()?.is_file() {
        return Ok(None);
    }
    let mut file = file.try_clone()?;
    let head = FileHead::read(&mut file)?;
    let known = FORMATS.iter().find(|format| format.recognises(path, &head));
    known
        .map(|format| format.open(path, file, options, begin))
        .transpose()
}
