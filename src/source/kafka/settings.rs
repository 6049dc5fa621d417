//! What a Kafka source needs to know, and the connection made of it.
//!
//! Fails early and clearly: after this, trouble with the broker is waited out.

use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaRespErr;

use super::PROBE_TIMEOUT;
use super::membership::Membership;
use crate::clock;
use crate::kafka::{Properties, PropertyError, client_config};

/// Which topics to read, and how.
#[derive(Clone, Debug)]
pub struct KafkaSourceSettings {
    /// Brokers to ask first: `host:port`, comma-separated.
    pub bootstrap: String,
    /// Topics; the place in this list plus `first_stream` is the stream of an
    /// [`Origin`](crate::frame::Origin).
    pub topics: Vec<String>,
    /// The driver's index of the first topic.
    pub first_stream: u16,
    /// Consumer group; instances of one group share the partitions.
    pub group: String,
    /// Where a group without offsets begins: `true` at the oldest record, `false` with new ones.
    pub from_beginning: bool,
    /// How far back in the records' times a partition is read again, for what must be remembered of it; what
    /// comes of that is not published again.
    pub rebuild: Option<Duration>,
    /// End once every assigned partition has been read up to where it ended at the assignment.
    pub stop_at_end: bool,
    /// The broker is [`crate::simulate::broker::EmbeddedBroker`], which does not wake a waiting fetch.
    pub embedded: bool,
    /// How often progress is committed. A crash reads again what this long has brought.
    pub commit_every: Duration,
    /// How long brokers and topics may take to show up at the start.
    pub start_timeout: Duration,
    /// How long brokers may answer that there is no such topic: one that starts may not know its topics yet.
    pub missing_timeout: Duration,
    /// How long a stopping source waits for frames on their way to be done.
    pub drain_timeout: Duration,
    /// Passed on to librdkafka, after a check.
    pub properties: Properties,
}

impl Default for KafkaSourceSettings {
    fn default() -> Self {
        Self {
            bootstrap: "127.0.0.1:9092".into(),
            topics: Vec::new(),
            first_stream: 0,
            group: "foretick".into(),
            from_beginning: false,
            rebuild: None,
            stop_at_end: false,
            embedded: false,
            commit_every: Duration::from_secs(1),
            start_timeout: Duration::from_secs(10),
            missing_timeout: Duration::from_secs(5),
            drain_timeout: Duration::from_secs(10),
            properties: Properties::new(),
        }
    }
}

/// Why the source cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub enum KafkaSourceError {
    /// A property was refused.
    #[error(transparent)]
    Property(#[from] PropertyError),
    /// librdkafka refuses the settings.
    #[error("while setting up the consumer of `{bootstrap}`: {error}")]
    Setup {
        /// The brokers.
        bootstrap: String,
        /// What librdkafka says.
        error: KafkaError,
    },
    /// No broker answers at the start.
    #[error(
        "while connecting to the brokers `{bootstrap}`: {error}; is the address right and the broker running?"
    )]
    Unreachable {
        /// The brokers.
        bootstrap: String,
        /// What librdkafka says.
        error: KafkaError,
    },
    /// A topic is not there.
    #[error(
        "while subscribing to topic `{topic}` at `{bootstrap}`: the topic does not exist; create it or set another one in `topics`"
    )]
    NoTopic {
        /// The brokers.
        bootstrap: String,
        /// The topic.
        topic: String,
    },
    /// A topic is no longer there.
    #[error(
        "while reading topic `{topic}` at `{bootstrap}`: the topic was deleted; create it anew, or take it out of `topics`"
    )]
    Gone {
        /// The brokers.
        bootstrap: String,
        /// The topic.
        topic: String,
    },
    /// A topic was deleted while it was read, and another of its name is there.
    #[error(
        "while reading topic `{topic}` at `{bootstrap}`: it was deleted and made anew, or its broker lost records; \
         start again to read what it has now"
    )]
    Anew {
        /// The brokers.
        bootstrap: String,
        /// The topic.
        topic: String,
    },
    /// The broker refuses us for good, or the client is broken.
    #[error("while reading from `{bootstrap}`: {error}")]
    Fatal {
        /// The brokers.
        bootstrap: String,
        /// What librdkafka says.
        error: KafkaError,
    },
}

