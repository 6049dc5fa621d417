//! The capture of a live run: frames in the order in which the engine took them, also where several shards
//! did.
//!
//! A frame that names no instrument, or several (a gap of the feed, a tick, an answer of the venue, a
//! bundle), goes to every shard. It is written once, behind all that any shard took before it and ahead of
//! all that any took after it, so that a replay on one thread sees what each shard saw. Where the rings of
//! some shards had no room for it, the capture says which took it. A capture that cannot be written ends; the
//! run goes on.

use std::collections::{BTreeSet, VecDeque};
use std::hash::{BuildHasher, BuildHasherDefault};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustc_hash::FxHasher;
use tracing::{error, warn};

use crate::clock;
use crate::decode::venue::Venue;
use crate::frame::Frame;
use crate::frame::binary::wrapped_for;
use crate::source::capture::{CaptureError, CaptureWriter};
use crate::source::conflation::is_for_all_shards;

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
    /// A capture of a run of so many shards. `venue` is that whose frames are spread over them by symbol;
    /// none where nothing goes to all shards.
    pub(super) fn new(
        writer: CaptureWriter,
        shards: usize,
        venue: Option<&'static dyn Venue>,
    ) -> Self {
        Self {
            writer: Some(writer),
            order: match venue {
                Some(venue) => FrameOrder::new(shards, Some(venue)),
                None => FrameOrder::new(1, None),
            },
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
        if self.order.unawaited > 0 {
            warn!(
                frames = self.order.unawaited,
                "the capture did not wait for a shard that was far behind: a replay may differ from the run"
            );
        }
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
            self.order = FrameOrder::new(0, None);
        }
    }
}

/// Frames of several shards, in an order that is right for each of them.
struct FrameOrder {
    /// Of the frames; none where each of them went to one shard.
    venue: Option<&'static dyn Venue>,
    /// What is waiting of each shard, oldest first.
    shards: Vec<VecDeque<Frame>>,
    /// The number of the newest frame of each shard: of the feed, and of the ticks, which have
    /// numbers of their own. Numbers rise in the order in which frames are sent, so that what a shard has not
    /// got by then was dropped.
    last: Vec<[i64; 2]>,
    /// Frames for all shards that were written before these shards came to them.
    written: BTreeSet<(usize, FrameId)>,
    /// Frames that wait, and their bytes.
    waiting: (usize, usize),
    /// What may wait.
    waiting_max: (usize, usize),
    /// Frames for all shards that were written although a shard had not come to them, because too much was
    /// waiting.
    unawaited: u64,
}

/// What the copies of a frame have in common: its address, and a hash of its bytes, because the messages of
/// one frame have the same address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct FrameId {
    partition: i32,
    offset: i64,
    bytes: u64,
}

impl FrameId {
    fn of(frame: &Frame) -> Self {
        Self {
            partition: frame.origin.partition,
            offset: frame.origin.offset,
            bytes: BuildHasherDefault::<FxHasher>::default().hash_one(&frame.bytes),
        }
    }

    fn is_of(self, frame: &Frame) -> bool {
        let origin = &frame.origin;
        (origin.partition, origin.offset) == (self.partition, self.offset)
            && Self::of(frame) == self
    }
}

impl FrameOrder {
    fn new(shards: usize, venue: Option<&'static dyn Venue>) -> Self {
        Self {
            venue,
            shards: (0..shards).map(|_| VecDeque::new()).collect(),
            last: vec![[i64::MIN; 2]; shards],
            written: BTreeSet::new(),
            waiting: (0, 0),
            waiting_max: (WAITING_FRAMES_MAX, WAITING_BYTES_MAX),
            unawaited: 0,
        }
    }

    fn push(&mut self, shard: usize, frames: Vec<Frame>) {
        for frame in frames {
            let last = &mut self.last[shard][numbering(frame.origin.partition)];
            *last = (*last).max(frame.origin.offset);
            if !self.written.is_empty() && self.written.remove(&(shard, FrameId::of(&frame))) {
                continue;
            }
            self.waiting.0 += 1;
            self.waiting.1 += frame.bytes.len();
            self.shards[shard].push_back(frame);
        }
    }

    /// Notes that a frame waits no more.
    fn note_gone(&mut self, frame: &Frame) {
        self.waiting.0 -= 1;
        self.waiting.1 -= frame.bytes.len();
    }

