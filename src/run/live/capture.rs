//! The capture of a live run: frames in the order in which the engine took them, also where several shards
//! did.
//!
//! A frame about the whole feed (a gap, a tick) goes to every shard. It is written once, behind all that any
//! shard took before it and ahead of all that any took after it, so that a replay on one thread sees what
//! each shard saw. A capture that cannot be written ends; the run goes on.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tracing::error;

use crate::clock;
use crate::decode::control::is_of_feed;
use crate::frame::Frame;
use crate::source::capture::{CaptureError, CaptureWriter};

/// An open capture, and what waits to be written.
pub(super) struct LiveCapture {
    /// None once it has failed.
    writer: Option<CaptureWriter>,
    order: FrameOrder,
    synced: Instant,
    failed: Arc<AtomicBool>,
    failure: Option<String>,
}

impl LiveCapture {
    /// A capture of so many shards, each of which gets every frame about the feed.
    pub(super) fn new(writer: CaptureWriter, shards: usize) -> Self {
        Self {
            writer: Some(writer),
            order: FrameOrder::new(shards),
            synced: clock::instant(),
            failed: Arc::default(),
            failure: None,
        }
    }

    /// Set once the capture has failed.
    pub(super) fn failed(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.failed)
    }

    /// Takes the frames of a shard's batch.
    pub(super) fn take(&mut self, shard: usize, frames: Vec<Frame>) {
        if self.writer.is_some() {
            let shard = shard.min(self.order.shards.len() - 1);
            self.order.push(shard, frames);
            self.write(false);
        }
    }

    /// Brings what was written to the disk where that is due; another thread waits for the disk.
    pub(super) fn sync(&mut self) {
        let now = clock::instant();
        if now.saturating_duration_since(self.synced) < SYNC_EVERY {
            return;
        }
        self.synced = now;
        let synced = self.writer.as_mut().map(CaptureWriter::sync_behind);
        self.note(synced.unwrap_or(Ok(())));
    }

    /// Ends it. Gives why it failed, if it did.
    pub(super) fn close(mut self) -> Option<String> {
        self.write(true);
        if let Some(writer) = self.writer.take() {
            let closed = writer.close().map(drop);
            self.note(closed);
        }
        self.failure
    }

    fn write(&mut self, at_end: bool) {
        let Some(writer) = &mut self.writer else {
            return;
        };
        let mut written = Ok(());
        while written.is_ok()
            && let Some(frame) = self.order.pop(at_end)
        {
            written = writer.write(&frame);
        }
        self.note(written);
    }

    fn note(&mut self, result: Result<(), CaptureError>) {
        if let Err(failure) = result {
            let failure = failure.to_string();
            error!("the capture ends, and the run goes on without it: {failure}");
            self.failed.store(true, Ordering::Relaxed);
            self.failure = Some(failure);
            self.writer = None;
            self.order = FrameOrder::new(0);
        }
    }
}

/// Frames of several shards, in an order that is right for each of them.
struct FrameOrder {
    /// What is waiting of each shard, oldest first.
    shards: Vec<VecDeque<Frame>>,
    /// Frames about the feed that were written before these shards came to them, which their rings may have
    /// dropped: shard, partition and offset.
    written: BTreeSet<(usize, i32, i64)>,
    waiting: usize,
}

impl FrameOrder {
    fn new(shards: usize) -> Self {
        Self {
            shards: (0..shards).map(|_| VecDeque::new()).collect(),
            written: BTreeSet::new(),
            waiting: 0,
        }
    }

    fn push(&mut self, shard: usize, frames: Vec<Frame>) {
        for frame in frames {
            let (partition, offset) = (frame.origin.partition, frame.origin.offset);
            if !self.written.is_empty() && self.written.remove(&(shard, partition, offset)) {
                continue;
            }
            self.waiting += 1;
            self.shards[shard].push_back(frame);
        }
    }

