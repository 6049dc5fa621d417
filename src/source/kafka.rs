//! Kafka topics as a source: one thread that polls, hands over, and never drops.
//!
//! A full ring pauses its partitions while polling goes on, so the group keeps its member. Offsets are
//! committed as far as [`Progress`] says and no further; this file decides nothing about that.

mod ends;
mod membership;
mod merge;
mod progress;
mod settings;

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Headers};
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{Message, TopicPartitionList};
use rustc_hash::FxHashMap;
use tracing::{Span, debug, info, warn};

use self::membership::{Change, Membership};
use self::merge::{Merge, place, time_of};
pub use self::progress::Progress;
pub use self::settings::{KafkaSourceError, KafkaSourceSettings};
use super::ring::Sender;
use crate::clock;
use crate::frame::{Frame, Origin};
use crate::source::status::{FeedStatus, count};
use crate::units::Nanos;

/// Starts the thread that reads. A partition's frames go to ring `partition % rings.len()`.
///
/// It ends when `stop` turns true (within about 100 ms and the drain), or at the end if asked to. Then
/// it lets go of the rings, waits for `progress` to be complete, and commits it.
///
/// # Errors
/// Where the thread cannot be started; the thread itself returns [`KafkaSourceError`].
///
/// # Panics
/// Without a ring.
pub fn spawn(
    settings: KafkaSourceSettings,
    rings: Vec<Sender>,
    progress: Arc<Progress>,
    status: Arc<FeedStatus>,
    stop: Arc<AtomicBool>,
) -> io::Result<JoinHandle<Result<(), KafkaSourceError>>> {
    assert!(!rings.is_empty(), "a source needs a ring");
    let span = Span::current();
    std::thread::Builder::new()
        .name("kafka-source".into())
        .spawn(move || {
            let _inside = span.entered();
            let membership = Membership::new(
                settings.topics.clone(),
                settings.first_stream,
                Arc::clone(&progress),
                Arc::clone(&status),
            )
            .reading_again(settings.rebuild, settings.from_beginning);
            let consumer = settings.connect(membership)?;
            let reader = Reader {
                lanes: FxHashMap::default(),
                merge: (settings.topics.len() > 1).then(Merge::default),
                assigned: false,
                trouble: None,
                consumer,
                settings,
                rings,
                progress,
                status,
            };
            reader.run(&stop)
        })
}

/// The thread's state.
struct Reader {
    consumer: BaseConsumer<Membership>,
    settings: KafkaSourceSettings,
    rings: Vec<Sender>,
    /// By stream and partition.
    lanes: FxHashMap<(u16, i32), Lane>,
    /// The order of several topics, while they are read up.
    merge: Option<Merge>,
    /// Whether the group has given us our partitions, be they none.
    assigned: bool,
    trouble: Option<Trouble>,
    progress: Arc<Progress>,
    status: Arc<FeedStatus>,
}

/// One partition.
#[derive(Default)]
struct Lane {
    paused: bool,
    /// Frames taken from Kafka for which there was no room, oldest first.
    held: VecDeque<Frame>,
    /// Where reading begins and where it ends; asked only if there is to be an end, or an order of topics.
    span: Option<(i64, i64)>,
    /// The offset that is read next, or a later one.
    next: i64,
}

/// The broker is away. Says so less and less often.
struct Trouble {
    since: Instant,
    next_word: Instant,
    pause: Duration,
    next_probe: Instant,
    /// Probes that the brokers answered by "there is no such topic".
    missing: u32,
}

impl Reader {
    fn run(mut self, stop: &AtomicBool) -> Result<(), KafkaSourceError> {
        let mut last_commit = clock::instant();
        while !stop.load(Relaxed) {
            self.hand_over_held();
            self.hand_over_merged();
            let polled = self
                .consumer
                .poll(self.poll_wait())
                .map(|record| record.map(|record| self.frame(&record)));
            self.follow_changes();
            match polled {
                Some(Ok(Some((ts, frame)))) => self.arrive(ts, frame)?,
                Some(Ok(None)) => {}
                Some(Err(error)) => self.weigh(error)?,
                None if self.settings.stop_at_end && self.at_end() => break,
                None => {
                    self.read_up();
                    self.probe()?;
                }
            }
            if last_commit.elapsed() >= self.settings.commit_every {
                last_commit = clock::instant();
                self.commit(CommitMode::Async);
            }
        }
        self.finish();
        Ok(())
    }

