//! The settings of the producer.

use std::time::Duration;

use rdkafka::producer::ThreadedProducer;

use super::deliveries::Deliveries;
use super::error::KafkaSinkError;
use super::letter_memory::LetterMemory;
use super::patience::ConnectPatience;
use crate::kafka::{Properties, client_config};

/// The topic of signals, and how the producer sends them.
#[derive(Clone, Debug)]
pub struct KafkaSinkSettings {
    /// Brokers to connect to first: `host:port`, comma-separated.
    pub bootstrap: String,
    /// The topic of the signals.
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
    /// What is promised of delivery.
    pub mode: DeliveryPromise,
    /// The dead letters that were refused before, of transactions.
    pub letters: LetterMemory,
    /// When connecting is given up.
    pub patience: ConnectPatience,
}

/// What is promised of delivery.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum DeliveryPromise {
    /// Each record arrives, in order; after a crash some are there twice.
    #[default]
    AtLeastOnce,
    /// One replica's word is enough.
    LowestLatency,
    /// Records and the offsets of their input are written in transactions.
    ExactlyOnce {
        /// The transactional id: the same after a restart, and no other producer's.
        id: String,
        /// How long a transaction collects records.
        every: Duration,
    },
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
            mode: DeliveryPromise::default(),
            letters: LetterMemory::default(),
            patience: ConnectPatience::default(),
        }
    }
}

impl KafkaSinkSettings {
    /// Creates the producer.
    pub(super) fn producer(&self) -> Result<ThreadedProducer<Deliveries>, KafkaSinkError> {
        let linger = self.linger_ms.to_string();
        let timeout = self.delivery_timeout.as_millis().to_string();
        let queue = self.queue_records_max.to_string();
        let is_safe = self.mode != DeliveryPromise::LowestLatency;
        let mut defaults = vec![
            ("acks", if is_safe { "all" } else { "1" }),
            ("enable.idempotence", if is_safe { "true" } else { "false" }),
            ("linger.ms", linger.as_str()),
            // Without this a keyless record would wait for its sticky partition.
            ("sticky.partitioning.linger.ms", "0"),
            ("compression.type", &self.compression),
            ("delivery.timeout.ms", &timeout),
            // Before the delivery timeout: a topic that is not there is told from a broker that is away.
            ("topic.metadata.propagation.max.ms", "10000"),
            ("queue.buffering.max.messages", &queue),
            // By default records of 1 GiB may wait.
            ("queue.buffering.max.kbytes", "65536"),
        ];
        if let DeliveryPromise::ExactlyOnce { id, .. } = &self.mode {
            defaults.extend([
                ("transactional.id", id.as_str()),
                ("transaction.timeout.ms", TRANSACTION_TIMEOUT_MS),
                // The broker may still write the markers of the last transaction when the next one begins: by
                // default the client waits 100 ms then.
                ("retry.backoff.ms", "2"),
                ("retry.backoff.max.ms", "500"),
            ]);
        }
        client_config(&self.bootstrap, &defaults, &self.properties)?
            .create_with_context(Deliveries::default())
            .map_err(|error| KafkaSinkError::Setup {
                bootstrap: self.bootstrap.clone(),
                error: Box::new(error),
            })
    }
}

/// After so long the broker aborts a transaction that nobody commits; readers of what is committed wait for
/// it. Longer than the delivery timeout.
const TRANSACTION_TIMEOUT_MS: &str = "45000";
