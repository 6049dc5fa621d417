//! Several pipelines in one process: each has a source, rings, engine threads, a writer and a sink of its
//! own. They share the process, ONNX Runtime's environment and the metrics server, and nothing else.
//!
//! A pipeline that fails ends alone. The failure is logged and shown, and after a pause that grows the
//! pipeline is started again from its committed offsets. What ends the process cannot be contained here: a
//! lack of memory, or a crash in a library.

mod conflicts;
mod load_errors;
mod loaded;
mod overrides;
mod supervised;

use std::any::Any;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tracing::error;

use self::conflicts::conflicts_between;
pub use self::load_errors::LoadErrors;
pub use self::loaded::LoadedPipeline;
pub use self::overrides::{check_override_names, overrides_of};
use self::supervised::SupervisedPipeline;
use super::budget::{BudgetError, ResourceLimits, ResourcePlan};
use super::error::RunError;
use super::live::RunOptions;
use super::metrics::{PipelineState, PipelineStatus, ProcessStatus, Server};
use super::runtime::metrics_runtime;
use super::stop::StopFlag;
use super::summary::{PipelineOutcome, Summary};
use crate::clock;
use crate::config::PipelineFile;
use crate::pipeline::Pipeline;

/// Why a run of several pipelines cannot start.
#[derive(Debug, thiserror::Error)]
pub enum SupervisorError {
    /// The plan is larger than allowed. Not transparent, so that it is found in the chain of causes.
    #[error("{0}")]
    Budget(#[from] BudgetError),
    /// Metrics cannot be served, or the system gave no thread.
    #[error("{0}")]
    Run(#[from] RunError),
}

/// Loads all pipelines. `NAME:KEY=VALUE` changes the configuration of one, `KEY=VALUE` that of all.
///
/// # Errors
/// All that is wrong, of all pipelines: then none is started.
pub fn load_all<P: AsRef<Path>>(
    paths: &[P],
    set: &[String],
) -> Result<Vec<LoadedPipeline>, LoadErrors> {
    let mut errors = LoadErrors::default();
    let mut names = vec![];
    for path in paths {
        match PipelineFile::load(path.as_ref(), &[]) {
            Ok((file, ..)) => names.push((path, file.name)),
            Err(error) => errors.push_pipeline(error.into()),
        }
    }
    let known: Vec<&str> = names.iter().map(|(_, name)| name.as_str()).collect();
    // An override may be for a pipeline whose name could not be read.
    if errors.is_empty()
        && let Err(other) = check_override_names(set, &known)
    {
        errors.extend(other);
    }
    let mut loaded = vec![];
    for (path, name) in &names {
        match LoadedPipeline::load(path.as_ref(), &overrides_of(name, set)) {
            Ok(pipeline) => loaded.push(pipeline),
            Err(error) => errors.push_pipeline(error),
        }
    }
    let pipelines: Vec<&Pipeline> = loaded.iter().map(LoadedPipeline::pipeline).collect();
    for conflict in conflicts_between(&pipelines) {
        errors.push(conflict);
    }
    errors.into_result(loaded)
}

/// Runs pipelines until all have ended, or `stop` is set.
///
/// # Errors
/// [`SupervisorError`] where nothing was started. What became of each pipeline stands in its outcome.
pub fn run(
    pipelines: Vec<LoadedPipeline>,
    options: &RunOptions,
    limits: &ResourceLimits,
    stop: &StopFlag,
) -> Result<Vec<PipelineOutcome>, SupervisorError> {
    let plan = ResourcePlan::of(pipelines.iter().map(|one| (&one.pipeline, &one.loaded)));
    plan.check(limits)?;
    plan.log();
    let spare = limits.bytes.map(|most| most - plan.bytes());
    let room = spare.map_or(u64::MAX, |spare| spare / pipelines.len().max(1) as u64);
    let needs = plan.0.iter();
    let statuses: Vec<Arc<PipelineStatus>> = needs
        .map(|(name, need)| Arc::new(PipelineStatus::new(name, *need)))
        .collect();
    let served = metrics_runtime()?;
    let listen = pipelines
        .first()
        .map(|one| one.pipeline.file.metrics.listen.clone());
    let shown = ProcessStatus(statuses.clone());
    Server::start(&listen.unwrap_or_default(), shown, &served).map_err(RunError::from)?;
    let deadline = options.duration.map(|duration| clock::instant() + duration);
    let supervised = pipelines.into_iter().zip(statuses);
    let patience = stop.patience(options.duration);
    let supervised = supervised.map(|(mut pipeline, status)| {
        pipeline.pipeline.sinks.patience = patience.clone();
        SupervisedPipeline {
            pipeline,
            status,
            until_end: options.until_end,
            deadline,
            room,
            stop: stop.clone(),
        }
    });
    let outcomes = run_all(supervised, stop, |name, supervised| {
        std::thread::Builder::new()
            .name(format!("writer-{name}"))
            .spawn(move || supervised.supervise())
    });
    served.shutdown_timeout(Duration::from_secs(1));
    Ok(outcomes)
}

/// Starts a thread for each pipeline and waits for their ends. A pipeline without a thread has failed, and
/// stops the others: they end in order.
fn run_all(
    all: impl Iterator<Item = SupervisedPipeline>,
    stop: &StopFlag,
    spawn: impl Fn(&str, SupervisedPipeline) -> io::Result<JoinHandle<PipelineOutcome>>,
) -> Vec<PipelineOutcome> {
    let mut threads = vec![];
    for supervised in all {
        let name = supervised.pipeline.name().to_owned();
        let status = Arc::clone(&supervised.status);
        let thread = spawn(&name, supervised).map_err(RunError::Thread);
        if let Err(error) = &thread {
            stop.set();
            error!(pipeline = name, %error, "the pipeline was not started; stopping the others");
            status.set_state(PipelineState::Failed {
                why: error.to_string(),
                retry_in: None,
            });
        }
        threads.push((name, thread));
    }
    let outcome = |(name, thread): (String, Result<JoinHandle<PipelineOutcome>, RunError>)| {
        let ended = thread.and_then(|thread| {
            let panicked = |panic: Box<dyn Any + Send>| RunError::panicked(&name, panic.as_ref());
            thread.join().map_err(panicked)
        });
        ended.unwrap_or_else(|error| PipelineOutcome {
            summary: Summary {
                pipeline: name.clone(),
                ..Summary::default()
            },
            failure: Some(error.to_string()),
            ..PipelineOutcome::default()
        })
    };
    threads.into_iter().map(outcome).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::budget::ResourceNeed;
    use crate::run::summary::PipelineOutcomes;
    use crate::tests::scratch::Scratch;

    const PIPELINE: &str = r#"
name = "a"
[row]
on = "trade"
[[feature]]
name = "p"
kind = "price"
[model]
kind = "sum"
"#;

    #[test]
    fn a_pipeline_without_a_thread_has_failed_and_stops_the_others() {
        let scratch = Scratch::new();
        let path = scratch.write("pipeline.toml", PIPELINE);
        let stop = StopFlag::default();
        let supervised = ["a", "b"].map(|name| SupervisedPipeline {
            pipeline: LoadedPipeline::load(&path, &[format!("name={name:?}")]).unwrap(),
            status: Arc::new(PipelineStatus::new(name, ResourceNeed::default())),
            until_end: false,
            deadline: None,
            room: 0,
            stop: stop.clone(),
        });
        let outcomes = run_all(
            supervised.into_iter(),
            &stop,
            |name, supervised| match name {
                "b" => Err(io::ErrorKind::WouldBlock.into()),
                // It runs until it is stopped.
                _ => std::thread::Builder::new().spawn(move || {
                    while supervised.wait(Duration::from_secs(60)) {}
                    PipelineOutcome::default()
                }),
            },
        );
        assert!(outcomes[0].failure.is_none());
        assert_eq!(outcomes[1].summary.pipeline, "b");
        let failure = outcomes[1].failure.as_deref().unwrap_or_default();
        assert!(failure.starts_with("while starting a thread"), "{failure}");
        assert!(
            PipelineOutcomes::from(outcomes).failed(),
            "the command exits with 1"
        );
    }
}
