//! The bounded lock-free ring of frames from a source thread to an engine shard.
//!
//! The ring never drops a frame: a full ring gives the frame back, and the source then pauses (Kafka),
//! waits (a file), or conflates or drops it with a gap (a websocket; see `source`). The queue is
//! crossbeam's `ArrayQueue`; added are sleeping while it is empty, waking once for
//! many frames, and the count of senders.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crossbeam::queue::ArrayQueue;
use crossbeam::sync::{Parker, Unparker};

use super::turn::{Turn, WriterTurns};
use crate::clock;
use crate::frame::Frame;

/// A ring for `capacity` frames of any size.
#[must_use]
pub fn ring(capacity: usize) -> (Sender, Receiver) {
    ring_of(capacity, usize::MAX)
}

/// A ring for `capacity` frames of `bytes_max` in all, or for a single larger frame.
#[must_use]
pub fn ring_of(capacity: usize, bytes_max: usize) -> (Sender, Receiver) {
    let parker = Parker::new();
    let shared = Arc::new(Shared {
        queue: ArrayQueue::new(capacity),
        senders: AtomicUsize::new(1),
        bytes: AtomicUsize::new(0),
        bytes_max,
        untold: AtomicUsize::new(0),
        has_receiver: AtomicBool::new(true),
        in_hand: AtomicUsize::new(0),
        turns: WriterTurns::default(),
    });
    let sender = Sender {
        shared: Arc::clone(&shared),
        wake: parker.unparker().clone(),
    };
    (sender, Receiver { shared, parker })
}

/// The source's end. Clones share the ring.
#[derive(Debug)]
pub struct Sender {
    shared: Arc<Shared>,
    wake: Unparker,
}

/// The shard's end.
#[derive(Debug)]
pub struct Receiver {
    shared: Arc<Shared>,
    parker: Parker,
}

#[derive(Debug)]
struct Shared {
    queue: ArrayQueue<Frame>,
    senders: AtomicUsize,
    /// Bytes of the frames in the queue, and of the frame that is being put in.
    bytes: AtomicUsize,
    bytes_max: usize,
    /// Frames that were put in without waking the receiver.
    untold: AtomicUsize,
    has_receiver: AtomicBool,
    /// Frames that the receiver has taken out and not reported as done.
    in_hand: AtomicUsize,
    /// The receiver's turns: what it has taken out and done.
    turns: WriterTurns,
}

/// What a ring and its receiver hold, for the metrics.
#[derive(Clone, Debug)]
pub struct RingGauge(Arc<Shared>);

impl Sender {
    /// Puts a frame in and wakes the receiver, or gives the frame back when the ring is full.
    ///
    /// # Errors
    /// The frame itself.
    pub fn try_send(&self, frame: Frame) -> Result<(), Frame> {
        self.push(frame)?;
        self.wake.unpark();
        Ok(())
    }

    /// The same without waking the receiver: [`Sender::wake`] does that once for many frames. A receiver that
    /// sleeps finds them when its patience ends.
    ///
    /// # Errors
    /// The frame itself.
    pub fn try_put(&self, frame: Frame) -> Result<(), Frame> {
        self.push(frame)?;
        self.shared.untold.fetch_add(1, Ordering::AcqRel);
        Ok(())
    }

    /// Frames that were put in since the receiver was last woken by [`Sender::wake`].
    #[must_use]
    pub fn untold(&self) -> usize {
        self.shared.untold.load(Ordering::Acquire)
    }

    /// Wakes the receiver for the frames that were put in without waking it; whether there were any.
    pub fn wake(&self) -> bool {
        let any = self.shared.untold.swap(0, Ordering::AcqRel) > 0;
        if any {
            self.wake.unpark();
        }
        any
    }

    fn push(&self, frame: Frame) -> Result<(), Frame> {
        let (size, bytes) = (frame.bytes.len(), &self.shared.bytes);
        let before = bytes.fetch_add(size, Ordering::AcqRel);
        let fits = before == 0 || before.saturating_add(size) <= self.shared.bytes_max;
        let pushed = match fits {
            true => self.shared.queue.push(frame),
            false => Err(frame),
        };
        if let Err(back) = pushed {
            bytes.fetch_sub(size, Ordering::AcqRel);
            return Err(back);
        }
        Ok(())
    }

    /// Puts a frame in, waiting while the ring is full; gives it back when the receiver was dropped.
    ///
    /// # Errors
    /// The frame itself.
    pub fn send(&self, mut frame: Frame) -> Result<(), Frame> {
        let mut backoff = Duration::from_micros(20);
        while let Err(back) = self.try_send(frame) {
            // Without it the ring is never drained.
            if !self.shared.has_receiver.load(Ordering::Acquire) {
                return Err(back);
            }
            frame = back;
            clock::sleep(backoff);
            backoff = (backoff * 2).min(Duration::from_millis(1));
        }
        Ok(())
    }

    /// Frames waiting in the ring.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shared.queue.len()
    }

    /// Whether the ring is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.shared.queue.is_empty()
    }

    /// How many frames fit.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.shared.queue.capacity()
    }
}

impl Clone for Sender {
    fn clone(&self) -> Self {
        self.shared.senders.fetch_add(1, Ordering::AcqRel);
        Self {
            shared: Arc::clone(&self.shared),
            wake: self.wake.clone(),
        }
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        self.shared.senders.fetch_sub(1, Ordering::AcqRel);
        self.wake.unpark();
    }
}

