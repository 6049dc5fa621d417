//! Why a live run cannot start, or ended early.

use std::any::Any;

use super::metrics::MetricsError;
use crate::config::ConfigError;
use crate::model::ModelError;
use crate::pipeline::PipelineError;
use crate::sink::SinkError;
use crate::source::capture::CaptureError;
use crate::source::kafka::KafkaSourceError;
use crate::source::websocket::WebsocketError;
use crate::state::StateError;

/// Why a run cannot start, or ended early.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The pipeline cannot run.
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
    /// The configuration does not allow it.
    #[error("{0}")]
    Config(#[from] ConfigError),
    /// The model failed.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// Signals cannot be written.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// States cannot be saved.
    #[error(transparent)]
    State(#[from] StateError),
    /// Partitions were taken away while records of them were worked on.
    #[error(
        "while reading Kafka: partitions were taken away by the group while their records were worked on; going on \
         at the offsets that the group has committed"
    )]
    Lost,
    /// The capture cannot be written.
    #[error(transparent)]
    Capture(#[from] CaptureError),
    /// The feed cannot be read.
    #[error(transparent)]
    Websocket(#[from] WebsocketError),
    /// The topics cannot be read.
    #[error(transparent)]
    Kafka(#[from] KafkaSourceError),
    /// Metrics cannot be served.
    #[error(transparent)]
    Metrics(#[from] MetricsError),
    /// The system gave no thread.
    #[error(
        "while starting a thread: {0}; allow the process more threads, or run fewer pipelines or shards"
    )]
    Thread(std::io::Error),
    /// A bug.
    #[error("a thread of the engine panicked: {0}; this is a bug, please report it")]
    Panicked(String),
}

impl RunError {
    /// Whether another start would fail alike until somebody has changed something: a venue refuses the keys,
    /// or the brokers the login.
    pub(crate) fn is_final(&self) -> bool {
        matches!(
            self,
            Self::Websocket(WebsocketError::Refused { .. }) | Self::Sink(SinkError::Login(_))
        )
    }

    /// Whether the run only has to begin again at the committed offsets, without a pause.
    pub(crate) fn is_rewind(&self) -> bool {
        match self {
            Self::Lost => true,
            Self::Sink(SinkError::Kafka(error)) => error.is_mended_by_rewinding(),
            _ => false,
        }
    }

    /// The panic of the named thread.
    pub(crate) fn panicked(thread: &str, panic: &(dyn Any + Send)) -> Self {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let message = text.or(panic.downcast_ref::<&str>().copied());
        Self::Panicked(format!(
            "{thread}: {}",
            message.unwrap_or("without a message")
        ))
    }
}
