//! The live driver: source, rings, shards and the writer, until the source ends or the run is stopped.
//!
//! A Kafka offset is committed once every signal of the frames before it has arrived at the sink: at
//! least once. Stopping is orderly: the source ends, the shards empty their rings, the writer flushes,
//! the source commits.

mod capture;
mod committing;
mod keeper;
mod live_run;
pub mod outcome;
mod recovery;
mod rewinds;
mod run_output;
#[cfg(test)]
mod simulation;
pub mod sources;
mod states;
mod timing;
mod waiting_states;

use std::sync::Arc;
use std::time::Duration;

use self::live_run::LiveRun;
pub use self::outcome::{RunOptions, RunOutcome};
use self::rewinds::Rewinds;
use super::budget::ResourceNeed;
use super::error::RunError;
use super::metrics::{PipelineState, PipelineStatus, ProcessStatus, Server};
use super::runtime::{metrics_runtime, source_runtime};
use super::stop::StopFlag;
use crate::clock;
use crate::pipeline::{Loaded, Pipeline};
use crate::sink::{Sink, SinkError};

/// Runs a pipeline into a sink until it ends or is stopped.
///
/// # Errors
/// [`RunError`] where the run could not start. Once it ran, the failure stands in [`RunOutcome`], beside the
/// account of what was done until then.
pub fn run(
    pipeline: &Pipeline,
    loaded: &Loaded,
    sink: Box<dyn Sink>,
    options: &RunOptions,
    stop: &StopFlag,
) -> Result<RunOutcome, RunError> {
    let mut sink = Some(sink);
    run_into(pipeline, loaded, || sink.take().map(Ok), options, stop)
}

/// The same into a sink that `open` opens, each time that the run begins again at the committed offsets:
/// where a transaction failed, or partitions were taken away. Where it gives none, the run ends.
///
/// # Errors
/// As [`run`], and those of `open`.
pub fn run_into(
    pipeline: &Pipeline,
    loaded: &Loaded,
    mut open: impl FnMut() -> Option<Result<Box<dyn Sink>, SinkError>>,
    options: &RunOptions,
    stop: &StopFlag,
) -> Result<RunOutcome, RunError> {
    let need = ResourceNeed::of(pipeline, loaded);
    let status = Arc::new(PipelineStatus::new(&pipeline.file.name, need));
    let served = metrics_runtime()?;
    let listen = &pipeline.file.metrics.listen;
    Server::start(listen, ProcessStatus(vec![Arc::clone(&status)]), &served)?;
    let deadline = options.duration.map(|duration| clock::instant() + duration);
    let mut rewinds = Rewinds::default();
    let outcome = loop {
        let options = RunOptions {
            duration: deadline.map(|end| end.saturating_duration_since(clock::instant())),
            ..options.clone()
        };
        let Some(sink) = open() else {
            break Err(RunError::Lost);
        };
        let ended = sink
            .map_err(RunError::from)
            .and_then(|sink| run_at(&status, pipeline, loaded, sink, &options, stop));
        // Until the next run has its sink.
        status.set_state(PipelineState::Starting);
        let ended = rewinds.note(ended, stop);
        match ended {
            Some(ended) => break ended,
            None => status.note_restart(),
        }
    };
    served.shutdown_timeout(Duration::from_secs(1));
    outcome
}

/// The same without a metrics server: `status` is shown by that of the caller.
pub(crate) fn run_at(
    status: &PipelineStatus,
    pipeline: &Pipeline,
    loaded: &Loaded,
    sink: Box<dyn Sink>,
    options: &RunOptions,
    stop: &StopFlag,
) -> Result<RunOutcome, RunError> {
    let runtime = source_runtime(pipeline)?;
    let began = clock::instant();
    let mut run = LiveRun::start(status, pipeline, loaded, sink, options, &runtime)?;
    let failure = run
        .write(stop, options.duration.map(|duration| began + duration))
        .err();
    let mut outcome = run.end(loaded, failure, &runtime);
    outcome.summary.pipeline.clone_from(&pipeline.file.name);
    outcome.summary.seconds = clock::instant().duration_since(began).as_secs_f64();
    runtime.shutdown_timeout(Duration::from_secs(1));
    Ok(outcome)
}
