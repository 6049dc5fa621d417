//! Several pipelines in one process: each has a source, rings, engine threads, a writer and a sink of its
//! own. They share the process, ONNX Runtime's environment and the server of metrics, and nothing else.
//!
//! A pipeline that fails ends alone, is told, and is started again from its committed offsets after a pause
//! that grows. Nothing here can contain what ends a process: no memory left, or a crash in a library.

mod conflicts;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::{error, info, info_span};

use self::conflicts::check_apart;
pub use self::conflicts::{Refusal, check_names, overrides_of};
use super::budget::{BudgetError, Limits, Need, Plan};
use super::live;
use super::live::{Ended, Options, RunError, Stop};
use super::metrics::{Place, Server, State, Wall};
use super::summary::{Outcome, Summary};
use crate::clock;
use crate::config::{PipelineFile, SinkKind};
use crate::model::ModelError;
use crate::pipeline::{Loaded, Pipeline, PipelineError};
use crate::signal::lineage::Lineage;
use crate::sink;
use crate::sink::{Sink, SinkError};

/// A pipeline of the run, with its model.
pub struct Member {
    pipeline: Pipeline,
    loaded: Loaded,
    open: Box<Open>,
}

type Open = dyn Fn(&Pipeline, &Lineage) -> Result<Box<dyn Sink>, SinkError> + Send;

