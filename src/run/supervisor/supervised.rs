//! One pipeline under supervision: runs it, and starts it again after a failure.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::{error, info, info_span};

use super::loaded::LoadedPipeline;
use crate::clock;
use crate::run::error::RunError;
use crate::run::live;
use crate::run::live::{RunOptions, RunOutcome};
use crate::run::metrics::{PipelineState, PipelineStatus};
use crate::run::rewind_pause::RewindPause;
use crate::run::stop::StopFlag;
use crate::run::summary::{PipelineOutcome, Summary};

/// A pipeline that is started again after a failure, as long as that can help.
pub(super) struct SupervisedPipeline {
    pub(super) pipeline: LoadedPipeline,
    pub(super) status: Arc<PipelineStatus>,
    pub(super) until_end: bool,
    pub(super) deadline: Option<Instant>,
    /// Bytes by which its model may grow.
    pub(super) room: u64,
    pub(super) stop: StopFlag,
}

impl SupervisedPipeline {
    /// Runs until it ends as planned, or has failed and may not be started again.
    pub(super) fn supervise(mut self) -> PipelineOutcome {
        let name = self.pipeline.name().to_owned();
        let _inside = info_span!("pipeline", name).entered();
        let mut total = Summary {
            pipeline: name.clone(),
            ..Summary::default()
        };
        let mut pause = FIRST_PAUSE;
        let mut rewind = RewindPause::default();
        let mut failure;
        loop {
            let began = clock::instant();
            failure = self.run_once(&mut total).err();
            let Some(why) = &failure else {
                self.status.set_state(PipelineState::Ended);
                break;
            };
            if began.elapsed() > LAST_PAUSE {
                pause = FIRST_PAUSE;
            }
            // A run up to the end of its topics is one run.
            let may_help = !why.is_final() && !self.until_end;
            let wait = match why.is_rewind() {
                true => Some(rewind.next()),
                false => may_help.then_some(pause),
            };
            self.status.set_state(PipelineState::Failed {
                why: why.to_string(),
                retry_in: wait,
            });
            let Some(wait) = wait else {
                error!(%why, "the pipeline failed and is not started again; the others go on");
                break;
            };
            error!(%why, retry_in = ?wait, "the pipeline failed; the others go on");
            if !self.wait(wait) {
                break;
            }
            if !why.is_rewind() {
                pause = (pause * 2).min(LAST_PAUSE);
            }
            self.status.note_restart();
            info!(
                restarts = self.status.restarts(),
                "starting the pipeline again"
            );
        }
        PipelineOutcome {
            summary: total,
            restarts: self.status.restarts(),
            failure: failure.map(|why| why.to_string()),
        }
    }

    /// One start, to its end. What was done is added to the total.
    fn run_once(&mut self, total: &mut Summary) -> Result<(), RunError> {
        if self.status.restarts() > 0 {
            let planned = self.status.need().bytes();
            self.pipeline
                .reload_model(planned.saturating_add(self.room))?;
        }
        let options = RunOptions {
            until_end: self.until_end,
            duration: self.deadline.map(|end| end - clock::instant()),
            capture: None,
        };
        let started = catch_unwind(AssertUnwindSafe(|| {
            let sink = self.pipeline.open_sink()?;
            let LoadedPipeline {
                pipeline, loaded, ..
            } = &self.pipeline;
            live::run_at(&self.status, pipeline, loaded, sink, &options, &self.stop)
        }));
        let RunOutcome { summary, failure } = started
            .unwrap_or_else(|panic| Err(RunError::panicked("the writer", panic.as_ref())))?;
        total.add_run(summary);
        failure.map_or(Ok(()), Err)
    }

    /// Waits; false where the run is to end before the pause has passed.
    pub(super) fn wait(&self, pause: Duration) -> bool {
        let until = clock::instant() + pause;
        loop {
            let now = clock::instant();
            if self.stop.is_set() || self.deadline.is_some_and(|deadline| now >= deadline) {
                return false;
            }
            if now >= until {
                return true;
            }
            std::thread::sleep(STEP.min(until - now));
        }
    }
}

/// The pause before a restart: the first, doubled after each failure, and the longest. After a run that was
/// longer than the longest pause, the first applies again.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LAST_PAUSE: Duration = Duration::from_secs(60);
/// How long a request to stop may go unnoticed during a pause.
const STEP: Duration = Duration::from_millis(50);
