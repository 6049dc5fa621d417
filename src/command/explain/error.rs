//! Why a signal cannot be explained.

use crate::model::ModelError;
use crate::pipeline::PipelineError;
use crate::run::replay::ReplayError;

/// Why a signal cannot be explained.
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    /// The pipeline cannot run.
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
    /// The input cannot be replayed.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// The model failed.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// No signal has the id.
    #[error(
        "while looking for the signal {id}: none of the {looked} signals that the input gives has this id; \
         give the files that the run read, in their order (an id is made of the address of the frame), or \
         name the signal of another run by --instrument and --at"
    )]
    NoSuchId {
        /// The id.
        id: String,
        /// Signals that were looked at.
        looked: u64,
    },
    /// The instrument has no signal at that time or before.
    #[error(
        "while looking for the last signal of {instrument} at {at} or before: {what} ({looked} signals were \
         looked at)"
    )]
    NoneAt {
        /// The instrument.
        instrument: String,
        /// The time.
        at: String,
        /// What there is instead.
        what: String,
        /// Signals that were looked at.
        looked: u64,
    },
}
