//! The consumer of a Kafka source: made, checked against its topics, and subscribed.
//!
//! Waits for a broker that is absent; ends with a clear error where a topic is missing or the client is
//! refused.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::types::RDKafkaRespErr;
use tracing::{debug, info};

use super::error::KafkaSourceError;
use super::links::KafkaLinks;
use super::membership::Membership;
use super::positions::Positions;
use super::queries::OffsetQueries;
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
    let instance = settings
        .instance
        .as_ref()
        .filter(|_| !settings.is_broker_led);
    let instance = instance.map(|slot| format!("{}-{}", settings.group, slot.name()));
    let instance = instance.map(|name| name.replace(|c| !may_stand_in_name(c), "-"));
    let mut consumer = create(settings, links, stop, instance.as_deref())?;
    if !wait_for_topics(settings, &consumer, brokers, stop)? {
        return Ok(None);
    }
    if instance.is_some() && has_new_partitions(&consumer, stop) {
        info!("partitions were added that the group does not read yet: joining as a new member");
        consumer = create(settings, links, stop, None)?;
    }
    consumer.context().set_consumer(&consumer);
    links.group.set_consumer(&consumer);
    let topics: Vec<&str> = settings.topics.iter().map(String::as_str).collect();
    let subscribed = consumer.subscribe(&topics);
    subscribed.map_err(|error| setup(settings, error))?;
    Ok(Some(consumer))
}

/// A consumer; a static member of its group where it has the name of an instance.
fn create(
    settings: &KafkaSourceSettings,
    links: &KafkaLinks,
    stop: &Arc<AtomicBool>,
    instance: Option<&str>,
) -> Result<Arc<BaseConsumer<Membership>>, KafkaSourceError> {
    let mut defaults = defaults(settings);
    defaults.extend(instance.map(|name| ("group.instance.id", name)));
    let config = client_config(&settings.bootstrap, &defaults, &settings.properties)?;
    let membership = Membership::new(
        settings,
        Arc::clone(&links.starts),
        Arc::clone(&links.progress),
        Arc::clone(&links.status),
        Arc::clone(stop),
    );
    let created = config.create_with_context(membership);
    Ok(Arc::new(created.map_err(|error| setup(settings, error))?))
}

fn setup(settings: &KafkaSourceSettings, error: KafkaError) -> KafkaSourceError {
    KafkaSourceError::Setup {
        bootstrap: settings.bootstrap.clone(),
        error,
    }
}

/// Whether the group reads some partitions of a topic, and has never read others. A static member that comes
/// back within its session gets its former partitions, and no member looks for others: partitions that were
/// added meanwhile would be read by nobody. A new member has all of them assigned anew.
fn has_new_partitions(consumer: &BaseConsumer<Membership>, stop: &AtomicBool) -> bool {
    let topics = consumer.context().topics();
    let positions = Positions { consumer, topics };
    let are_new = |stream| {
        let all = positions.partitions_of(stream)?;
        let committed = positions.committed(&all)?;
        Ok((1..all.len()).contains(&committed.len()))
    };
    for _ in 0..ASKED_MOST {
        let found: KafkaResult<Vec<bool>> = topics.streams().map(are_new).collect();
        match found {
            Ok(found) => return found.contains(&true),
            Err(error) => debug!(%error, "the brokers do not say what the group has read"),
        }
        if stop.load(Ordering::Relaxed) {
            break;
        }
        clock::sleep(RETRY_PAUSE);
    }
    false
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
        // How soon partitions are found that are added while it runs; the default is five minutes.
        ("topic.metadata.refresh.interval.ms", "10000"),
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
/// How often the brokers are asked at the start what the group has read.
const ASKED_MOST: usize = 5;
