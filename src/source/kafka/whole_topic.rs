//! A topic as an input that ends: the records of all partitions, committed ones alone, up to where they ended
//! when it was opened.
//!
//! Joins no group and commits nothing. Records of a partition come in their order, partitions as they answer;
//! one may be paused while others are read, and closed before its end.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use rdkafka::{Offset, TopicPartitionList};

use super::record::RecordHeaders;
pub use super::topic_address::{AddressError, TopicAddress};
use super::topic_error::SILENCE_MAX;
pub use super::topic_error::TopicError;
use super::topic_spans::{ANSWER, partitions, spans};
use super::trouble::is_lasting;
use crate::clock;
use crate::decode::AHEAD_NS;
use crate::kafka::{Properties, client_config};
use crate::login::log_in;
use crate::units::Nanos;

/// A record of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicRecord {
    /// Its partition.
    pub partition: i32,
    /// Its offset there.
    pub offset: i64,
    /// Its value; none where it says that its key is deleted.
    pub value: Option<Vec<u8>>,
    /// When it was first received, where its producer says so in the header `ts_recv`.
    pub ts_recv: Option<Nanos>,
    /// When it was written, by its own timestamp.
    pub written: Option<Nanos>,
}

/// What came of one look for a record.
#[derive(Debug)]
pub(super) enum TopicStep {
    /// A record.
    Record(TopicRecord),
    /// A partition may have come to its end, or a record was passed over.
    Passed,
    /// Nothing, for a while.
    Silent,
}

/// A topic that is read to where it ended when it was opened.
pub struct WholeTopic {
    address: TopicAddress,
    config: ClientConfig,
    consumer: BaseConsumer,
    /// Where each partition begins and ends.
    spans: BTreeMap<i32, (i64, i64)>,
    /// The offset before which each open partition has been read.
    open: BTreeMap<i32, i64>,
    headers: RecordHeaders,
}

/// The records, and marks of transactions, that topics of some brokers hold; those that do not exist hold
/// none. The topics are made by nobody who asks.
///
/// # Errors
/// [`TopicError`].
pub fn records_of(
    bootstrap: &str,
    topics: &[&str],
    properties: &Properties,
) -> Result<Vec<u64>, TopicError> {
    let address = |topic: &str| TopicAddress {
        bootstrap: bootstrap.to_owned(),
        topic: topic.to_owned(),
    };
    let first = address(topics.first().copied().unwrap_or_default());
    drop(log_in(bootstrap, properties, PATIENCE, true, || false)?);
    let failed = |error| TopicError::Kafka {
        address: Box::new(first.clone()),
        error,
    };
    let consumer: BaseConsumer = client_config(bootstrap, &SETTINGS, properties)?
        .create()
        .map_err(failed)?;
    let metadata = consumer.fetch_metadata(None, ANSWER).map_err(failed)?;
    let count = |topic: &&str| {
        let known = metadata
            .topics()
            .iter()
            .find(|known| known.name() == *topic);
        let Some(known) = known else {
            return Ok(0);
        };
        let partitions: Vec<i32> = known.partitions().iter().map(|one| one.id()).collect();
        let spans = spans(&consumer, topic, &partitions, None).map_err(failed)?;
        Ok(spans
            .values()
            .map(|(low, high)| (high - low).unsigned_abs())
            .sum())
    };
    topics.iter().map(count).collect()
}

impl WholeTopic {
    /// Opens a topic, and asks where it ends.
    ///
    /// # Errors
    /// [`TopicError`].
    pub fn open(address: TopicAddress, properties: &Properties) -> Result<Self, TopicError> {
        Self::open_since(address, properties, None)
    }

    /// The same; each partition begins at its first record that was written at a time or later. One without
    /// such a record begins at its first: the timestamps of its records may say nothing.
    ///
    /// # Errors
    /// [`TopicError`].
    pub fn open_since(
        address: TopicAddress,
        properties: &Properties,
        since: Option<Nanos>,
    ) -> Result<Self, TopicError> {
        drop(log_in(
            &address.bootstrap,
            properties,
            PATIENCE,
            true,
            || false,
        )?);
        let failed = |error| TopicError::Kafka {
            address: Box::new(address.clone()),
            error,
        };
        let config = client_config(&address.bootstrap, &SETTINGS, properties)?;
        let consumer: BaseConsumer = config.create().map_err(failed)?;
        let partitions = partitions(&consumer, &address.topic).map_err(failed)?;
        if partitions.is_empty() {
            return Err(TopicError::NoTopic(address));
        }
        let spans = spans(&consumer, &address.topic, &partitions, since).map_err(failed)?;
        let mut topic = Self {
            address,
            config,
            consumer,
            spans,
            open: BTreeMap::new(),
            headers: RecordHeaders::new(AHEAD_NS),
        };
        topic.assign()?;
        Ok(topic)
    }

    /// Begins anew, by another client, and ends where it ended before.
    ///
    /// A client whose partitions are assigned twice and which is closed at once stops them twice: librdkafka
    /// 2.12 then ends the process (`rd_kafka_assignment_partition_stopped`).
    ///
    /// # Errors
    /// [`TopicError::Kafka`].
    pub fn rewind(&mut self) -> Result<(), TopicError> {
        self.consumer = self.config.create().map_err(|error| self.failed(error))?;
        self.assign()
    }

