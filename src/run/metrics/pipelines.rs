//! The status of each pipeline of a process, written by its run and read by the metrics server.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::running::RunningPipeline;
use super::totals::Totals;
use crate::run::budget::ResourceNeed;

/// The status of a pipeline over all its starts.
#[derive(Debug)]
pub struct PipelineStatus {
    pub(super) name: String,
    need: ResourceNeed,
    held: Mutex<StatusHistory>,
    restarts: AtomicU64,
}

/// The state of a pipeline, and what it counted in its earlier starts.
#[derive(Debug)]
struct StatusHistory {
    state: PipelineState,
    past: Totals,
}

/// The state of a pipeline.
#[derive(Clone, Debug)]
pub enum PipelineState {
    /// It is being started.
    Starting,
    /// It runs.
    Running(Box<RunningPipeline>),
    /// It has ended as planned.
    Ended,
    /// It failed.
    Failed {
        /// Why.
        why: String,
        /// How long until it is started again; none where it is not.
        retry_in: Option<Duration>,
    },
}

/// The statuses of all pipelines of a process.
#[derive(Clone, Debug)]
pub struct ProcessStatus(pub Vec<Arc<PipelineStatus>>);

impl PipelineStatus {
    /// The status of a pipeline that is being started.
    #[must_use]
    pub fn new(name: &str, need: ResourceNeed) -> Self {
        Self {
            name: name.to_owned(),
            need,
            held: Mutex::new(StatusHistory {
                state: PipelineState::Starting,
                past: Totals::default(),
            }),
            restarts: AtomicU64::new(0),
        }
    }

    /// Sets the state. What a run has counted stays when it ends.
    pub fn set_state(&self, state: PipelineState) {
        let mut held = self.lock();
        let before = std::mem::replace(&mut held.state, state);
        if let PipelineState::Running(running) = before {
            held.past.add(Totals::of(&running).ended());
        }
    }

    /// What was counted in all starts.
    pub(super) fn totals(&self) -> Totals {
        let held = self.lock();
        let mut totals = held.past.clone();
        if let PipelineState::Running(running) = &held.state {
            totals.add(Totals::of(running));
        }
        totals
    }

    /// Counts a restart.
    pub fn note_restart(&self) {
        self.restarts.fetch_add(1, Ordering::Relaxed);
        self.set_state(PipelineState::Starting);
    }

    /// The threads and memory planned for it.
    #[must_use]
    pub fn need(&self) -> ResourceNeed {
        self.need
    }

    /// The number of restarts.
    #[must_use]
    pub fn restarts(&self) -> u64 {
        self.restarts.load(Ordering::Relaxed)
    }

    pub(super) fn running(&self) -> Option<RunningPipeline> {
        match &self.lock().state {
            PipelineState::Running(running) => Some((**running).clone()),
            PipelineState::Starting | PipelineState::Ended | PipelineState::Failed { .. } => None,
        }
    }

    pub(super) fn is_running(&self) -> bool {
        matches!(&self.lock().state, PipelineState::Running(_))
    }

    /// Why it is not ready, for people; none where it is.
    pub(super) fn problem(&self) -> Option<String> {
        match &self.lock().state {
            PipelineState::Starting => Some("starting: its sink is not connected yet".into()),
            PipelineState::Running(running) => running.problem(),
            PipelineState::Ended => Some("ended".into()),
            PipelineState::Failed {
                why,
                retry_in: None,
            } => Some(format!("failed: {why}")),
            PipelineState::Failed {
                why,
                retry_in: Some(pause),
            } => {
                let seconds = pause.as_secs();
                Some(format!("failed, retry in {seconds} s: {why}"))
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, StatusHistory> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ProcessStatus {
    /// A line for each pipeline that is not ready. It begins with the name where there are several
    /// pipelines.
    pub(super) fn problems(&self) -> String {
        let line = |status: &Arc<PipelineStatus>| {
            let problem = status.problem()?;
            Some(match self.0.len() {
                1 => format!("{problem}\n"),
                _ => format!("{}: {problem}\n", status.name),
            })
        };
        self.0.iter().filter_map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(name: &str, state: PipelineState) -> Arc<PipelineStatus> {
        let status = PipelineStatus::new(name, ResourceNeed::default());
        status.set_state(state);
        Arc::new(status)
    }

    #[test]
    fn a_single_pipeline_is_not_named() {
        let all = ProcessStatus(vec![status(
            "a",
            PipelineState::Running(Box::new(RunningPipeline::of_test())),
        )]);
        assert_eq!(all.problems(), "the source is not connected\n");
        all.0[0].set_state(PipelineState::Ended);
        assert_eq!(all.problems(), "ended\n");
    }

    #[test]
    fn pipelines_that_are_not_ready_are_named() {
        let running = RunningPipeline::of_test();
        running.feed.set_healthy(true);
        let failed = |retry_in| PipelineState::Failed {
            why: "no model".into(),
            retry_in,
        };
        let all = ProcessStatus(vec![
            status("a", PipelineState::Running(Box::new(running))),
            status("b", failed(Some(Duration::from_secs(4)))),
            status("c", failed(None)),
        ]);
        let problems = "b: failed, retry in 4 s: no model\nc: failed: no model\n";
        assert_eq!(all.problems(), problems);
    }

    #[test]
    fn what_was_counted_stays_when_the_pipeline_is_started_again() {
        let status = status("a", PipelineState::Starting);
        let delivered = || status.totals().of_family("sink_delivered").next();
        assert_eq!(delivered(), Some((["", ""], 0)), "from the start");
        for count in [4, 8] {
            let running = RunningPipeline::of_test();
            running.sink.update(|figures| figures.delivered = 3);
            status.set_state(PipelineState::Running(Box::new(running.clone())));
            running.sink.update(|figures| figures.delivered = 4);
            status.set_state(PipelineState::Failed {
                why: "no model".into(),
                retry_in: None,
            });
            status.note_restart();
            assert_eq!(delivered(), Some((["", ""], count)));
        }
    }
}
