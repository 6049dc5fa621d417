//! Merges several topics by time while they are read up to their ends.
//!
//! Kafka keeps order within a partition. Records that were written while nothing was read come topic by
//! topic: days of bars before the figures that were known at their time. So until all partitions have been
//! read to where they ended when they were assigned, the frame of the earliest time goes first, and none
//! goes while a partition that is behind has no frame waiting. From then on frames go as they arrive. Kafka
//! Streams does the same (KIP-353, KIP-695). Each frame costs O(log n) for n partitions, and O(1) once
//! merging is over. Knows no client and no clock.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::partition::{PartitionKey, partition_of};
use crate::frame::Frame;

/// The frames of each partition that wait for their turn.
#[derive(Debug, Default)]
pub(super) struct Merge {
    queues: BTreeMap<PartitionKey, MergeQueue>,
    /// The time of each queue's first frame, earliest first. Of equal times the topic listed last comes
    /// first: topics after the first say what is known around it.
    firsts: BTreeSet<(i64, Reverse<PartitionKey>)>,
    /// The number of partitions that are not read to their ends.
    behind: usize,
    /// The number of these that have no frame waiting: the time of their next frame is unknown.
    unknown: usize,
    /// A frame whose turn has come, for which its ring had no room.
    put_back: Option<Frame>,
}

#[derive(Debug, Default)]
struct MergeQueue {
    frames: VecDeque<(i64, Frame)>,
    bytes: usize,
    /// Whether the partition has been read to where it ended at the assignment.
    is_read: bool,
}

/// A partition with more waiting frames, or bytes of them, is paused.
const FRAMES_MAX: usize = 4_096;
const BYTES_MAX: usize = 8 << 20;

impl Merge {
    /// A partition was assigned.
    pub(super) fn add(&mut self, key: PartitionKey) {
        self.remove_queue(key);
        self.queues.insert(key, MergeQueue::default());
        self.behind += 1;
        self.unknown += 1;
    }

    /// A partition was revoked. Returns the number of its frames that waited.
    pub(super) fn remove(&mut self, key: PartitionKey) -> usize {
        let put_back = self.put_back.take_if(|frame| partition_of(frame) == key);
        self.remove_queue(key) + usize::from(put_back.is_some())
    }

    /// A partition has been read to its end.
    pub(super) fn is_read(&mut self, key: PartitionKey) {
        if let Some(queue) = self.queues.get_mut(&key)
            && !queue.is_read
        {
            queue.is_read = true;
            self.behind -= 1;
            self.unknown -= usize::from(queue.frames.is_empty());
        }
    }

    /// The partitions that are not known to be read to their ends.
    pub(super) fn behind(&self) -> Vec<PartitionKey> {
        let behind = self.queues.iter().filter(|(_, queue)| !queue.is_read);
        behind.map(|(&key, _)| key).collect()
    }

    /// Whether frames go as they arrive: all partitions are read to their ends, and no frame waits.
    pub(super) fn is_over(&self) -> bool {
        self.behind == 0 && self.firsts.is_empty() && self.put_back.is_none()
    }

    /// Takes a frame of this time. True where the partition is to be paused.
    pub(super) fn push(&mut self, ts: i64, frame: Frame) -> bool {
        let key = partition_of(&frame);
        if !self.queues.contains_key(&key) {
            self.add(key);
        }
        let queue = self.queues.get_mut(&key).expect("it is there or was added");
        if queue.frames.is_empty() {
            self.firsts.insert((ts, Reverse(key)));
            self.unknown -= usize::from(!queue.is_read);
        }
        queue.bytes += frame.bytes.len();
        queue.frames.push_back((ts, frame));
        queue.is_full()
    }

    /// Whether a partition may be resumed.
    pub(super) fn has_room(&self, key: PartitionKey) -> bool {
        self.queues.get(&key).is_none_or(|queue| !queue.is_full())
    }

    /// Whether any frame of a partition waits.
    pub(super) fn has_frames(&self, key: PartitionKey) -> bool {
        let is_put_back = self
            .put_back
            .as_ref()
            .is_some_and(|frame| partition_of(frame) == key);
        let queue = self.queues.get(&key);
        is_put_back || queue.is_some_and(|queue| !queue.frames.is_empty())
    }

    /// The frame whose turn it is; none where none waits, or the next one may be of a partition that is
    /// behind.
    pub(super) fn next(&mut self) -> Option<Frame> {
        if self.put_back.is_some() {
            return self.put_back.take();
        }
        if self.unknown > 0 {
            return None;
        }
        let (_, Reverse(key)) = self.firsts.pop_first()?;
        let queue = self.queues.get_mut(&key)?;
        let (_, frame) = queue.frames.pop_front()?;
        queue.bytes -= frame.bytes.len();
        match queue.frames.front() {
            Some(&(ts, _)) => drop(self.firsts.insert((ts, Reverse(key)))),
            None => self.unknown += usize::from(!queue.is_read),
        }
        Some(frame)
    }

