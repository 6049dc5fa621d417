//! What became of every frame: in = used + conflated + dropped + dead-lettered + in flight.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use serde::Serialize;

/// Frames by their fate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Account {
    /// Frames received.
    #[serde(rename = "in")]
    pub received: u64,
    /// Frames whose events, or whose notice about the connection, were taken.
    pub used: u64,
    /// Quotes replaced by a newer one of the same instrument before they were looked at.
    pub conflated: u64,
    /// Frames passed over, in all.
    pub dropped: u64,
    /// Unreadable frames that the dead letters hold, in all.
    pub dead_lettered: u64,
    /// Frames that still waited when the run ended; Kafka gives them again to the next.
    pub in_flight: u64,
    /// Dropped frames by reason.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub dropped_by_reason: BTreeMap<&'static str, u64>,
    /// Dead letters by reason.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub dead_lettered_by_reason: BTreeMap<&'static str, u64>,
}

impl Account {
    /// Notes frames that were passed over.
    pub fn drop_frames(&mut self, reason: &'static str, count: u64) {
        if count > 0 {
            self.dropped += count;
            *self.dropped_by_reason.entry(reason).or_default() += count;
        }
    }

    /// Notes a frame that was written to the dead letters.
    pub fn dead_letter(&mut self, reason: &'static str) {
        self.dead_letters(reason, 1);
    }

    /// Notes frames that were written to the dead letters.
    pub fn dead_letters(&mut self, reason: &'static str, count: u64) {
        if count > 0 {
            self.dead_lettered += count;
            *self.dead_lettered_by_reason.entry(reason).or_default() += count;
        }
    }

    /// Leaves out copies of frames that every shard got, and used: in the capture they are one frame each.
    pub fn leave_out_copies(&mut self, copies: u64) {
        let copies = copies.min(self.used);
        self.received -= copies;
        self.used -= copies;
    }

    /// Frames that no fate is known of.
    #[must_use]
    pub fn missing(&self) -> u64 {
        self.received.saturating_sub(self.out())
    }

    fn out(&self) -> u64 {
        self.used + self.conflated + self.dropped + self.dead_lettered + self.in_flight
    }

    /// Whether every frame is accounted for.
    #[must_use]
    pub fn balances(&self) -> bool {
        let out = self.out();
        let reasons = self.dropped_by_reason.values().sum::<u64>() == self.dropped
            && self.dead_lettered_by_reason.values().sum::<u64>() == self.dead_lettered;
        self.received == out && reasons
    }
}

impl AddAssign<&Self> for Account {
    fn add_assign(&mut self, other: &Self) {
        self.received += other.received;
        self.used += other.used;
        self.conflated += other.conflated;
        self.in_flight += other.in_flight;
        for (reason, count) in &other.dropped_by_reason {
            self.drop_frames(reason, *count);
        }
        for (reason, count) in &other.dead_lettered_by_reason {
            self.dead_letters(reason, *count);
        }
    }
}
