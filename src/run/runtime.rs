//! Runtimes of tokio, for sockets and for the metrics server. Engines have threads of their own.

use tokio::runtime::{Builder, Runtime};

use super::error::RunError;
use crate::config::SourceKind;
use crate::pipeline::Pipeline;

/// The runtime of a source. Sockets live on one thread; Kafka's client has its own.
///
/// # Errors
/// [`RunError::Thread`].
pub(crate) fn source_runtime(pipeline: &Pipeline) -> Result<Runtime, RunError> {
    let is_feed = pipeline.file.source.kind == SourceKind::Websocket;
    match is_feed || pipeline.book_snapshots.is_some() {
        true => threaded("sockets"),
        false => Builder::new_current_thread()
            .build()
            .map_err(RunError::Thread),
    }
}

/// The runtime of the metrics server.
///
/// # Errors
/// [`RunError::Thread`].
pub(crate) fn metrics_runtime() -> Result<Runtime, RunError> {
    threaded("metrics")
}

fn threaded(name: &str) -> Result<Runtime, RunError> {
    Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name(name)
        .enable_all()
        .build()
        .map_err(RunError::Thread)
}
