//! Opens the sink for a path.

use std::path::Path;

use super::existing_file::{ExistingFile, set_aside};
use super::file::{FileSink, SideFiles};
use super::json::JsonWriter;
use super::line_file::Appears;
use super::parquet::ParquetSink;
use super::{Sink, SinkError};
use crate::signal::field::SignalField;
use crate::signal::lineage::Lineage;

/// Opens a sink for signals of this lineage: Parquet where the path ends in `.parquet` or `.pq`, else JSON
/// lines, compressed where it ends in `.gz` or `.zst`; standard output for `-`. Without a path signals are
/// not written. A Parquet file appears when it is closed in any case.
///
/// # Errors
/// [`SinkError`] naming the file.
pub fn open_file(
    lineage: &Lineage,
    fields: &[SignalField],
    path: Option<&Path>,
    side: SideFiles<'_>,
    appears: Appears,
) -> Result<Box<dyn Sink>, SinkError> {
    Ok(match path {
        None => Box::new(FileSink::nowhere(side, appears)?),
        Some(path) if is_parquet(path) => {
            if appears == Appears::Growing(ExistingFile::Continued) {
                set_aside(path).map_err(|cause| SinkError::File {
                    path: path.to_owned(),
                    cause,
                })?;
            }
            let signals = ParquetSink::create(lineage.clone(), fields, path)?;
            Box::new(signals.beside(FileSink::nowhere(side, appears)?))
        }
        Some(path) => {
            let writer = JsonWriter::new(lineage.clone(), fields);
            let path = (path != Path::new("-")).then_some(path);
            Box::new(FileSink::create(writer, path, side, appears)?)
        }
    })
}

/// Whether a file of this name is written as Parquet.
#[must_use]
pub fn is_parquet(path: &Path) -> bool {
    let ending = path.extension().map(|ending| ending.to_ascii_lowercase());
    ending.is_some_and(|ending| ending == "parquet" || ending == "pq")
}
