//! Signals to Kafka, at least once and in order, through an idempotent producer.
//!
//! It does not decide what is sent. A record that cannot be delivered fails the run.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Header, Message, OwnedHeaders};
use rdkafka::producer::{
    BaseRecord, NoCustomPartitioner, Producer, ProducerContext, ThreadedProducer,
};
use tracing::warn;

use crate::clock;
use crate::frame::Position;
use crate::kafka::{Properties, PropertyError, client_config};
use crate::sink::DeadLetter;
use crate::sink::unacknowledged::UnacknowledgedPositions;

/// The topic of signals, and how the producer sends them.
#[derive(Clone, Debug)]
pub struct KafkaSinkSettings {
    /// Brokers to connect to first: `host:port`, comma-separated.
    pub bootstrap: String,
    /// The topic of [`KafkaSink::send`].
    pub topic: String,
    /// Refuse to start where the topic does not exist; otherwise the broker may create it.
    pub require_topic: bool,
    /// How long a record waits for others to be sent with it. 0, because latency counts more than batches.
    pub linger_ms: u32,
    /// `none` or `lz4`, `zstd`: compression pays for bulk, not for single signals.
    pub compression: String,
    /// A record undelivered for so long has failed, and with it the run.
    pub delivery_timeout: Duration,
    /// Records that may wait for delivery; more, and `send` waits.
    pub queue_records_max: u32,
    /// Properties of librdkafka, checked before they are passed on.
    pub properties: Properties,
}

impl Default for KafkaSinkSettings {
    fn default() -> Self {
        Self {
            bootstrap: "127.0.0.1:9092".into(),
            topic: "signals.direction.v1".into(),
            require_topic: false,
            linger_ms: 0,
            compression: "none".into(),
            delivery_timeout: Duration::from_secs(30),
            queue_records_max: 100_000,
            properties: Properties::new(),
        }
    }
}

/// Why records cannot be sent.
#[derive(Debug, thiserror::Error)]
pub enum KafkaSinkError {
    /// A property was refused.
    #[error(transparent)]
    Property(#[from] PropertyError),
    /// librdkafka refuses the settings.
    #[error("while setting up the producer to `{bootstrap}`: {error}")]
    Setup {
        /// The brokers.
        bootstrap: String,
        /// The error of librdkafka.
        error: Box<KafkaError>,
    },
    /// No broker answers.
    #[error(
        "while connecting to the brokers `{bootstrap}` to write topic `{topic}`: {error}; is the address right and the broker running?"
    )]
    Unreachable {
        /// The brokers.
        bootstrap: String,
        /// The topic.
        topic: String,
        /// The error of librdkafka.
        error: Box<KafkaError>,
    },
    /// `require_topic` is set and the topic is not there.
    #[error(
        "while looking for topic `{topic}` at `{bootstrap}`: it does not exist; create it, or set `require_topic = false` to let the broker do so"
    )]
    NoTopic {
        /// The brokers.
        bootstrap: String,
        /// The topic.
        topic: String,
    },
    /// The queue stayed full: the broker is away or too slow.
    #[error(
        "while queueing a record for topic `{topic}`: the queue stayed full for {waited:?}; is the broker running?"
    )]
    QueueFull {
        /// The topic.
        topic: String,
        /// The delivery timeout.
        waited: Duration,
    },
    /// librdkafka refuses the record.
    #[error("while queueing a record for topic `{topic}`: {error}")]
    Refused {
        /// The topic.
        topic: String,
        /// The error of librdkafka.
        error: Box<KafkaError>,
    },
    /// Records that were queued did not arrive. The first error counts.
    #[error(
        "while delivering to topic `{topic}`: {error} ({failed} records failed){}",
        hint(error)
    )]
    Delivery {
        /// The topic of the first failed record.
        topic: String,
        /// Why it failed.
        error: Box<KafkaError>,
        /// How many have failed so far.
        failed: u64,
    },
    /// Not everything was delivered in time.
    #[error(
        "while waiting for the last deliveries to `{bootstrap}`: {left} records are still on their way after {waited:?}"
    )]
    Unfinished {
        /// The brokers.
        bootstrap: String,
        /// Records without an answer.
        left: u64,
        /// How long was waited.
        waited: Duration,
    },
}

/// A producer that knows which of its records have arrived.
pub struct KafkaSink {
    producer: ThreadedProducer<Deliveries>,
    topic: Arc<str>,
    settings: KafkaSinkSettings,
    sent: u64,
    marks: UnacknowledgedPositions,
}

impl KafkaSink {
    /// Connects, and looks for the topic.
    ///
    /// # Errors
    /// [`KafkaSinkError`], within some seconds where no broker answers.
    pub fn connect(settings: KafkaSinkSettings) -> Result<Self, KafkaSinkError> {
        let producer = settings.producer()?;
        let sink = Self {
            producer,
            topic: settings.topic.as_str().into(),
            settings,
            sent: 0,
            marks: UnacknowledgedPositions::default(),
        };
        sink.look_for_topic()?;
        Ok(sink)
    }

