//! The way of frames from the consumer into the rings: held where a ring is full, merged where topics are.
//!
//! A full ring pauses its partitions, so that nothing is dropped.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use rdkafka::error::KafkaResult;
use tracing::debug;

use super::assigned::{AssignedPartition, AssignedPartitions};
use super::gaps::PartitionGaps;
use super::merge::Merge;
use super::partition::{PartitionKey, partition_of};
use super::placement::Missing;
use super::progress::Progress;
use super::rebalance::Change;
use super::rings::Rings;
use super::take_over::PlacedPartition;
use crate::frame::{Frame, Position};
use crate::source::ring::Sender;
use crate::source::status::{FeedStatus, count};

/// What of a client says which partitions are fetched.
pub(crate) trait FetchControl {
    /// The topic of a stream; empty for one that is not read.
    fn topic_of(&self, stream: u16) -> String;

    /// Fetches no more of a partition.
    ///
    /// # Errors
    /// Where the partition is no longer ours.
    fn pause(&self, key: PartitionKey) -> KafkaResult<()>;

    /// Fetches a partition again.
    ///
    /// # Errors
    /// Where the partition is no longer ours.
    fn resume(&self, key: PartitionKey) -> KafkaResult<()>;

    /// The offset that is read next; also behind the marks of transactions, which are not records.
    fn position(&self, key: PartitionKey) -> Option<i64>;
}

/// The assigned partitions, and their frames on the way into the rings.
pub(crate) struct PartitionIntake<C> {
    client: C,
    rings: Rings,
    pub(super) assigned: AssignedPartitions,
    /// Merges several topics by time until they are read to their ends; has no partitions of a single topic.
    pub(super) merge: Merge,
    gaps: PartitionGaps,
    is_merging: bool,
    progress: Arc<Progress>,
    status: Arc<FeedStatus>,
}

impl<C: FetchControl> PartitionIntake<C> {
    /// The way from a consumer of so many topics.
    pub(crate) fn new(
        client: C,
        topics: usize,
        rings: Vec<Sender>,
        progress: Arc<Progress>,
        status: Arc<FeedStatus>,
    ) -> Self {
        Self {
            client,
            rings: Rings::new(rings, Arc::clone(&progress), Arc::clone(&status)),
            assigned: AssignedPartitions::default(),
            merge: Merge::default(),
            gaps: PartitionGaps::new(Arc::clone(&status)),
            is_merging: topics > 1,
            progress,
            status,
        }
    }

    /// Follows the assignments and revocations of a rebalance.
    pub(crate) fn follow(&mut self, change: Change) {
        match change {
            Change::Assigned(placed) => self.add(placed),
            Change::Revoked(key) => self.remove(key),
            Change::Settled => self.find_read_partitions(),
        }
    }

    /// A partition was assigned.
    fn add(&mut self, placed: PlacedPartition) {
        let partition = AssignedPartition {
            end: placed.end,
            new_from: placed.new_from,
            next: placed.begin,
            ..AssignedPartition::default()
        };
        self.assigned.add(placed.key, partition);
        self.progress
            .assigned(placed.key.0, placed.key.1, placed.note);
        if placed.is_begun {
            self.progress.begins(Position {
                stream: placed.key.0,
                partition: placed.key.1,
                next: placed.next,
            });
        }
        let figures = &self.status.partitions;
        figures.rereads(placed.key, placed.begin, placed.new_from);
        if let Some(missing) = placed.missing {
            self.add_gap(placed.key, placed.next, missing);
        }
        if self.is_merging {
            self.merge.add(placed.key);
        }
    }

    /// A partition was revoked.
    fn remove(&mut self, key: PartitionKey) {
        self.gaps.remove(key);
        let held = self.assigned.remove(key);
        let merged = self.merge.remove(key);
        self.count_orphaned(held + merged);
        self.progress.forget(key.0, key.1);
        self.status.partitions.rereads_no_more(key);
    }

    /// Records of a partition before this offset are read only to rebuild state.
    pub(crate) fn new_from(&self, key: PartitionKey) -> i64 {
        self.assigned.new_from(key)
    }

    /// Records of a partition before `next` are gone.
    pub(crate) fn add_gap(&mut self, key: PartitionKey, next: i64, missing: Missing) {
        let topic = self.client.topic_of(key.0);
        self.gaps.add(&topic, key, next, missing);
    }

    /// Whether a frame of a partition waits for its turn or for room.
    pub(crate) fn has_frames(&self, key: PartitionKey) -> bool {
        self.assigned.has_held(key) || self.merge.has_frames(key)
    }

    /// Whether anything waits for room in a ring.
    pub(crate) fn is_full(&self) -> bool {
        self.merge.waiting().is_some() || self.assigned.any_paused() || !self.gaps.is_empty()
    }

    /// Frames of which their shards were not told.
    pub(super) fn untold(&self) -> usize {
        self.rings.untold()
    }

    /// Wakes the shards that have frames they were not told of; whether there were any.
    pub(super) fn wake_shards(&self) -> bool {
        self.rings.wake_shards()
    }