impl Receiver {
    /// Moves up to `most` frames to the end of `frames`; waits up to `patience` for the first one.
    ///
    /// Returns `false` once every sender was dropped and the ring is empty.
    pub fn drain(&self, frames: &mut Vec<Frame>, most: usize, patience: Duration) -> bool {
        if self.take(frames, most) > 0 {
            return true;
        }
        // The senders are counted before the last look at the queue, which then sees what a sender put in
        // before it was dropped.
        let closed = self.shared.senders.load(Ordering::Acquire) == 0;
        if self.take(frames, most) > 0 {
            return true;
        }
        if closed {
            return false;
        }
        self.parker.park_timeout(patience);
        self.take(frames, most);
        true
    }

    /// Goes on after [`Receiver::drain`] until `frames` holds `most`, `until` has come, or every sender was
    /// dropped.
    pub fn gather(&self, frames: &mut Vec<Frame>, most: usize, until: Instant) {
        while frames.len() < most {
            let left = until.saturating_duration_since(clock::instant());
            if left.is_zero() || !self.drain(frames, most - frames.len(), left) {
                return;
            }
        }
    }

    /// Begins a turn, in which frames that were taken out are reported as done and what became of them is
    /// published.
    pub fn begin_turn(&self) -> Turn<'_> {
        self.shared.turns.begin()
    }

    /// Adds a frame to those in hand, which came from elsewhere.
    pub fn take_in_hand(&self) {
        self.shared.in_hand.fetch_add(1, Ordering::Relaxed);
    }

    /// Reports frames in hand as done.
    pub fn done(&self, frames: usize) {
        self.shared.in_hand.fetch_sub(frames, Ordering::Relaxed);
    }

    /// What the ring and its receiver hold, for the metrics.
    #[must_use]
    pub fn gauge(&self) -> RingGauge {
        RingGauge(Arc::clone(&self.shared))
    }

    /// Frames waiting in the ring; at the end of a run they are in flight.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shared.queue.len()
    }

    /// Whether the ring is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.shared.queue.is_empty()
    }

    fn take(&self, frames: &mut Vec<Frame>, most: usize) -> usize {
        if self.shared.queue.is_empty() {
            return 0;
        }
        let _turn = self.shared.turns.begin();
        let (before, mut bytes) = (frames.len(), 0);
        while frames.len() - before < most {
            let Some(frame) = self.shared.queue.pop() else {
                break;
            };
            bytes += frame.bytes.len();
            frames.push(frame);
        }
        self.shared.bytes.fetch_sub(bytes, Ordering::AcqRel);
        let taken = frames.len() - before;
        self.shared.in_hand.fetch_add(taken, Ordering::Relaxed);
        taken
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.shared.has_receiver.store(false, Ordering::Release);
    }
}

impl RingGauge {
    /// Frames that wait in the ring.
    #[must_use]
    pub fn waiting(&self) -> u64 {
        self.0.queue.len() as u64
    }

    /// Frames that the receiver has taken out and not reported as done.
    #[must_use]
    pub fn in_hand(&self) -> u64 {
        self.0.in_hand.load(Ordering::Relaxed) as u64
    }

    /// The receiver's turns.
    #[must_use]
    pub fn turns(&self) -> &WriterTurns {
        &self.0.turns
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::tests::frames::frame;

    #[test]
    fn a_full_ring_gives_the_frame_back() {
        let (sender, receiver) = ring(2);
        assert!(sender.try_send(frame(0)).is_ok());
        assert!(sender.try_send(frame(1)).is_ok());
        assert_eq!(sender.try_send(frame(2)).unwrap_err().origin.offset, 2);
        assert_eq!(receiver.len(), 2);
    }

    #[test]
    fn a_ring_full_of_bytes_gives_the_frame_back() {
        let (sender, receiver) = ring_of(8, 10);
        let of = |size: usize| Frame {
            bytes: Bytes::from(vec![0; size]),
            ..frame(0)
        };
        assert!(sender.try_send(of(6)).is_ok());
        assert!(sender.try_send(of(5)).is_err(), "11 bytes");
        assert!(sender.try_send(of(4)).is_ok(), "10 bytes");
        let mut frames = vec![];
        assert!(receiver.drain(&mut frames, 8, Duration::ZERO));
        assert!(sender.try_send(of(50)).is_ok(), "one alone, of any size");
        assert!(sender.try_send(of(1)).is_err());
    }

    #[test]
    fn the_receiver_is_woken_once_for_many_frames() {
        let (sender, receiver) = ring(8);
        let shard = std::thread::spawn(move || {
            let mut frames = vec![];
            // Far longer than the test takes: without the wake it would not end in time.
            receiver.drain(&mut frames, 8, Duration::from_secs(600));
            frames.len()
        });
        assert!(!sender.wake(), "there is nothing to wake it for");
        sender.try_put(frame(0)).unwrap();
        sender.try_put(frame(1)).unwrap();
        assert_eq!(sender.untold(), 2);
        assert!(sender.wake());
        assert_eq!(sender.untold(), 0);
        assert!(shard.join().unwrap() > 0);
    }

    #[test]
    fn frames_keep_their_order_across_threads() {
        let (sender, receiver) = ring(8);
        let source = std::thread::spawn(move || {
            for offset in 0..10_000 {
                sender.send(frame(offset)).unwrap();
            }
        });
        let mut seen = Vec::new();
        while receiver.drain(&mut seen, 7, Duration::from_millis(100)) {}
        source.join().unwrap();
        assert_eq!(seen.len(), 10_000);
        assert!(
            seen.iter()
                .enumerate()
                .all(|(at, frame)| frame.origin.offset == at as i64)
        );
    }

    #[test]
    fn a_dropped_receiver_gives_the_frame_back() {
        let (sender, receiver) = ring(1);
        drop(receiver);
        assert!(sender.try_send(frame(0)).is_ok());
        assert!(sender.send(frame(1)).is_err());
    }
}
