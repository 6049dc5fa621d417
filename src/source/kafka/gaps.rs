//! Gap frames of partitions: they tell the engine that records are gone, ahead of the first one after them.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use rustc_hash::FxHashMap;
use tracing::warn;

use super::partition::{PartitionKey, partition_of};
use super::placement::Missing;
use super::rings::Rings;
use crate::clock;
use crate::event::GapReason;
use crate::frame::{Frame, Origin};
use crate::source::status::FeedStatus;

/// Gap frames for which their rings have had no room yet.
pub(super) struct PartitionGaps {
    waiting: FxHashMap<PartitionKey, Frame>,
    status: Arc<FeedStatus>,
}

impl PartitionGaps {
    pub(super) fn new(status: Arc<FeedStatus>) -> Self {
        Self {
            waiting: FxHashMap::default(),
            status,
        }
    }

    /// Records before `next` are missing: logs and counts them, and prepares the frame that says so.
    pub(super) fn add(&mut self, topic: &str, key: PartitionKey, next: i64, missing: Missing) {
        let partition = key.1;
        let (reason, records) = match missing {
            Missing::Overtaken(records) => {
                warn!(
                    topic,
                    partition,
                    records,
                    next,
                    "retention removed records before they were read: going on at the oldest that is left"
                );
                (GapReason::Retention, records)
            }
            Missing::Anew => {
                warn!(
                    topic,
                    partition,
                    next,
                    "the committed offset is behind the end of the partition: the topic was deleted and created \
                     again, or its broker lost records; reading all that it has now"
                );
                (GapReason::Renumbered, 0)
            }
        };
        let lost = &self.status.partitions.lost_records;
        lost.fetch_add(records, Ordering::Relaxed);
        self.waiting
            .insert(key, gap_frame(key, next, reason, records));
    }

    /// Whether none waits.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Sends the gap frame of a partition, if one waits. False where its ring has no room for it.
    pub(super) fn send(&mut self, key: PartitionKey, rings: &Rings) -> bool {
        if self.waiting.is_empty() {
            return true;
        }
        let Some(frame) = self.waiting.remove(&key) else {
            return true;
        };
        let back = rings.send_gap(frame).err();
        back.map(|frame| self.waiting.insert(partition_of(&frame), frame))
            .is_none()
    }

    /// Sends those for which there is room.
    pub(super) fn send_all(&mut self, rings: &Rings) {
        for key in self.waiting.keys().copied().collect::<Vec<_>>() {
            self.send(key, rings);
        }
    }

    /// A partition was revoked: its next owner tells of the gap.
    pub(super) fn remove(&mut self, key: PartitionKey) {
        self.waiting.remove(&key);
    }
}

/// It has the offset of the last record that is missing, so that it comes before the first that is not.
fn gap_frame(
    (stream, partition): PartitionKey,
    next: i64,
    reason: GapReason,
    missing: u64,
) -> Frame {
    let reason = reason.word();
    let text = format!(r#"{{"foretick":"gap","reason":"{reason}","missing":{missing}}}"#);
    Frame {
        origin: Origin {
            ts_recv: clock::now(),
            offset: next - 1,
            partition,
            stream,
            late: false,
            reprocessed: false,
        },
        bytes: Bytes::from(text),
    }
}