    /// Queues a record for the sink's topic; waits while the queue is full.
    ///
    /// # Errors
    /// [`KafkaSinkError`]; also for an earlier record that failed meanwhile.
    pub fn send(
        &mut self,
        key: &[u8],
        payload: &[u8],
        headers: &[(&str, &[u8])],
    ) -> Result<(), KafkaSinkError> {
        let topic = Arc::clone(&self.topic);
        self.queue(&topic, key, payload, headers)
    }

    /// Sends a record to another topic.
    ///
    /// # Errors
    /// As [`KafkaSink::send`].
    pub fn send_to(
        &mut self,
        topic: &str,
        key: &[u8],
        payload: &[u8],
    ) -> Result<(), KafkaSinkError> {
        self.queue(topic, key, payload, &[])
    }

    /// Queues a frame that could not be decoded, with the reason and its origin as headers.
    ///
    /// # Errors
    /// As [`KafkaSink::send`].
    pub fn send_dead_letter(
        &mut self,
        topic: &str,
        letter: &DeadLetter<'_>,
    ) -> Result<(), KafkaSinkError> {
        let partition = letter.origin.partition.to_string();
        let offset = letter.origin.offset.to_string();
        let field = letter.field.map(|field| ("field", field.as_bytes()));
        let headers: [(&str, &[u8]); 4] = [
            ("error", letter.reason.as_bytes()),
            ("source_topic", letter.stream.as_bytes()),
            ("source_partition", partition.as_bytes()),
            ("source_offset", offset.as_bytes()),
        ];
        let headers: Vec<_> = headers.into_iter().chain(field).collect();
        self.queue(topic, &[], letter.bytes, &headers)
    }

    /// Records queued so far.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// UnacknowledgedPositions positions of the input: all records of the frames before them have been
    /// queued.
    pub fn mark(&mut self, positions: &[Position]) {
        self.marks.add(self.sent, positions);
    }

    /// Appends the marked positions before which all records have arrived, in the order of the marks.
    ///
    /// # Errors
    /// As [`KafkaSink::check`].
    pub fn acknowledged(&mut self, positions: &mut Vec<Position>) -> Result<(), KafkaSinkError> {
        self.check()?;
        let delivered = self.delivered();
        self.marks.take(delivered, positions);
        Ok(())
    }

    /// How many of the records queued first have all arrived.
    #[must_use]
    pub fn delivered(&self) -> u64 {
        self.account().through
    }

    /// The first delivery that failed, if any.
    ///
    /// # Errors
    /// [`KafkaSinkError::Delivery`].
    pub fn check(&self) -> Result<(), KafkaSinkError> {
        let account = self.account();
        match &account.first_failure {
            None => Ok(()),
            Some((topic, error)) => Err(KafkaSinkError::Delivery {
                topic: topic.clone(),
                error: Box::new(error.clone()),
                failed: account.failed,
            }),
        }
    }

    /// Waits until everything queued has arrived.
    ///
    /// # Errors
    /// [`KafkaSinkError::Delivery`], or [`KafkaSinkError::Unfinished`] after `patience`.
    pub fn flush(&self, patience: Duration) -> Result<(), KafkaSinkError> {
        let begin = clock::instant();
        // Not the producer's own `flush`: it sleeps in steps of 100 ms where one will do.
        while self.account().answered < self.sent {
            if begin.elapsed() > patience {
                self.check()?;
                return Err(KafkaSinkError::Unfinished {
                    bootstrap: self.settings.bootstrap.clone(),
                    left: self.sent - self.account().answered,
                    waited: patience,
                });
            }
            std::thread::sleep(FLUSH_STEP);
        }
        self.check()
    }

    fn queue(
        &mut self,
        topic: &str,
        key: &[u8],
        payload: &[u8],
        headers: &[(&str, &[u8])],
    ) -> Result<(), KafkaSinkError> {
        self.check()?;
        let mut record = BaseRecord::with_opaque_to(topic, self.sent as usize)
            .key(key)
            .payload(payload)
            .headers(kafka_headers(headers));
        let begin = clock::instant();
        while let Err((error, back)) = self.producer.send(record) {
            if error.rdkafka_error_code() != Some(RDKafkaErrorCode::QueueFull) {
                return Err(KafkaSinkError::Refused {
                    topic: topic.to_owned(),
                    error: Box::new(error),
                });
            }
            if begin.elapsed() > self.settings.delivery_timeout {
                self.check()?;
                return Err(KafkaSinkError::QueueFull {
                    topic: topic.to_owned(),
                    waited: self.settings.delivery_timeout,
                });
            }
            record = back;
            std::thread::sleep(FLUSH_STEP);
        }
        self.sent += 1;
        Ok(())
    }

