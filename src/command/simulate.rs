//! Writes a simulated session to a capture file.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::Duration;

use crate::simulate::{MarketSettings, SimulateError, write_capture};

/// Writes a session of this duration; gzip or zstd where the path ends in `.gz` or `.zst`.
///
/// # Errors
/// [`SimulateError`] where an instrument cannot be simulated, or the file not be written.
pub fn write_capture_file(
    settings: &MarketSettings,
    duration: Duration,
    path: &Path,
) -> Result<(), SimulateError> {
    let file = BufWriter::new(File::create(path).map_err(SimulateError::Write)?);
    let ending = path.extension().and_then(|ending| ending.to_str());
    let mut file = match ending {
        Some("zst") => {
            let mut zstd = zstd::Encoder::new(file, 19).map_err(SimulateError::Write)?;
            write_capture(settings, duration, LATENCY, &mut zstd)?;
            zstd.finish().map_err(SimulateError::Write)?
        }
        Some("gz") => {
            let mut gzip = flate2::write::GzEncoder::new(file, flate2::Compression::best());
            write_capture(settings, duration, LATENCY, &mut gzip)?;
            gzip.finish().map_err(SimulateError::Write)?
        }
        _ => {
            let mut file = file;
            write_capture(settings, duration, LATENCY, &mut file)?;
            file
        }
    };
    file.flush().map_err(SimulateError::Write)
}

/// The mean time from the simulated exchange to the recorder.
const LATENCY: Duration = Duration::from_millis(2);
