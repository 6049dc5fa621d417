//! The status of each pipeline of a process, written by its run and read by the metrics server.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::clock;
use crate::run::budget::ResourceNeed;
use crate::run::status::{NAMES_MAX, WorkerStatus};
use crate::source::status::FeedStatus;
use crate::source::websocket::hours::MarketHours;

/// What a pipeline shows while it runs.
#[derive(Clone, Debug)]
pub struct RunningPipeline {
    /// SHA-256 of the model that runs.
    pub model_sha256: String,
    /// Where the model computes.
    pub provider: String,
    /// The status of each shard's worker.
    pub workers: Vec<Arc<WorkerStatus>>,
    /// The status of the source.
    pub feed: Arc<FeedStatus>,
    /// Instruments that the source is asked for; none where it reads all that come.
    pub listed: Vec<String>,
    /// When their market is open; none where it always is.
    pub hours: Option<MarketHours>,
    /// The venues of the listed instruments.
    pub venues: Vec<String>,
    /// Whether each of them needs a book or a quote.
    pub needs_quotes: bool,
    /// When it began.
    pub began: Instant,
    /// How long instruments may wait before the pipeline is not ready.
    pub waiting_max: Duration,
    /// Whether the capture has failed; none where nothing is captured.
    pub capture_failed: Option<Arc<AtomicBool>>,
}

impl RunningPipeline {
    /// Instruments that wait for a book or a quote, those that nothing has come of included, and since when.
    pub(super) fn waiting(&self) -> (usize, Option<Instant>) {
        let workers = self.workers.iter().map(|worker| worker.figures());
        let (mut waiting, mut seen, mut since) = (0, 0, None::<Instant>);
        for figures in workers {
            waiting += figures.waiting;
            seen += figures.heard;
            since = [since, figures.waiting_since].into_iter().flatten().min();
        }
        let unseen = match self.needs_quotes {
            true => self.listed.len().saturating_sub(seen),
            false => 0,
        };
        if unseen > 0 {
            since = Some(self.began);
        }
        (waiting + unseen, since)
    }

    /// Why it is not ready, for people; none where it is.
    fn problem(&self) -> Option<String> {
        if !self.feed.is_healthy() {
            return Some("the source is not connected".into());
        }
        let (waiting, since) = self.waiting();
        let mut for_long = since?.elapsed();
        if let Some(hours) = &self.hours {
            // Nothing comes of a market that is closed, and nobody waits for it.
            let now = clock::now();
            for_long = for_long.min(Duration::from_nanos(
                now.since(hours.open_since(now)?) as u64
            ));
        }
        (for_long > self.waiting_max).then(|| {
            let (for_long, names) = (for_long.as_secs(), self.names_of_waiting());
            let named = match (names.is_empty(), names.len() < waiting) {
                (true, _) => String::new(),
                (false, true) => format!(": {}, …", names.join(", ")),
                (false, false) => format!(": {}", names.join(", ")),
            };
            format!(
                "{waiting} instruments have waited for a book or a quote for {for_long} s{named}"
            )
        })
    }

    /// The first instruments that wait.
    fn names_of_waiting(&self) -> Vec<String> {
        let workers = self.workers.iter().map(|worker| worker.figures());
        let (mut seen, mut heard, mut names) = (0, BTreeSet::new(), vec![]);
        for figures in workers {
            seen += figures.heard;
            heard.extend(figures.heard_names.iter().cloned());
            names.extend(figures.waiting_names);
        }
        // Of very many instruments it is not told which were heard.
        if self.needs_quotes && heard.len() == seen {
            let unheard = self.listed.iter().filter(|name| !heard.contains(*name));
            names.extend(unheard.cloned());
        }
        names.truncate(NAMES_MAX);
        names
    }
}

/// The status of a pipeline over all its starts. Its figures begin at zero with each start.
#[derive(Debug)]
pub struct PipelineStatus {
    pub(super) name: String,
    need: ResourceNeed,
    state: Mutex<PipelineState>,
    restarts: AtomicU64,
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
            state: Mutex::new(PipelineState::Starting),
            restarts: AtomicU64::new(0),
        }
    }

    /// Sets the state.
    pub fn set_state(&self, state: PipelineState) {
        *self.lock() = state;
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
        match &*self.lock() {
            PipelineState::Running(running) => Some((**running).clone()),
            PipelineState::Starting | PipelineState::Ended | PipelineState::Failed { .. } => None,
        }
    }

    pub(super) fn is_running(&self) -> bool {
        matches!(&*self.lock(), PipelineState::Running(_))
    }

    /// Why it is not ready, for people; none where it is.
    fn problem(&self) -> Option<String> {
        match &*self.lock() {
            PipelineState::Starting => Some("starting".into()),
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

    fn lock(&self) -> MutexGuard<'_, PipelineState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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

    fn running() -> RunningPipeline {
        RunningPipeline {
            model_sha256: "00".into(),
            provider: "cpu".into(),
            workers: vec![Arc::default()],
            feed: Arc::default(),
            listed: vec![],
            hours: None,
            venues: vec![],
            needs_quotes: true,
            began: crate::clock::instant(),
            waiting_max: Duration::ZERO,
            capture_failed: None,
        }
    }

    fn status(name: &str, state: PipelineState) -> Arc<PipelineStatus> {
        let status = PipelineStatus::new(name, ResourceNeed::default());
        status.set_state(state);
        Arc::new(status)
    }

    #[test]
    fn a_single_pipeline_is_not_named() {
        let all = ProcessStatus(vec![status(
            "a",
            PipelineState::Running(Box::new(running())),
        )]);
        assert_eq!(all.problems(), "the source is not connected\n");
        all.0[0].set_state(PipelineState::Ended);
        assert_eq!(all.problems(), "ended\n");
    }

    #[test]
    fn an_instrument_that_nothing_comes_of_makes_it_not_ready() {
        let running = RunningPipeline {
            listed: vec!["A.X".into(), "B.X".into()],
            venues: vec![],
            ..running()
        };
        running.feed.set_healthy(true);
        assert_eq!(running.waiting().0, 2);
        let said = running.problem().unwrap();
        assert_eq!(
            said,
            "2 instruments have waited for a book or a quote for 0 s: A.X, B.X"
        );
        let of_many = RunningPipeline {
            listed: (0..9).map(|at| format!("{at}.X")).collect(),
            ..running.clone()
        };
        let said = of_many.problem().unwrap();
        assert!(said.ends_with(": 0.X, 1.X, 2.X, 3.X, 4.X, …"), "{said}");
        let hours = MarketHours {
            zone: chrono_tz::UTC,
            open: chrono::NaiveTime::MIN,
            close: chrono::NaiveTime::MIN,
            days: vec![],
            holidays: vec![],
        };
        let closed = RunningPipeline {
            hours: Some(hours),
            ..running.clone()
        };
        assert_eq!(closed.problem(), None, "nothing comes of a closed market");
        let patient = RunningPipeline {
            waiting_max: Duration::from_secs(3_600),
            ..running.clone()
        };
        assert_eq!(patient.problem(), None);
        let trades_alone = RunningPipeline {
            needs_quotes: false,
            ..running
        };
        assert_eq!(trades_alone.problem(), None);
    }

    #[test]
    fn pipelines_that_are_not_ready_are_named() {
        let running = running();
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
}
