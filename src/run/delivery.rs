//! What a worker hands to the writer after a batch.

use bytes::Bytes;

use crate::alert::command::AlertCommand;
use crate::decode::DecodeError;
use crate::engine::row::GapRecord;
use crate::frame::{Frame, Origin, Position};
use crate::signal::Signal;

/// What came of one batch of a shard.
#[derive(Debug, Default)]
pub struct Delivery {
    /// Number of the shard.
    pub shard: usize,
    /// Names of the instruments that are new since its last delivery, in the order of their numbers.
    pub new_names: Vec<String>,
    /// Whether these names are all there are, and hold for this delivery only.
    pub names_per_batch: bool,
    /// The signals.
    pub signals: Vec<Signal>,
    /// Commands about alerts, each with the number of signals that come before it.
    pub commands: Vec<(usize, AlertCommand)>,
    /// Gaps that were found, and those that have ended.
    pub gaps: Vec<GapRecord>,
    /// Frames that could not be decoded.
    pub dead_letters: Vec<UndecodedFrame>,
    /// How far the shard has come in each partition of the batch.
    pub positions: Vec<Position>,
    /// The frames themselves, in the order in which they were worked on, where a capture is made.
    pub frames: Vec<Frame>,
}

/// A frame that could not be decoded, on its way to the dead letters.
#[derive(Clone, Debug)]
pub struct UndecodedFrame {
    /// Why.
    pub error: DecodeError,
    /// Where it came from.
    pub origin: Origin,
    /// Its bytes, without personal data.
    pub bytes: Bytes,
}

/// A signal of the first instrument at this time, for tests.
#[cfg(test)]
pub(super) fn test_signal(ts_event: i64) -> Signal {
    use crate::instrument::InstrumentId;
    use crate::signal::quality::Quality;
    use crate::signal::{Latency, MAX_OUTPUTS, MAX_REASONS};
    use crate::units::{Nanos, Price};
    Signal {
        instrument: InstrumentId(0),
        ts_event: Nanos(ts_event),
        ts_out: Nanos(0),
        model: 0,
        outputs: [0.0; MAX_OUTPUTS],
        quality: Quality::Ok,
        reasons: [None; MAX_REASONS],
        average: None,
        item: None,
        period: None,
        last_price: Price::UNDEFINED,
        origin: Origin::of_test(),
        part: 0,
        revision: 0,
        latency: Latency::default(),
    }
}