    /// The record as a frame, and its time where an order of topics needs one; nothing for a record without a
    /// payload.
    fn frame(&self, record: &BorrowedMessage<'_>) -> Option<(i64, Frame)> {
        let now = clock::now();
        self.status.data_came(now);
        let Some(payload) = record.payload() else {
            count(&self.status.dropped.tombstone);
            return None;
        };
        let stream = self.consumer.context().stream_of(record.topic())?;
        let stamp = stamped(record);
        let written = || Nanos::from_millis(record.timestamp().to_millis().unwrap_or(0));
        let ts = match &self.merge {
            Some(merge) if !merge.is_over() => time_of(payload),
            _ => Some(0),
        };
        let ts = ts.unwrap_or_else(|| stamp.unwrap_or_else(written).0);
        let frame = Frame {
            origin: Origin {
                ts_recv: stamp.unwrap_or(now),
                offset: record.offset(),
                partition: record.partition(),
                stream,
                late: false,
                known: self.consumer.context().is_known(
                    stream,
                    record.partition(),
                    record.offset(),
                ),
            },
            // A copy: holding the record would pin the whole answer of the broker.
            bytes: Bytes::copy_from_slice(payload),
        };
        Some((ts, frame))
    }

    /// Takes a frame, or lets it wait for its turn.
    fn arrive(&mut self, ts: i64, frame: Frame) -> Result<(), KafkaSourceError> {
        let (at, offset) = (place(&frame), frame.origin.offset);
        let lane = self.lanes.entry(at).or_default();
        if offset < lane.next {
            // What it has would be taken for what was read before.
            return Err(KafkaSourceError::Anew {
                bootstrap: self.settings.bootstrap.clone(),
                topic: self.consumer.context().topic_of(at.0).to_owned(),
            });
        }
        lane.next = offset + 1;
        let Some(merge) = self.merge.as_mut().filter(|merge| !merge.is_over()) else {
            self.take(frame);
            return Ok(());
        };
        let is_full = merge.push(ts, frame);
        count(&self.status.held);
        if lane.span.is_some_and(|(_, end)| lane.next >= end) {
            merge.is_read(at);
        }
        if is_full && !lane.paused {
            lane.paused = true;
            self.pause(at.0, at.1);
        }
        Ok(())
    }

    /// Hands over the frames whose turn it is, while there is room.
    fn hand_over_merged(&mut self) {
        let Some(merge) = self.merge.as_mut().filter(|merge| !merge.is_over()) else {
            return;
        };
        while let Some(frame) = merge.next() {
            let at = frame.origin;
            if !at.known {
                self.progress.handed(at.stream, at.partition, at.offset);
            }
            let ring = &self.rings[shard_of(at.partition, self.rings.len())];
            if let Err(back) = ring.try_send(frame) {
                merge.put_back(back);
                break;
            }
            self.status.held.fetch_sub(1, Relaxed);
            count(&self.status.sent);
        }
    }

    /// Hands a frame over, or holds it and stops its partition.
    fn take(&mut self, frame: Frame) {
        let Origin {
            stream,
            partition,
            offset,
            ..
        } = frame.origin;
        // Said first: the engine may be done with the frame before `try_send` returns. What is known is
        // committed already.
        if !frame.origin.known {
            self.progress.handed(stream, partition, offset);
        }
        let ring = &self.rings[shard_of(partition, self.rings.len())];
        let lane = self.lanes.entry((stream, partition)).or_default();
        let frame = if lane.held.is_empty() {
            match ring.try_send(frame) {
                Ok(()) => return count(&self.status.sent),
                Err(back) => back,
            }
        } else {
            frame
        };
        lane.held.push_back(frame);
        count(&self.status.held);
        if !lane.paused {
            lane.paused = true;
            self.pause(stream, partition);
        }
    }

