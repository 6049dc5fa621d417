//! What the brokers say of partitions: committed offsets, and where their records begin and end.
//!
//! Decides nothing: `placement` does.

use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{Offset, TopicPartitionList};

use super::commit_note::CommitNote;
use super::partition::PartitionKey;
use super::queries::{Committed, CommittedByPartition, OffsetQueries, OffsetsByPartition};
use super::topics::Topics;

/// Asks the brokers through a consumer.
pub(super) struct Positions<'a, C: ConsumerContext> {
    pub(super) consumer: &'a BaseConsumer<C>,
    pub(super) topics: &'a Topics,
}

impl<C: ConsumerContext> OffsetQueries for Positions<'_, C> {
    fn committed(&self, keys: &[PartitionKey]) -> KafkaResult<CommittedByPartition> {
        let list = self.topics.list(keys.iter().copied());
        let answer = self.consumer.committed_offsets(list, ANSWER_TIMEOUT)?;
        let offsets = self.offsets(&answer)?.into_iter();
        let committed = |(key, next): (PartitionKey, i64)| {
            let topic = self.topics.of(key.0)?;
            let of_partition = answer.find_partition(topic, key.1)?;
            let note = CommitNote::read(of_partition.metadata());
            Some((key, Committed { next, note }))
        };
        Ok(offsets.filter_map(committed).collect())
    }

    fn spans(&self, keys: &[PartitionKey]) -> KafkaResult<Vec<(i64, i64)>> {
        let (lows, highs) = (
            self.offsets_at(keys, Offset::Beginning)?,
            self.offsets_at(keys, Offset::End)?,
        );
        let of = |key: &PartitionKey| Some((*lows.get(key)?, *highs.get(key)?));
        let all: Option<Vec<_>> = keys.iter().map(of).collect();
        all.ok_or(KafkaError::OffsetFetch(UNANSWERED))
    }

    fn since(&self, keys: &[PartitionKey], millis: i64) -> KafkaResult<OffsetsByPartition> {
        self.offsets_at(keys, Offset::Offset(millis))
    }

    fn partitions_of(&self, stream: u16) -> KafkaResult<Vec<PartitionKey>> {
        let topic = self.topics.of(stream);
        let metadata = self.consumer.fetch_metadata(topic, ANSWER_TIMEOUT)?;
        let partitions = metadata
            .topics()
            .iter()
            .flat_map(|topic| topic.partitions());
        Ok(partitions
            .map(|partition| (stream, partition.id()))
            .collect())
    }
}

impl<C: ConsumerContext> Positions<'_, C> {
    /// Whether the brokers answer at all.
    ///
    /// # Errors
    /// Where they do not.
    pub(super) fn ask(&self) -> KafkaResult<()> {
        let topic = self.topics.first();
        self.consumer
            .fetch_metadata(topic, ANSWER_TIMEOUT)
            .map(drop)
    }

    /// The beginnings or the ends of partitions, or their first offsets since a time: one request to each
    /// broker, while the client's watermarks would be one request to each partition.
    fn offsets_at(&self, keys: &[PartitionKey], at: Offset) -> KafkaResult<OffsetsByPartition> {
        let mut list = self.topics.list(keys.iter().copied());
        list.set_all_offsets(at)?;
        self.offsets(&self.consumer.offsets_for_times(list, ANSWER_TIMEOUT)?)
    }

    fn offsets(&self, list: &TopicPartitionList) -> KafkaResult<OffsetsByPartition> {
        let mut offsets = OffsetsByPartition::default();
        for element in list.elements() {
            element.error()?;
            if let (Some(stream), Offset::Offset(offset)) =
                (self.topics.stream_of(element.topic()), element.offset())
            {
                offsets.insert((stream, element.partition()), offset);
            }
        }
        Ok(offsets)
    }
}

/// How long the brokers may take to answer one question; whoever asks may ask again.
pub(super) const ANSWER_TIMEOUT: Duration = Duration::from_secs(1);

const UNANSWERED: RDKafkaErrorCode = RDKafkaErrorCode::LeaderNotAvailable;