impl KafkaSourceSettings {
    /// A consumer that has found its topics and subscribed to them.
    pub(super) fn connect(
        &self,
        membership: Membership,
    ) -> Result<BaseConsumer<Membership>, KafkaSourceError> {
        let setup = |error| KafkaSourceError::Setup {
            bootstrap: self.bootstrap.clone(),
            error,
        };
        let config = client_config(&self.bootstrap, &self.defaults(), &self.properties)?;
        let consumer: BaseConsumer<Membership> =
            config.create_with_context(membership).map_err(setup)?;
        let deadline = clock::instant() + self.start_timeout;
        for topic in &self.topics {
            self.look_for(topic, &consumer, deadline)?;
        }
        let topics: Vec<&str> = self.topics.iter().map(String::as_str).collect();
        consumer.subscribe(&topics).map_err(setup)?;
        Ok(consumer)
    }

    fn defaults(&self) -> [(&'static str, &str); 9] {
        [
            ("group.id", &self.group),
            ("enable.auto.commit", "false"),
            // Dropping a consumer would store the offsets of records that nobody has read.
            ("enable.auto.offset.store", "false"),
            (
                "auto.offset.reset",
                if self.from_beginning {
                    "earliest"
                } else {
                    "latest"
                },
            ),
            ("fetch.min.bytes", "1"),
            // A real broker wakes a waiting fetch at once, and the embedded one never does.
            ("fetch.wait.max.ms", if self.embedded { "0" } else { "100" }),
            // By default a full local queue delays the next fetch by a whole second.
            ("fetch.queue.backoff.ms", "1"),
            ("fetch.error.backoff.ms", "10"),
            // Bounds what librdkafka keeps ready; the default is 64 MiB.
            ("queued.max.messages.kbytes", "16384"),
        ]
    }

    fn look_for(
        &self,
        topic: &str,
        consumer: &BaseConsumer<Membership>,
        deadline: Instant,
    ) -> Result<(), KafkaSourceError> {
        loop {
            let last = match consumer.fetch_metadata(Some(topic), PROBE_TIMEOUT) {
                Ok(metadata) => {
                    let Some(found) = metadata.topics().first() else {
                        return Err(self.no_topic(topic));
                    };
                    match found.error() {
                        None if !found.partitions().is_empty() => return Ok(()),
                        None | Some(RDKafkaRespErr::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) => {
                            return Err(self.no_topic(topic));
                        }
                        Some(error) => KafkaError::MetadataFetch(error.into()),
                    }
                }
                Err(error) => error,
            };
            if clock::instant() >= deadline {
                return Err(KafkaSourceError::Unreachable {
                    bootstrap: self.bootstrap.clone(),
                    error: last,
                });
            }
            std::thread::sleep(START_STEP);
        }
    }

    /// The first of the topics that the brokers say they do not have.
    ///
    /// # Errors
    /// Where they say nothing.
    pub(super) fn missing(
        &self,
        consumer: &BaseConsumer<Membership>,
        patience: Duration,
    ) -> Result<Option<String>, KafkaError> {
        for topic in &self.topics {
            let metadata = consumer.fetch_metadata(Some(topic), patience)?;
            let unknown = RDKafkaRespErr::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
            match metadata.topics().first().map(|found| found.error()) {
                Some(None) => {}
                Some(Some(error)) if error != unknown => {
                    return Err(KafkaError::MetadataFetch(error.into()));
                }
                _ => return Ok(Some(topic.clone())),
            }
        }
        Ok(None)
    }

    fn no_topic(&self, topic: &str) -> KafkaSourceError {
        KafkaSourceError::NoTopic {
            bootstrap: self.bootstrap.clone(),
            topic: topic.to_owned(),
        }
    }
}

const START_STEP: Duration = Duration::from_millis(100);