/// Why a run of several cannot start.
#[derive(Debug, thiserror::Error)]
pub enum TogetherError {
    /// The plan is larger than allowed. Not transparent: whoever asks for the cause must find it.
    #[error("{0}")]
    Budget(#[from] BudgetError),
    /// Metrics cannot be served, or the system gave no thread.
    #[error("{0}")]
    Run(#[from] RunError),
}

impl Member {
    /// A pipeline with its model, as `run` takes it.
    ///
    /// # Errors
    /// [`PipelineError`].
    pub fn load(path: &Path, overrides: &[String]) -> Result<Self, PipelineError> {
        let pipeline = Pipeline::load(path, overrides)?;
        let loaded = load_model(&pipeline)?;
        Ok(Self {
            pipeline,
            loaded,
            open: Box::new(sink::open),
        })
    }

    /// The same into another sink, which is opened at each start.
    #[must_use]
    pub fn into_sink(
        self,
        open: impl Fn(&Pipeline, &Lineage) -> Result<Box<dyn Sink>, SinkError> + Send + 'static,
    ) -> Self {
        let open = Box::new(open);
        Self { open, ..self }
    }

    /// The pipeline.
    #[must_use]
    pub fn pipeline(&self) -> &Pipeline {
        &self.pipeline
    }

    /// Its model.
    #[must_use]
    pub fn loaded(&self) -> &Loaded {
        &self.loaded
    }

    fn name(&self) -> &str {
        &self.pipeline.file.name
    }
}

/// Loads all of them. `NAME:KEY=VALUE` changes one pipeline's configuration, `KEY=VALUE` that of all.
///
/// # Errors
/// All that is wrong, of all pipelines: then none is started.
pub fn load_all<P: AsRef<Path>>(paths: &[P], set: &[String]) -> Result<Vec<Member>, Refusal> {
    let mut refusal = Refusal::default();
    let mut names = vec![];
    for path in paths {
        match PipelineFile::load(path.as_ref(), &[]) {
            Ok((file, ..)) => names.push((path, file.name)),
            Err(error) => refusal.add(error.into()),
        }
    }
    let known: Vec<&str> = names.iter().map(|(_, name)| name.as_str()).collect();
    // Names that could not be read may be among those meant.
    if refusal.is_empty()
        && let Err(other) = check_names(set, &known)
    {
        refusal.take(other);
    }
    let mut members = vec![];
    for (path, name) in &names {
        match Member::load(path.as_ref(), &overrides_of(name, set)) {
            Ok(member) => members.push(member),
            Err(error) => refusal.add(error),
        }
    }
    let pipelines: Vec<&Pipeline> = members.iter().map(|member| &member.pipeline).collect();
    for what in check_apart(&pipelines) {
        refusal.say(what);
    }
    refusal.or(members)
}

/// Runs them until all have ended, or somebody asks to stop.
///
/// # Errors
/// [`TogetherError`] where nothing was started. What became of each pipeline stands in its outcome.
pub fn run(
    members: Vec<Member>,
    options: &Options,
    limits: &Limits,
    stop: &Stop,
) -> Result<Vec<Outcome>, TogetherError> {
    let plan = Plan::of(members.iter().map(|m| (&m.pipeline, &m.loaded)));
    plan.check(limits)?;
    plan.tell();
    let spare = limits.bytes.map(|most| most - plan.bytes());
    let room = spare.map_or(u64::MAX, |spare| spare / members.len().max(1) as u64);
    let places: Vec<Arc<Place>> = plan
        .0
        .iter()
        .map(|(name, need)| Arc::new(Place::new(name, *need)))
        .collect();
    let served = live::metrics_runtime()?;
    let listen = members
        .first()
        .map(|m| m.pipeline.file.metrics.listen.clone());
    let wall = Wall(places.clone());
    Server::start(&listen.unwrap_or_default(), wall, &served).map_err(RunError::from)?;
    let deadline = options.duration.map(|duration| clock::instant() + duration);
    let mut threads = vec![];
    for (member, place) in members.into_iter().zip(places) {
        let name = member.name().to_owned();
        let kept = Kept {
            member,
            place,
            until_end: options.until_end,
            deadline,
            room,
            stop: stop.clone(),
        };
        let thread = std::thread::Builder::new()
            .name(format!("writer-{name}"))
            .spawn(move || kept.keep());
        match thread {
            Ok(thread) => threads.push((name, thread)),
            Err(cause) => {
                // Those that run already end in order.
                stop.ask();
                error!(pipeline = name, %cause, "the system gave no thread");
            }
        }
    }
    let outcomes = threads.into_iter().map(|(name, thread)| {
        thread.join().unwrap_or_else(|panic| Outcome {
            failure: Some(RunError::panicked(&name, panic.as_ref()).to_string()),
            ..Outcome::default()
        })
    });
    let outcomes = outcomes.collect();
    served.shutdown_timeout(Duration::from_secs(1));
    Ok(outcomes)
}

/// A pipeline that is kept running.
struct Kept {
    member: Member,
    place: Arc<Place>,
    until_end: bool,
    deadline: Option<Instant>,
    /// Bytes by which its model may grow.
    room: u64,
    stop: Stop,
}

impl Kept {
    /// Runs until it ends as planned, or has failed and may not be started again.
    fn keep(mut self) -> Outcome {
        let name = self.member.name().to_owned();
        let _inside = info_span!("pipeline", name).entered();
        let mut total = Summary {
            pipeline: name.clone(),
            ..Summary::default()
        };
        let mut pause = FIRST_PAUSE;
        let mut failure;
        loop {
            let began = clock::instant();
            failure = self.once(&mut total).err();
            let Some(why) = &failure else {
                self.place.say(State::Ended);
                break;
            };
            if began.elapsed() > LAST_PAUSE {
                pause = FIRST_PAUSE;
            }
            let wait = self.may_start_again().then_some(pause);
            self.place.say(State::Failed {
                why: why.to_string(),
                pause: wait,
            });
            let Some(wait) = wait else {
                error!(%why, "the pipeline failed, and stays down; the others go on");
                break;
            };
            error!(%why, again_after = ?wait, "the pipeline failed; the others go on");
            if !self.wait(wait) {
                break;
            }
            pause = (pause * 2).min(LAST_PAUSE);
            self.place.restarted();
            info!(
                restarts = self.place.restarts(),
                "the pipeline is started again"
            );
        }
        Outcome {
            summary: total,
            restarts: self.place.restarts(),
            failure: failure.map(|why| why.to_string()),
        }
    }

    /// One start, to its end. What was done is added to the total.
    fn once(&mut self, total: &mut Summary) -> Result<(), RunError> {
        if self.place.restarts() > 0 {
            self.read_model_anew()?;
        }
        let Member {
            pipeline,
            loaded,
            open,
        } = &self.member;
        let options = Options {
            until_end: self.until_end,
            duration: self.deadline.map(|end| end - clock::instant()),
            capture: None,
        };
        let (place, stop) = (&self.place, &self.stop);
        let started = catch_unwind(AssertUnwindSafe(|| {
            let sink = open(pipeline, &loaded.lineage)?;
            live::run_at(place, pipeline, loaded, sink, &options, stop)
        }));
        let Ended { summary, failure } = started
            .unwrap_or_else(|panic| Err(RunError::panicked("the writer", panic.as_ref())))?;
        total.go_on(summary);
        failure.map_or(Ok(()), Err)
    }

    /// A model that was mended in the meantime is taken; the configuration is that of the beginning.
    fn read_model_anew(&mut self) -> Result<(), PipelineError> {
        let pipeline = &self.member.pipeline;
        let loaded = load_model(pipeline)?;
        let (before, now) = (
            self.place.need().bytes(),
            Need::of(pipeline, &loaded).bytes(),
        );
        if now.saturating_sub(before) > self.room {
            let path = pipeline.path().to_owned();
            let what = "its model has grown beyond what --max-memory leaves for it".into();
            return Err(ModelError::Load { path, what }.into());
        }
        self.member.loaded = loaded;
        Ok(())
    }

    /// A file would be replaced by a second start, and what is read to its end is read once.
    fn may_start_again(&self) -> bool {
        let sink = &self.member.pipeline.file.sink;
        let files = match sink.kind {
            SinkKind::Kafka => false,
            SinkKind::Stdout => sink.dead_letters.is_some() || sink.alerts.is_some(),
            SinkKind::File => true,
        };
        !files && !self.until_end
    }

    /// Whether the pause has passed without anybody asking to stop.
    fn wait(&self, pause: Duration) -> bool {
        let until = clock::instant() + pause;
        loop {
            let now = clock::instant();
            if self.stop.is_asked() || self.deadline.is_some_and(|deadline| now >= deadline) {
                return false;
            }
            if now >= until {
                return true;
            }
            std::thread::sleep(STEP.min(until - now));
        }
    }
}

fn load_model(pipeline: &Pipeline) -> Result<Loaded, PipelineError> {
    let mut loaded = pipeline.load_model()?;
    loaded.lineage.streams = live::stream_names(pipeline);
    Ok(loaded)
}

/// How long a pipeline that failed waits: at first, and at most. A run longer than the last begins anew.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LAST_PAUSE: Duration = Duration::from_secs(60);
/// How long a stop goes unnoticed during a pause.
const STEP: Duration = Duration::from_millis(50);
