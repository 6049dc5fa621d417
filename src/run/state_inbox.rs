//! What a source tells a shard about the states of partitions: which begin, from what, and which end.
//!
//! The source puts a change here before the first frame of a partition goes into the ring, and after the last
//! frame of one that ends has been worked on; the shard looks here between two batches. So no frame meets a
//! state that it does not belong to.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::alert::AlertsSnapshot;
use crate::engine::saved::SavedStates;
use crate::frame::Position;

/// A change of the partitions that a shard works on.
#[derive(Debug)]
pub(crate) enum StateChange {
    /// A partition begins.
    Begin {
        /// Its number, of each topic.
        partition: i32,
        /// What was saved of its instruments; none: they begin without a past.
        states: Option<Box<SavedStates>>,
        /// The alerts that were saved with it.
        alerts: Option<AlertsSnapshot>,
        /// Where each topic's partition is read from.
        positions: Vec<Position>,
    },
    /// A partition ends.
    End {
        /// Its number.
        partition: i32,
    },
}

/// The changes that a shard has not made yet, and the saves that it is asked for.
#[derive(Debug, Default)]
pub(crate) struct StateInbox {
    changes: Mutex<Vec<StateChange>>,
    has_changes: AtomicBool,
    /// How often states are saved; zero: never.
    save_every: Duration,
    /// Whether what was saved last is still on its way to the disk.
    is_saving: AtomicBool,
}

impl StateInbox {
    /// An inbox of a shard that saves its states this often; never, where it is zero.
    pub(crate) fn saving_every(save_every: Duration) -> Self {
        Self {
            save_every,
            ..Self::default()
        }
    }

    /// How often states are saved; none: never.
    pub(crate) fn save_every(&self) -> Option<Duration> {
        (!self.save_every.is_zero()).then_some(self.save_every)
    }

    /// Puts a change in.
    pub(crate) fn put(&self, change: StateChange) {
        let mut changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        changes.push(change);
        self.has_changes.store(true, Ordering::Release);
    }

    /// Takes the changes, in their order.
    pub(crate) fn take(&self) -> Vec<StateChange> {
        if !self.has_changes.load(Ordering::Acquire) {
            return vec![];
        }
        let mut changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        self.has_changes.store(false, Ordering::Release);
        std::mem::take(&mut changes)
    }

    /// Whether a save may begin: the last one has ended. It has begun, then.
    pub(crate) fn begin_save(&self) -> bool {
        !self.is_saving.swap(true, Ordering::AcqRel)
    }

    /// The last save has ended.
    pub(crate) fn end_save(&self) {
        self.is_saving.store(false, Ordering::Release);
    }
}
