//! What a Kafka source knows of its partitions: how many it has, how far behind it is, and when the brokers
//! answered last.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use rustc_hash::FxHashMap;

use crate::clock;
use crate::units::Nanos;

/// Figures of the assigned partitions.
#[derive(Debug)]
pub struct PartitionFigures {
    /// Records that retention removed before they were read; at most so many.
    pub lost_records: AtomicU64,
    partitions: AtomicI64,
    lag: AtomicI64,
    last_answer: AtomicI64,
    reread: Mutex<Reread>,
}

/// The records that are read again to bring state back.
#[derive(Debug, Default)]
struct Reread {
    /// The first new record of each partition that has not come to it, and how many are before it.
    partitions: FxHashMap<(u16, i32), (i64, i64)>,
    /// When the first of them began.
    since: Option<Instant>,
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
            reread: Mutex::default(),
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

    /// The partitions whose reading has not come to new records: the first of these, and how many are before
    /// it as of the last look.
    #[must_use]
    pub fn rereading(&self) -> FxHashMap<(u16, i32), (i64, i64)> {
        self.lock().partitions.clone()
    }

    /// Since when records are read again; none where none were.
    #[must_use]
    pub fn reread_since(&self) -> Option<Instant> {
        self.lock().since
    }

    /// A partition was assigned: its records from `begin` to `new_from` are read again.
    pub(super) fn rereads(&self, key: (u16, i32), begin: i64, new_from: i64) {
        let mut reread = self.lock();
        if begin >= new_from {
            reread.partitions.remove(&key);
            return;
        }
        if reread.partitions.is_empty() {
            reread.since = Some(clock::instant());
        }
        reread.partitions.insert(key, (new_from, new_from - begin));
    }

    /// Partitions have been read up to here.
    pub(super) fn read_to(&self, next: impl Fn((u16, i32)) -> Option<i64>) {
        self.lock().partitions.retain(|&key, (new_from, left)| {
            if let Some(next) = next(key) {
                *left = *new_from - next;
            }
            *left > 0
        });
    }

    /// A partition was revoked.
    pub(super) fn rereads_no_more(&self, key: (u16, i32)) {
        self.lock().partitions.remove(&key);
    }

    fn lock(&self) -> MutexGuard<'_, Reread> {
        self.reread.lock().unwrap_or_else(PoisonError::into_inner)
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
