//! The calls of a transaction, as a producer answers them: the real one, or one of a simulation.

use std::time::Duration;

use rdkafka::consumer::ConsumerGroupMetadata;
use rdkafka::error::{KafkaError, RDKafkaError};
use rdkafka::producer::{Producer, PurgeConfig, ThreadedProducer};
use rdkafka::{Offset, TopicPartitionList};

use super::deliveries::Deliveries;
use crate::frame::Position;

/// A producer that writes in transactions.
pub(crate) trait TransactionalProducer {
    /// Announces the producer: what another one of its id has left open is aborted, and it is fenced.
    fn announce(&self, timeout: Duration) -> CallResult;

    /// Begins a transaction.
    fn begin(&self) -> CallResult;

    /// Adds offsets to the transaction, in the name of a member of a group.
    fn send_offsets(
        &self,
        offsets: &[GroupOffset],
        member: &GroupMember,
        timeout: Duration,
    ) -> CallResult;

    /// Commits the transaction.
    fn commit(&self, timeout: Duration) -> CallResult;

    /// Drops what is in flight, and aborts the transaction.
    fn abort(&self, timeout: Duration) -> CallResult;
}

/// Whether a call was answered, and well.
pub(crate) type CallResult = Result<(), CallError>;

/// Why a call was not answered well.
#[derive(Debug)]
pub(crate) struct CallError {
    pub(crate) error: KafkaError,
    /// Whether the same call may be answered well later: it goes on where it was.
    pub(crate) is_retriable: bool,
    /// Whether the producer is of no use any more.
    pub(crate) is_fatal: bool,
}

/// An offset that a transaction commits for a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupOffset {
    /// The topic.
    pub topic: String,
    /// The partition, and the next offset to process.
    pub position: Position,
    /// What is noted beside it, for the group itself.
    pub note: String,
}

/// A member of a consumer group, and the generation in which it is one.
pub struct GroupMember(pub(crate) GroupMemberOf);

/// What knows the member.
pub(crate) enum GroupMemberOf {
    /// A consumer.
    Consumer(ConsumerGroupMetadata),
    /// A member of a simulated group: the name, the client and the generation.
    #[cfg(test)]
    Simulated((usize, u64, u64)),
}

impl From<ConsumerGroupMetadata> for GroupMember {
    fn from(metadata: ConsumerGroupMetadata) -> Self {
        Self(GroupMemberOf::Consumer(metadata))
    }
}

impl TransactionalProducer for ThreadedProducer<Deliveries> {
    fn announce(&self, timeout: Duration) -> CallResult {
        Ok(self.init_transactions(timeout)?)
    }

    fn begin(&self) -> CallResult {
        Ok(self.begin_transaction()?)
    }

    fn send_offsets(
        &self,
        offsets: &[GroupOffset],
        member: &GroupMember,
        timeout: Duration,
    ) -> CallResult {
        let mut list = TopicPartitionList::new();
        for offset in offsets {
            let mut of_partition = list.add_partition(&offset.topic, offset.position.partition);
            of_partition.set_offset(Offset::Offset(offset.position.next))?;
            of_partition.set_metadata(&*offset.note);
        }
        match &member.0 {
            GroupMemberOf::Consumer(metadata) => {
                Ok(self.send_offsets_to_transaction(&list, metadata, timeout)?)
            }
            #[cfg(test)]
            GroupMemberOf::Simulated(_) => unreachable!("its group has a simulated producer"),
        }
    }

    fn commit(&self, timeout: Duration) -> CallResult {
        Ok(self.commit_transaction(timeout)?)
    }

    fn abort(&self, timeout: Duration) -> CallResult {
        self.purge(PurgeConfig::default().queue().inflight());
        Ok(self.abort_transaction(timeout)?)
    }
}

impl From<KafkaError> for CallError {
    fn from(error: KafkaError) -> Self {
        let of_transaction = match &error {
            KafkaError::Transaction(error) => Some(error),
            _ => None,
        };
        Self {
            is_retriable: of_transaction.is_some_and(RDKafkaError::is_retriable),
            is_fatal: of_transaction.is_some_and(RDKafkaError::is_fatal),
            error,
        }
    }
}
