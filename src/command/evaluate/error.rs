//! Why a pipeline, or stored signals, cannot be evaluated.

use std::path::PathBuf;

use super::metrics::SampleError;
use super::outcome::OutcomeError;
use crate::command::pairing::PairingError;
use crate::config::ConfigError;
use crate::pipeline::PipelineError;
use crate::run::replay::ReplayError;
use crate::run::replay_span::EmptySpan;

/// Why a pipeline cannot be evaluated.
#[derive(Debug, thiserror::Error)]
pub enum EvaluateError {
    /// The replay.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// The pipeline.
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
    /// The span of time.
    #[error(transparent)]
    Span(#[from] EmptySpan),
    /// The configuration.
    #[error("{0}")]
    Config(#[from] ConfigError),
    /// The labels.
    #[error(transparent)]
    Outcome(#[from] OutcomeError),
    /// The signals.
    #[error(transparent)]
    Stored(#[from] StoredError),
    /// Labels and scores do not match.
    #[error("{0}; are these the labels of this pipeline?")]
    Sample(#[from] SampleError),
    /// No label matches a signal.
    #[error(
        "while evaluating {signals} signals ({undefined} further windows had no finite score): none has a label{}; labels \
         are matched by `signal_id`, or by key and `ts_event` (without one: the key's last signal){}",
        split.as_ref().map_or(String::new(), |split| format!(" of the split `{split}`")),
        lack.as_ref().map_or(String::new(), |lack| format!("; {lack}"))
    )]
    Nothing {
        /// Signals given.
        signals: usize,
        /// Windows for which the model gave no finite number.
        undefined: u64,
        /// The split of the options.
        split: Option<String>,
        /// Why there is no signal at all, where that is known.
        lack: Option<String>,
    },
    /// No signal has a move of the price after it.
    #[error("while measuring moves of the price after {signals} signals: {why}")]
    NoMoves {
        /// Signals given.
        signals: usize,
        /// Why, and what to do.
        why: String,
    },
}

/// Why a stored signal cannot be judged.
#[derive(Debug, thiserror::Error)]
pub enum StoredError {
    /// A file or a topic cannot be read.
    #[error(transparent)]
    Read(#[from] PairingError),
    /// A signal lacks what is needed.
    #[error("while reading signal {number} of {}: {what}", path.display())]
    Signal {
        /// Where it is.
        path: PathBuf,
        /// Its number, from 1.
        number: u64,
        /// What is wrong, and what to do.
        what: String,
    },
    /// All signals are of other models.
    #[error(
        "while reading signals: all {signals} are of other models than the pipeline's, which is {sha256}; name the \
         pipeline that made them"
    )]
    OtherModel {
        /// How many.
        signals: u64,
        /// The SHA-256 of the pipeline's model.
        sha256: String,
    },
}
