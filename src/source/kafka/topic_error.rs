//! Why a topic cannot be read as an input.

use std::time::Duration;

use rdkafka::error::KafkaError;

use super::topic_address::TopicAddress;
use crate::kafka::PropertyError;
use crate::login::LoginError;

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

/// How long brokers may be silent.
pub(super) const SILENCE_MAX: Duration = Duration::from_secs(30);
