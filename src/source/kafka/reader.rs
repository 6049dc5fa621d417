//! The thread of a Kafka source: polls, passes frames to their rings, and commits what is done.
//!
//! A full ring pauses its partitions while polling goes on, so the group keeps its member. Offsets are
//! committed as far as [`Progress`] says and no further; this file decides nothing about that.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use bytes::Bytes;
use rdkafka::Message;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::BorrowedMessage;
use rdkafka::types::RDKafkaErrorCode;
use tracing::{debug, info, warn};

use super::connection::{connect, missing_topic};
use super::error::KafkaSourceError;
use super::intake::PartitionIntake;
use super::links::KafkaLinks;
use super::membership::Membership;
use super::other_members::OtherMembers;
use super::overtaken::{self, Overtaken};
use super::partition::{PartitionKey, partition_of};
use super::placement::Missing;
use super::progress::Progress;
use super::rebalance::Change;
use super::record::{RecordHeaders, event_time};
use super::settings::KafkaSourceSettings;
use super::trouble::{Brokers, is_lasting};
use super::watch::Watch;
use crate::clock;
use crate::frame::{Frame, Origin};
use crate::source::ring::Sender;
use crate::source::status::{FeedStatus, count};

/// The thread's state.
pub(super) struct KafkaReader {
    consumer: Arc<BaseConsumer<Membership>>,
    settings: KafkaSourceSettings,
    intake: PartitionIntake<Arc<BaseConsumer<Membership>>>,
    overtaken: Overtaken,
    others: OtherMembers,
    /// Whether the group has assigned our partitions, even if there are none.
    is_assigned: bool,
    brokers: Brokers,
    headers: RecordHeaders,
    watch: Watch,
    progress: Arc<Progress>,
    status: Arc<FeedStatus>,
}

impl KafkaReader {
    /// Connects and subscribes; none where the run is stopped before a broker has answered.
    ///
    /// # Errors
    /// [`KafkaSourceError`].
    pub(super) fn connect(
        settings: KafkaSourceSettings,
        rings: Vec<Sender>,
        links: KafkaLinks,
        stop: &Arc<AtomicBool>,
    ) -> Result<Option<Self>, KafkaSourceError> {
        let mut brokers = Brokers::new(settings.bootstrap.clone(), Arc::clone(&links.status));
        let Some(consumer) = connect(&settings, &links, &mut brokers, stop)? else {
            return Ok(None);
        };
        let KafkaLinks {
            progress, status, ..
        } = links;
        let intake = PartitionIntake::new(
            Arc::clone(&consumer),
            settings.topics.len(),
            rings,
            Arc::clone(&progress),
            Arc::clone(&status),
        );
        Ok(Some(Self {
            intake,
            overtaken: Overtaken::default(),
            others: OtherMembers::default(),
            is_assigned: false,
            brokers,
            headers: RecordHeaders::new(settings.max_ahead_ns),
            watch: Watch::start(&consumer, Arc::clone(&status)),
            consumer,
            settings,
            progress,
            status,
        }))
    }

    /// Reads until `stop` turns true or the topics end, then drains and commits.
    ///
    /// # Errors
    /// [`KafkaSourceError`] for what the client does not mend by itself.
    pub(super) fn run(mut self, stop: &AtomicBool) -> Result<(), KafkaSourceError> {
        let result = self.read(stop);
        if result.is_ok() {
            self.drain();
        }
        self.status.set_healthy(false);
        drop((self.watch, self.intake));
        close_in_time(self.consumer);
        result
    }

    fn read(&mut self, stop: &AtomicBool) -> Result<(), KafkaSourceError> {
        let mut last_commit = clock::instant();
        let consumer = Arc::clone(&self.consumer);
        while !stop.load(Relaxed) {
            self.intake.send_waiting();
            self.read_on_where_overtaken()?;
            let polled = consumer.poll(self.poll_wait());
            self.follow_changes();
            if let Some(error) = consumer.context().rebalance.take_failure() {
                return Err(self.unplaced(error));
            }
            match polled.map(|record| record.map(|record| self.take(&record))) {
                Some(Ok(taken)) => taken?,
                Some(Err(error)) => self.note_error(error)?,
                None if self.intake.wake_shards() => {}
                None if self.settings.stop_at_end && self.is_at_end() => break,
                None => {
                    self.intake.find_read_partitions();
                    self.probe()?;
                }
            }
            if clock::elapsed(last_commit) >= self.settings.commit_every {
                last_commit = clock::instant();
                consumer.context().commit_all(&consumer, CommitMode::Async);
            }
        }
        Ok(())
    }

