//! Why a Kafka source cannot start or go on.

use rdkafka::error::KafkaError;

use crate::kafka::PropertyError;

/// Why the source cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub enum KafkaSourceError {
    /// A property was refused.
    #[error(transparent)]
    Property(#[from] PropertyError),
    /// librdkafka refuses the settings.
    #[error("while setting up the consumer of `{bootstrap}`: {error}")]
    Setup {
        /// The addresses of the brokers.
        bootstrap: String,
        /// librdkafka's error.
        error: KafkaError,
    },
    /// A topic does not exist.
    #[error(
        "while subscribing to topic `{topic}` at `{bootstrap}`: the topic does not exist; create it or set another one in `topics`"
    )]
    NoTopic {
        /// The addresses of the brokers.
        bootstrap: String,
        /// The topic.
        topic: String,
    },
    /// A topic was deleted.
    #[error(
        "while reading topic `{topic}` at `{bootstrap}`: the topic was deleted; create it again, or take it out of `topics`"
    )]
    Gone {
        /// The addresses of the brokers.
        bootstrap: String,
        /// The topic.
        topic: String,
    },
    /// A topic was deleted and created again while it was read.
    #[error(
        "while reading topic `{topic}` at `{bootstrap}`: it was deleted and created again, or its broker lost records; \
         start again to read what it has now"
    )]
    Anew {
        /// The addresses of the brokers.
        bootstrap: String,
        /// The topic.
        topic: String,
    },
    /// The brokers do not say where assigned partitions begin.
    #[error(
        "while taking over partitions from `{bootstrap}`: the brokers do not say where they begin: {error}; \
         is the group's coordinator running?"
    )]
    Unplaced {
        /// The addresses of the brokers.
        bootstrap: String,
        /// librdkafka's error.
        error: KafkaError,
    },
    /// Another process has joined the group under the name of this instance.
    #[error(
        "while reading from `{bootstrap}` as instance `{instance}`: another process has joined the group under this \
         name; give each instance its own `[kafka] instance`"
    )]
    Fenced {
        /// The addresses of the brokers.
        bootstrap: String,
        /// The name of the instance.
        instance: String,
    },
    /// The broker refuses the client, or the client is broken.
    #[error("while reading from `{bootstrap}`: {error}")]
    Fatal {
        /// The addresses of the brokers.
        bootstrap: String,
        /// librdkafka's error.
        error: KafkaError,
    },
}