    fn look_for_topic(&self) -> Result<(), KafkaSinkError> {
        let (bootstrap, topic) = (&self.settings.bootstrap, &self.settings.topic);
        // A request for one topic by name may create it; one for all topics does not.
        let metadata = self
            .producer
            .client()
            .fetch_metadata(None, CONNECT_PATIENCE)
            .map_err(|error| KafkaSinkError::Unreachable {
                bootstrap: bootstrap.clone(),
                topic: topic.clone(),
                error: Box::new(error),
            })?;
        let exists = metadata.topics().iter().any(|known| known.name() == topic);
        if exists {
            return Ok(());
        }
        if self.settings.require_topic {
            return Err(KafkaSinkError::NoTopic {
                bootstrap: bootstrap.clone(),
                topic: topic.clone(),
            });
        }
        warn!(
            topic,
            "the topic does not exist: the broker is left to create it"
        );
        Ok(())
    }

    fn account(&self) -> MutexGuard<'_, Account> {
        self.producer.client().context().account()
    }
}

impl KafkaSinkSettings {
    fn producer(&self) -> Result<ThreadedProducer<Deliveries>, KafkaSinkError> {
        let linger = self.linger_ms.to_string();
        let timeout = self.delivery_timeout.as_millis().to_string();
        let queue = self.queue_records_max.to_string();
        let defaults = [
            ("acks", "all"),
            ("enable.idempotence", "true"),
            ("linger.ms", linger.as_str()),
            // Without this a keyless record would wait for its sticky partition.
            ("sticky.partitioning.linger.ms", "0"),
            ("compression.type", &self.compression),
            ("delivery.timeout.ms", &timeout),
            ("queue.buffering.max.messages", &queue),
            // By default records of 1 GiB may wait.
            ("queue.buffering.max.kbytes", "65536"),
        ];
        client_config(&self.bootstrap, &defaults, &self.properties)?
            .create_with_context(Deliveries::default())
            .map_err(|error| KafkaSinkError::Setup {
                bootstrap: self.bootstrap.clone(),
                error: Box::new(error),
            })
    }
}

/// Counts deliveries, on the producer's own thread.
#[derive(Default)]
struct Deliveries(Mutex<Account>);

/// Which records have arrived, by their number from 0.
#[derive(Default)]
struct Account {
    /// Records up to here have all arrived.
    through: u64,
    /// Records that arrived before an earlier one: partitions answer in any order.
    early: BinaryHeap<Reverse<u64>>,
    /// Arrived or failed.
    answered: u64,
    failed: u64,
    first_failure: Option<(String, KafkaError)>,
}

impl Deliveries {
    fn account(&self) -> MutexGuard<'_, Account> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Account {
    fn arrived(&mut self, number: u64) {
        self.answered += 1;
        self.early.push(Reverse(number));
        while self.early.peek() == Some(&Reverse(self.through)) {
            self.early.pop();
            self.through += 1;
        }
    }

    fn failed(&mut self, topic: &str, error: &KafkaError) {
        self.answered += 1;
        self.failed += 1;
        self.first_failure
            .get_or_insert_with(|| (topic.to_owned(), error.clone()));
    }
}

impl ClientContext for Deliveries {
    fn error(&self, error: KafkaError, reason: &str) {
        warn!(%error, reason, "producer");
    }
}

impl ProducerContext<NoCustomPartitioner> for Deliveries {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, number: usize) {
        let mut account = self.account();
        match result {
            Ok(_) => account.arrived(number as u64),
            Err((error, record)) => account.failed(record.topic(), error),
        }
    }
}

fn kafka_headers(headers: &[(&str, &[u8])]) -> OwnedHeaders {
    headers.iter().fold(
        OwnedHeaders::new_with_capacity(headers.len()),
        |all, (key, value)| {
            all.insert(Header {
                key,
                value: Some(*value),
            })
        },
    )
}

/// What to do about a failed delivery, where that is known.
fn hint(error: &KafkaError) -> &'static str {
    match error.rdkafka_error_code() {
        Some(
            RDKafkaErrorCode::UnknownTopic
            | RDKafkaErrorCode::UnknownTopicOrPartition
            | RDKafkaErrorCode::UnknownPartition,
        ) => "; the topic does not exist and the broker does not create it: create it",
        Some(RDKafkaErrorCode::MessageTimedOut) => {
            "; no broker took it within the delivery timeout: is the broker running?"
        }
        Some(RDKafkaErrorCode::MessageSizeTooLarge) => "; raise the topic's max.message.bytes",
        _ => "",
    }
}

const FLUSH_STEP: Duration = Duration::from_millis(1);

/// How long a broker may take to answer at the start.
const CONNECT_PATIENCE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests;
