//! The thread of a Kafka source: polls, passes frames to their rings, and commits what is done.
//!
//! A full ring pauses its partitions while polling goes on, so the group keeps its member. Offsets are
//! committed as far as [`Progress`] says and no further; this file decides nothing about that.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use bytes::Bytes;
use rdkafka::Message;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::BorrowedMessage;
use tracing::{debug, warn};

use super::assigned::{AssignedPartition, AssignedPartitions};
use super::connection::{connect, missing_topic};
use super::ends::is_read;
use super::error::KafkaSourceError;
use super::links::KafkaLinks;
use super::membership::{Change, Membership};
use super::merge::Merge;
use super::partition::{PartitionKey, partition_of};
use super::progress::Progress;
use super::record::{RecordHeaders, event_time};
use super::rings::Rings;
use super::settings::KafkaSourceSettings;
use super::trouble::{Brokers, is_lasting};
use crate::clock;
use crate::frame::{Frame, Origin};
use crate::source::ring::Sender;
use crate::source::status::{FeedStatus, count};

/// The thread's state.
pub(super) struct KafkaReader {
    consumer: Arc<BaseConsumer<Membership>>,
    settings: KafkaSourceSettings,
    rings: Rings,
    assigned: AssignedPartitions,
    /// Merges several topics by time until they are read to their ends; has no partitions of a single topic.
    merge: Merge,
    /// Whether the group has assigned our partitions, even if there are none.
    is_assigned: bool,
    brokers: Brokers,
    headers: RecordHeaders,
    progress: Arc<Progress>,
    status: Arc<FeedStatus>,
}

impl KafkaReader {
    /// Connects and subscribes.
    ///
    /// # Errors
    /// [`KafkaSourceError`].
    pub(super) fn connect(
        settings: KafkaSourceSettings,
        rings: Vec<Sender>,
        links: KafkaLinks,
        stop: Arc<AtomicBool>,
    ) -> Result<Self, KafkaSourceError> {
        let consumer = connect(&settings, &links, stop)?;
        let KafkaLinks {
            progress, status, ..
        } = links;
        let rings = Rings::new(rings, Arc::clone(&progress), Arc::clone(&status));
        Ok(Self {
            assigned: AssignedPartitions::default(),
            merge: Merge::default(),
            is_assigned: false,
            brokers: Brokers::new(settings.bootstrap.clone(), Arc::clone(&status)),
            headers: RecordHeaders::new(settings.max_ahead_ns),
            consumer,
            settings,
            rings,
            progress,
            status,
        })
    }

