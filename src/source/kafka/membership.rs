//! The consumer's membership in its group: assigned and revoked partitions, and commits.
//!
//! Runs inside the poll of the source's thread, so it must be quick; slower work is left to the reader's
//! loop, as a list of changes.

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

use super::partition::PartitionKey;
use super::progress::Progress;
use crate::clock;
use crate::source::status::{FeedStatus, count};

/// Context of the consumer.
pub(super) struct Membership {
    topics: Vec<String>,
    /// The stream of the first topic.
    first_stream: u16,
    /// The stream of each topic.
    streams: FxHashMap<String, u16>,
    progress: Arc<Progress>,
    status: Arc<FeedStatus>,
    changes: Mutex<Vec<Change>>,
    /// How far back partitions are read again.
    rebuild: Option<Duration>,
    /// Whether a group without committed offsets begins at the oldest record.
    from_beginning: bool,
    /// The offset of the first new record, for partitions of which earlier records are read again.
    new_from: Mutex<FxHashMap<(u16, i32), i64>>,
}

/// A partition that was assigned or revoked, by stream and number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Assigned(u16, i32),
    Revoked(u16, i32),
    /// All changes of a rebalance have been listed.
    Settled,
}

/// How long the broker may take to answer where partitions begin.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

impl Membership {
    pub(super) fn new(
        topics: Vec<String>,
        first_stream: u16,
        progress: Arc<Progress>,
        status: Arc<FeedStatus>,
    ) -> Self {
        let streams = topics.iter().cloned().zip(first_stream..).collect();
        Self {
            topics,
            first_stream,
            streams,
            progress,
            status,
            changes: Mutex::default(),
            rebuild: None,
            from_beginning: false,
            new_from: Mutex::default(),
        }
    }

    /// The same, reading records of this time before the committed offsets again.
    pub(super) fn reading_again(self, rebuild: Option<Duration>, from_beginning: bool) -> Self {
        Self {
            rebuild,
            from_beginning,
            ..self
        }
    }

    /// Whether a record is from before the first new one and is read again only to rebuild state.
    pub(super) fn is_reprocessed(&self, stream: u16, partition: i32, offset: i64) -> bool {
        let new_from = |at: &FxHashMap<(u16, i32), i64>| at.get(&(stream, partition)).copied();
        self.rebuild.is_some() && new_from(&self.lock_new()).is_some_and(|from| offset < from)
    }

    /// Whether a partition is read from before its committed offset.
    pub(super) fn reads_again(&self, stream: u16, partition: i32) -> bool {
        self.lock_new().contains_key(&(stream, partition))
    }

    /// Sets the offsets where partitions begin: `rebuild` before now, so that state is complete again.
    fn begin_earlier(
        &self,
        consumer: &BaseConsumer<Self>,
        rebuild: Duration,
        partitions: &mut TopicPartitionList,
    ) -> KafkaResult<()> {
        let since = clock::now().0 / 1_000_000 - rebuild.as_millis() as i64;
        let committed = consumer.committed_offsets(partitions.clone(), ANSWER_TIMEOUT)?;
        let mut times = partitions.clone();
        times.set_all_offsets(Offset::Offset(since.max(0)))?;
        let begins = consumer.offsets_for_times(times, ANSWER_TIMEOUT)?;
        for begin in begins.elements() {
            let (topic, partition) = (begin.topic(), begin.partition());
            let Some(stream) = self.stream_of(topic) else {
                continue;
            };
            let committed = committed.find_partition(topic, partition);
            let new_from = match committed.map(|element| element.offset()) {
                Some(Offset::Offset(next)) => next,
                _ if self.from_beginning => continue,
                _ => {
                    consumer
                        .fetch_watermarks(topic, partition, ANSWER_TIMEOUT)?
                        .1
                }
            };
            if let Offset::Offset(begin) = begin.offset()
                && begin < new_from
            {
                partitions.set_partition_offset(topic, partition, Offset::Offset(begin))?;
                self.lock_new().insert((stream, partition), new_from);
                info!(
                    topic,
                    partition, begin, new_from, "reading published records again to rebuild state"
                );
            }
        }
        Ok(())
    }

    fn lock_new(&self) -> MutexGuard<'_, FxHashMap<(u16, i32), i64>> {
        self.new_from.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The changes since the last call, in order.
    pub(super) fn take_changes(&self) -> Vec<Change> {
        std::mem::take(&mut *self.changes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The topic's [`Origin::stream`](crate::frame::Origin::stream).
    pub(super) fn stream_of(&self, topic: &str) -> Option<u16> {
        self.streams.get(topic).copied()
    }

    /// The topic of a stream of ours.
    pub(super) fn topic_of(&self, stream: u16) -> &str {
        &self.topics[usize::from(stream - self.first_stream)]
    }

    /// A list of this partition alone.
    pub(super) fn list(&self, (stream, partition): PartitionKey) -> TopicPartitionList {
        let mut one = TopicPartitionList::new();
        one.add_partition(self.topic_of(stream), partition);
        one
    }

    /// Commits the offsets that are done and not yet committed.
    pub(super) fn commit_all(&self, consumer: &BaseConsumer<Self>, mode: CommitMode) {
        self.commit(consumer, mode, |_, _| true);
    }

    /// Commits the offsets that are done and not yet committed, of the partitions that `selected` accepts.
    fn commit(
        &self,
        consumer: &BaseConsumer<Self>,
        mode: CommitMode,
        selected: impl Fn(u16, i32) -> bool,
    ) {
        let mut offsets = TopicPartitionList::new();
        for (stream, partition, next) in self.progress.uncommitted() {
            let topic = self.topic_of(stream);
            if selected(stream, partition)
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
            // The result of an asynchronous commit comes to the callback; an error of sending it comes here.
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

    fn list_changes(&self, partitions: &TopicPartitionList, change: impl Fn(u16, i32) -> Change) {
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
        // `poll` returns the same error, where it is counted.
        debug!(%error, reason, "consumer");
    }
}

impl ConsumerContext for Membership {
    /// Does what the client does by default, but sets where partitions begin.
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
                    warn!(%error, "published records cannot be read again: windows begin empty");
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
        self.list_changes(partitions, Change::Revoked);
    }

    fn post_rebalance(&self, _consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Assign(partitions) = rebalance {
            count(&self.status.connections);
            self.status.set_healthy(true);
            info!(count = partitions.count(), "partitions were assigned");
            self.list_changes(partitions, Change::Assigned);
        }
    }

    fn commit_callback(&self, result: KafkaResult<()>, offsets: &TopicPartitionList) {
        self.note_commit(result, offsets);
    }
}