    /// Sends what is held where the ring is half empty, and lets those partitions go on.
    fn hand_over_held(&mut self) {
        let mut ready = Vec::new();
        for (&(stream, partition), lane) in &mut self.lanes {
            let ring = &self.rings[shard_of(partition, self.rings.len())];
            while ring.len() * 2 <= ring.capacity()
                && let Some(frame) = lane.held.pop_front()
            {
                if let Err(back) = ring.try_send(frame) {
                    lane.held.push_front(back);
                    break;
                }
                self.status.held.fetch_sub(1, Relaxed);
                count(&self.status.sent);
            }
            let waits = self
                .merge
                .as_ref()
                .is_some_and(|merge| !merge.has_room((stream, partition)));
            if lane.paused && lane.held.is_empty() && !waits {
                lane.paused = false;
                ready.push((stream, partition));
            }
        }
        for (stream, partition) in ready {
            let one = self.just(stream, partition);
            if let Err(error) = self.consumer.resume(&one) {
                debug!(partition, %error, "cannot resume: the partition is no longer ours");
            }
        }
    }

    /// librdkafka throws away what it has ready of a paused partition and fetches it again later.
    fn pause(&self, stream: u16, partition: i32) {
        if let Err(error) = self.consumer.pause(&self.just(stream, partition)) {
            debug!(partition, %error, "cannot pause: the partition is no longer ours");
        }
    }

    fn poll_wait(&self) -> Duration {
        let full = self
            .merge
            .as_ref()
            .is_some_and(|merge| merge.waiting().is_some());
        let waiting = full || self.lanes.values().any(|lane| lane.paused);
        if waiting { HELD_POLL } else { POLL }
    }

    /// Takes note of partitions that came and went during the poll.
    fn follow_changes(&mut self) {
        for change in self.consumer.context().take_changes() {
            match change {
                Change::Assigned(stream, partition) => {
                    self.lanes.insert((stream, partition), Lane::default());
                    if let Some(merge) = &mut self.merge {
                        merge.add((stream, partition));
                    }
                }
                Change::Revoked(stream, partition) => {
                    if let Some(lane) = self.lanes.remove(&(stream, partition)) {
                        self.let_go(lane.held.len());
                    }
                    if let Some(merge) = &mut self.merge {
                        let waited = merge.remove((stream, partition));
                        self.let_go(waited);
                    }
                    self.progress.forget(stream, partition);
                }
                Change::Settled => {
                    self.assigned = true;
                    self.read_up();
                }
            }
        }
    }

    /// Held frames will not be sent; whoever reads the partition next reads them again.
    fn let_go(&self, frames: usize) {
        self.status.held.fetch_sub(frames as u64, Relaxed);
        let orphaned = &self.status.dropped.orphaned;
        orphaned.fetch_add(frames as u64, Relaxed);
    }

    fn just(&self, stream: u16, partition: i32) -> TopicPartitionList {
        let mut one = TopicPartitionList::new();
        one.add_partition(self.consumer.context().topic_of(stream), partition);
        one
    }

    /// Ends the run for what will not pass; anything else the client mends by itself.
    fn weigh(&mut self, error: KafkaError) -> Result<(), KafkaSourceError> {
        let refused = matches!(
            error.rdkafka_error_code(),
            Some(
                RDKafkaErrorCode::TopicAuthorizationFailed
                    | RDKafkaErrorCode::GroupAuthorizationFailed
                    | RDKafkaErrorCode::SaslAuthenticationFailed
                    | RDKafkaErrorCode::Authentication
            )
        );
        if refused || matches!(error, KafkaError::MessageConsumptionFatal(_)) {
            return Err(KafkaSourceError::Fatal {
                bootstrap: self.settings.bootstrap.clone(),
                error,
            });
        }
        count(&self.status.failures);
        self.status.set_healthy(false);
        let now = clock::instant();
        let trouble = self.trouble.get_or_insert(Trouble {
            since: now,
            next_word: now,
            pause: FIRST_WORD,
            next_probe: now + PROBE_EVERY,
            missing: 0,
        });
        if now >= trouble.next_word {
            warn!(bootstrap = self.settings.bootstrap, %error, "Kafka is in trouble: going on trying");
            trouble.next_word = now + trouble.pause;
            trouble.pause = (trouble.pause * 2).min(LAST_WORD);
        }
        Ok(())
    }