    /// Reads until `stop` turns true or the topics end, then drains and commits.
    ///
    /// # Errors
    /// [`KafkaSourceError`] for what the client does not mend by itself.
    pub(super) fn run(mut self, stop: &AtomicBool) -> Result<(), KafkaSourceError> {
        let mut last_commit = clock::instant();
        let consumer = Arc::clone(&self.consumer);
        while !stop.load(Relaxed) {
            self.send_held();
            self.send_merged();
            let polled = consumer.poll(self.poll_wait());
            self.follow_changes();
            if let Some(error) = consumer.context().take_failure() {
                return Err(self.unplaced(error));
            }
            match polled.map(|record| record.map(|record| self.frame(&record))) {
                Some(Ok(Some((ts, frame)))) => self.arrive(ts, frame)?,
                Some(Ok(None)) => {}
                Some(Err(error)) => self.note_error(error)?,
                None if self.settings.stop_at_end && self.at_end() => break,
                None => {
                    self.find_read_partitions();
                    self.probe()?;
                }
            }
            if last_commit.elapsed() >= self.settings.commit_every {
                last_commit = clock::instant();
                consumer.context().commit_all(&consumer, CommitMode::Async);
            }
        }
        drop(consumer);
        self.finish();
        Ok(())
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
        let stream = self.consumer.context().topics().stream_of(record.topic())?;
        let (partition, offset) = (record.partition(), record.offset());
        let received = self.headers.ts_recv(record, now);
        let ts = match self.merge.is_over() {
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
                reprocessed: offset < self.assigned.new_from((stream, partition)),
            },
            // A copy: holding the record would pin the whole answer of the broker.
            bytes: Bytes::copy_from_slice(payload),
        };
        Some((ts, frame))
    }

    /// Sends a frame to its ring, or merges it with those of other topics.
    fn arrive(&mut self, ts: i64, frame: Frame) -> Result<(), KafkaSourceError> {
        let (key, offset) = (partition_of(&frame), frame.origin.offset);
        let partition = self.assigned.partition(key);
        if offset < partition.next {
            // Its records have the offsets of others that were read before.
            return Err(KafkaSourceError::Anew {
                bootstrap: self.settings.bootstrap.clone(),
                topic: self.topic_of(key),
            });
        }
        partition.next = offset + 1;
        let is_read = partition.next >= partition.end;
        if self.merge.is_over() {
            self.send(frame);
            return Ok(());
        }
        let is_full = self.merge.push(ts, frame);
        count(&self.status.held);
        if is_read {
            self.merge.is_read(key);
        }
        if is_full {
            self.pause(key);
        }
        Ok(())
    }

    /// Sends the merged frames whose turn has come, while there is room.
    fn send_merged(&mut self) {
        while let Some(frame) = self.merge.next() {
            if let Err(back) = self.rings.send(frame) {
                self.merge.put_back(back);
                break;
            }
            self.status.held.fetch_sub(1, Relaxed);
        }
    }

    /// Sends a frame to its ring, or holds it and pauses its partition.
    fn send(&mut self, frame: Frame) {
        let key = partition_of(&frame);
        let held = &mut self.assigned.partition(key).held;
        let back = match held.is_empty() {
            true => self.rings.send(frame).err(),
            false => Some(frame),
        };
        if let Some(frame) = back {
            held.push_back(frame);
            count(&self.status.held);
            self.pause(key);
        }
    }

    /// Sends held frames where the ring is at most half full, and resumes partitions that hold none.
    fn send_held(&mut self) {
        if !self.assigned.any_paused() {
            return;
        }
        for key in self.assigned.paused().collect::<Vec<_>>() {
            let held = &mut self.assigned.partition(key).held;
            while self.rings.is_half_empty(key)
                && let Some(frame) = held.pop_front()
            {
                if let Err(back) = self.rings.send(frame) {
                    held.push_front(back);
                    break;
                }
                self.status.held.fetch_sub(1, Relaxed);
            }
            let is_empty = held.is_empty();
            if is_empty && self.merge.has_room(key) {
                self.resume(key);
            }
        }
    }

    /// Pauses a partition. librdkafka then drops what it has fetched of it, and fetches it again later.
    fn pause(&mut self, key: PartitionKey) {
        if self.assigned.pause(key)
            && let Err(error) = self.consumer.pause(&self.consumer.context().list(key))
        {
            debug!(partition = key.1, %error, "cannot pause: the partition is no longer ours");
        }
    }

    fn resume(&mut self, key: PartitionKey) {
        self.assigned.resume(key);
        if let Err(error) = self.consumer.resume(&self.consumer.context().list(key)) {
            debug!(partition = key.1, %error, "cannot resume: the partition is no longer ours");
        }
    }

    fn poll_wait(&self) -> Duration {
        if self.merge.waiting().is_some() || self.assigned.any_paused() {
            POLL_WHILE_FULL
        } else {
            POLL
        }
    }

    /// Follows the assignments and revocations of the last poll.
    fn follow_changes(&mut self) {
        for change in self.consumer.context().take_changes() {
            match change {
                Change::Assigned(placed) => {
                    let partition = AssignedPartition {
                        end: placed.end,
                        new_from: placed.new_from,
                        next: placed.begin,
                        ..AssignedPartition::default()
                    };
                    self.assigned.add(placed.key, partition);
                    if self.settings.topics.len() > 1 {
                        self.merge.add(placed.key);
                    }
                }
                Change::Revoked(key) => {
                    let held = self.assigned.remove(key);
                    let merged = self.merge.remove(key);
                    self.count_orphaned(held + merged);
                    self.progress.forget(key.0, key.1);
                }
                Change::Settled => {
                    self.is_assigned = true;
                    self.find_read_partitions();
                }
            }
        }
    }

    /// Held frames that will not be sent: the next owner of the partition reads them again.
    fn count_orphaned(&self, frames: usize) {
        self.status.held.fetch_sub(frames as u64, Relaxed);
        let orphaned = &self.status.dropped.orphaned;
        orphaned.fetch_add(frames as u64, Relaxed);
    }

    /// Whether every assigned partition is read to where it ended when it was assigned.
    fn at_end(&mut self) -> bool {
        if !self.is_assigned || self.assigned.any_held() {
            return false;
        }
        self.find_read_partitions();
        if !self.merge.is_over() {
            return false;
        }
        let all: Vec<_> = self.assigned.keys().collect();
        all.into_iter().all(|key| self.is_read(key))
    }

    /// Finds the merged partitions that are read to where they ended when they were assigned.
    fn find_read_partitions(&mut self) {
        if self.merge.is_over() {
            return;
        }
        for key in self.merge.behind() {
            if self.is_read(key) {
                self.merge.is_read(key);
            }
        }
    }

    /// Whether a partition is read to where it ended when it was assigned.
    fn is_read(&mut self, key: PartitionKey) -> bool {
        is_read(&self.consumer, key, self.assigned.partition(key))
    }

    fn topic_of(&self, (stream, _): PartitionKey) -> String {
        let topic = self.consumer.context().topics().of(stream);
        topic.unwrap_or_default().to_owned()
    }

    fn unplaced(&self, error: KafkaError) -> KafkaSourceError {
        KafkaSourceError::Unplaced {
            bootstrap: self.settings.bootstrap.clone(),
            error,
        }
    }

    /// Ends the run for an error that lasts; the client mends any other by itself.
    fn note_error(&mut self, error: KafkaError) -> Result<(), KafkaSourceError> {
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
    fn finish(mut self) {
        let mut held = self.assigned.drop_held();
        let keys: Vec<_> = self.assigned.keys().collect();
        for &key in &keys {
            held += self.merge.remove(key);
        }
        self.count_orphaned(held);
        keys.into_iter().for_each(|key| self.pause(key));
        self.rings.close();
        let begin = clock::instant();
        while !self.progress.is_complete() {
            if begin.elapsed() > self.settings.drain_timeout {
                warn!("stopping with frames still on their way: they will be read again");
                self.progress.abandon();
                break;
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
        self.status.set_healthy(false);
    }
}

/// How long a poll may sleep: the longest that a stop goes unnoticed.
const POLL: Duration = Duration::from_millis(100);

/// The same while a ring is full.
const POLL_WHILE_FULL: Duration = Duration::from_millis(1);
