//! Why a replay ended early.

use std::path::PathBuf;

use crate::model::ModelError;
use crate::pipeline::PipelineError;
use crate::sink::SinkError;
use crate::source::file::FileError;

/// Why a replay ended early.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The pipeline cannot run.
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
    /// A capture cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// Signals cannot be written.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// The model failed.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The system gave no thread.
    #[error(
        "while starting a thread: {0}; lower `engine.shards`, or allow the process more threads"
    )]
    Thread(std::io::Error),
    /// It ended early, and what it gave until then has been kept.
    #[error(
        "{cause}; what it gave until then is kept, and incomplete: {}",
        shown(outputs)
    )]
    Incomplete {
        /// Why it ended.
        cause: Box<Self>,
        /// The files.
        outputs: Vec<PathBuf>,
    },
}

fn shown(paths: &[PathBuf]) -> String {
    let shown: Vec<String> = paths
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    shown.join(", ")
}
