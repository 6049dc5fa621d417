//! Where reading a partition begins and ends: for a run that ends, and for merging topics.

use std::time::Duration;

use rdkafka::Offset;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;

use super::assigned::AssignedPartition;
use super::membership::Membership;
use super::partition::PartitionKey;

/// Whether a partition is read to where it ended when it was assigned.
///
/// # Errors
/// Where the broker does not answer.
pub(super) fn is_read(
    consumer: &BaseConsumer<Membership>,
    key: PartitionKey,
    partition: &mut AssignedPartition,
    from_beginning: bool,
) -> Result<bool, KafkaError> {
    let (begin, end) = match partition.span {
        Some(span) => span,
        None => span(consumer, key, from_beginning)?,
    };
    partition.span = Some((begin, end));
    let next = partition.next.max(begin);
    Ok(next >= end || position(consumer, key).is_some_and(|position| position >= end))
}

/// The offset where reading begins, and the offset where the partition ends now.
///
/// # Errors
/// Where the broker does not answer.
fn span(
    consumer: &BaseConsumer<Membership>,
    (stream, partition): PartitionKey,
    from_beginning: bool,
) -> Result<(i64, i64), KafkaError> {
    let membership = consumer.context();
    let topic = membership.topic_of(stream);
    let (low, high) = consumer.fetch_watermarks(topic, partition, ANSWER_TIMEOUT)?;
    let one = membership.list((stream, partition));
    let committed = consumer.committed_offsets(one, ANSWER_TIMEOUT)?;
    let begin = match committed.elements().first().map(|element| element.offset()) {
        _ if membership.reads_again(stream, partition) => low,
        Some(Offset::Offset(next)) => next,
        _ if from_beginning => low,
        _ => high,
    };
    Ok((begin, high))
}

/// The offset that the consumer reads next. It also moves past the marks of transactions, which are not
/// records.
fn position(consumer: &BaseConsumer<Membership>, (stream, partition): PartitionKey) -> Option<i64> {
    let topic = consumer.context().topic_of(stream);
    let positions = consumer.position().ok()?;
    match positions.find_partition(topic, partition)?.offset() {
        Offset::Offset(next) => Some(next),
        _ => None,
    }
}

const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
