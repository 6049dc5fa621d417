//! Why records cannot be sent to Kafka, and what to do.

use std::time::Duration;

use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::kafka::PropertyError;

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
    /// The process was to end before a broker had answered.
    #[error(
        "while connecting to the brokers `{bootstrap}` to write topic `{topic}`: asked to end before one answered"
    )]
    GivenUp {
        /// The brokers.
        bootstrap: String,
        /// The topic.
        topic: String,
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
    /// A transaction failed, or it is not known whether it was committed.
    #[error(
        "while {doing} of the transactional producer `{id}`: {error}; going on at the offsets that the group has \
         committed"
    )]
    Transaction {
        /// The transactional id.
        id: String,
        /// What was being done: `committing a transaction`.
        doing: &'static str,
        /// The error of librdkafka.
        error: Box<KafkaError>,
    },
    /// A dead letter was refused, and with it the transaction; it is sent smaller or not at all the next
    /// time.
    #[error(
        "while sending a dead letter in a transaction: {error}; going on at the offsets that the group has committed, \
         without what was refused"
    )]
    Spoilt {
        /// The error of librdkafka.
        error: Box<KafkaError>,
    },
    /// Records of a transaction did not arrive; it is aborted.
    #[error(
        "{0}; the transaction is aborted, going on at the offsets that the group has committed"
    )]
    Aborted(Box<Self>),
    /// Partitions were taken away before what came of their records was committed.
    #[error(
        "while committing a transaction: partitions of its input were taken away by the group; going on at the \
         offsets that the group has committed"
    )]
    Lost,
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

impl KafkaSinkError {
    /// librdkafka refuses a record; in a transaction that may be the producer's fault.
    pub(super) fn refused(topic: &str, error: KafkaError, in_transaction: bool) -> Self {
        let of_producer = in_transaction && is_of_producer(&error);
        let refused = Self::Refused {
            topic: topic.to_owned(),
            error: Box::new(error),
        };
        match of_producer {
            true => Self::Aborted(Box::new(refused)),
            false => refused,
        }
    }

    /// Whether a run that begins again at the committed offsets mends it.
    #[must_use]
    pub fn is_mended_by_rewinding(&self) -> bool {
        match self {
            Self::Transaction { error, .. } => !is_refusal(error),
            Self::Aborted(why) => why.is_passing(),
            Self::Lost | Self::Spoilt { .. } => true,
            // No broker took it in time. What was written stays: those records come twice.
            Self::Delivery { error, .. } => {
                error.rdkafka_error_code() == Some(RDKafkaErrorCode::MessageTimedOut)
            }
            Self::QueueFull { .. } => true,
            _ => false,
        }
    }

    /// Whether the same records may arrive the next time.
    fn is_passing(&self) -> bool {
        match self {
            Self::Delivery { error, .. } => {
                !is_refusal(error) && hint(error) != TOO_LARGE && hint(error) != NO_TOPIC
            }
            Self::QueueFull { .. } | Self::Unfinished { .. } => true,
            Self::Refused { error, .. } => is_of_producer(error),
            _ => false,
        }
    }
}

/// Whether a producer takes no record any more, whatever the record: its transaction has failed.
fn is_of_producer(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::State
                | RDKafkaErrorCode::Fatal
                | RDKafkaErrorCode::Fenced
                | RDKafkaErrorCode::PurgeQueue
                | RDKafkaErrorCode::PurgeInflight
        )
    )
}

/// Whether the broker refuses the producer for good.
fn is_refusal(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::TransactionalIdAuthorizationFailed
                | RDKafkaErrorCode::ClusterAuthorizationFailed
                | RDKafkaErrorCode::TopicAuthorizationFailed
                | RDKafkaErrorCode::GroupAuthorizationFailed
                | RDKafkaErrorCode::InvalidTransactionTimeout
        )
    )
}

/// What to do about a failed delivery, where that is known.
fn hint(error: &KafkaError) -> &'static str {
    match error.rdkafka_error_code() {
        Some(
            RDKafkaErrorCode::UnknownTopic
            | RDKafkaErrorCode::UnknownTopicOrPartition
            | RDKafkaErrorCode::UnknownPartition,
        ) => NO_TOPIC,
        Some(RDKafkaErrorCode::MessageTimedOut) => {
            "; no broker took it within the delivery timeout: is the broker running?"
        }
        Some(RDKafkaErrorCode::MessageSizeTooLarge) => TOO_LARGE,
        _ => "",
    }
}

const NO_TOPIC: &str = "; the topic does not exist and the broker does not create it: create it";
const TOO_LARGE: &str = "; raise the topic's max.message.bytes";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_whose_records_were_late_is_begun_again_and_one_that_cannot_be_written_is_not()
    {
        let of = |code| {
            let why = KafkaSinkError::Delivery {
                topic: "t".into(),
                error: Box::new(KafkaError::MessageProduction(code)),
                failed: 1,
            };
            // At least once, what was written before it stays: only a broker that was away is waited for.
            let is_late = code == RDKafkaErrorCode::MessageTimedOut;
            assert_eq!(why.is_mended_by_rewinding(), is_late);
            KafkaSinkError::Aborted(Box::new(why)).is_mended_by_rewinding()
        };
        assert!(of(RDKafkaErrorCode::MessageTimedOut));
        assert!(of(RDKafkaErrorCode::PurgeInflight));
        assert!(of(RDKafkaErrorCode::InvalidProducerEpoch));
        assert!(!of(RDKafkaErrorCode::UnknownTopic));
        assert!(!of(RDKafkaErrorCode::MessageSizeTooLarge));
        assert!(!of(RDKafkaErrorCode::TopicAuthorizationFailed));
    }
}
