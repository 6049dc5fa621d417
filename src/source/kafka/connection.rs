//! The consumer of a Kafka source: made, checked against its topics, and subscribed.
//!
//! Waits for a broker that is absent; ends with a clear error where a topic is missing or the client is
//! refused.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaRespErr;

use super::error::KafkaSourceError;
use super::links::KafkaLinks;
use super::membership::Membership;
use super::settings::KafkaSourceSettings;
use super::trouble::{Brokers, is_lasting};
use crate::clock;
use crate::kafka::client_config;
use crate::kafka::instance::may_stand_in_name;

/// A consumer that has found its topics and subscribed to them; none where the run is stopped before a broker
/// has answered.
///
/// # Errors
/// [`KafkaSourceError`] where the settings are refused, a topic does not exist, or the brokers refuse the
/// client.
pub(super) fn connect(
    settings: &KafkaSourceSettings,
    links: &KafkaLinks,
    brokers: &mut Brokers,
    stop: &Arc<AtomicBool>,
) -> Result<Option<Arc<BaseConsumer<Membership>>>, KafkaSourceError> {
    let setup = |error| KafkaSourceError::Setup {
        bootstrap: settings.bootstrap.clone(),
        error,
    };
    let mut defaults = defaults(settings);
    let instance = settings.instance.as_ref();
    let instance = instance.map(|slot| format!("{}-{}", settings.group, slot.name()));
    let instance = instance.map(|name| name.replace(|c| !may_stand_in_name(c), "-"));
    if let Some(instance) = instance.as_deref().filter(|_| !settings.is_broker_led) {
        defaults.push(("group.instance.id", instance));
    }
    let config = client_config(&settings.bootstrap, &defaults, &settings.properties)?;
    let membership = Membership::new(
        settings,
        Arc::clone(&links.starts),
        Arc::clone(&links.progress),
        Arc::clone(&links.status),
        Arc::clone(stop),
    );
    let consumer: BaseConsumer<Membership> =
        config.create_with_context(membership).map_err(setup)?;
    let consumer = Arc::new(consumer);
    if !wait_for_topics(settings, &consumer, brokers, stop)? {
        return Ok(None);
    }
    consumer.context().set_consumer(&consumer);
    links.group.set_consumer(&consumer);
    let topics: Vec<&str> = settings.topics.iter().map(String::as_str).collect();
    consumer.subscribe(&topics).map_err(setup)?;
    Ok(Some(consumer))
}

/// Waits until the brokers answer that all topics exist. False where the run is stopped before.
fn wait_for_topics(
    settings: &KafkaSourceSettings,
    consumer: &BaseConsumer<Membership>,
    brokers: &mut Brokers,
    stop: &AtomicBool,
) -> Result<bool, KafkaSourceError> {
    let mut missing_since = None;
    while !stop.load(Ordering::Relaxed) {
        let topic = match missing_topic(settings, consumer) {
            Ok(None) => {
                brokers.found(clock::instant());
                return Ok(true);
            }
            Ok(Some(topic)) => topic,
            Err(error) => {
                missing_since = None;
                refused(settings, &error)?;
                while let Some(Err(told)) = consumer.poll(Duration::ZERO) {
                    refused(settings, &told)?;
                }
                brokers.absent(clock::instant(), &error);
                clock::sleep(RETRY_PAUSE);
                continue;
            }
        };
        // A broker that has just started may not know its topics yet.
        let now = clock::instant();
        if now - *missing_since.get_or_insert(now) >= settings.missing_timeout {
            return Err(KafkaSourceError::NoTopic {
                bootstrap: settings.bootstrap.clone(),
                topic,
            });
        }
        clock::sleep(RETRY_PAUSE);
    }
    Ok(false)
}

/// Ends the run for an error that does not pass by itself.
fn refused(settings: &KafkaSourceSettings, error: &KafkaError) -> Result<(), KafkaSourceError> {
    match is_lasting(error) {
        true => Err(KafkaSourceError::Fatal {
            bootstrap: settings.bootstrap.clone(),
            error: error.clone(),
        }),
        false => Ok(()),
    }
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
            Some(None) if !metadata.topics()[0].partitions().is_empty() => {}
            Some(None) => return Ok(Some(topic.clone())),
            Some(Some(error)) if error != unknown => {
                return Err(KafkaError::MetadataFetch(error.into()));
            }
            _ => return Ok(Some(topic.clone())),
        }
    }
    Ok(None)
}

fn defaults(settings: &KafkaSourceSettings) -> Vec<(&'static str, &str)> {
    let mut all = vec![
        ("group.id", settings.group.as_str()),
        ("enable.auto.commit", "false"),
        // Dropping a consumer would store the offsets of records that were not processed.
        ("enable.auto.offset.store", "false"),
        // Where a partition begins, and what is done where its next record is gone, is decided here.
        ("auto.offset.reset", "error"),
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
    ];
    match settings.is_broker_led {
        // Partitions of one number go to one member, whichever the topic: their state is one.
        true => all.extend([
            ("group.protocol", "consumer"),
            ("group.remote.assignor", "range"),
        ]),
        // How long the partitions of an instance that is gone wait for it.
        false => all.push(("session.timeout.ms", "10000")),
    }
    all
}

/// How long a probe of a running source waits for its answer. The partitions are not polled meanwhile.
const PROBE_TIMEOUT: Duration = Duration::from_secs(1);
const RETRY_PAUSE: Duration = Duration::from_millis(100);
