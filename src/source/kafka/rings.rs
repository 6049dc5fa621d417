//! The rings of the shards: a partition's frames always go to the same one.
//!
//! Sending wakes no shard. The reader wakes them once for all records of an answer of the broker: a shard
//! that is woken for the first of them works on them one by one, and each signal is a request of its own.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::partition::{PartitionKey, partition_of};
use super::progress::Progress;
use crate::clock;
use crate::frame::{Frame, Origin};
use crate::source::ring::Sender;
use crate::source::status::{FeedStatus, count};

/// The rings, with the accounts of what was sent.
pub(super) struct Rings {
    rings: Vec<Sender>,
    progress: Arc<Progress>,
    status: Arc<FeedStatus>,
}

impl Rings {
    pub(super) fn new(
        rings: Vec<Sender>,
        progress: Arc<Progress>,
        status: Arc<FeedStatus>,
    ) -> Self {
        Self {
            rings,
            progress,
            status,
        }
    }

    /// Sends a frame to its ring.
    ///
    /// # Errors
    /// The frame, where its ring is full.
    pub(super) fn send(&self, frame: Frame) -> Result<(), Frame> {
        self.put(frame)?;
        count(&self.status.sent);
        Ok(())
    }

    /// The same in a turn of the source, but waits a little where the ring is full, until it is at most half
    /// full: a partition that is paused loses what librdkafka has fetched of it, and its next record comes
    /// some ten milliseconds later. The frame counts as held meanwhile, and a scrape sees that.
    ///
    /// # Errors
    /// The frame, where its ring stays full.
    pub(super) fn send_soon(&self, frame: Frame) -> Result<(), Frame> {
        let Err(mut waiting) = self.send(frame) else {
            return Ok(());
        };
        self.wake_shards();
        let began = clock::instant();
        while clock::elapsed(began) < PATIENCE {
            count(&self.status.held);
            self.status.turns.wait_outside(|| clock::sleep(STEP));
            self.status.held.fetch_sub(1, Relaxed);
            if self.is_half_empty(partition_of(&waiting)) {
                match self.send(waiting) {
                    Ok(()) => return Ok(()),
                    Err(back) => waiting = back,
                }
            }
        }
        Err(waiting)
    }

    /// Frames of which their shards were not told.
    pub(super) fn untold(&self) -> usize {
        self.rings.iter().map(Sender::untold).sum()
    }

    /// Wakes the shards that have frames they were not told of; whether there were any.
    pub(super) fn wake_shards(&self) -> bool {
        self.rings.iter().filter(|ring| ring.wake()).count() > 0
    }

    /// Sends a gap frame, which we write ourselves, to its ring.
    ///
    /// # Errors
    /// The frame, where its ring is full.
    pub(super) fn send_gap(&self, frame: Frame) -> Result<(), Frame> {
        self.put(frame)?;
        count(&self.status.gaps);
        Ok(())
    }

    /// Announces a frame to the progress before it is sent: the engine may be done with it when sending
    /// returns. The offset of a reprocessed frame is committed already.
    fn put(&self, frame: Frame) -> Result<(), Frame> {
        let Origin {
            stream,
            partition,
            offset,
            reprocessed,
            ..
        } = frame.origin;
        match reprocessed {
            false => self.progress.handed(stream, partition, offset),
            true => self.progress.handed_again(stream, partition, offset),
        }
        let sent = self.ring(partition).try_put(frame);
        match (&sent, reprocessed) {
            (Ok(()), _) => {}
            (Err(_), false) => self.progress.withdrawn(stream, partition, offset),
            (Err(_), true) => self.progress.withdrawn_again(stream, partition, offset),
        }
        sent
    }

    /// Whether the ring of a partition is at most half full.
    pub(super) fn is_half_empty(&self, (_, partition): PartitionKey) -> bool {
        let ring = self.ring(partition);
        ring.len() * 2 <= ring.capacity()
    }

    /// Drops the rings, so that the shards end once they have emptied them.
    pub(super) fn close(&mut self) {
        self.rings.clear();
    }

    fn ring(&self, partition: i32) -> &Sender {
        // Partitions count from 0.
        let partition = partition.unsigned_abs() as usize;
        &self.rings[partition % self.rings.len()]
    }
}

/// How long a full ring is waited for. A shard that takes longer for half its ring is slow: the partitions
/// of the others go on, and do not wait for it.
const PATIENCE: Duration = Duration::from_millis(50);
const STEP: Duration = Duration::from_micros(250);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::ring::ring;
    use crate::tests::frames::frame;

    fn rings(sender: Sender) -> Rings {
        let progress = Arc::new(Progress::default());
        progress.assigned(0, 0, None);
        Rings::new(vec![sender], progress, Arc::default())
    }

    #[test]
    fn a_ring_that_stays_full_gives_the_frame_back() {
        let (sender, _receiver) = ring(1);
        let rings = rings(sender);
        let status = Arc::clone(&rings.status);
        let _turn = status.begin_turn();
        assert!(rings.send_soon(frame(0)).is_ok());
        assert_eq!(rings.send_soon(frame(1)).unwrap_err().origin.offset, 1);
    }

    #[test]
    fn a_full_ring_is_waited_for_and_its_shard_woken() {
        let (sender, receiver) = ring(2);
        let rings = rings(sender);
        let status = Arc::clone(&rings.status);
        let _turn = status.begin_turn();
        let shard = std::thread::spawn(move || {
            let mut frames = vec![];
            // Far longer than the test takes: it sleeps until it is woken.
            while frames.len() < 200 && receiver.drain(&mut frames, 1, Duration::from_secs(600)) {}
            frames.len()
        });
        for offset in 0..200 {
            let mut waiting = frame(offset);
            // A busy machine may let the shard wait for longer than a full ring is waited for.
            while let Err(back) = rings.send_soon(waiting) {
                waiting = back;
            }
        }
        rings.wake_shards();
        assert_eq!(shard.join().unwrap(), 200);
    }
}
