//! Sinks write signals, alerts and dead letters: to standard output, files, or Kafka. They decide nothing.

pub mod alert_journal;
pub mod atomic_file;
pub mod file;
pub mod json;
pub mod kafka;
pub mod parquet;
pub mod topic;
pub(crate) mod unacknowledged;

use std::io;
use std::path::{Path, PathBuf};

use self::alert_journal::AlertJournalError;
use crate::frame::{Origin, Position};
use crate::signal::Signal;
use crate::signal::field::SignalField;
use crate::signal::lineage::Lineage;

/// Writes signals, alerts and dead letters, and acknowledges those that have arrived.
pub trait Sink: Send {
    /// Takes a signal of the instrument with this name. It may be buffered until `flush`.
    ///
    /// # Errors
    /// [`SinkError`]; the signal then counts as not written.
    fn signal(&mut self, signal: &Signal, instrument: &str) -> Result<(), SinkError>;

    /// Takes a frame that could not be decoded. A sink that keeps no dead letters drops it.
    ///
    /// # Errors
    /// [`SinkError`].
    fn dead_letter(&mut self, letter: &DeadLetter<'_>) -> Result<(), SinkError>;

    /// Takes an alert: a record with its key. A sink that keeps no alerts drops it.
    ///
    /// # Errors
    /// [`SinkError`].
    fn alert(&mut self, _key: &str, _record: &[u8]) -> Result<(), SinkError> {
        Ok(())
    }

    /// Marks positions of the input: all records of the frames before them have been taken.
    fn mark(&mut self, positions: &[Position]);

    /// Hands over what can be handed over without waiting, and appends the marked positions before which all
    /// records have arrived for good, each once and in the order of the marks.
    ///
    /// # Errors
    /// [`SinkError`], also for a record taken earlier.
    fn acknowledged(&mut self, positions: &mut Vec<Position>) -> Result<(), SinkError>;

    /// Writes everything that was taken; it has arrived when this returns.
    ///
    /// # Errors
    /// [`SinkError`].
    fn flush(&mut self) -> Result<(), SinkError>;

    /// Ends the output at the end of a run.
    ///
    /// # Errors
    /// [`SinkError`].
    fn close(&mut self) -> Result<(), SinkError> {
        self.flush()
    }

    /// Whether dead letters are written.
    fn keeps_dead_letters(&self) -> bool;
}

/// A frame that could not be read.
#[derive(Clone, Copy, Debug)]
pub struct DeadLetter<'a> {
    /// The reason, as the counters name it.
    pub reason: &'a str,
    /// The field at fault, where one is known.
    pub field: Option<&'a str>,
    /// The address of the frame.
    pub origin: Origin,
    /// The name of its stream.
    pub stream: &'a str,
    /// The frame.
    pub bytes: &'a [u8],
}

/// The files that are written beside that of the signals, as JSON lines.
#[derive(Clone, Copy, Debug, Default)]
pub struct SideFiles<'a> {
    /// The file of frames that could not be read; none: they are not written.
    pub dead_letters: Option<&'a Path>,
    /// The file of alerts; none: they are not written.
    pub alerts: Option<&'a Path>,
}

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
        None => Box::new(file::FileSink::nowhere(side)?),
        Some(path) if path.extension().is_some_and(|ending| ending == "parquet") => {
            Box::new(parquet::ParquetSink::create(lineage.clone(), fields, path)?)
        }
        Some(path) => {
            let writer = json::JsonWriter::new(lineage.clone(), fields);
            let path = (path != Path::new("-")).then_some(path);
            Box::new(file::FileSink::create(writer, path, side)?)
        }
    })
}

/// Why signals could not be written.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// A file cannot be written.
    #[error("while writing to {}: {cause}{}", path.display(), disk_hint(cause))]
    File {
        /// The file.
        path: PathBuf,
        /// The system's error.
        cause: io::Error,
    },
    /// Standard output cannot be written, as when its reader has closed it.
    #[error("while writing signals to standard output: {0}")]
    Stdout(io::Error),
    /// Alerts cannot begin, or their state not be written.
    #[error(transparent)]
    Alerts(#[from] AlertJournalError),
    /// A Parquet file cannot be written.
    #[error("while writing Parquet to {}: {what}", path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// The error of the Parquet writer.
        what: String,
    },
    /// Kafka does not take records.
    #[error(transparent)]
    Kafka(Box<kafka::KafkaSinkError>),
}

fn disk_hint(cause: &io::Error) -> &'static str {
    match cause.kind() {
        io::ErrorKind::StorageFull => {
            "; free some space and start again: signals that were not written are made again"
        }
        io::ErrorKind::NotFound => "; make the folder first",
        io::ErrorKind::PermissionDenied => "; the user running foretick may not write there",
        _ => "",
    }
}
