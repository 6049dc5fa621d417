//! The rings of the shards: a partition's frames always go to the same one.

use std::sync::Arc;

use super::partition::PartitionKey;
use super::progress::Progress;
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
        let sent = self.ring(partition).try_send(frame);
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
