//! The login of a pipeline to its brokers, and its rights there, before its sink and its source are opened.

use std::time::Duration;

use rdkafka::error::RDKafkaErrorCode;
use rdkafka::producer::Producer;

use super::broker_needs::BrokerNeeds;
use super::source::bootstrap;
use crate::config::{PipelineFile, SinkKind, SourceKind};
use crate::login::described;
use crate::login::described::{BrokerRight, no_right};
use crate::login::{LoggedIn, LoginError, Refusal, log_in};
use crate::signal::lineage::Lineage;
use crate::sink::kafka::patience::ConnectPatience;

/// Asks the brokers whether they let the pipeline in, and what they allow it. Brokers that are away, and
/// pipelines without brokers, are none of its concern.
///
/// # Errors
/// [`LoginError`] where they answer and refuse, where rights are missing, or no client can be made.
pub(super) fn log_in_first(
    file: &PipelineFile,
    lineage: &Lineage,
    patience: &ConnectPatience,
) -> Result<(), LoginError> {
    let kafka = &file.kafka;
    let has_brokers = file.source.kind == SourceKind::Kafka || file.sink.kind == SinkKind::Kafka;
    if !has_brokers || kafka.embedded {
        return Ok(());
    }
    let (bootstrap, is_over) = (bootstrap(kafka), || patience.is_over());
    match log_in(&bootstrap, &kafka.properties, LOGIN_PATIENCE, true, is_over) {
        Ok(client) => {
            let reads = file.source.kind == SourceKind::Kafka;
            let missing = missing_rights(&client, &BrokerNeeds::of(file, lineage, reads));
            if missing.is_empty() {
                return Ok(());
            }
            Err(LoginError::NoRights { bootstrap, missing })
        }
        Err(LoginError::NoAnswer { .. }) => Ok(()),
        // A proxy whose brokers are away hangs up like this too.
        Err(LoginError::Refused {
            refusal: refusal @ Refusal::Protocol(_),
            ..
        }) => {
            tracing::warn!(bootstrap, "waiting for brokers: {refusal}");
            Ok(())
        }
        Err(refused) => Err(refused),
    }
}

/// The rights that the brokers say are missing. What they do not say is left to the sink and the source, and
/// so are topics that are not there: brokers that have just started may not know them yet.
fn missing_rights(client: &LoggedIn, needs: &BrokerNeeds) -> Vec<String> {
    let client = client.client();
    let names: Vec<String> = needs
        .topics
        .iter()
        .map(|topic| topic.name.clone())
        .collect();
    let topics = described::topics(client, &names, LOGIN_PATIENCE).unwrap_or_default();
    let mut missing = vec![];
    for topic in &needs.topics {
        let (right, word) = topic.role.right();
        let found = topics.iter().find(|found| found.name == topic.name);
        let is_refused = found.is_some_and(|found| match found.error {
            None => !found.allows(right),
            Some(error) => error == RDKafkaErrorCode::TopicAuthorizationFailed,
        });
        if is_refused {
            missing.push(no_right(word, "topic", &topic.name));
        }
    }
    if let Some(group) = &needs.group {
        let refused = RDKafkaErrorCode::GroupAuthorizationFailed;
        let is_refused = match described::group(client, group, LOGIN_PATIENCE) {
            Ok(found) => found.error == Some(refused) || !found.allows(BrokerRight::Read),
            Err(error) => error == refused,
        };
        if is_refused {
            missing.push(no_right("Read", "group", group));
        }
    }
    missing
}

/// How long brokers may take to answer before the source and the sink wait for them.
const LOGIN_PATIENCE: Duration = Duration::from_secs(5);
