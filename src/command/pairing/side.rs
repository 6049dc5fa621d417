//! One of the two sides that are paired.

use serde_json::Value;

use super::error::PairingError;
use super::reader::{SignalInput, SignalReader};
use super::{SignalKey, SignalObject, SpanOfTimes};

/// A side, and how many signals were read of it.
pub(super) struct PairedSide {
    pub(super) reader: SignalReader,
    span: SpanOfTimes,
    /// Signals read so far, a correction counted with the signal that it replaces.
    pub(super) signals: u64,
    /// Signals of them that have the id of another one.
    pub(super) repeated: u64,
    pub(super) has_ended: bool,
}

/// The fields that name the subject of a signal.
const KEY_FIELDS: [&str; 3] = ["instrument", "applicant", "obligor"];

impl PairedSide {
    pub(super) fn open(
        input: &SignalInput,
        span: SpanOfTimes,
        command: &'static str,
    ) -> Result<Self, PairingError> {
        Ok(Self {
            reader: SignalReader::open(input, command)?,
            span,
            signals: 0,
            repeated: 0,
            has_ended: false,
        })
    }

    /// Begins anew.
    pub(super) fn rewind(&mut self) -> Result<(), PairingError> {
        (self.signals, self.repeated, self.has_ended) = (0, 0, false);
        self.reader.rewind()
    }

    /// The next signal of the span with its key; none at the end.
    pub(super) fn next_signal(
        &mut self,
    ) -> Result<Option<(SignalKey, SignalObject)>, PairingError> {
        while let Some(signal) = self.reader.next_signal()? {
            let key = key_of(&signal);
            if key.1.is_none_or(|ts| self.span.contains(ts)) {
                return Ok(Some((key, signal)));
            }
        }
        self.has_ended = true;
        Ok(None)
    }
}

/// Whom a signal is about, and when.
pub(super) fn key_of(signal: &SignalObject) -> SignalKey {
    let text = |key| signal.get(key).and_then(Value::as_str);
    let subject = KEY_FIELDS.into_iter().find_map(text).unwrap_or("");
    let ts = signal.get("ts_event").and_then(Value::as_i64);
    (subject.to_owned(), ts)
}

/// Whether a signal replaces one that came before.
pub(super) fn is_correction(signal: &SignalObject) -> bool {
    signal.get("revision").and_then(Value::as_u64) > Some(0)
}

/// The id of a signal, where it has one.
pub(super) fn id_of(signal: &SignalObject) -> Option<&str> {
    signal.get("signal_id").and_then(Value::as_str)
}
