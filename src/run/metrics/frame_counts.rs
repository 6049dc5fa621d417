//! The counts of a pipeline's frames: received = used + conflated + dropped + dead-lettered + in flight.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::run::account::Account;

/// What came in, what became of it, and what is in flight.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct FrameCounts {
    /// In the order of [`KINDS`].
    pub(super) received: [u64; KINDS.len()],
    pub(super) fates: Account,
    /// In the order of [`STAGES`].
    pub(super) in_flight: [u64; STAGES.len()],
}

/// The counts of the last moment at which they could be read.
#[derive(Debug, Default)]
pub struct LastFrameCounts(Mutex<FrameCounts>);

impl LastFrameCounts {
    pub(super) fn lock(&self) -> MutexGuard<'_, FrameCounts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a frame is: a message or record of the source, a copy for another shard, a gap or a tick of our own.
pub(super) const KINDS: [&str; 4] = ["message", "copy", "gap", "tick"];

/// Where a frame without a fate is: held by the source until a ring has room, in a ring, or at a shard.
pub(super) const STAGES: [&str; 3] = ["held", "queued", "in_hand"];
