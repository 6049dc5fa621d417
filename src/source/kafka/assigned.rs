//! The assigned partitions: how far each is read, and the frames for which its ring had no room.
//!
//! Each record costs the same however many partitions are assigned: only the paused ones are visited.

use std::collections::VecDeque;

use rustc_hash::{FxHashMap, FxHashSet};

use super::partition::PartitionKey;
use crate::frame::Frame;

/// One partition.
#[derive(Default)]
pub(super) struct AssignedPartition {
    /// Frames taken from Kafka for which there was no room, oldest first. Where there are any, the partition
    /// is paused.
    pub(super) held: VecDeque<Frame>,
    /// The offset where the partition ended at the assignment.
    pub(super) end: i64,
    /// Records before this offset are read only to rebuild state.
    pub(super) new_from: i64,
    /// The offset that is read next, or a later one.
    pub(super) next: i64,
}

/// All assigned partitions.
#[derive(Default)]
pub(super) struct AssignedPartitions {
    partitions: FxHashMap<PartitionKey, AssignedPartition>,
    paused: FxHashSet<PartitionKey>,
}

impl AssignedPartitions {
    /// A partition was assigned.
    pub(super) fn add(&mut self, key: PartitionKey, partition: AssignedPartition) {
        self.partitions.insert(key, partition);
        self.paused.remove(&key);
    }

    /// A partition was revoked. Returns the number of its frames that were held.
    pub(super) fn remove(&mut self, key: PartitionKey) -> usize {
        self.paused.remove(&key);
        self.partitions
            .remove(&key)
            .map_or(0, |partition| partition.held.len())
    }

    /// The state of a partition.
    pub(super) fn partition(&mut self, key: PartitionKey) -> &mut AssignedPartition {
        self.partitions.entry(key).or_default()
    }

    /// The first offset of a partition that is not read only to rebuild state.
    pub(super) fn new_from(&self, key: PartitionKey) -> i64 {
        self.partitions.get(&key).map_or(0, |at| at.new_from)
    }

    /// All partitions.
    pub(super) fn keys(&self) -> impl Iterator<Item = PartitionKey> {
        self.partitions.keys().copied()
    }

    /// Marks a partition as paused. False where it was paused before.
    pub(super) fn pause(&mut self, key: PartitionKey) -> bool {
        self.paused.insert(key)
    }

    /// Marks a partition as not paused.
    pub(super) fn resume(&mut self, key: PartitionKey) {
        self.paused.remove(&key);
    }

    /// The partitions that are paused.
    pub(super) fn paused(&self) -> impl Iterator<Item = PartitionKey> {
        self.paused.iter().copied()
    }

    /// Whether any partition is paused.
    pub(super) fn any_paused(&self) -> bool {
        !self.paused.is_empty()
    }

    /// Whether any frame is held.
    pub(super) fn any_held(&self) -> bool {
        self.paused.iter().any(|key| {
            self.partitions
                .get(key)
                .is_some_and(|partition| !partition.held.is_empty())
        })
    }

    /// Whether any frame of a partition is held.
    pub(super) fn has_held(&self, key: PartitionKey) -> bool {
        let partition = self.partitions.get(&key);
        partition.is_some_and(|partition| !partition.held.is_empty())
    }

    /// Drops all held frames and returns their number.
    pub(super) fn drop_held(&mut self) -> usize {
        let partitions = self.partitions.values_mut();
        partitions
            .map(|partition| partition.held.drain(..).len())
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::frame::Origin;

    #[test]
    fn only_paused_partitions_are_visited() {
        let mut assigned = AssignedPartitions::default();
        for partition in 0..1_000 {
            assigned.add((0, partition), AssignedPartition::default());
        }
        assert!(!assigned.any_paused() && !assigned.any_held());
        assert!(assigned.pause((0, 7)) && !assigned.pause((0, 7)));
        let frame = Frame {
            origin: Origin {
                partition: 7,
                offset: 3,
                ..Origin::of_test()
            },
            bytes: Bytes::new(),
        };
        assigned.partition((0, 7)).held.push_back(frame);
        assert_eq!(assigned.paused().collect::<Vec<_>>(), [(0, 7)]);
        assert!(assigned.any_held());
        assert_eq!((assigned.remove((0, 7)), assigned.any_paused()), (1, false));
        assert_eq!(assigned.keys().count(), 999);
    }
}
