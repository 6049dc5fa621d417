//! Writes a simulated session to a capture file.

use std::io::BufWriter;
use std::path::Path;
use std::time::Duration;

use crate::simulate::{MarketSettings, SimulateError, write_capture};
use crate::sink::output_file::OutputFile;
use crate::source::compression::{Effort, Encoder};

/// Writes a session of this duration; gzip or zstd where the path ends in `.gz` or `.zst`.
///
/// # Errors
/// [`SimulateError`] where an instrument cannot be simulated, or the file not be written.
pub fn write_capture_file(
    settings: &MarketSettings,
    duration: Duration,
    path: &Path,
) -> Result<(), SimulateError> {
    let file = OutputFile::create(path).map_err(SimulateError::Write)?;
    let out = Encoder::new(path, BufWriter::new(file), Effort::Best);
    let mut out = out.map_err(SimulateError::Write)?;
    write_capture(settings, duration, LATENCY, &mut out)?;
    let out = out.finish().map_err(SimulateError::Write)?;
    let file = out
        .into_inner()
        .map_err(|error| SimulateError::Write(error.into_error()))?;
    file.finish().map_err(SimulateError::Write)
}

/// The mean time from the simulated exchange to the recorder.
const LATENCY: Duration = Duration::from_millis(2);
