//! Sinks write signals, alerts, gaps and dead letters: to standard output, files, or Kafka. They decide
//! nothing.

pub mod alert_journal;
pub mod atomic_file;
mod dead_letter;
mod error;
pub mod event;
pub mod existing_file;
pub mod file;
pub mod gap_json;
pub mod json;
pub mod kafka;
pub mod line_file;
pub mod open;
pub mod output_file;
mod output_folder;
pub mod parquet;
pub mod status;
pub mod topic;
pub(crate) mod unacknowledged;

use std::sync::Arc;

pub use self::dead_letter::DeadLetter;
pub use self::error::SinkError;
use self::kafka::transaction::CommittingGroup;
use self::status::SinkStatus;
use crate::frame::Position;
use crate::signal::Signal;

/// Writes signals, alerts, gaps and dead letters, and acknowledges those that have arrived.
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

    /// Takes a gap: a record with its key. A sink that keeps no gaps drops it.
    ///
    /// # Errors
    /// [`SinkError`].
    fn gap(&mut self, _key: &str, _record: &[u8]) -> Result<(), SinkError> {
        Ok(())
    }

    /// Marks positions of the input: all records of the frames before them have been taken.
    fn mark(&mut self, positions: &[Position]);

    /// Commits offsets in the name of this group, where it writes records and offsets together.
    fn commit_for(&mut self, _group: Arc<dyn CommittingGroup>) {}

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

    /// Ends the output of a run that failed: a file that was there before stays as it was.
    ///
    /// # Errors
    /// [`SinkError`].
    fn close_incomplete(&mut self) -> Result<(), SinkError> {
        self.close()
    }

    /// Whether dead letters are written.
    fn keeps_dead_letters(&self) -> bool;

    /// What it shows of its delivery. A sink that hands all over at once shows nothing.
    fn status(&self) -> Arc<SinkStatus> {
        Arc::default()
    }
}
