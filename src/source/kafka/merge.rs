//! The order of several topics while they are read up to their ends.
//!
//! Kafka keeps order within a partition. What was written while nobody read is handed over topic by topic, as
//! it comes off the brokers: days of bars before the figures that were known at their time. So until all
//! partitions have been read to where they ended when they were assigned, the frame of the earliest time goes
//! first, and none goes while a partition that is behind has not shown its next. From then on frames go as
//! they arrive. Kafka Streams does the same (KIP-353, KIP-695). Knows no client and no clock.

use std::collections::{BTreeMap, VecDeque};

use crate::frame::Frame;

/// Partitions by stream and number, and what has come of them early.
#[derive(Debug, Default)]
pub(super) struct Merge {
    lanes: BTreeMap<(u16, i32), Early>,
    /// A frame whose turn has come, for which there was no room.
    next: Option<Frame>,
}

#[derive(Debug, Default)]
struct Early {
    frames: VecDeque<(i64, Frame)>,
    bytes: usize,
    /// Whether it has been read to where it ended at the assignment.
    is_read: bool,
}

/// What may wait of a partition: frames, and bytes. With more it is paused.
const FRAMES: usize = 4_096;
const BYTES: usize = 8 << 20;

impl Merge {
    /// A partition was assigned.
    pub(super) fn add(&mut self, at: (u16, i32)) {
        self.lanes.insert(at, Early::default());
    }

    /// A partition is gone: says how many of its frames waited.
    pub(super) fn remove(&mut self, at: (u16, i32)) -> usize {
        let next = self.next.take_if(|frame| place(frame) == at);
        let waited = self.lanes.remove(&at).map_or(0, |lane| lane.frames.len());
        waited + usize::from(next.is_some())
    }

    /// A partition has been read to its end.
    pub(super) fn is_read(&mut self, at: (u16, i32)) {
        if let Some(lane) = self.lanes.get_mut(&at) {
            lane.is_read = true;
        }
    }

    /// Those of which this is not known yet.
    pub(super) fn behind(&self) -> Vec<(u16, i32)> {
        let behind = self.lanes.iter().filter(|(_, lane)| !lane.is_read);
        behind.map(|(&at, _)| at).collect()
    }

    /// Whether frames go as they arrive: all have been read up, and nothing waits.
    pub(super) fn is_over(&self) -> bool {
        self.next.is_none()
            && self
                .lanes
                .values()
                .all(|lane| lane.is_read && lane.frames.is_empty())
    }

    /// Takes a frame of a time; true where enough of its partition waits.
    pub(super) fn push(&mut self, ts: i64, frame: Frame) -> bool {
        let lane = self.lanes.entry(place(&frame)).or_default();
        lane.bytes += frame.bytes.len();
        lane.frames.push_back((ts, frame));
        lane.is_full()
    }

    /// Whether a partition may go on.
    pub(super) fn has_room(&self, at: (u16, i32)) -> bool {
        self.lanes.get(&at).is_none_or(|lane| !lane.is_full())
    }

    /// The frame whose turn it is. Of equal times the topic listed last comes first: what is listed after the
    /// first says what is known around it.
    pub(super) fn next(&mut self) -> Option<Frame> {
        if self.next.is_some() {
            return self.next.take();
        }
        let mut earliest: Option<(i64, (u16, i32))> = None;
        for (&at, lane) in self.lanes.iter().rev() {
            match lane.frames.front() {
                None if lane.is_read => {}
                None => return None,
                Some((ts, _)) if earliest.is_none_or(|(earliest, _)| *ts < earliest) => {
                    earliest = Some((*ts, at));
                }
                Some(_) => {}
            }
        }
        let lane = self.lanes.get_mut(&earliest?.1)?;
        let (_, frame) = lane.frames.pop_front()?;
        lane.bytes -= frame.bytes.len();
        Some(frame)
    }

    /// There was no room for it: it comes next.
    pub(super) fn put_back(&mut self, frame: Frame) {
        self.next = Some(frame);
    }

    /// Whether a frame whose turn has come waits for room, and which.
    pub(super) fn waiting(&self) -> Option<&Frame> {
        self.next.as_ref()
    }
}

impl Early {
    fn is_full(&self) -> bool {
        self.frames.len() >= FRAMES || self.bytes >= BYTES
    }
}

/// The partition of a frame.
pub(super) fn place(frame: &Frame) -> (u16, i32) {
    (frame.origin.stream, frame.origin.partition)
}

/// The time of a frame in nanoseconds: its `ts_event`, where it says one as Foretick's topics do.
pub(super) fn time_of(bytes: &[u8]) -> Option<i64> {
    const KEY: &[u8] = b"\"ts_event\"";
    let rest = &bytes[memchr::memmem::find(bytes, KEY)? + KEY.len()..];
    let rest = rest
        .trim_ascii_start()
        .strip_prefix(b":")?
        .trim_ascii_start();
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    std::str::from_utf8(&rest[..digits]).ok()?.parse().ok()
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
            .map(|frame| (place(&frame), frame.origin.offset))
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
        assert_eq!(pushed, FRAMES as i64);
        assert!(!merge.has_room(BARS) && merge.has_room(FIGURES));
        assert_eq!(merge.remove(BARS), FRAMES);
        assert_eq!(merge.remove(BARS), 0);
        merge.is_read(FIGURES);
        assert!(merge.is_over());
    }

    #[test]
    fn a_frame_says_when_it_happened() {
        assert_eq!(time_of(br#"{"ts_event": 12,"x":1}"#), Some(12));
        assert_eq!(time_of(br#"{"x":1,"ts_event":7}"#), Some(7));
        assert_eq!(time_of(br#"{"ts_event":"7"}"#), None);
        assert_eq!(time_of(br#"{"E":7}"#), None);
    }
}
