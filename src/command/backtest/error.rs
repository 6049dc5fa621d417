//! Why a pipeline cannot be backtested.

use std::io;
use std::path::PathBuf;

use super::sweep::SweepError;
use crate::command::evaluate::outcome::OutcomeError;
use crate::config::ConfigError;
use crate::pipeline::PipelineError;
use crate::run::readability::UnreadInput;
use crate::run::replay::ReplayError;
use crate::sink::SinkError;

/// Why a pipeline cannot be backtested.
#[derive(Debug, thiserror::Error)]
pub enum BacktestError {
    /// The replay.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// The model. Not transparent: the chain of causes must contain the [`ConfigError`].
    #[error("{0}")]
    Pipeline(#[from] PipelineError),
    /// The configuration. Not transparent, as above.
    #[error("{0}")]
    Config(#[from] ConfigError),
    /// The sweep. Not transparent, as above.
    #[error("{0}")]
    Sweep(#[from] SweepError),
    /// A file cannot be written.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// The folder cannot be made, or the report not be written.
    #[error("while writing to {}: {cause}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// The system's error.
        cause: io::Error,
    },
    /// Too much of the input could not be read.
    #[error(transparent)]
    Unread(#[from] UnreadInput),
    /// The input gave no signal.
    #[error("while trading the signals of the input: there are none{why}")]
    Nothing {
        /// Why, as far as it is known.
        why: String,
    },
    /// The labels.
    #[error(transparent)]
    Labels(#[from] OutcomeError),
    /// The input has nothing to fill orders on.
    #[error("while filling orders on {what}")]
    NoMarket {
        /// What is missing, and what to do.
        what: String,
    },
}
