//! A commit that is waited for, but not for long.

use std::sync::{Arc, mpsc};
use std::time::Duration;

use rdkafka::TopicPartitionList;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::types::RDKafkaErrorCode;

/// Commits offsets, and waits for the answer. The client itself would wait for a broker that is stopped for
/// as long as it is.
///
/// # Errors
/// Where the broker refuses the offsets, or does not answer in time.
pub(super) fn commit_in_time<C: ConsumerContext + 'static>(
    consumer: Arc<BaseConsumer<C>>,
    offsets: &TopicPartitionList,
) -> KafkaResult<()> {
    let offsets = offsets.clone();
    let (answer, answered) = mpsc::sync_channel(1);
    std::thread::Builder::new()
        .name("kafka-commit".into())
        .spawn(move || {
            let result = consumer.commit(&offsets, CommitMode::Sync);
            // Where nobody waits any more, the consumer may close here.
            drop(consumer);
            drop(answer.send(result));
        })
        .map_err(|_| unanswered())?;
    answered
        .recv_timeout(TIMEOUT)
        .unwrap_or_else(|_| Err(unanswered()))
}

/// The broker did not answer in time.
pub(super) fn unanswered() -> KafkaError {
    KafkaError::ConsumerCommit(RDKafkaErrorCode::OperationTimedOut)
}

const TIMEOUT: Duration = Duration::from_secs(3);
