//! A topic as an input that ends: the records of all partitions, committed ones alone, up to where they ended
//! when it was opened.
//!
//! Joins no group and commits nothing. Records of a partition come in their order, partitions as they answer.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::message::Message;
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{Offset, TopicPartitionList};

use super::trouble::is_lasting;
use crate::clock;
use crate::kafka::{Properties, PropertyError, client_config};
use crate::login::{LoginError, log_in};

/// A topic as it is named on a command line: `kafka://host:port/topic`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicAddress {
    /// Brokers to ask first: `host:port`, comma-separated.
    pub bootstrap: String,
    /// The topic.
    pub topic: String,
}

/// Why a text does not name a topic.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` names no topic; write kafka://host:port/topic, several brokers with commas between")]
pub struct AddressError(String);

/// Why a topic cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum TopicError {
    /// A property was refused.
    #[error(transparent)]
    Property(#[from] PropertyError),
    /// The brokers do not let us in, or none answers.
    #[error(transparent)]
    Login(#[from] LoginError),
    /// The topic does not exist.
    #[error("while reading the topic {0}: it does not exist; correct its name")]
    NoTopic(TopicAddress),
    /// librdkafka, or a broker, reports an error.
    #[error("while reading the topic {address}: {error}")]
    Kafka {
        /// The topic.
        address: Box<TopicAddress>,
        /// The error.
        error: KafkaError,
    },
    /// No record came for a long time, and the topic was not read to its end.
    #[error(
        "while reading the topic {address}: no broker has sent a record for {} s, and {left} partitions are \
         not read to their end; is the broker of each running?",
        SILENCE_MAX.as_secs()
    )]
    Silence {
        /// The topic.
        address: TopicAddress,
        /// Partitions that are not read to their end.
        left: usize,
    },
}

/// A record of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicRecord {
    /// Its partition.
    pub partition: i32,
    /// Its offset there.
    pub offset: i64,
    /// Its value; none where it says that its key is deleted.
    pub value: Option<Vec<u8>>,
}

/// A topic that is read to where it ended when it was opened.
pub struct WholeTopic {
    address: TopicAddress,
    consumer: BaseConsumer,
    /// Where each partition begins and ends.
    spans: BTreeMap<i32, (i64, i64)>,
    /// The offset before which each open partition has been read.
    open: BTreeMap<i32, i64>,
}

impl FromStr for TopicAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let place = text.strip_prefix(SCHEME);
        let parts = place.and_then(|place| place.split_once('/'));
        let is_name = |name: &&str| !name.is_empty() && !name.contains('/');
        match parts.filter(|(bootstrap, topic)| !bootstrap.is_empty() && is_name(topic)) {
            Some((bootstrap, topic)) => Ok(Self {
                bootstrap: bootstrap.into(),
                topic: topic.into(),
            }),
            None => Err(AddressError(text.into())),
        }
    }
}

impl TopicAddress {
    /// Whether a text is meant as the address of a topic.
    #[must_use]
    pub fn is_meant(text: &str) -> bool {
        text.starts_with(SCHEME)
    }
}

impl fmt::Display for TopicAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}/{}", self.bootstrap, self.topic)
    }
}

impl WholeTopic {
    /// Opens a topic, and asks where it ends.
    ///
    /// # Errors
    /// [`TopicError`].
    pub fn open(address: TopicAddress, properties: &Properties) -> Result<Self, TopicError> {
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
        let spans = spans(&consumer, &address.topic, &partitions).map_err(failed)?;
        let mut topic = Self {
            address,
            consumer,
            spans,
            open: BTreeMap::new(),
        };
        topic.rewind()?;
        Ok(topic)
    }

    /// Begins anew, and ends where it ended before.
    ///
    /// # Errors
    /// [`TopicError::Kafka`].
    pub fn rewind(&mut self) -> Result<(), TopicError> {
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
        let (mut read, mut all) = (0, 0);
        for (partition, &(low, high)) in &self.spans {
            let next = self
                .open
                .get(partition)
                .map_or(high, |&next| next.min(high));
            read += (next - low).unsigned_abs();
            all += (high - low).unsigned_abs();
        }
        (read, all)
    }