    /// Sends a record to its ring, in a turn of the source.
    fn take(&mut self, record: &BorrowedMessage<'_>) -> Result<(), KafkaSourceError> {
        self.status.turns.enter();
        let taken = self.hand_on(record);
        self.status.turns.leave();
        taken
    }

    fn hand_on(&mut self, record: &BorrowedMessage<'_>) -> Result<(), KafkaSourceError> {
        let Some((ts, frame)) = self.frame(record) else {
            return Ok(());
        };
        let key = partition_of(&frame);
        if self.intake.arrive(ts, frame) {
            return Ok(());
        }
        // Its records have the offsets of others that were read before.
        count(&self.status.dropped.orphaned);
        Err(self.anew(key))
    }

    /// The record as a frame, and its time if topics are being merged (else 0). None for a record without a
    /// payload.
    fn frame(&self, record: &BorrowedMessage<'_>) -> Option<(i64, Frame)> {
        let now = clock::now();
        self.status.data_came(now);
        let Some(payload) = record.payload() else {
            count(&self.status.dropped.tombstone);
            return None;
        };
        let Some(stream) = self.consumer.context().topics().stream_of(record.topic()) else {
            count(&self.status.dropped.orphaned);
            return None;
        };
        let (partition, offset) = (record.partition(), record.offset());
        let received = self.headers.ts_recv(record, now);
        let ts = match self.intake.merge.is_over() {
            true => 0,
            false => event_time(payload, received, record),
        };
        let frame = Frame {
            origin: Origin {
                ts_recv: received
                    .or_else(|| self.headers.written(record, now))
                    .unwrap_or(now),
                offset,
                partition,
                stream,
                late: false,
                reprocessed: offset < self.intake.new_from((stream, partition)),
            },
            // A copy: holding the record would pin the whole answer of the broker.
            bytes: Bytes::copy_from_slice(payload),
        };
        Some((ts, frame))
    }

    /// How long the next poll may wait: not at all while shards have frames that they were not told of.
    /// They are told once no more have been fetched.
    fn poll_wait(&self) -> Duration {
        if (1..TOGETHER).contains(&self.intake.untold()) {
            return Duration::ZERO;
        }
        self.intake.wake_shards();
        match self.intake.is_full() {
            true => POLL_WHILE_FULL,
            false => POLL,
        }
    }

    /// Follows the assignments and revocations of the last poll.
    fn follow_changes(&mut self) {
        for change in self.consumer.context().rebalance.take_changes() {
            self.is_assigned |= change == Change::Settled;
            self.intake.follow(change);
        }
    }

    /// Reads partitions on whose next record is gone, once what was read of them before is in its ring.
    fn read_on_where_overtaken(&mut self) -> Result<(), KafkaSourceError> {
        let now = clock::instant();
        if !self.overtaken.is_due(now) {
            return Ok(());
        }
        let found = match overtaken::find(&self.consumer, &mut self.intake.assigned) {
            Ok(found) => found,
            Err(error) => {
                self.brokers.failed(now, &error);
                return Ok(());
            }
        };
        let mut later = false;
        for (key, missing, next) in found {
            if missing == Missing::Anew {
                return Err(self.anew(key));
            }
            if self.intake.has_frames(key) {
                later = true;
                continue;
            }
            self.intake.assigned.partition(key).next = next;
            self.intake.add_gap(key, next, missing);
        }
        match overtaken::read_on(&self.consumer, &mut self.intake.assigned) {
            Ok(()) if !later => self.overtaken.is_over(),
            Ok(()) => {}
            Err(error) => self.brokers.failed(now, &error),
        }
        Ok(())
    }

    /// Whether every assigned partition is read to where it ended when it was assigned.
    fn is_at_end(&mut self) -> bool {
        if !self.is_assigned || !self.intake.is_at_end() {
            return false;
        }
        // A member without partitions waits for those that have them.
        self.intake.assigned.keys().next().is_some() || self.others.are_at_end(&self.consumer)
    }