    /// Begins to read each partition at its beginning.
    fn assign(&mut self) -> Result<(), TopicError> {
        let is_empty = |&(low, high): &(i64, i64)| low >= high;
        let filled = self.spans.iter().filter(|(_, span)| !is_empty(span));
        self.open = filled.map(|(&number, &(low, _))| (number, low)).collect();
        let mut list = TopicPartitionList::new();
        for (&partition, &low) in &self.open {
            let added =
                list.add_partition_offset(&self.address.topic, partition, Offset::Offset(low));
            added.map_err(|error| self.failed(error))?;
        }
        self.consumer
            .assign(&list)
            .map_err(|error| self.failed(error))
    }

    /// Records and marks of transactions that have been read, and how many there are.
    #[must_use]
    pub fn progress(&self) -> (u64, u64) {
        let of = self.spans.keys().map(|&number| self.progress_of(number));
        of.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
    }

    /// The same of a partition.
    pub(super) fn progress_of(&self, partition: i32) -> (u64, u64) {
        let (low, high) = self.spans.get(&partition).copied().unwrap_or_default();
        let next = self.open.get(&partition);
        let next = next.map_or(high, |&next| next.min(high));
        ((next - low).unsigned_abs(), (high - low).unsigned_abs())
    }

    /// The next record; none at the end.
    ///
    /// # Errors
    /// [`TopicError`] where brokers refuse it, or are silent for long.
    pub fn next_record(&mut self) -> Result<Option<TopicRecord>, TopicError> {
        let mut since = clock::instant();
        while !self.open.is_empty() {
            match self.step()? {
                TopicStep::Record(record) => return Ok(Some(record)),
                TopicStep::Passed => since = clock::instant(),
                TopicStep::Silent => self.check_silence(since)?,
            }
        }
        Ok(None)
    }

    /// Looks for a record once, for a short time.
    pub(super) fn step(&mut self) -> Result<TopicStep, TopicError> {
        match self.consumer.poll(POLL) {
            Some(Ok(message)) => {
                let (partition, offset) = (message.partition(), message.offset());
                let now = clock::now();
                let record = TopicRecord {
                    partition,
                    offset,
                    value: message.payload().map(<[u8]>::to_vec),
                    ts_recv: self.headers.ts_recv(&message, now),
                    written: self.headers.written(&message, now),
                };
                drop(message);
                let (_, end) = self.spans.get(&partition).copied().unwrap_or_default();
                let is_new = self
                    .open
                    .get(&partition)
                    .is_some_and(|&next| next <= offset);
                if is_new {
                    self.note(partition, offset + 1, end);
                }
                Ok(match is_new && offset < end {
                    true => TopicStep::Record(record),
                    false => TopicStep::Passed,
                })
            }
            // Behind its last record may be marks of transactions, of which no one is told.
            Some(Err(KafkaError::PartitionEOF(partition))) => {
                self.open.remove(&partition);
                Ok(TopicStep::Passed)
            }
            Some(Err(error)) if is_lasting(&error) => Err(self.failed(error)),
            Some(Err(_)) | None => Ok(TopicStep::Silent),
        }
    }

    /// Refuses a silence that has lasted for long.
    pub(super) fn check_silence(&self, since: Instant) -> Result<(), TopicError> {
        match since.elapsed() > SILENCE_MAX {
            false => Ok(()),
            true => Err(TopicError::Silence {
                address: self.address.clone(),
                left: self.open.len(),
            }),
        }
    }

    /// The partitions, in their order.
    pub(super) fn partitions(&self) -> Vec<i32> {
        self.spans.keys().copied().collect()
    }

    /// Whether a partition may have more records.
    pub(super) fn is_open(&self, partition: i32) -> bool {
        self.open.contains_key(&partition)
    }

    /// Reads no more of a partition until it is resumed.
    pub(super) fn pause(&self, partition: i32) -> Result<(), TopicError> {
        let list = self.list(partition);
        self.consumer
            .pause(&list)
            .map_err(|error| self.failed(error))
    }

    /// Reads a partition again.
    pub(super) fn resume(&self, partition: i32) -> Result<(), TopicError> {
        let list = self.list(partition);
        self.consumer
            .resume(&list)
            .map_err(|error| self.failed(error))
    }

    /// Reads no more of a partition: the rest is not asked for.
    pub(super) fn close(&mut self, partition: i32) -> Result<(), TopicError> {
        match self.open.remove(&partition) {
            Some(_) => self.pause(partition),
            None => Ok(()),
        }
    }

    fn list(&self, partition: i32) -> TopicPartitionList {
        let mut list = TopicPartitionList::new();
        list.add_partition(&self.address.topic, partition);
        list
    }

    /// Notes that a partition has been read up to an offset; at its end it is closed.
    fn note(&mut self, partition: i32, next: i64, end: i64) {
        match next >= end {
            true => drop(self.open.remove(&partition)),
            false => {
                if let Some(known) = self.open.get_mut(&partition) {
                    *known = next;
                }
            }
        }
    }

    fn failed(&self, error: KafkaError) -> TopicError {
        TopicError::Kafka {
            address: Box::new(self.address.clone()),
            error,
        }
    }
}

/// How long the brokers may take to let us in.
const PATIENCE: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(100);

const SETTINGS: [(&str, &str); 9] = [
    // No group is joined: the client asks for a name all the same.
    ("group.id", "foretick-reader"),
    ("enable.auto.commit", "false"),
    ("enable.auto.offset.store", "false"),
    ("auto.offset.reset", "error"),
    ("enable.partition.eof", "true"),
    ("isolation.level", "read_committed"),
    ("fetch.wait.max.ms", "100"),
    // What waits in the client is bounded, of all partitions together.
    ("queued.min.messages", "10000"),
    ("queued.max.messages.kbytes", "16384"),
];