    /// The ring of this frame had no room: it comes next.
    pub(super) fn put_back(&mut self, frame: Frame) {
        self.put_back = Some(frame);
    }

    /// The frame that was put back.
    pub(super) fn waiting(&self) -> Option<&Frame> {
        self.put_back.as_ref()
    }

    fn remove_queue(&mut self, key: PartitionKey) -> usize {
        let Some(queue) = self.queues.remove(&key) else {
            return 0;
        };
        self.behind -= usize::from(!queue.is_read);
        match queue.frames.front() {
            Some(&(ts, _)) => drop(self.firsts.remove(&(ts, Reverse(key)))),
            None => self.unknown -= usize::from(!queue.is_read),
        }
        queue.frames.len()
    }
}

impl MergeQueue {
    fn is_full(&self) -> bool {
        self.frames.len() >= FRAMES_MAX || self.bytes >= BYTES_MAX
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::frame::Origin;

    const BARS: (u16, i32) = (0, 0);
    const FIGURES: (u16, i32) = (1, 0);

    fn frame((stream, partition): (u16, i32), offset: i64) -> Frame {
        let origin = Origin {
            stream,
            partition,
            offset,
            ..Origin::of_test()
        };
        let bytes = Bytes::from_static(b"{}");
        Frame { origin, bytes }
    }

    fn drain(merge: &mut Merge) -> Vec<((u16, i32), i64)> {
        let frames = std::iter::from_fn(|| merge.next());
        frames
            .map(|frame| (partition_of(&frame), frame.origin.offset))
            .collect()
    }

    #[test]
    fn the_earliest_goes_first_and_none_while_one_behind_is_unknown() {
        let mut merge = Merge::default();
        merge.add(BARS);
        merge.add(FIGURES);
        for (offset, ts) in [10, 20, 30].into_iter().enumerate() {
            merge.push(ts, frame(BARS, offset as i64));
        }
        assert_eq!(drain(&mut merge), []);
        merge.push(5, frame(FIGURES, 0));
        merge.push(20, frame(FIGURES, 1));
        let first = [(FIGURES, 0), (BARS, 0), (FIGURES, 1)];
        assert_eq!(drain(&mut merge), first, "known at that very moment");
        assert_eq!(merge.behind(), [BARS, FIGURES]);
        merge.is_read(FIGURES);
        let frame = merge.next().unwrap();
        assert_eq!(frame.origin.offset, 1);
        merge.put_back(frame);
        assert!(merge.waiting().is_some() && !merge.is_over());
        assert_eq!(drain(&mut merge), [(BARS, 1), (BARS, 2)]);
        assert!(!merge.is_over());
        merge.is_read(BARS);
        assert!(merge.is_over());
    }

    #[test]
    fn what_waits_is_bounded_and_let_go_with_its_partition() {
        let mut merge = Merge::default();
        merge.add(BARS);
        merge.add(FIGURES);
        let mut pushed = 1;
        while !merge.push(1, frame(BARS, pushed)) {
            pushed += 1;
        }
        assert_eq!(pushed, FRAMES_MAX as i64);
        assert!(!merge.has_room(BARS) && merge.has_room(FIGURES));
        assert_eq!(merge.remove(BARS), FRAMES_MAX);
        assert_eq!(merge.remove(BARS), 0);
        merge.is_read(FIGURES);
        assert!(merge.is_over());
    }

    /// The scans that the counters and `firsts` stand for.
    fn check(merge: &Merge) {
        let behind = merge.queues.values().filter(|queue| !queue.is_read);
        let unknown = behind.clone().filter(|queue| queue.frames.is_empty());
        assert_eq!(merge.unknown, unknown.count());
        assert_eq!(merge.behind, behind.count());
        let firsts = merge.queues.iter().filter_map(|(&key, queue)| {
            let (ts, _) = queue.frames.front()?;
            Some((*ts, Reverse(key)))
        });
        assert_eq!(merge.firsts, firsts.collect());
    }

    #[test]
    fn nothing_is_scanned_for_a_frame() {
        let mut merge = Merge::default();
        let mut state = 7_u64;
        let mut random = |below: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) % below
        };
        for step in 0..20_000 {
            let key = (random(3) as u16, random(5) as i32);
            match random(8) {
                0 if step % 16 == 0 => merge.add(key),
                1 if step % 16 == 0 => drop(merge.remove(key)),
                2 => merge.is_read(key),
                3 | 4 => drop(merge.push(random(50) as i64, frame(key, step))),
                5 => {
                    if let Some(frame) = merge.next() {
                        merge.put_back(frame);
                    }
                }
                _ => drop(merge.next()),
            }
            check(&merge);
        }
    }
}