    fn topic_of(&self, (stream, _): PartitionKey) -> String {
        let topic = self.consumer.context().topics().of(stream);
        topic.unwrap_or_default().to_owned()
    }

    fn anew(&self, key: PartitionKey) -> KafkaSourceError {
        KafkaSourceError::Anew {
            bootstrap: self.settings.bootstrap.clone(),
            topic: self.topic_of(key),
        }
    }

    fn unplaced(&self, error: KafkaError) -> KafkaSourceError {
        KafkaSourceError::Unplaced {
            bootstrap: self.settings.bootstrap.clone(),
            error,
        }
    }

    /// Ends the run for an error that lasts; the client mends any other by itself.
    fn note_error(&mut self, error: KafkaError) -> Result<(), KafkaSourceError> {
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::AutoOffsetReset) {
            self.overtaken.suspect(clock::instant());
            return Ok(());
        }
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::FencedInstanceId)
            && let Some(instance) = &self.settings.instance
        {
            return Err(KafkaSourceError::Fenced {
                bootstrap: self.settings.bootstrap.clone(),
                instance: instance.name().to_owned(),
            });
        }
        if is_lasting(&error) {
            return Err(KafkaSourceError::Fatal {
                bootstrap: self.settings.bootstrap.clone(),
                error,
            });
        }
        self.brokers.failed(clock::instant(), &error);
        Ok(())
    }

    /// Requests metadata: silence does not show whether the brokers are back. A topic that stays missing
    /// while they answer was deleted: offsets of a new one begin again, and so must its reader.
    fn probe(&mut self) -> Result<(), KafkaSourceError> {
        let now = clock::instant();
        if !self.brokers.probe_is_due(now) {
            return Ok(());
        }
        match missing_topic(&self.settings, &self.consumer) {
            Err(error) => self.brokers.gave_no_answer(now, &error),
            Ok(None) => self.brokers.answered(clock::instant()),
            Ok(Some(topic)) => {
                if self.brokers.topic_missing() > self.settings.missing_timeout {
                    return Err(KafkaSourceError::Gone {
                        bootstrap: self.settings.bootstrap.clone(),
                        topic,
                    });
                }
            }
        }
        Ok(())
    }

    /// Drops the rings so that the shards end, waits for frames on their way, and commits them.
    fn drain(&mut self) {
        self.intake.close();
        let begin = clock::instant();
        let mut is_told = false;
        while !self.progress.is_complete() {
            if clock::elapsed(begin) > self.settings.drain_timeout {
                warn!("stopping with frames still on their way: they will be read again");
                self.progress.abandon();
                break;
            }
            if !is_told && clock::elapsed(begin) > TELL_AFTER {
                is_told = true;
                let most = self.settings.drain_timeout;
                info!(
                    ?most,
                    "stopping: waiting until all frames that were read are done"
                );
            }
            // Polling keeps the membership; a record that arrives now will be read again.
            if let Some(Err(error)) = self.consumer.poll(POLL_WHILE_FULL) {
                debug!(%error, "while draining");
            }
            // A partition that is revoked meanwhile is not waited for, nor committed.
            self.follow_changes();
        }
        self.consumer
            .context()
            .commit_all(&self.consumer, CommitMode::Sync);
    }
}

/// Closes the consumer, and waits until it has left its group, but not for long: a broker that is stopped
/// does not answer.
fn close_in_time(consumer: Arc<BaseConsumer<Membership>>) {
    let (close, closed) = mpsc::sync_channel(1);
    let closing = std::thread::Builder::new()
        .name("kafka-close".into())
        .spawn(move || {
            drop(consumer);
            close.send(()).ok();
        });
    if closing.is_ok() && closed.recv_timeout(CLOSE_TIMEOUT).is_err() {
        warn!("the consumer's group was not left in time: its broker does not answer");
    }
}

/// How long a poll may sleep: the longest that a stop goes unnoticed.
const POLL: Duration = Duration::from_millis(100);

/// The same while a ring is full.
const POLL_WHILE_FULL: Duration = Duration::from_millis(1);

/// After so many frames the shards are told of them, even if more have been fetched.
const TOGETHER: usize = 64;

/// A stop that takes longer says what it waits for.
const TELL_AFTER: Duration = Duration::from_millis(500);

/// How long leaving the group may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