    /// Asks a broker in trouble whether it is back: silence alone does not tell. A topic that stays away
    /// while its brokers answer was deleted; another of that name begins anew, and so must its reader.
    fn probe(&mut self) -> Result<(), KafkaSourceError> {
        let now = clock::instant();
        let Some(trouble) = self.trouble.as_mut().filter(|t| now >= t.next_probe) else {
            return Ok(());
        };
        trouble.next_probe = now + PROBE_EVERY;
        match self.settings.missing(&self.consumer, PROBE_WAIT) {
            // A probe without an answer says nothing about the topic.
            Err(error) => debug!(%error, "no answer from the brokers"),
            Ok(None) => {
                let away = now - trouble.since;
                info!(bootstrap = self.settings.bootstrap, ?away, "Kafka is back");
                self.trouble = None;
                self.status.set_healthy(true);
            }
            Ok(Some(topic)) => {
                trouble.missing += 1;
                if PROBE_EVERY * trouble.missing > self.settings.missing_timeout {
                    return Err(KafkaSourceError::Gone {
                        bootstrap: self.settings.bootstrap.clone(),
                        topic,
                    });
                }
            }
        }
        Ok(())
    }

    fn commit(&self, mode: CommitMode) {
        let everything = |_, _| true;
        self.consumer
            .context()
            .commit(&self.consumer, mode, everything);
    }

    /// Lets the shards end, waits for what is on its way, and commits it.
    fn finish(mut self) {
        for (&(stream, partition), lane) in &mut self.lanes {
            if let Some(first) = lane.held.front() {
                self.progress
                    .withdrawn(stream, partition, first.origin.offset);
            }
        }
        let held = self
            .lanes
            .values_mut()
            .map(|lane| lane.held.drain(..).len());
        let mut held = held.sum();
        if let Some(mut merge) = self.merge.take() {
            if let Some(next) = merge.waiting().map(|frame| frame.origin) {
                self.progress
                    .withdrawn(next.stream, next.partition, next.offset);
            }
            let waited = self.lanes.keys().map(|&at| merge.remove(at));
            held += waited.sum::<usize>();
        }
        self.let_go(held);
        for &(stream, partition) in self.lanes.keys() {
            self.pause(stream, partition);
        }
        self.rings.clear();
        let begin = clock::instant();
        while !self.progress.is_complete() {
            if begin.elapsed() > self.settings.drain_timeout {
                warn!("stopping with frames still on their way: they will be read again");
                break;
            }
            // Polling keeps the membership; a record that slips through will be read again.
            if let Some(Err(error)) = self.consumer.poll(HELD_POLL) {
                debug!(%error, "while draining");
            }
            // A partition that is revoked meanwhile is nothing to wait for, nor to commit.
            self.follow_changes();
        }
        self.commit(CommitMode::Sync);
        self.status.set_healthy(false);
    }
}

fn shard_of(partition: i32, shards: usize) -> usize {
    // Partitions count from 0.
    partition.unsigned_abs() as usize % shards
}

/// When the record was first received, if whoever wrote it said so: header `ts_recv`, nanoseconds.
fn stamped(record: &BorrowedMessage<'_>) -> Option<Nanos> {
    let headers = record.headers()?;
    let stamp = headers.iter().find(|header| header.key == "ts_recv")?;
    let text = std::str::from_utf8(stamp.value?).ok()?;
    text.parse().ok().map(Nanos)
}

/// How long a poll may sleep: the longest that a stop goes unnoticed.
const POLL: Duration = Duration::from_millis(100);

/// The same while a ring is full.
const HELD_POLL: Duration = Duration::from_millis(1);

const PROBE_TIMEOUT: Duration = Duration::from_secs(2);
const PROBE_EVERY: Duration = Duration::from_secs(1);
/// How long a probe waits for its answer. The partitions are not polled meanwhile.
const PROBE_WAIT: Duration = Duration::from_secs(1);

/// Pauses between two words of the same trouble: from the first, doubling, to the last.
const FIRST_WORD: Duration = Duration::from_secs(1);
const LAST_WORD: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests;
