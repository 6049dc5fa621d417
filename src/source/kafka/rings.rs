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

    /// Announces a frame and sends it to its ring.
    ///
    /// # Errors
    /// The frame, where its ring is full. It is announced, and needs [`Rings::send_announced`].
    pub(super) fn send(&self, frame: Frame) -> Result<(), Frame> {
        self.announce(&frame.origin);
        self.send_announced(frame)
    }

    /// Announces a frame to the progress before it is sent: the engine may be done with it when sending
    /// returns. The offset of a reprocessed frame is committed already.
    pub(super) fn announce(&self, origin: &Origin) {
        if !origin.reprocessed {
            self.progress
                .handed(origin.stream, origin.partition, origin.offset);
        }
    }

    /// Sends a frame that was announced.
    ///
    /// # Errors
    /// The frame, where its ring is full.
    pub(super) fn send_announced(&self, frame: Frame) -> Result<(), Frame> {
        self.ring(frame.origin.partition).try_send(frame)?;
        count(&self.status.sent);
        Ok(())
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
