//! The consumer of a Kafka source: made, checked against its topics, and subscribed.
//!
//! Fails early and clearly: later trouble with the broker is waited out.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaRespErr;

use super::error::KafkaSourceError;
use super::links::KafkaLinks;
use super::membership::Membership;
use super::settings::KafkaSourceSettings;
use crate::clock;
use crate::kafka::client_config;

/// A consumer that has found its topics and subscribed to them.
///
/// # Errors
/// [`KafkaSourceError`] where the settings are refused, no broker answers, or a topic does not exist.
pub(super) fn connect(
    settings: &KafkaSourceSettings,
    links: &KafkaLinks,
    stop: Arc<AtomicBool>,
) -> Result<Arc<BaseConsumer<Membership>>, KafkaSourceError> {
    let setup = |error| KafkaSourceError::Setup {
        bootstrap: settings.bootstrap.clone(),
        error,
    };
    let config = client_config(
        &settings.bootstrap,
        &defaults(settings),
        &settings.properties,
    )?;
    let membership = Membership::new(
        settings.clone(),
        Arc::clone(&links.starts),
        Arc::clone(&links.progress),
        Arc::clone(&links.status),
        stop,
    );
    let consumer: BaseConsumer<Membership> =
        config.create_with_context(membership).map_err(setup)?;
    let consumer = Arc::new(consumer);
    consumer.context().set_consumer(&consumer);
    links.group.set_consumer(&consumer);
    let deadline = clock::instant() + settings.start_timeout;
    for topic in &settings.topics {
        find_topic(settings, topic, &consumer, deadline)?;
    }
    let topics: Vec<&str> = settings.topics.iter().map(String::as_str).collect();
    consumer.subscribe(&topics).map_err(setup)?;
    Ok(consumer)
}

/// The first of the topics that the brokers do not have.
///
/// # Errors
/// Where they do not answer.
pub(super) fn missing_topic(
    settings: &KafkaSourceSettings,
    consumer: &BaseConsumer<Membership>,
) -> Result<Option<String>, KafkaError> {
    for topic in &settings.topics {
        let metadata = consumer.fetch_metadata(Some(topic), PROBE_TIMEOUT)?;
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

fn defaults(settings: &KafkaSourceSettings) -> [(&'static str, &str); 9] {
    [
        ("group.id", &settings.group),
        ("enable.auto.commit", "false"),
        // Dropping a consumer would store the offsets of records that were not processed.
        ("enable.auto.offset.store", "false"),
        (
            "auto.offset.reset",
            if settings.from_beginning {
                "earliest"
            } else {
                "latest"
            },
        ),
        ("fetch.min.bytes", "1"),
        // A real broker answers a waiting fetch when a record arrives, the embedded one does not.
        (
            "fetch.wait.max.ms",
            if settings.embedded { "0" } else { "100" },
        ),
        // By default a full local queue delays the next fetch by a whole second.
        ("fetch.queue.backoff.ms", "1"),
        ("fetch.error.backoff.ms", "10"),
        // Bounds the records that librdkafka has fetched ahead; the default is 64 MiB.
        ("queued.max.messages.kbytes", "16384"),
    ]
}

fn find_topic(
    settings: &KafkaSourceSettings,
    topic: &str,
    consumer: &BaseConsumer<Membership>,
    deadline: Instant,
) -> Result<(), KafkaSourceError> {
    let no_topic = || KafkaSourceError::NoTopic {
        bootstrap: settings.bootstrap.clone(),
        topic: topic.to_owned(),
    };
    loop {
        let last = match consumer.fetch_metadata(Some(topic), METADATA_TIMEOUT) {
            Ok(metadata) => {
                let Some(found) = metadata.topics().first() else {
                    return Err(no_topic());
                };
                match found.error() {
                    None if !found.partitions().is_empty() => return Ok(()),
                    None | Some(RDKafkaRespErr::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) => {
                        return Err(no_topic());
                    }
                    Some(error) => KafkaError::MetadataFetch(error.into()),
                }
            }
            Err(error) => error,
        };
        if clock::instant() >= deadline {
            return Err(KafkaSourceError::Unreachable {
                bootstrap: settings.bootstrap.clone(),
                error: last,
            });
        }
        std::thread::sleep(RETRY_PAUSE);
    }
}

const METADATA_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a probe of a running source waits for its answer. The partitions are not polled meanwhile.
const PROBE_TIMEOUT: Duration = Duration::from_secs(1);
const RETRY_PAUSE: Duration = Duration::from_millis(100);
