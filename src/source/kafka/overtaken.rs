//! Partitions whose next offset the brokers do not have any more: retention has overtaken a running source.
//!
//! The client then stops reading them and says so, without saying which; this finds out, and reads on.

use std::time::{Duration, Instant};

use rdkafka::Offset;
use rdkafka::consumer::{BaseConsumer, Consumer, RebalanceProtocol};
use rdkafka::error::KafkaResult;

use super::assigned::AssignedPartitions;
use super::membership::Membership;
use super::partition::PartitionKey;
use super::placement::{FirstStart, Missing, PartitionFacts, Placement, place};
use super::positions::Positions;
use super::queries::OffsetQueries;

/// Whether partitions stand still, and when to look for them again.
#[derive(Default)]
pub(super) struct Overtaken {
    next_look: Option<Instant>,
}

impl Overtaken {
    /// The client has stopped reading a partition.
    pub(super) fn suspect(&mut self, now: Instant) {
        self.next_look.get_or_insert(now);
    }

    /// Whether to look for such partitions now.
    pub(super) fn is_due(&mut self, now: Instant) -> bool {
        let is_due = self.next_look.is_some_and(|at| now >= at);
        if is_due {
            self.next_look = Some(now + LOOK_EVERY);
        }
        is_due
    }

    /// All partitions are read again.
    pub(super) fn is_over(&mut self) {
        self.next_look = None;
    }
}

/// The partitions whose next record is gone, with what is missing, and the first record that is left.
///
/// # Errors
/// Where the brokers do not answer.
pub(super) fn find(
    consumer: &BaseConsumer<Membership>,
    assigned: &mut AssignedPartitions,
) -> KafkaResult<Vec<(PartitionKey, Missing, i64)>> {
    let keys: Vec<_> = assigned.keys().collect();
    let topics = consumer.context().topics();
    let spans = Positions { consumer, topics }.spans(&keys)?;
    let of = |(key, (low, high)): (&PartitionKey, (i64, i64))| {
        let facts = PartitionFacts {
            committed: Some(assigned.partition(*key).next),
            note: None,
            low,
            high,
        };
        let Placement { next, missing, .. } = place(facts, FirstStart::Oldest);
        Some((*key, missing?, next))
    };
    Ok(keys.iter().zip(spans).filter_map(of).collect())
}

/// Reads all assigned partitions from their next offsets.
///
/// # Errors
/// Where the client refuses, because a rebalance is under way: it begins them anew.
pub(super) fn read_on(
    consumer: &BaseConsumer<Membership>,
    assigned: &mut AssignedPartitions,
) -> KafkaResult<()> {
    let topics = consumer.context().topics();
    let keys: Vec<_> = assigned.keys().collect();
    let mut list = topics.list(keys.iter().copied());
    for &(stream, partition) in &keys {
        let next = assigned.partition((stream, partition)).next;
        if let Some(topic) = topics.of(stream) {
            list.set_partition_offset(topic, partition, Offset::Offset(next))?;
        }
    }
    match consumer.rebalance_protocol() {
        RebalanceProtocol::Cooperative => {
            consumer.incremental_unassign(&list)?;
            consumer.incremental_assign(&list)?;
        }
        _ => consumer.assign(&list)?,
    }
    let paused: Vec<_> = assigned.paused().collect();
    match paused.is_empty() {
        true => Ok(()),
        false => consumer.pause(&topics.list(paused)),
    }
}

const LOOK_EVERY: Duration = Duration::from_millis(200);
