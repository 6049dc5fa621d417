//! Which events of a frame stay in the batch.

use super::ahead::{AHEAD_NS, any_is_ahead};
use super::decoded::Decoded;
use super::error::DecodeError;
use super::shard::keep_own;
use crate::event::{Batch, BatchLengths};
use crate::frame::Origin;
use crate::instrument::Instruments;

/// Which events of a frame stay in the batch.
#[derive(Debug)]
pub(super) struct KeptEvents {
    /// Which of how many shards they are for, where messages are spread over them by symbol.
    pub(super) shard: Option<(usize, usize)>,
    /// How far their time may be ahead of their receive time.
    pub(super) max_ahead_ns: i64,
}

impl Default for KeptEvents {
    fn default() -> Self {
        Self {
            shard: None,
            max_ahead_ns: AHEAD_NS,
        }
    }
}

impl KeptEvents {
    /// Leaves in the batch the events of a frame that are of this shard, and none of a frame that cannot be
    /// read or whose time is too far ahead. `before`: what the batch held before the frame.
    pub(super) fn settle(
        &self,
        origin: Origin,
        result: &mut Result<Decoded, DecodeError>,
        instruments: &Instruments,
        batch: &mut Batch,
        before: BatchLengths,
    ) {
        if *result == Ok(Decoded::Events) {
            if let Some(shard) = self.shard {
                keep_own(shard, instruments, batch, before.events);
            }
            if any_is_ahead(batch, before.events, origin.ts_recv, self.max_ahead_ns) {
                *result = Err(DecodeError::TimeAhead("ts_event"));
            }
        }
        if *result != Ok(Decoded::Events) {
            batch.truncate(before);
        }
    }
}
