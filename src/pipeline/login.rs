//! The login of a pipeline to its brokers, before its sink and its source are opened.

use std::time::Duration;

use super::source::bootstrap;
use crate::config::{PipelineFile, SinkKind, SourceKind};
use crate::login::{LoginError, Refusal, log_in};
use crate::sink::kafka::patience::ConnectPatience;

/// Asks the brokers whether they let the pipeline in. Brokers that are away, and pipelines without brokers,
/// are none of its concern.
///
/// # Errors
/// [`LoginError`] where they answer and refuse, or no client can be made.
pub(super) fn log_in_first(
    file: &PipelineFile,
    patience: &ConnectPatience,
) -> Result<(), LoginError> {
    let kafka = &file.kafka;
    let has_brokers = file.source.kind == SourceKind::Kafka || file.sink.kind == SinkKind::Kafka;
    if !has_brokers || kafka.embedded {
        return Ok(());
    }
    let (bootstrap, is_over) = (bootstrap(kafka), || patience.is_over());
    match log_in(&bootstrap, &kafka.properties, LOGIN_PATIENCE, true, is_over) {
        Ok(_) | Err(LoginError::NoAnswer { .. }) => Ok(()),
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

/// How long brokers may take to answer before the source and the sink wait for them.
const LOGIN_PATIENCE: Duration = Duration::from_secs(5);