    /// The next frame; none while one about the feed waits for further shards, unless it is the end.
    fn pop(&mut self, at_end: bool) -> Option<Frame> {
        let is_alone = self.shards.len() < 2;
        let is_own = |frame: &Frame| is_alone || !is_of_feed(&frame.bytes);
        let mut shards = self.shards.iter_mut();
        if let Some(shard) = shards.find(|shard| shard.front().is_some_and(is_own)) {
            self.waiting -= 1;
            return shard.pop_front();
        }
        // No shard has a frame of its own in front: each has come to one about the feed, or not yet.
        let must_wait = self.shards.iter().any(VecDeque::is_empty);
        if must_wait && !at_end && self.waiting <= WAITING_MAX {
            return None;
        }
        let fronts = self.shards.iter().filter_map(VecDeque::front);
        let mut frame = fronts.min_by_key(|front| front.origin.ts_recv)?.clone();
        let (partition, offset) = (frame.origin.partition, frame.origin.offset);
        // What a ring has dropped does not come any more.
        self.written
            .retain(|&(_, other, number)| other != partition || number + NUMBERS_KEPT > offset);
        for (at, shard) in self.shards.iter_mut().enumerate() {
            let is_it =
                |one: &Frame| one.origin.partition == partition && one.origin.offset == offset;
            match shard.iter().position(is_it) {
                Some(index) => {
                    let copy = shard.remove(index);
                    self.waiting -= 1;
                    frame.origin.late |= copy.is_some_and(|copy| copy.origin.late);
                }
                None => {
                    self.written.insert((at, partition, offset));
                }
            }
        }
        Some(frame)
    }
}

/// How often the capture is brought to the disk.
const SYNC_EVERY: Duration = Duration::from_millis(500);
/// Frames that may wait for a shard.
const WAITING_MAX: usize = 1 << 18;
/// Numbers after which a frame does not come any more.
const NUMBERS_KEPT: i64 = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Origin;

    /// Frames by number: those from 100 on are gaps of the feed.
    fn frames(numbers: &[i64]) -> Vec<Frame> {
        let frame = |&offset: &i64| Frame {
            origin: Origin {
                offset,
                ts_recv: crate::units::Nanos(offset),
                ..Origin::of_test()
            },
            bytes: match offset >= 100 {
                true => r#"{"foretick":"gap","reason":"reconnect"}"#.into(),
                false => r#"{"foretick":"gap","symbol":"X","reason":"overflow"}"#.into(),
            },
        };
        numbers.iter().map(frame).collect()
    }

    fn popped(order: &mut FrameOrder, at_end: bool) -> Vec<i64> {
        let all = std::iter::from_fn(|| order.pop(at_end));
        all.map(|frame| frame.origin.offset).collect()
    }

    #[test]
    fn a_frame_about_the_feed_waits_for_all_shards_and_is_written_once() {
        let mut order = FrameOrder::new(2);
        order.push(0, frames(&[1, 100, 2, 101, 3]));
        assert_eq!(popped(&mut order, false), [1]);
        order.push(1, frames(&[4, 5, 100, 6]));
        assert_eq!(popped(&mut order, false), [4, 5, 100, 2, 6]);
        order.push(1, frames(&[101]));
        assert_eq!(popped(&mut order, false), [101, 3]);
        assert_eq!(popped(&mut order, true), [] as [i64; 0]);
    }

    #[test]
    fn a_frame_that_a_shard_did_not_get_or_got_in_another_order_stops_nothing() {
        let mut order = FrameOrder::new(2);
        order.push(0, frames(&[100, 101, 1]));
        order.push(1, frames(&[101, 2, 100, 3]));
        assert_eq!(popped(&mut order, false), [100, 101, 1, 2, 3]);
        order.push(0, frames(&[102, 103]));
        order.push(1, frames(&[103, 4]));
        assert_eq!(popped(&mut order, false), [102, 103, 4]);
        order.push(0, frames(&[104, 5]));
        assert_eq!(popped(&mut order, false), [] as [i64; 0]);
        assert_eq!(popped(&mut order, true), [104, 5]);
        order.push(1, frames(&[104, 6]));
        assert_eq!(popped(&mut order, false), [6]);
    }

    #[test]
    fn one_shard_waits_for_nobody() {
        let mut order = FrameOrder::new(1);
        order.push(0, frames(&[1, 100, 2]));
        assert_eq!(popped(&mut order, false), [1, 100, 2]);
    }
}
