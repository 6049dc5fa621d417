//! What became of a run's events: the counters of its shards, added up.

use std::ops::AddAssign;

use serde::Serialize;

use super::shard::Shard;
use crate::engine::row::EventCounts;

/// Counters of shards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RunCounts {
    /// What became of the events.
    #[serde(flatten)]
    pub engine: EventCounts,
    /// Windows for which the model gave no finite number.
    pub undefined_scores: u64,
    /// Windows for which it gave numbers outside of 0..1, or whose sum is not 1, where probabilities must
    /// come.
    pub invalid_probabilities: u64,
    /// Refusals and faults that the venue reported.
    pub venue_errors: u64,
    /// Frames whose signals left too late.
    pub late_frames: u64,
    /// Frames that were read again after a restart only to rebuild state; nothing of them is published.
    pub reprocessed_frames: u64,
    /// Blocks of deferred steps that were done.
    pub deferred_blocks: u64,
}

impl RunCounts {
    /// Adds what a shard counted.
    pub fn add_shard(&mut self, shard: &Shard) {
        let intake = shard.counts();
        self.engine += shard.engine().counts();
        self.undefined_scores += shard.engine().undefined();
        self.invalid_probabilities += shard.engine().invalid_probabilities();
        self.venue_errors += intake.venue_errors;
        self.late_frames += intake.late_frames;
        self.reprocessed_frames += intake.reprocessed_frames;
        self.deferred_blocks += shard.engine().deferred().1;
    }
}

impl AddAssign for RunCounts {
    fn add_assign(&mut self, other: Self) {
        self.engine += &other.engine;
        self.undefined_scores += other.undefined_scores;
        self.invalid_probabilities += other.invalid_probabilities;
        self.venue_errors += other.venue_errors;
        self.late_frames += other.late_frames;
        self.reprocessed_frames += other.reprocessed_frames;
        self.deferred_blocks += other.deferred_blocks;
    }
}
