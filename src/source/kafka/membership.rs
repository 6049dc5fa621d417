//! The consumer's membership in its group: assigned and revoked partitions, and commits.
//!
//! Runs inside the poll of the source's thread. Nothing goes into a ring meanwhile, so a revocation can wait
//! until what is in them is done; all other work is left to the reader's loop, as a list of changes.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::Offset;
use rdkafka::TopicPartitionList;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, RebalanceProtocol};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::types::{RDKafkaErrorCode, RDKafkaRespErr};
use rustc_hash::FxHashMap;
use tracing::{debug, info, warn};

use super::commit::{commit_in_time, unanswered};
use super::partition::PartitionKey;
use super::positions::Positions;
use super::progress::Progress;
use super::settings::{CommitBy, KafkaSourceSettings};
use super::starts::Starts;
use super::take_over::{PlacedPartition, TakeOver};
use super::topics::Topics;
use crate::clock;
use crate::source::status::{FeedStatus, count};

/// Context of the consumer.
pub(super) struct Membership {
    topics: Topics,
    settings: KafkaSourceSettings,
    starts: Arc<dyn Starts>,
    progress: Arc<Progress>,
    status: Arc<FeedStatus>,
    stop: Arc<AtomicBool>,
    consumer: OnceLock<Weak<BaseConsumer<Self>>>,
    changes: Mutex<Vec<Change>>,
    /// Where the assigned partitions began.
    begins: Mutex<FxHashMap<PartitionKey, i64>>,
    failure: Mutex<Option<KafkaError>>,
    /// The partitions that were assigned and not revoked since.
    held: Mutex<BTreeSet<PartitionKey>>,
}

/// A partition that was assigned or revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Assigned(PlacedPartition),
    Revoked(PartitionKey),
    /// All changes of a rebalance have been listed.
    Settled,
}

impl Membership {
    pub(super) fn new(
        settings: KafkaSourceSettings,
        starts: Arc<dyn Starts>,
        progress: Arc<Progress>,
        status: Arc<FeedStatus>,
        stop: Arc<AtomicBool>,
    ) -> Self {
        Self {
            topics: Topics::new(&settings.topics, settings.first_stream),
            settings,
            starts,
            progress,
            status,
            stop,
            consumer: OnceLock::new(),
            changes: Mutex::default(),
            begins: Mutex::default(),
            failure: Mutex::default(),
            held: Mutex::default(),
        }
    }

    /// The consumer of which this is the context.
    pub(super) fn set_consumer(&self, consumer: &Arc<BaseConsumer<Self>>) {
        self.consumer.get_or_init(|| Arc::downgrade(consumer));
    }

    /// The topics and their streams.
    pub(super) fn topics(&self) -> &Topics {
        &self.topics
    }

