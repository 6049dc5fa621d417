//! The signals of one input, for a command that compares them with something else than signals.

use super::error::PairingError;
use super::reader::{SignalInput, SignalReader};
use super::side::key_of;
use super::{SignalKey, SignalObject};
use crate::source::file::InputProgress;

/// The signals of an input, in its order, with the fields that they have as columns of Parquet: so that JSON
/// and Parquet give the same.
pub struct StoredSignals {
    reader: SignalReader,
}

impl StoredSignals {
    /// Opens an input for a command.
    ///
    /// # Errors
    /// [`PairingError`] where it cannot be read, or holds no signals.
    pub fn open(input: &SignalInput, command: &'static str) -> Result<Self, PairingError> {
        let mut reader = SignalReader::open(input, command)?;
        reader.make_columns();
        Ok(Self { reader })
    }

    /// The next signal; none at the end.
    ///
    /// # Errors
    /// [`PairingError`] with the line, row or record that is no signal.
    pub fn next_signal(&mut self) -> Result<Option<SignalObject>, PairingError> {
        self.reader.next_signal()
    }

    /// How much of it has been read.
    pub fn progress(&mut self) -> InputProgress {
        self.reader.progress()
    }

    /// Whom a signal is about, and when.
    #[must_use]
    pub fn key_of(signal: &SignalObject) -> SignalKey {
        key_of(signal)
    }
}
