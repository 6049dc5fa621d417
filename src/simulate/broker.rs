//! A broker inside this process, for trying the engine out without installing Kafka.
//!
//! It is librdkafka's mock cluster. It keeps records in memory only, at most 5 MiB or 100,000 batches
//! a partition, the oldest dropped silently; `read_committed` readers see aborted transactions; the
//! first assignment of a group takes 3 s. Not for records that must last, and not for measurements.

use rdkafka::error::KafkaError;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;

/// A running broker on a port of its own at 127.0.0.1; it ends, with all records, when dropped.
///
/// Other processes can connect to it. Clients should fetch with `fetch.wait.max.ms=0`: an empty fetch
/// sleeps that long and is not woken by a new record (`KafkaSourceSettings::embedded` does that).
pub struct EmbeddedBroker {
    cluster: MockCluster<'static, DefaultProducerContext>,
}

/// Why the broker did not start.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// No memory or no port.
    #[error("while starting the embedded broker: {0}; use a Kafka of your own instead")]
    Start(#[source] KafkaError),
    /// A topic could not be made.
    #[error("while creating topic `{topic}` in the embedded broker: {error}")]
    Topic {
        /// The topic.
        topic: String,
        /// The broker's error.
        #[source]
        error: KafkaError,
    },
}

impl EmbeddedBroker {
    /// Starts a broker with these topics and partition counts.
    ///
    /// # Errors
    /// [`BrokerError`] where it cannot listen, or a topic is named twice or badly.
    pub fn start(topics: &[(&str, i32)]) -> Result<Self, BrokerError> {
        let cluster = MockCluster::new(1).map_err(BrokerError::Start)?;
        let broker = Self { cluster };
        for (topic, partitions) in topics {
            broker.create_topic(topic, *partitions)?;
        }
        Ok(broker)
    }

    /// Makes a topic. Kafka's own way, an admin client, is not answered by this broker.
    ///
    /// # Errors
    /// [`BrokerError::Topic`].
    pub fn create_topic(&self, topic: &str, partitions: i32) -> Result<(), BrokerError> {
        self.cluster
            .create_topic(topic, partitions, 1)
            .map_err(|error| BrokerError::Topic {
                topic: topic.to_owned(),
                error,
            })
    }

    /// Where clients connect to: `127.0.0.1:PORT`.
    #[must_use]
    pub fn bootstrap(&self) -> String {
        self.cluster.bootstrap_servers()
    }

    /// The cluster itself, to make it fail on purpose.
    #[cfg(test)]
    pub(crate) fn cluster(&self) -> &MockCluster<'static, DefaultProducerContext> {
        &self.cluster
    }
}
