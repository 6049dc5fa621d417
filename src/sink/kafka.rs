//! Signals to Kafka, at least once and in order, through an idempotent producer.
//!
//! It does not decide what is sent. A record that cannot be delivered fails the run.

mod deliveries;
pub mod error;
pub mod patience;
pub mod settings;

use std::sync::{Arc, MutexGuard, mpsc};
use std::time::Duration;

use rdkafka::error::RDKafkaErrorCode;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::metadata::Metadata;
use rdkafka::producer::{BaseRecord, Producer, ThreadedProducer};
use tracing::warn;

use self::deliveries::{Deliveries, DeliveryAccount};
use self::error::KafkaSinkError;
use self::settings::KafkaSinkSettings;
use crate::clock;
use crate::frame::Position;
use crate::kafka::log_pause::LogPause;
use crate::kafka::refusal::is_refusal;
use crate::sink::dead_letter::DeadLetter;
use crate::sink::unacknowledged::UnacknowledgedPositions;

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
    /// [`KafkaSinkError`], within some seconds where no broker answers, and at once where the patience of the
    /// settings ends.
    ///
    /// # Panics
    /// Where no thread can be had.
    pub fn connect(settings: KafkaSinkSettings) -> Result<Self, KafkaSinkError> {
        let patience = settings.patience.clone();
        let (bootstrap, topic) = (settings.bootstrap.clone(), settings.topic.clone());
        let (connected, connecting) = mpsc::sync_channel(1);
        // librdkafka waits for its brokers without an ear for anything else.
        std::thread::Builder::new()
            .name("kafka-connect".into())
            .spawn(move || drop(connected.send(Self::connected(settings))))
            .expect("a thread can be had");
        loop {
            match connecting.recv_timeout(PATIENCE_STEP) {
                Ok(sink) => return sink,
                Err(mpsc::RecvTimeoutError::Timeout) if !patience.is_over() => {}
                Err(_) => return Err(KafkaSinkError::GivenUp { bootstrap, topic }),
            }
        }
    }

    fn connected(settings: KafkaSinkSettings) -> Result<Self, KafkaSinkError> {
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

    /// Notes positions of the input: all records of the frames before them have been
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
        let metadata = self.wait_for_broker()?;
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

    /// Waits until a broker answers; not for long where nobody says how long, and not where it refuses the
    /// client.
    fn wait_for_broker(&self) -> Result<Metadata, KafkaSinkError> {
        let (settings, client) = (&self.settings, self.producer.client());
        let since = clock::instant();
        let mut log = LogPause::from(since);
        let is_patient = settings.patience.is_stated();
        loop {
            // A request for one topic by name may create it; one for all topics does not.
            let error = match client.fetch_metadata(None, ANSWER_TIMEOUT) {
                Ok(metadata) => return Ok(metadata),
                Err(error) => client.context().refusal().unwrap_or(error),
            };
            let now = clock::instant();
            if is_refusal(&error) || (!is_patient && now - since > CONNECT_PATIENCE) {
                return Err(KafkaSinkError::Unreachable {
                    bootstrap: settings.bootstrap.clone(),
                    topic: settings.topic.clone(),
                    error: Box::new(error),
                });
            }
            if settings.patience.is_over() {
                return Err(KafkaSinkError::GivenUp {
                    bootstrap: settings.bootstrap.clone(),
                    topic: settings.topic.clone(),
                });
            }
            if log.is_due(now) {
                let (bootstrap, topic) = (&settings.bootstrap, &settings.topic);
                warn!(bootstrap, topic, %error, "no broker answers: waiting for one; is the address right?");
            }
            std::thread::sleep(PATIENCE_STEP);
        }
    }

    fn account(&self) -> MutexGuard<'_, DeliveryAccount> {
        self.producer.client().context().account()
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

const FLUSH_STEP: Duration = Duration::from_millis(1);

/// How often it is asked whether connecting is to be given up.
const PATIENCE_STEP: Duration = Duration::from_millis(50);

/// How long one question to the brokers may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// How long a broker may take to answer at the start, where nobody says how long it is waited for.
const CONNECT_PATIENCE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests;
