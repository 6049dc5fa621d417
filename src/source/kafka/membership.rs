//! The consumer's side of its group: what happens when partitions come and go, and commits.
//!
//! Runs inside the poll of the source's thread, so it must be quick; what takes longer is left as a
//! note for the source's loop.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::Offset;
use rdkafka::TopicPartitionList;
use rdkafka::consumer::{
    BaseConsumer, CommitMode, Consumer, ConsumerContext, Rebalance, RebalanceProtocol,
};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::types::{RDKafkaErrorCode, RDKafkaRespErr};
use rustc_hash::FxHashMap;
use tracing::{debug, info, warn};

use super::progress::Progress;
use crate::clock;
use crate::source::status::{FeedStatus, count};

/// Context of the consumer.
pub(super) struct Membership {
    topics: Vec<String>,
    /// The driver's index of the first topic.
    first_stream: u16,
    progress: Arc<Progress>,
    status: Arc<FeedStatus>,
    changes: Mutex<Vec<Change>>,
    /// How far back partitions are read again, and whether a group without offsets begins at the oldest.
    rebuild: Option<Duration>,
    from_beginning: bool,
    /// Where what is new begins, of partitions that are read again.
    new_from: Mutex<FxHashMap<(u16, i32), i64>>,
}

/// A partition that came or went, by the topic's index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Assigned(u16, i32),
    Revoked(u16, i32),
    /// All of an assignment has been told.
    Settled,
}

/// How long the broker may take to say where partitions begin.
const ASK_TIMEOUT: Duration = Duration::from_secs(5);

impl Membership {
    pub(super) fn new(
        topics: Vec<String>,
        first_stream: u16,
        progress: Arc<Progress>,
        status: Arc<FeedStatus>,
    ) -> Self {
        Self {
            topics,
            first_stream,
            progress,
            status,
            changes: Mutex::default(),
            rebuild: None,
            from_beginning: false,
            new_from: Mutex::default(),
        }
    }

    /// The same, reading again so far back what lies before the committed offsets.
    pub(super) fn reading_again(self, rebuild: Option<Duration>, from_beginning: bool) -> Self {
        Self {
            rebuild,
            from_beginning,
            ..self
        }
    }

    /// Whether a record has been read and published before.
    pub(super) fn is_known(&self, stream: u16, partition: i32, offset: i64) -> bool {
        let new_from = |at: &FxHashMap<(u16, i32), i64>| at.get(&(stream, partition)).copied();
        self.rebuild.is_some() && new_from(&self.lock_new()).is_some_and(|from| offset < from)
    }

    /// Whether a partition is read from before what is new.
    pub(super) fn reads_again(&self, stream: u16, partition: i32) -> bool {
        self.lock_new().contains_key(&(stream, partition))
    }

    /// Sets where partitions begin: so far back that state is whole again.
    fn begin_earlier(
        &self,
        consumer: &BaseConsumer<Self>,
        rebuild: Duration,
        partitions: &mut TopicPartitionList,
    ) -> KafkaResult<()> {
        let since = clock::now().0 / 1_000_000 - rebuild.as_millis() as i64;
        let committed = consumer.committed_offsets(partitions.clone(), ASK_TIMEOUT)?;
        let mut times = partitions.clone();
        times.set_all_offsets(Offset::Offset(since.max(0)))?;
        let begins = consumer.offsets_for_times(times, ASK_TIMEOUT)?;
        for begin in begins.elements() {
            let (topic, partition) = (begin.topic(), begin.partition());
            let Some(stream) = self.stream_of(topic) else {
                continue;
            };
            let committed = committed.find_partition(topic, partition);
            let new_from = match committed.map(|element| element.offset()) {
                Some(Offset::Offset(next)) => next,
                _ if self.from_beginning => continue,
                _ => consumer.fetch_watermarks(topic, partition, ASK_TIMEOUT)?.1,
            };
            if let Offset::Offset(begin) = begin.offset()
                && begin < new_from
            {
                partitions.set_partition_offset(topic, partition, Offset::Offset(begin))?;
                self.lock_new().insert((stream, partition), new_from);
                info!(
                    topic,
                    partition, begin, new_from, "reading again what is known"
                );
            }
        }
        Ok(())
    }

