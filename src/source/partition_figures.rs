//! What a Kafka source knows of its partitions: how many it has, how far behind it is, and when the brokers
//! answered last.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use crate::units::Nanos;

/// Figures of the assigned partitions.
#[derive(Debug)]
pub struct PartitionFigures {
    /// Records that retention removed before they were read; at most so many.
    pub lost_records: AtomicU64,
    partitions: AtomicI64,
    lag: AtomicI64,
    last_answer: AtomicI64,
}

/// What was not told yet.
const UNKNOWN: i64 = -1;

impl Default for PartitionFigures {
    fn default() -> Self {
        Self {
            lost_records: AtomicU64::new(0),
            partitions: AtomicI64::new(UNKNOWN),
            lag: AtomicI64::new(UNKNOWN),
            last_answer: AtomicI64::new(UNKNOWN),
        }
    }
}

impl PartitionFigures {
    /// The number of assigned partitions; none before the first assignment, and of a source that has none.
    #[must_use]
    pub fn partitions(&self) -> Option<u64> {
        known(&self.partitions)
    }

    /// Records that the brokers have and the source has not read.
    #[must_use]
    pub fn lag(&self) -> Option<u64> {
        known(&self.lag)
    }

    /// When the brokers answered last.
    #[must_use]
    pub fn last_answer(&self) -> Option<Nanos> {
        known(&self.last_answer).map(|nanos| Nanos(nanos.cast_signed()))
    }

    pub(super) fn set_partitions(&self, partitions: usize) {
        let partitions = i64::try_from(partitions).unwrap_or(i64::MAX);
        self.partitions.store(partitions, Ordering::Relaxed);
    }

    pub(super) fn answered(&self, at: Nanos, lag: i64) {
        self.lag.store(lag.max(0), Ordering::Relaxed);
        self.last_answer.store(at.0, Ordering::Relaxed);
    }
}

fn known(figure: &AtomicI64) -> Option<u64> {
    u64::try_from(figure.load(Ordering::Relaxed)).ok()
}
