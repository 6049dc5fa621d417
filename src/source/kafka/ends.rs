//! Whether a partition is read to where it ended at its assignment: for a run that ends, and for merging.

use rdkafka::Offset;
use rdkafka::consumer::{BaseConsumer, Consumer};

use super::assigned::AssignedPartition;
use super::membership::Membership;
use super::partition::PartitionKey;

/// Whether a partition is read to where it ended when it was assigned.
pub(super) fn is_read(
    consumer: &BaseConsumer<Membership>,
    key: PartitionKey,
    partition: &AssignedPartition,
) -> bool {
    let end = partition.end;
    partition.next >= end || position(consumer, key).is_some_and(|position| position >= end)
}

/// The offset that the consumer reads next. It also moves past the marks of transactions, which are not
/// records.
fn position(consumer: &BaseConsumer<Membership>, (stream, partition): PartitionKey) -> Option<i64> {
    let topic = consumer.context().topics().of(stream)?;
    let positions = consumer.position().ok()?;
    match positions.find_partition(topic, partition)?.offset() {
        Offset::Offset(next) => Some(next),
        _ => None,
    }
}
