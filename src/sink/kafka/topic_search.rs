//! The first words with the brokers: whether one answers, and has the topic.

use std::time::Duration;

use rdkafka::metadata::Metadata;
use rdkafka::producer::{Producer, ThreadedProducer};
use tracing::warn;

use super::deliveries::Deliveries;
use super::error::KafkaSinkError;
use super::settings::KafkaSinkSettings;
use crate::clock;
use crate::kafka::log_pause::LogPause;
use crate::kafka::refusal::is_refusal;

/// Waits for a broker, and looks for the topic there.
///
/// # Errors
/// [`KafkaSinkError`].
pub(super) fn look_for_topic(
    producer: &ThreadedProducer<Deliveries>,
    settings: &KafkaSinkSettings,
) -> Result<(), KafkaSinkError> {
    let (bootstrap, topic) = (&settings.bootstrap, &settings.topic);
    let metadata = wait_for_broker(producer, settings)?;
    let exists = metadata.topics().iter().any(|known| known.name() == topic);
    if exists {
        return Ok(());
    }
    if settings.require_topic {
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
fn wait_for_broker(
    producer: &ThreadedProducer<Deliveries>,
    settings: &KafkaSinkSettings,
) -> Result<Metadata, KafkaSinkError> {
    let client = producer.client();
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
        clock::sleep(PATIENCE_STEP);
    }
}

/// How often it is asked whether connecting is to be given up.
pub(super) const PATIENCE_STEP: Duration = Duration::from_millis(50);

/// How long one question to the brokers may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// How long a broker may take to answer at the start, where nobody says how long it is waited for.
pub(super) const CONNECT_PATIENCE: Duration = Duration::from_secs(10);
