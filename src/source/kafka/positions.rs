//! What the brokers say of partitions: committed offsets, and where their records begin and end.
//!
//! Decides nothing: `placement` does.

use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{Offset, TopicPartitionList};
use rustc_hash::FxHashMap;

use super::partition::PartitionKey;
use super::placement::PartitionFacts;
use super::topics::Topics;

/// Asks the brokers through a consumer.
pub(super) struct Positions<'a, C: ConsumerContext> {
    pub(super) consumer: &'a BaseConsumer<C>,
    pub(super) topics: &'a Topics,
}

impl<C: ConsumerContext> Positions<'_, C> {
    /// What is known of each of these partitions, in their order. Ends are asked for after commits, so that
    /// no committed offset is behind its end.
    ///
    /// # Errors
    /// Where the brokers do not answer for each of them.
    pub(super) fn facts(&self, keys: &[PartitionKey]) -> KafkaResult<Vec<PartitionFacts>> {
        let committed = self.committed(keys)?;
        let spans = self.spans(keys)?;
        let of = |(key, (low, high)): (&PartitionKey, (i64, i64))| PartitionFacts {
            committed: committed.get(key).copied(),
            low,
            high,
        };
        Ok(keys.iter().zip(spans).map(of).collect())
    }

    /// The oldest and the next offset of each of these partitions, in their order.
    ///
    /// # Errors
    /// Where the brokers do not answer for each of them.
    pub(super) fn spans(&self, keys: &[PartitionKey]) -> KafkaResult<Vec<(i64, i64)>> {
        let (lows, highs) = (
            self.offsets_at(keys, Offset::Beginning)?,
            self.offsets_at(keys, Offset::End)?,
        );
        let of = |key: &PartitionKey| Some((*lows.get(key)?, *highs.get(key)?));
        let all: Option<Vec<_>> = keys.iter().map(of).collect();
        all.ok_or(KafkaError::OffsetFetch(UNANSWERED))
    }

    /// The committed offsets of those of these partitions that have any.
    ///
    /// # Errors
    /// Where the brokers do not answer for each of them.
    pub(super) fn committed(
        &self,
        keys: &[PartitionKey],
    ) -> KafkaResult<FxHashMap<PartitionKey, i64>> {
        let list = self.topics.list(keys.iter().copied());
        self.offsets(&self.consumer.committed_offsets(list, ANSWER_TIMEOUT)?)
    }

    /// The first offset of each of these partitions whose record has this time, in milliseconds, or a later
    /// one.
    ///
    /// # Errors
    /// Where the brokers do not answer for each of them.
    pub(super) fn since(
        &self,
        keys: &[PartitionKey],
        millis: i64,
    ) -> KafkaResult<FxHashMap<PartitionKey, i64>> {
        self.offsets_at(keys, Offset::Offset(millis))
    }

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

    /// All partitions of a topic.
    ///
    /// # Errors
    /// Where the brokers do not answer.
    pub(super) fn partitions_of(&self, stream: u16) -> KafkaResult<Vec<PartitionKey>> {
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

    /// The beginnings or the ends of partitions, or their first offsets since a time: one request to each
    /// broker, while the client's watermarks would be one request to each partition.
    fn offsets_at(
        &self,
        keys: &[PartitionKey],
        at: Offset,
    ) -> KafkaResult<FxHashMap<PartitionKey, i64>> {
        let mut list = self.topics.list(keys.iter().copied());
        list.set_all_offsets(at)?;
        self.offsets(&self.consumer.offsets_for_times(list, ANSWER_TIMEOUT)?)
    }

    fn offsets(&self, list: &TopicPartitionList) -> KafkaResult<FxHashMap<PartitionKey, i64>> {
        let mut offsets = FxHashMap::default();
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