    /// The next record; none at the end.
    ///
    /// # Errors
    /// [`TopicError`] where brokers refuse it, or are silent for long.
    pub fn next_record(&mut self) -> Result<Option<TopicRecord>, TopicError> {
        let mut since = clock::instant();
        while !self.open.is_empty() {
            match self.consumer.poll(POLL) {
                Some(Ok(message)) => {
                    let (partition, offset) = (message.partition(), message.offset());
                    let record = TopicRecord {
                        partition,
                        offset,
                        value: message.payload().map(<[u8]>::to_vec),
                    };
                    drop(message);
                    since = clock::instant();
                    let (_, end) = self.spans.get(&partition).copied().unwrap_or_default();
                    let is_new = self.open.contains_key(&partition);
                    self.note(partition, offset + 1, end);
                    if is_new && offset < end {
                        return Ok(Some(record));
                    }
                }
                // Behind its last record may be marks of transactions, of which no one is told.
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    self.open.remove(&partition);
                }
                Some(Err(error)) if is_lasting(&error) => return Err(self.failed(error)),
                Some(Err(_)) | None => {
                    if since.elapsed() > SILENCE_MAX {
                        return Err(TopicError::Silence {
                            address: self.address.clone(),
                            left: self.open.len(),
                        });
                    }
                }
            }
        }
        Ok(None)
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

/// The partitions of a topic; none where it does not exist.
fn partitions(consumer: &BaseConsumer, topic: &str) -> KafkaResult<Vec<i32>> {
    let unknown = RDKafkaRespErr::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    let began = clock::instant();
    loop {
        let metadata = consumer.fetch_metadata(Some(topic), ANSWER)?;
        let found = metadata.topics().first();
        match found.map(|found| (found.error(), found.partitions())) {
            Some((None, partitions)) if !partitions.is_empty() => {
                return Ok(partitions.iter().map(|partition| partition.id()).collect());
            }
            Some((Some(error), _)) if error != unknown => {
                return Err(KafkaError::MetadataFetch(error.into()));
            }
            // A broker that has just started may not know its topics yet.
            _ if began.elapsed() > MISSING => return Ok(vec![]),
            _ => clock::sleep(POLL),
        }
    }
}

/// Where each partition begins and ends, for readers of committed records.
fn spans(
    consumer: &BaseConsumer,
    topic: &str,
    partitions: &[i32],
) -> KafkaResult<BTreeMap<i32, (i64, i64)>> {
    let ask = |at: Offset| {
        let mut list = TopicPartitionList::new();
        for &partition in partitions {
            list.add_partition_offset(topic, partition, at)?;
        }
        let answer = consumer.offsets_for_times(list, ANSWER)?;
        let mut offsets = BTreeMap::new();
        for element in answer.elements() {
            element.error()?;
            if let Offset::Offset(offset) = element.offset() {
                offsets.insert(element.partition(), offset);
            }
        }
        Ok::<_, KafkaError>(offsets)
    };
    let (lows, highs) = (ask(Offset::Beginning)?, ask(Offset::End)?);
    let span = |(&partition, &high): (&i32, &i64)| {
        (
            partition,
            (lows.get(&partition).copied().unwrap_or(0), high),
        )
    };
    Ok(highs.iter().map(span).collect())
}

const SCHEME: &str = "kafka://";
/// How long the brokers may take to let us in.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long they may take to answer one question.
const ANSWER: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(100);
const MISSING: Duration = Duration::from_secs(3);
const SILENCE_MAX: Duration = Duration::from_secs(30);

const SETTINGS: [(&str, &str); 7] = [
    // No group is joined: the client asks for a name all the same.
    ("group.id", "foretick-reader"),
    ("enable.auto.commit", "false"),
    ("enable.auto.offset.store", "false"),
    ("auto.offset.reset", "error"),
    ("enable.partition.eof", "true"),
    ("isolation.level", "read_committed"),
    ("fetch.wait.max.ms", "100"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_brokers_and_a_topic() {
        let read = |text: &str| text.parse::<TopicAddress>();
        let address = read("kafka://a:9092,b:9093/signals.direction.v1").unwrap();
        assert_eq!(address.bootstrap, "a:9092,b:9093");
        assert_eq!(address.topic, "signals.direction.v1");
        assert_eq!(
            address.to_string(),
            "kafka://a:9092,b:9093/signals.direction.v1"
        );
        for wrong in [
            "kafka://a",
            "kafka:///x",
            "kafka://a/",
            "kafka://a/b/c",
            "a/b",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