    /// The changes since the last call, in order.
    pub(super) fn take_changes(&self) -> Vec<Change> {
        std::mem::take(&mut *self.changes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Where reading of each assigned partition began.
    pub(super) fn begins(&self) -> FxHashMap<PartitionKey, i64> {
        let begins = self.begins.lock();
        begins.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Why partitions could not be taken over: the run must end.
    pub(super) fn take_failure(&self) -> Option<KafkaError> {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.take()
    }

    /// A list of this partition alone.
    pub(super) fn list(&self, key: PartitionKey) -> TopicPartitionList {
        self.topics.list([key])
    }

    /// Commits the offsets that are done and not yet committed.
    pub(super) fn commit_all(&self, consumer: &BaseConsumer<Self>, mode: CommitMode) {
        self.commit(consumer, mode, |_| true);
    }

    /// Commits the offsets that are done and not yet committed, of the partitions that `selected` accepts.
    fn commit(
        &self,
        consumer: &BaseConsumer<Self>,
        mode: CommitMode,
        selected: impl Fn(PartitionKey) -> bool,
    ) {
        if self.settings.commits == CommitBy::Sink {
            return;
        }
        let uncommitted = self.progress.uncommitted().into_iter();
        let selected = uncommitted.filter(|&(stream, partition, _)| selected((stream, partition)));
        let offsets =
            self.offsets(selected.map(|(stream, partition, next)| ((stream, partition), next)));
        if offsets.count() == 0 {
            return;
        }
        match mode {
            // The result of an asynchronous commit comes to the callback; an error of sending it comes here.
            CommitMode::Async => {
                if let Err(error) = consumer.commit(&offsets, mode) {
                    self.note_commit(Err(error), &offsets);
                }
            }
            CommitMode::Sync => self.note_commit(self.commit_now(&offsets), &offsets),
        }
    }

    /// Commits, and waits for the answer.
    fn commit_now(&self, offsets: &TopicPartitionList) -> KafkaResult<()> {
        let consumer = self.consumer.get().and_then(Weak::upgrade);
        consumer.map_or_else(
            || Err(unanswered()),
            |consumer| commit_in_time(consumer, offsets),
        )
    }

    fn offsets(&self, all: impl Iterator<Item = (PartitionKey, i64)>) -> TopicPartitionList {
        let mut offsets = TopicPartitionList::new();
        for ((stream, partition), next) in all {
            let Some(topic) = self.topics.of(stream) else {
                continue;
            };
            if let Err(error) = offsets.add_partition_offset(topic, partition, Offset::Offset(next))
            {
                warn!(topic, partition, %error, "offset cannot be committed");
            }
        }
        offsets
    }

    fn note_commit(&self, result: KafkaResult<()>, offsets: &TopicPartitionList) {
        match result {
            Ok(()) => {
                for element in offsets.elements() {
                    if let (Some(stream), Offset::Offset(next), Ok(())) = (
                        self.topics.stream_of(element.topic()),
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

    fn list_changes(&self, all: impl IntoIterator<Item = Change> + Clone) {
        let mut begins = self.begins.lock().unwrap_or_else(PoisonError::into_inner);
        for change in all.clone() {
            match change {
                Change::Assigned(placed) => drop(begins.insert(placed.key, placed.begin)),
                Change::Revoked(key) => drop(begins.remove(&key)),
                Change::Settled => {}
            }
        }
        self.status.partitions.set_partitions(begins.len());
        drop(begins);
        let mut changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        changes.extend(all);
        changes.push(Change::Settled);
    }

    /// How long a callback may wait: the group removes a member that does not poll for longer.
    fn wait_max(&self) -> Duration {
        let written = self.settings.properties.get("max.poll.interval.ms");
        let millis = written.and_then(|text| text.parse().ok());
        Duration::from_millis(millis.unwrap_or(MAX_POLL_INTERVAL_MS)) / 3
    }
}

/// Partitions that are taken over.
impl Membership {
    fn assign(
        &self,
        consumer: &BaseConsumer<Self>,
        partitions: &mut TopicPartitionList,
    ) -> KafkaResult<()> {
        let keys = self.topics.keys(partitions);
        if self.are_assigned_again(&keys) {
            self.progress.set_lost();
            warn!(
                count = keys.len(),
                "partitions were assigned again without having been revoked: going on at the committed offsets"
            );
            return consumer.unassign();
        }
        let placed = self.place_in_time(consumer, &keys);
        for at in placed.iter().flatten() {
            if let Some(topic) = self.topics.of(at.key.0) {
                partitions.set_partition_offset(topic, at.key.1, Offset::Offset(at.begin))?;
            }
        }
        match is_cooperative(consumer) {
            true => consumer.incremental_assign(partitions)?,
            false => consumer.assign(partitions)?,
        }
        count(&self.status.connections);
        let Some(placed) = placed else {
            return Ok(());
        };
        self.status.set_healthy(true);
        info!(count = placed.len(), "partitions were assigned");
        self.list_changes(placed.into_iter().map(Change::Assigned));
        Ok(())
    }

    /// Whether any of these partitions is assigned already; now all are. The client does that where a
    /// rebalance begins while it waits for an answer to the last one: frames of both assignments would meet
    /// in a ring.
    fn are_assigned_again(&self, keys: &[PartitionKey]) -> bool {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        keys.iter().filter(|&&key| !held.insert(key)).count() > 0
    }

    /// Asks the brokers where the partitions begin until they answer; none where the run is stopped, or ends
    /// because they do not answer.
    fn place_in_time(
        &self,
        consumer: &BaseConsumer<Self>,
        keys: &[PartitionKey],
    ) -> Option<Vec<PlacedPartition>> {
        // A question about no partition is never answered.
        if keys.is_empty() {
            return Some(vec![]);
        }
        let since = clock::instant();
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return None;
            }
            let take_over = TakeOver {
                positions: Positions {
                    consumer,
                    topics: &self.topics,
                },
                from_beginning: self.settings.from_beginning,
                starts: &*self.starts,
                commit: &|all| self.commit_now(&self.offsets(all.into_iter())),
            };
            let error = match take_over.place(keys) {
                Ok(placed) => return Some(placed),
                Err(error) => error,
            };
            count(&self.status.failures);
            if consumer.assignment_lost() || since.elapsed() > self.wait_max() {
                let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
                *failure = Some(error);
                return None;
            }
            debug!(%error, "the brokers do not say where partitions begin: asking again");
            std::thread::sleep(ASK_AGAIN);
        }
    }
}

/// Partitions that are given back.
impl Membership {
    fn revoke(
        &self,
        consumer: &BaseConsumer<Self>,
        partitions: &TopicPartitionList,
    ) -> KafkaResult<()> {
        let keys = self.topics.keys(partitions);
        // A lost partition may have a new owner, whose commits ours must not overwrite.
        if consumer.assignment_lost() {
            self.progress.set_lost();
            self.status.set_healthy(false);
            warn!(count = keys.len(), "partitions were lost");
        } else {
            self.wait_until_done(&keys);
            self.commit(consumer, CommitMode::Sync, |key| keys.contains(&key));
            info!(count = keys.len(), "partitions were revoked");
        }
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|key| !keys.contains(key));
        drop(held);
        // After a loss the run begins again: frames on their way must not meet a state without a past.
        if !self.progress.is_lost() {
            self.starts.revoked(&keys);
        }
        let given_back = match is_cooperative(consumer) {
            true => consumer.incremental_unassign(partitions),
            false => consumer.unassign(),
        };
        self.list_changes(keys.into_iter().map(Change::Revoked));
        given_back
    }

    /// Waits until what went into the rings is done, so that the next owner reads nothing again.
    fn wait_until_done(&self, keys: &[PartitionKey]) {
        let (since, wait_max) = (
            clock::instant(),
            self.wait_max().min(self.settings.drain_timeout),
        );
        while !self.progress.is_done(keys) {
            if since.elapsed() > wait_max {
                self.progress.set_lost();
                warn!(
                    waited = ?wait_max,
                    "partitions are given back with frames still on their way: they will be read again"
                );
                return;
            }
            std::thread::sleep(DONE_STEP);
        }
    }
}

fn is_cooperative(consumer: &BaseConsumer<Membership>) -> bool {
    matches!(
        consumer.rebalance_protocol(),
        RebalanceProtocol::Cooperative
    )
}

impl ClientContext for Membership {
    fn error(&self, error: KafkaError, reason: &str) {
        // `poll` returns the same error, where it is counted.
        debug!(%error, reason, "consumer");
    }
}

impl ConsumerContext for Membership {
    /// Does what the client does by default, but sets where partitions begin, and gives them back only when
    /// what was read of them is done.
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        what: RDKafkaRespErr,
        partitions: &mut TopicPartitionList,
    ) {
        let done = match what {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => {
                self.assign(consumer, partitions)
            }
            _ => self.revoke(consumer, partitions),
        };
        if let Err(error) = done {
            count(&self.status.failures);
            warn!(%error, "the group's partitions could not be taken or given back");
        }
    }

    fn commit_callback(&self, result: KafkaResult<()>, offsets: &TopicPartitionList) {
        self.note_commit(result, offsets);
    }
}

/// Pause between two questions where partitions begin.
const ASK_AGAIN: Duration = Duration::from_millis(100);
/// How often it is looked whether what was read is done.
const DONE_STEP: Duration = Duration::from_millis(1);
/// The client's default of `max.poll.interval.ms`.
const MAX_POLL_INTERVAL_MS: u64 = 300_000;