    /// Sends what waits, as far as there is room.
    pub(crate) fn send_waiting(&mut self) {
        if !self.gaps.is_empty() {
            let _turn = self.status.begin_turn();
            self.gaps.send_all(&self.rings);
        }
        self.send_held();
        self.send_merged();
    }

    /// Sends a frame to its ring, or merges it with those of other topics, in a turn of the source. False
    /// where its offset was read before.
    #[must_use]
    pub(crate) fn arrive(&mut self, ts: i64, frame: Frame) -> bool {
        let (key, offset) = (partition_of(&frame), frame.origin.offset);
        let partition = self.assigned.partition(key);
        if offset < partition.next {
            return false;
        }
        partition.next = offset + 1;
        let is_read = partition.next >= partition.end;
        if self.merge.is_over() {
            self.send(frame);
            return true;
        }
        let is_full = self.merge.push(ts, frame);
        count(&self.status.held);
        if is_read {
            self.merge.is_read(key);
        }
        if is_full {
            self.pause(key);
        }
        true
    }

    /// Finds the merged partitions that are read to where they ended when they were assigned.
    pub(crate) fn find_read_partitions(&mut self) {
        if self.merge.is_over() {
            return;
        }
        for key in self.merge.behind() {
            if self.is_read(key) {
                self.merge.is_read(key);
            }
        }
    }

    /// Whether a partition is read to where it ended when it was assigned.
    pub(crate) fn is_read(&mut self, key: PartitionKey) -> bool {
        let partition = self.assigned.partition(key);
        let (end, next) = (partition.end, partition.next);
        let is_behind = |position| position >= end;
        next >= end || self.client.position(key).is_some_and(is_behind)
    }

    /// Whether every assigned partition is read to where it ended when it was assigned, and handed on.
    pub(crate) fn is_at_end(&mut self) -> bool {
        if self.assigned.any_held() || !self.gaps.is_empty() {
            return false;
        }
        self.find_read_partitions();
        if !self.merge.is_over() {
            return false;
        }
        let all: Vec<_> = self.assigned.keys().collect();
        all.into_iter().all(|key| self.is_read(key))
    }

    /// Drops the rings so that the shards end, and what waits for room in them.
    pub(crate) fn close(&mut self) {
        let mut held = self.assigned.drop_held();
        let keys: Vec<_> = self.assigned.keys().collect();
        for &key in &keys {
            held += self.merge.remove(key);
        }
        self.count_orphaned(held);
        keys.into_iter().for_each(|key| self.pause(key));
        self.rings.close();
    }

    /// Sends the merged frames whose turn has come, while there is room.
    fn send_merged(&mut self) {
        while let Some(frame) = self.merge.next() {
            let _turn = self.status.begin_turn();
            let sent = match self.gaps.send(partition_of(&frame), &self.rings) {
                true => self.rings.send(frame),
                false => Err(frame),
            };
            if let Err(back) = sent {
                self.merge.put_back(back);
                break;
            }
            self.status.held.fetch_sub(1, Relaxed);
        }
    }

    /// Sends a frame to its ring, or holds it and pauses its partition.
    fn send(&mut self, frame: Frame) {
        let key = partition_of(&frame);
        let held = &mut self.assigned.partition(key).held;
        let back = match held.is_empty() && self.gaps.send(key, &self.rings) {
            true => self.rings.send_soon(frame).err(),
            false => Some(frame),
        };
        if let Some(frame) = back {
            held.push_back(frame);
            count(&self.status.held);
            self.pause(key);
        }
    }

    /// Sends held frames where the ring is at most half full, and resumes partitions that hold none.
    fn send_held(&mut self) {
        if !self.assigned.any_paused() {
            return;
        }
        let status = Arc::clone(&self.status);
        let _turn = status.begin_turn();
        for key in self.assigned.paused().collect::<Vec<_>>() {
            let has_gap = !self.gaps.send(key, &self.rings);
            let held = &mut self.assigned.partition(key).held;
            while !has_gap
                && self.rings.is_half_empty(key)
                && let Some(frame) = held.pop_front()
            {
                if let Err(back) = self.rings.send(frame) {
                    held.push_front(back);
                    break;
                }
                self.status.held.fetch_sub(1, Relaxed);
            }
            let is_empty = held.is_empty();
            if is_empty && self.merge.has_room(key) {
                self.resume(key);
            }
        }
    }

    /// Pauses a partition. librdkafka then drops what it has fetched of it, and fetches it again later.
    fn pause(&mut self, key: PartitionKey) {
        if self.assigned.pause(key)
            && let Err(error) = self.client.pause(key)
        {
            debug!(partition = key.1, %error, "cannot pause: the partition is no longer ours");
        }
    }

    fn resume(&mut self, key: PartitionKey) {
        self.assigned.resume(key);
        if let Err(error) = self.client.resume(key) {
            debug!(partition = key.1, %error, "cannot resume: the partition is no longer ours");
        }
    }

    /// Held frames that will not be sent: the next owner of the partition reads them again.
    fn count_orphaned(&self, frames: usize) {
        let _turn = self.status.begin_turn();
        self.status.held.fetch_sub(frames as u64, Relaxed);
        let orphaned = &self.status.dropped.orphaned;
        orphaned.fetch_add(frames as u64, Relaxed);
    }
}