    fn lock_new(&self) -> MutexGuard<'_, FxHashMap<(u16, i32), i64>> {
        self.new_from.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What changed since the last look, in order.
    pub(super) fn take_changes(&self) -> Vec<Change> {
        std::mem::take(&mut *self.changes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The topic's [`Origin::stream`](crate::frame::Origin::stream).
    pub(super) fn stream_of(&self, topic: &str) -> Option<u16> {
        let at = self.topics.iter().position(|known| known == topic)?;
        Some(self.first_stream + u16::try_from(at).ok()?)
    }

    /// The topic of a stream of ours.
    pub(super) fn topic_of(&self, stream: u16) -> &str {
        &self.topics[usize::from(stream - self.first_stream)]
    }

    /// Commits what is done and not yet committed, of the partitions that `wanted` picks.
    pub(super) fn commit(
        &self,
        consumer: &BaseConsumer<Self>,
        mode: CommitMode,
        wanted: impl Fn(u16, i32) -> bool,
    ) {
        let mut offsets = TopicPartitionList::new();
        for (stream, partition, next) in self.progress.uncommitted() {
            let topic = self.topic_of(stream);
            if wanted(stream, partition)
                && let Err(error) =
                    offsets.add_partition_offset(topic, partition, Offset::Offset(next))
            {
                warn!(topic, partition, %error, "offset cannot be committed");
            }
        }
        if offsets.count() == 0 {
            return;
        }
        let result = consumer.commit(&offsets, mode);
        match (mode, result) {
            // The answer of an asynchronous commit comes to the callback, its refusal comes here.
            (CommitMode::Async, Ok(())) => {}
            (CommitMode::Async | CommitMode::Sync, result) => self.note_commit(result, &offsets),
        }
    }

    fn note_commit(&self, result: KafkaResult<()>, offsets: &TopicPartitionList) {
        match result {
            Ok(()) => {
                for element in offsets.elements() {
                    if let (Some(stream), Offset::Offset(next), Ok(())) = (
                        self.stream_of(element.topic()),
                        element.offset(),
                        element.error(),
                    ) {
                        self.progress.committed(stream, element.partition(), next);
                    }
                }
                self.status.set_healthy(true);
            }
            Err(KafkaError::ConsumerCommit(RDKafkaErrorCode::NoOffset)) => {}
            Err(error) => {
                count(&self.status.failures);
                warn!(%error, "offsets were not committed: trying again");
            }
        }
    }

    fn note(&self, partitions: &TopicPartitionList, change: impl Fn(u16, i32) -> Change) {
        let mut changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        for element in partitions.elements() {
            if let Some(stream) = self.stream_of(element.topic()) {
                changes.push(change(stream, element.partition()));
            }
        }
        changes.push(Change::Settled);
    }
}

impl ClientContext for Membership {
    fn error(&self, error: KafkaError, reason: &str) {
        // Told again by `poll`, where it is counted and weighed.
        debug!(%error, reason, "consumer");
    }
}

impl ConsumerContext for Membership {
    /// As the client does by itself, but for where partitions begin.
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        what: RDKafkaRespErr,
        partitions: &mut TopicPartitionList,
    ) {
        let cooperative = matches!(
            consumer.rebalance_protocol(),
            RebalanceProtocol::Cooperative
        );
        let done = match what {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => {
                if let Some(rebuild) = self.rebuild
                    && let Err(error) = self.begin_earlier(consumer, rebuild, partitions)
                {
                    count(&self.status.failures);
                    warn!(%error, "what is known cannot be read again: windows begin empty");
                }
                let assigned = match cooperative {
                    true => consumer.incremental_assign(partitions),
                    false => consumer.assign(partitions),
                };
                self.post_rebalance(consumer, &Rebalance::Assign(partitions));
                assigned
            }
            _ => {
                self.pre_rebalance(consumer, &Rebalance::Revoke(partitions));
                match cooperative {
                    true => consumer.incremental_unassign(partitions),
                    false => consumer.unassign(),
                }
            }
        };
        if let Err(error) = done {
            count(&self.status.failures);
            warn!(%error, "the group's partitions could not be taken or given back");
        }
    }

    fn pre_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        let Rebalance::Revoke(partitions) = rebalance else {
            return;
        };
        // A lost partition may have a new owner, whose commits ours must not overwrite.
        if consumer.assignment_lost() {
            warn!(count = partitions.count(), "partitions were lost");
        } else {
            self.commit(consumer, CommitMode::Sync, |stream, partition| {
                let topic = self.topic_of(stream);
                partitions.find_partition(topic, partition).is_some()
            });
            info!(count = partitions.count(), "partitions were revoked");
        }
        self.note(partitions, Change::Revoked);
    }

    fn post_rebalance(&self, _consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Assign(partitions) = rebalance {
            count(&self.status.connections);
            self.status.set_healthy(true);
            info!(count = partitions.count(), "partitions were assigned");
            self.note(partitions, Change::Assigned);
        }
    }

    fn commit_callback(&self, result: KafkaResult<()>, offsets: &TopicPartitionList) {
        self.note_commit(result, offsets);
    }
}
