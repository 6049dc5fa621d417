//! The consumer's membership in its group: what librdkafka calls at a rebalance, and commits.
//!
//! Decides nothing about partitions: `rebalance` does.

use std::cell::RefCell;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::Offset;
use rdkafka::TopicPartitionList;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, RebalanceProtocol};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::types::{RDKafkaErrorCode, RDKafkaRespErr};
use tracing::{debug, warn};

use super::commit::{commit_in_time, unanswered};
use super::intake::FetchControl;
use super::partition::PartitionKey;
use super::positions::Positions;
use super::progress::Progress;
use super::queries::{CommittedByPartition, OffsetQueries, OffsetsByPartition};
use super::rebalance::{GroupClient, Rebalance, RebalanceSettings};
use super::settings::{CommitBy, KafkaSourceSettings};
use super::starts::Starts;
use super::take_over::{OffsetToCommit, PlacedPartition};
use super::topics::Topics;
use crate::source::status::{FeedStatus, count};

/// Context of the consumer.
pub(super) struct Membership {
    topics: Topics,
    commits: CommitBy,
    progress: Arc<Progress>,
    status: Arc<FeedStatus>,
    consumer: OnceLock<Weak<BaseConsumer<Self>>>,
    pub(super) rebalance: Rebalance,
}

impl Membership {
    pub(super) fn new(
        settings: &KafkaSourceSettings,
        starts: Arc<dyn Starts>,
        progress: Arc<Progress>,
        status: Arc<FeedStatus>,
        stop: Arc<AtomicBool>,
    ) -> Self {
        let of_rebalance = RebalanceSettings {
            commits: settings.commits,
            from_beginning: settings.from_beginning,
            wait_max: wait_max(settings),
            drain_timeout: settings.drain_timeout,
        };
        let (of_progress, of_status) = (Arc::clone(&progress), Arc::clone(&status));
        Self {
            topics: Topics::new(&settings.topics, settings.first_stream),
            commits: settings.commits,
            progress,
            status,
            consumer: OnceLock::new(),
            rebalance: Rebalance::new(of_rebalance, starts, of_progress, of_status, stop),
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
        if self.commits == CommitBy::Sink {
            return;
        }
        let uncommitted = self.progress.uncommitted().into_iter();
        let selected = uncommitted.filter(|&(stream, partition, _)| selected((stream, partition)));
        let with_note = |(stream, partition, next)| OffsetToCommit {
            key: (stream, partition),
            next,
            note: self.progress.note(stream, partition),
        };
        let offsets = self.offsets(selected.map(with_note));
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

    fn offsets(&self, all: impl Iterator<Item = OffsetToCommit>) -> TopicPartitionList {
        let mut offsets = TopicPartitionList::new();
        for OffsetToCommit { key, next, note } in all {
            let Some(topic) = self.topics.of(key.0) else {
                continue;
            };
            let mut of_partition = offsets.add_partition(topic, key.1);
            if let Err(error) = of_partition.set_offset(Offset::Offset(next)) {
                warn!(topic, partition = key.1, %error, "offset cannot be committed");
            }
            if let Some(note) = note {
                of_partition.set_metadata(note.to_string());
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
}

/// The consumer inside a rebalance.
struct RebalancingClient<'a> {
    consumer: &'a BaseConsumer<Membership>,
    membership: &'a Membership,
    /// What the group gives or takes back.
    partitions: RefCell<&'a mut TopicPartitionList>,
}

impl RebalancingClient<'_> {
    fn positions(&self) -> Positions<'_, Membership> {
        Positions {
            consumer: self.consumer,
            topics: &self.membership.topics,
        }
    }
}

impl OffsetQueries for RebalancingClient<'_> {
    fn committed(&self, keys: &[PartitionKey]) -> KafkaResult<CommittedByPartition> {
        self.positions().committed(keys)
    }

    fn spans(&self, keys: &[PartitionKey]) -> KafkaResult<Vec<(i64, i64)>> {
        self.positions().spans(keys)
    }

    fn since(&self, keys: &[PartitionKey], millis: i64) -> KafkaResult<OffsetsByPartition> {
        self.positions().since(keys, millis)
    }

    fn partitions_of(&self, stream: u16) -> KafkaResult<Vec<PartitionKey>> {
        self.positions().partitions_of(stream)
    }
}

impl GroupClient for RebalancingClient<'_> {
    fn is_assignment_lost(&self) -> bool {
        self.consumer.assignment_lost()
    }

    fn is_incremental(&self) -> bool {
        matches!(
            self.consumer.rebalance_protocol(),
            RebalanceProtocol::Cooperative
        )
    }

    fn assign(&self, placed: Option<&[PlacedPartition]>) -> KafkaResult<()> {
        let mut partitions = self.partitions.borrow_mut();
        for at in placed.unwrap_or_default() {
            if let Some(topic) = self.membership.topics.of(at.key.0) {
                partitions.set_partition_offset(topic, at.key.1, Offset::Offset(at.begin))?;
            }
        }
        match self.is_incremental() {
            true => self.consumer.incremental_assign(&partitions),
            false => self.consumer.assign(&partitions),
        }
    }

    fn unassign(&self) -> KafkaResult<()> {
        match self.is_incremental() {
            true => self
                .consumer
                .incremental_unassign(&self.partitions.borrow()),
            false => self.consumer.unassign(),
        }
    }

    fn commit_now(&self, offsets: Vec<OffsetToCommit>) -> KafkaResult<()> {
        let offsets = self.membership.offsets(offsets.into_iter());
        self.membership.commit_now(&offsets)
    }

    fn commit_done(&self, keys: &[PartitionKey]) {
        let is_ours = |key| keys.contains(&key);
        self.membership
            .commit(self.consumer, CommitMode::Sync, is_ours);
    }
}

impl FetchControl for Arc<BaseConsumer<Membership>> {
    fn topic_of(&self, stream: u16) -> String {
        let topic = self.context().topics.of(stream);
        topic.unwrap_or_default().to_owned()
    }

    fn pause(&self, key: PartitionKey) -> KafkaResult<()> {
        Consumer::pause(&**self, &self.context().list(key))
    }

    fn resume(&self, key: PartitionKey) -> KafkaResult<()> {
        Consumer::resume(&**self, &self.context().list(key))
    }

    fn position(&self, (stream, partition): PartitionKey) -> Option<i64> {
        let topic = self.context().topics.of(stream)?;
        let positions = Consumer::position(&**self).ok()?;
        match positions.find_partition(topic, partition)?.offset() {
            Offset::Offset(next) => Some(next),
            _ => None,
        }
    }
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
        let keys = self.topics.keys(partitions);
        let client = RebalancingClient {
            consumer,
            membership: self,
            partitions: RefCell::new(partitions),
        };
        let done = match what {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => {
                self.rebalance.assign(&client, &keys)
            }
            _ => self.rebalance.revoke(&client, &keys),
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

/// How long a callback may wait: the group removes a member that does not poll for longer.
fn wait_max(settings: &KafkaSourceSettings) -> Duration {
    let written = settings.properties.get("max.poll.interval.ms");
    let millis = written.and_then(|text| text.parse().ok());
    Duration::from_millis(millis.unwrap_or(MAX_POLL_INTERVAL_MS)) / 3
}

/// The client's default of `max.poll.interval.ms`.
const MAX_POLL_INTERVAL_MS: u64 = 300_000;
