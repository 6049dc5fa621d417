//! Opens the sink for a path.

use std::path::Path;

use super::file::{FileSink, SideFiles};
use super::json::JsonWriter;
use super::parquet::ParquetSink;
use super::{Sink, SinkError};
use crate::signal::field::SignalField;
use crate::signal::lineage::Lineage;

/// Opens a sink for signals of this lineage: Parquet where the path ends in `.parquet`, else JSON lines;
/// standard output for `-`. Without a path signals are not written.
///
/// # Errors
/// [`SinkError`] naming the file.
pub fn open_file(
    lineage: &Lineage,
    fields: &[SignalField],
    path: Option<&Path>,
    side: SideFiles<'_>,
) -> Result<Box<dyn Sink>, SinkError> {
    Ok(match path {
        None => Box::new(FileSink::nowhere(side)?),
        Some(path) if path.extension().is_some_and(|ending| ending == "parquet") => {
            Box::new(ParquetSink::create(lineage.clone(), fields, path)?)
        }
        Some(path) => {
            let writer = JsonWriter::new(lineage.clone(), fields);
            let path = (path != Path::new("-")).then_some(path);
            Box::new(FileSink::create(writer, path, side)?)
        }
    })
}
