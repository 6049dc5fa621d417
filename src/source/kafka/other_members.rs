//! Whether the other members of the group have read all topics up to their ends: for a run that ends and has
//! no partitions of its own.
//!
//! The group's committed offsets say how far they are. Markers of transactions at an end are not records, and
//! are not committed: a member that leaves hands its partitions on, and they are read to their ends here.

use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaResult;
use tracing::{debug, info};

use super::membership::Membership;
use super::partition::PartitionKey;
use super::positions::Positions;
use super::queries::OffsetQueries;
use crate::clock;

/// The ends of all partitions, once they were asked for.
#[derive(Default)]
pub(super) struct OtherMembers {
    ends: Option<Vec<(PartitionKey, i64)>>,
    next_look: Option<Instant>,
}

impl OtherMembers {
    /// Whether the group has committed all partitions up to where they ended at the first call.
    pub(super) fn are_at_end(&mut self, consumer: &BaseConsumer<Membership>) -> bool {
        let now = clock::instant();
        if self.next_look.is_some_and(|at| now < at) {
            return false;
        }
        self.next_look = Some(now + LOOK_EVERY);
        self.look(consumer).unwrap_or_else(|error| {
            debug!(%error, "cannot find out how far other members are");
            false
        })
    }

    fn look(&mut self, consumer: &BaseConsumer<Membership>) -> KafkaResult<bool> {
        let topics = consumer.context().topics();
        let positions = Positions { consumer, topics };
        let ends = match self.ends.take() {
            Some(ends) => ends,
            None => {
                let mut all = vec![];
                for stream in topics.streams() {
                    all.extend(positions.partitions_of(stream)?);
                }
                let spans = positions.spans(&all)?;
                info!(
                    "the group has no partition for this member: waiting until the others are at the end"
                );
                let filled = all
                    .into_iter()
                    .zip(spans)
                    .filter(|(_, (low, high))| low < high);
                filled.map(|(key, (_, high))| (key, high)).collect()
            }
        };
        let keys: Vec<_> = ends.iter().map(|&(key, _)| key).collect();
        self.ends = Some(ends);
        let committed = positions.committed(&keys)?;
        let is_read = |&(key, end): &(PartitionKey, i64)| {
            committed
                .get(&key)
                .is_some_and(|committed| committed.next >= end)
        };
        Ok(self.ends.iter().flatten().all(is_read))
    }
}

const LOOK_EVERY: Duration = Duration::from_millis(500);
