//! What a worker hands to the writer after a batch.

use bytes::Bytes;

use crate::alert::AlertsSnapshot;
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
    /// Commands about alerts.
    pub commands: Vec<DeliveredCommand>,
    /// Gaps that were found, and those that have ended.
    pub gaps: Vec<GapRecord>,
    /// Frames that could not be decoded.
    pub dead_letters: Vec<UndecodedFrame>,
    /// How far the shard has come in each partition of the batch.
    pub positions: Vec<Position>,
    /// The same of frames that are read again: they are committed already.
    pub again: Vec<Position>,
    /// The frames themselves, in the order in which they were worked on, where a capture is made.
    pub frames: Vec<Frame>,
    /// What was saved of partitions, or taken over: in its place behind the signals of earlier deliveries. A
    /// delivery with states has nothing else.
    pub states: Vec<PartitionState>,
}

/// A command about alerts.
#[derive(Clone, Debug)]
pub struct DeliveredCommand {
    /// The number of signals of the delivery that come before it.
    pub before: usize,
    /// The command.
    pub command: AlertCommand,
    /// Whether what it causes was published before: see [`Origin::reprocessed`].
    pub reprocessed: bool,
}

/// What a shard says about the state of one partition of the input.
#[derive(Debug)]
pub enum PartitionState {
    /// The shard begins to work on the partition, from a saved state or from nothing.
    Begun {
        /// The partition's number, of each topic.
        partition: i32,
        /// The alerts that were saved with its state.
        alerts: Option<AlertsSnapshot>,
    },
    /// The partition was given up.
    Ended {
        /// The partition's number.
        partition: i32,
    },
    /// What the shard holds of it now.
    Saved(SavedPartition),
}

/// What a shard holds of a partition of the input.
#[derive(Debug)]
pub struct SavedPartition {
    /// The partition's number, of each topic.
    pub partition: i32,
    /// How far each topic's partition had been worked on.
    pub positions: Vec<Position>,
    /// The states of its instruments, as the engine writes them.
    pub states: Vec<u8>,
    /// How many instruments they are.
    pub instruments: usize,
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