    /// The next frame; none while one for all shards waits for further ones, unless it is the end.
    fn pop(&mut self, at_end: bool) -> Option<Frame> {
        let venue = self.venue.filter(|_| self.shards.len() > 1);
        let is_own =
            |frame: &Frame| venue.is_none_or(|venue| !is_for_all_shards(venue, &frame.bytes));
        let mut shards = self.shards.iter_mut();
        if let Some(shard) = shards.find(|shard| shard.front().is_some_and(is_own)) {
            let frame = shard.pop_front()?;
            self.note_gone(&frame);
            return Some(frame);
        }
        // No shard has a frame of its own in front: each has come to one for all, or not yet.
        let fronts = self.shards.iter().filter_map(VecDeque::front);
        let mut frame = fronts.min_by_key(|front| front.origin.ts_recv)?.clone();
        let id = FrameId::of(&frame);
        let places = self.shards.iter().zip(&self.last);
        let places = places.map(
            |(shard, last)| match shard.iter().position(|one| id.is_of(one)) {
                Some(index) => ShardPlace::At(index),
                None if last[numbering(id.partition)] > id.offset => ShardPlace::Dropped,
                None => ShardPlace::Unknown,
            },
        );
        let places: Vec<ShardPlace> = places.collect();
        if places.contains(&ShardPlace::Unknown) && !at_end {
            let (frames, bytes) = self.waiting;
            if frames <= self.waiting_max.0 && bytes <= self.waiting_max.1 {
                return None;
            }
            if self.unawaited == 0 {
                warn!("a shard is far behind the others: the capture does not wait for it");
            }
            self.unawaited += 1;
        }
        // After so many others it does not come any more.
        self.written.retain(|(_, other)| {
            other.partition != id.partition || other.offset + NUMBERS_KEPT > id.offset
        });
        let mut took = vec![];
        for (at, place) in places.into_iter().enumerate() {
            match place {
                ShardPlace::At(index) => {
                    if let Some(copy) = self.shards[at].remove(index) {
                        self.note_gone(&copy);
                        frame.origin.late |= copy.origin.late;
                    }
                }
                ShardPlace::Unknown => {
                    self.written.insert((at, id));
                }
                ShardPlace::Dropped => continue,
            }
            took.push(at);
        }
        if took.len() < self.shards.len() {
            frame.bytes = wrapped_for(&frame.bytes, self.shards.len(), &took).into();
        }
        Some(frame)
    }
}

/// Where a frame for all shards is of one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ShardPlace {
    /// So many frames wait before it.
    At(usize),
    /// The shard's ring had no room for it.
    Dropped,
    /// The shard has not come to it yet, or its ring had no room.
    Unknown,
}

/// Whose numbers a frame has: those of the feed, or of the ticks.
fn numbering(partition: i32) -> usize {
    usize::from(partition < 0)
}

/// How often the capture is brought to the disk.
const SYNC_EVERY: Duration = Duration::from_millis(500);
/// Frames that may wait for a shard.
const WAITING_FRAMES_MAX: usize = 1 << 18;
/// Bytes of such frames.
const WAITING_BYTES_MAX: usize = 256 << 20;
/// Numbers after which a frame does not come any more.
const NUMBERS_KEPT: i64 = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::Venues;
    use crate::decode::control::unwrapped;
    use crate::frame::Origin;

    fn order_of(shards: usize) -> FrameOrder {
        FrameOrder::new(shards, Venues::default().named("KRAKEN"))
    }

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
        let mut order = order_of(2);
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
        let mut order = order_of(2);
        order.push(0, frames(&[100, 101, 1]));
        order.push(1, frames(&[101, 2, 100, 3]));
        assert_eq!(popped(&mut order, false), [100, 101, 1, 2, 3]);
        order.push(0, frames(&[102, 103]));
        order.push(1, frames(&[103, 4]));
        let partly = order.pop(false).expect("shard 1 does not get it any more");
        let text = String::from_utf8_lossy(&partly.bytes).into_owned();
        let begin = r#"{"foretick":"frame","shards":2,"of":[0],"base64":""#;
        assert!(text.starts_with(begin), "{text}");
        let frame = unwrapped(&partly.bytes).expect("a frame");
        assert_eq!(frame.as_deref(), Ok(&*frames(&[102])[0].bytes));
        assert_eq!(popped(&mut order, false), [103, 4]);
        order.push(0, frames(&[104, 5]));
        assert_eq!(popped(&mut order, false), [] as [i64; 0]);
        assert_eq!(popped(&mut order, true), [104, 5]);
        order.push(1, frames(&[104, 6]));
        assert_eq!(popped(&mut order, false), [6]);
    }

    #[test]
    fn one_shard_waits_for_nobody() {
        let mut order = order_of(1);
        order.push(0, frames(&[1, 100, 2]));
        assert_eq!(popped(&mut order, false), [1, 100, 2]);
    }

    #[test]
    fn messages_of_one_frame_are_told_apart() {
        let message = |text: &'static str| Frame {
            origin: Origin::of_test(),
            bytes: text.into(),
        };
        let (own, first, second) = (
            message(r#"{"channel":"trade","type":"update","data":[{"symbol":"A/USD"}]}"#),
            message(r#"{"method":"subscribe","success":true}"#),
            message(r#"{"channel":"trade","data":[{"symbol":"A/USD"},{"symbol":"B/USD"}]}"#),
        );
        let mut order = order_of(2);
        order.push(0, vec![first.clone(), second.clone()]);
        order.push(1, vec![first.clone(), own.clone(), second.clone()]);
        let all = std::iter::from_fn(|| order.pop(false));
        let all: Vec<_> = all.map(|frame| frame.bytes).collect();
        assert_eq!(all, [first.bytes, own.bytes, second.bytes]);
        assert_eq!(order.waiting, (0, 0));
    }

    #[test]
    fn no_more_waits_than_may() {
        for most in [(3, usize::MAX), (usize::MAX, 120)] {
            let mut order = order_of(2);
            order.waiting_max = most;
            order.push(0, frames(&[100, 101, 102]));
            assert_eq!(popped(&mut order, false), [] as [i64; 0]);
            order.push(0, frames(&[103]));
            assert_eq!(popped(&mut order, false), [100], "{most:?}");
            assert_eq!(order.unawaited, 1);
            order.push(1, frames(&[100, 101]));
            assert_eq!(popped(&mut order, false), [101], "once, though it is late");
        }
    }
}
