//! What taking partitions over asks the brokers. Each question may fail; whoever asks may ask again.

use rdkafka::error::KafkaResult;
use rustc_hash::FxHashMap;

use super::commit_note::CommitNote;
use super::partition::PartitionKey;
use super::placement::PartitionFacts;

/// Offsets by partition. Those of which the answer says nothing are missing.
pub(crate) type OffsetsByPartition = FxHashMap<PartitionKey, i64>;

/// Committed offsets by partition. Those of which nothing is committed are missing.
pub(crate) type CommittedByPartition = FxHashMap<PartitionKey, Committed>;

/// A committed offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Committed {
    pub(crate) next: i64,
    /// What the group noted beside it; none where another program has committed it.
    pub(crate) note: Option<CommitNote>,
}

/// Answers questions about offsets.
pub(crate) trait OffsetQueries {
    /// The committed offsets of those of these partitions that have any.
    ///
    /// # Errors
    /// Where the brokers do not answer for each of them.
    fn committed(&self, keys: &[PartitionKey]) -> KafkaResult<CommittedByPartition>;

    /// The oldest and the next offset of each of these partitions, in their order.
    ///
    /// # Errors
    /// Where the brokers do not answer for each of them.
    fn spans(&self, keys: &[PartitionKey]) -> KafkaResult<Vec<(i64, i64)>>;

    /// The first offset of each of these partitions whose record has this time, in milliseconds, or a later
    /// one.
    ///
    /// # Errors
    /// Where the brokers do not answer for each of them.
    fn since(&self, keys: &[PartitionKey], millis: i64) -> KafkaResult<OffsetsByPartition>;

    /// All partitions of a topic.
    ///
    /// # Errors
    /// Where the brokers do not answer.
    fn partitions_of(&self, stream: u16) -> KafkaResult<Vec<PartitionKey>>;

    /// What is known of each of these partitions, in their order. Ends are asked for after commits, so that
    /// no committed offset is behind its end.
    ///
    /// # Errors
    /// Where the brokers do not answer for each of them.
    fn facts(&self, keys: &[PartitionKey]) -> KafkaResult<Vec<PartitionFacts>> {
        let committed = self.committed(keys)?;
        let spans = self.spans(keys)?;
        let of = |(key, (low, high)): (&PartitionKey, (i64, i64))| PartitionFacts {
            committed: committed.get(key).map(|at| at.next),
            note: committed.get(key).and_then(|at| at.note),
            low,
            high,
        };
        Ok(keys.iter().zip(spans).map(of).collect())
    }
}
