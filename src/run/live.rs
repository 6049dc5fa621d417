//! The live driver: sources, rings, engine threads and the writer, until somebody says stop.
//!
//! A Kafka offset is committed once every signal of the frames before it has arrived at the sink: at
//! least once. Stopping is orderly: the source ends, the shards empty their rings, the writer flushes,
//! the source commits.

mod sources;

use std::any::Any;
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam::channel::{Receiver as Deliveries, RecvTimeoutError, Sender as Deliver, bounded};
use tokio::runtime::Runtime;
use tracing::Span;

pub(crate) use self::sources::Source;
pub use self::sources::stream_names;
use super::account::Account;
use super::budget::Need;
use super::metrics::{Board, MetricsError, Place, Server, State, Wall};
use super::shard::Shard;
use super::summary::Summary;
use super::summary::summarise;
use super::worker::DELIVERIES;
use super::worker::{Delivery, Done, Settings, Window, work};
use super::writer::Writer;
use crate::alert::journal::Desk;
use crate::clock;
use crate::config::ConfigError;
use crate::config::SourceKind;
use crate::model::ModelError;
use crate::pipeline::{Loaded, Pipeline, PipelineError};
use crate::sink::{Sink, SinkError};
use crate::source::capture::CaptureWriter;
use crate::source::kafka::KafkaSourceError;
use crate::source::ring::{Receiver, ring_of};
use crate::source::status::FeedStatus;
use crate::source::websocket::WebsocketError;

/// How long to run, and what to keep.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Ends once the topics have been read up to where they ended at the start.
    pub until_end: bool,
    /// Ends after so long.
    pub duration: Option<Duration>,
    /// Writes the frames to a capture, in the order in which the engine saw them.
    pub capture: Option<PathBuf>,
}

/// What a run did, and how it ended if that was not as planned.
#[derive(Debug)]
pub struct Ended {
    /// What it did.
    pub summary: Summary,
    /// Why it ended early.
    pub failure: Option<RunError>,
}

/// Why a run cannot start, or ended early.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The pipeline cannot run.
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
    /// The configuration does not allow it.
    #[error("{0}")]
    Config(#[from] ConfigError),
    /// The model failed.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// Signals cannot be written.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// The feed cannot be read.
    #[error(transparent)]
    Websocket(#[from] WebsocketError),
    /// The topics cannot be read.
    #[error(transparent)]
    Kafka(#[from] KafkaSourceError),
    /// Metrics cannot be served.
    #[error(transparent)]
    Metrics(#[from] MetricsError),
    /// The system gave no thread.
    #[error("while starting a thread: {0}")]
    Thread(std::io::Error),
    /// A bug.
    #[error("a thread of the engine panicked: {0}; this is a bug, please report it")]
    Panicked(String),
}

impl RunError {
    /// A thread panicked, with these words.
    pub(crate) fn panicked(who: &str, panic: &(dyn Any + Send)) -> Self {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let said = text.or(panic.downcast_ref::<&str>().copied());
        Self::Panicked(format!("{who}: {}", said.unwrap_or("no word of why")))
    }
}

/// A stop that anybody may ask for: a signal of the system, a timer, a test.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Asks the run to end.
    pub fn ask(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether somebody asked.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// Runs a pipeline into a sink until it ends or is stopped.
///
/// # Errors
/// [`RunError`] where the run could not start. Once it ran, the failure stands in [`Ended`], beside the
/// account of what was done until then.
pub fn run(
    pipeline: &Pipeline,
    loaded: &Loaded,
    sink: Box<dyn Sink>,
    options: &Options,
    stop: &Stop,
) -> Result<Ended, RunError> {
    let need = Need::of(pipeline, loaded);
    let place = Arc::new(Place::new(&pipeline.file.name, need));
    let served = metrics_runtime()?;
    let listen = &pipeline.file.metrics.listen;
    Server::start(listen, Wall(vec![Arc::clone(&place)]), &served)?;
    let ended = run_at(&place, pipeline, loaded, sink, options, stop);
    served.shutdown_timeout(Duration::from_secs(1));
    ended
}

/// The same at a place that somebody else's server shows.
pub(crate) fn run_at(
    place: &Place,
    pipeline: &Pipeline,
    loaded: &Loaded,
    sink: Box<dyn Sink>,
    options: &Options,
    stop: &Stop,
) -> Result<Ended, RunError> {
    let runtime = runtime(pipeline.file.source.kind)?;
    let began = clock::instant();
    let mut run = Run::start(place, pipeline, loaded, sink, options, &runtime)?;
    let failure = run
        .write(stop, options.duration.map(|duration| began + duration))
        .err();
    let mut ended = run.end(loaded, failure, &runtime);
    ended.summary.pipeline.clone_from(&pipeline.file.name);
    ended.summary.seconds = clock::instant().duration_since(began).as_secs_f64();
    runtime.shutdown_timeout(Duration::from_secs(1));
    Ok(ended)
}

/// Sockets live on one thread; engines have their own. Kafka's client has its own too.
pub(crate) fn runtime(kind: SourceKind) -> Result<Runtime, RunError> {
    match kind {
        SourceKind::Websocket => threaded("sockets"),
        SourceKind::Kafka => tokio::runtime::Builder::new_current_thread()
            .build()
            .map_err(RunError::Thread),
    }
}

/// Metrics are told on a thread of their own.
pub(crate) fn metrics_runtime() -> Result<Runtime, RunError> {
    threaded("metrics")
}

fn threaded(name: &str) -> Result<Runtime, RunError> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name(name)
        .enable_all()
        .build()
        .map_err(RunError::Thread)
}

/// An engine thread, which gives back its shard and what waited in its ring.
type Worker = JoinHandle<(Result<Shard, ModelError>, Receiver)>;

/// The parts of a run.
struct Run {
    source: Source,
    workers: Vec<Worker>,
    /// What the workers show, in their order.
    windows: Vec<Arc<Window>>,
    deliveries: Deliveries<Delivery>,
    writer: Writer,
    capture: Option<CaptureWriter>,
    /// What may be called done once so many records have arrived.
    pending: VecDeque<(u64, Vec<Done>)>,
    broken: Arc<AtomicBool>,
    /// When the state of alerts was written last.
    kept: Instant,
}

impl Run {
    fn start(
        place: &Place,
        pipeline: &Pipeline,
        loaded: &Loaded,
        sink: Box<dyn Sink>,
        options: &Options,
        runtime: &Runtime,
    ) -> Result<Self, RunError> {
        let config = &pipeline.file.engine;
        let desk = Desk::of(pipeline, &loaded.lineage, true).map_err(SinkError::from)?;
        let writer = Writer::new(sink, &loaded.lineage).with_alerts(desk);
        refuse_capture(pipeline, options)?;
        let capture = options
            .capture
            .as_deref()
            .map(CaptureWriter::create)
            .transpose()?;
        let (deliver, deliveries) = bounded(DELIVERIES);
        let broken = Arc::new(AtomicBool::new(false));
        let (mut rings, mut workers, mut windows) = (vec![], vec![], vec![]);
        for number in 0..config.shards {
            let shard = Shard::new(pipeline.decoder(), loaded.engine()?, &loaded.lineage, true);
            let (sender, receiver) = ring_of(config.ring_frames, config.ring_bytes);
            let window = Arc::new(Window::default());
            let settings = Settings {
                number,
                batch: config.batch,
                late_after: late_after(config.late_after_ms, options.until_end),
                batch_wait: Duration::from_micros(pipeline.file.model.batch_wait_us),
                keeps_letters: writer.keeps_dead_letters(),
                once: pipeline.file.source.kind == crate::config::SourceKind::Kafka,
                captures: capture.is_some(),
            };
            workers.push(worker(
                shard, settings, receiver, &deliver, &window, &broken,
            )?);
            windows.push(window);
            rings.push(sender);
        }
        let source = Source::start(pipeline, options.until_end, rings, runtime)?;
        place.say(State::Running(Board {
            model_sha256: loaded.lineage.model_sha256.clone(),
            provider: loaded.active.provider.to_string(),
            windows: windows.clone(),
            feed: Arc::clone(&source.status),
        }));
        Ok(Self {
            source,
            workers,
            windows,
            deliveries,
            writer,
            capture,
            pending: VecDeque::new(),
            broken,
            kept: clock::instant(),
        })
    }

    /// The writer's loop, until the shards have gone, or somebody asks to stop and they follow.
    fn write(&mut self, stop: &Stop, deadline: Option<Instant>) -> Result<(), RunError> {
        let mut stopping = false;
        loop {
            let late = deadline.is_some_and(|deadline| clock::instant() >= deadline);
            // A source that ended takes its ticks along, and so the shards. A shard that ended first has
            // failed: the run must not go on without its instruments.
            let ended = self.source.is_finished() || self.workers.iter().any(Worker::is_finished);
            if !stopping && (late || stop.is_asked() || ended) {
                stopping = true;
                self.source.stop();
            }
            match self.deliveries.recv_timeout(SETTLE_EVERY) {
                Ok(delivery) => {
                    self.deliver(delivery)?;
                    // What has piled up goes out together.
                    for _ in 0..DELIVERIES {
                        let Ok(delivery) = self.deliveries.try_recv() else {
                            break;
                        };
                        self.deliver(delivery)?;
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
            self.settle(false)?;
        }
    }

    fn deliver(&mut self, mut delivery: Delivery) -> Result<(), RunError> {
        for name in &delivery.wanted {
            self.source.request(name);
        }
        self.writer.deliver(&mut delivery)?;
        if let Some(capture) = &mut self.capture {
            for frame in &delivery.frames {
                capture.write(frame)?;
            }
        }
        self.pending.push_back((self.writer.taken(), delivery.done));
        Ok(())
    }

    /// Calls done what has arrived; with a state of alerts from time to time, and at the last.
    fn settle(&mut self, last: bool) -> Result<(), RunError> {
        let mut arrived = self.writer.settle()?;
        if self.writer.keeps_state() {
            let now = clock::instant();
            if !last && now.duration_since(self.kept) < KEEP_EVERY {
                return Ok(());
            }
            // The state is that of all signals taken: they must have arrived before it counts.
            if arrived < self.writer.taken() {
                self.writer.flush()?;
                arrived = self.writer.taken();
            }
            self.writer.keep()?;
            self.kept = now;
        }
        while self
            .pending
            .front()
            .is_some_and(|(taken, _)| *taken <= arrived)
        {
            let Some((_, done)) = self.pending.pop_front() else {
                break;
            };
            for Done {
                stream,
                partition,
                next,
            } in done
            {
                self.source.progress.done(stream, partition, next);
            }
        }
        Ok(())
    }

    fn end(mut self, loaded: &Loaded, failure: Option<RunError>, runtime: &Runtime) -> Ended {
        let mut failures: Vec<RunError> = failure.into_iter().collect();
        // Shards that have all failed leave a source that nobody has told yet.
        self.source.stop();
        if failures.is_empty() {
            failures.extend(self.writer.close().err().map(RunError::from));
            // After the flush everything has arrived; the source may commit it.
            failures.extend(self.settle(true).err());
        } else {
            self.broken.store(true, Ordering::Release);
        }
        failures.extend(
            self.capture
                .take()
                .and_then(|c| c.close().err())
                .map(RunError::from),
        );
        // Workers that wait to deliver find nobody there any more, and end.
        drop(self.deliveries);
        let (mut shards, mut waiting, mut lost) = (vec![], 0, Account::default());
        for (worker, window) in self.workers.into_iter().zip(&self.windows) {
            let failure = match worker.join() {
                Ok((Ok(shard), ring)) => {
                    waiting += ring.len() as u64;
                    shards.push(shard);
                    continue;
                }
                Ok((Err(error), _)) => error.into(),
                Err(panic) => RunError::panicked("a worker", panic.as_ref()),
            };
            failures.push(failure);
            lost += &window.report().account;
        }
        if !failures.is_empty() {
            self.source.progress.abandon();
        }
        let (status, ticks) = (
            Arc::clone(&self.source.status),
            Arc::clone(&self.source.ticks),
        );
        failures.extend(self.source.join(runtime).err());
        let mut summary = summarise(&loaded.lineage, shards, &self.writer);
        summary.frames += &lost;
        summary.frames = account(
            &summary.frames,
            &status,
            ticks.load(Ordering::Relaxed),
            waiting,
        );
        if !failures.is_empty() {
            // What a shard took along when it failed; Kafka gives it again.
            summary.frames.in_flight += summary.frames.missing();
        }
        Ended {
            summary,
            failure: failures.into_iter().next(),
        }
    }
}

/// A capture holds frames as they came; of records about persons none may be kept.
fn refuse_capture(pipeline: &Pipeline, options: &Options) -> Result<(), ConfigError> {
    match &options.capture {
        Some(_) => pipeline.may_be_captured(),
        None => Ok(()),
    }
}

/// How often the state of alerts is written: all of it is.
const KEEP_EVERY: Duration = Duration::from_secs(1);
/// How long the writer waits for a delivery before it looks at what has arrived.
const SETTLE_EVERY: Duration = Duration::from_millis(20);

fn worker(
    shard: Shard,
    settings: Settings,
    ring: Receiver,
    deliver: &Deliver<Delivery>,
    window: &Arc<Window>,
    broken: &Arc<AtomicBool>,
) -> Result<Worker, RunError> {
    let (deliver, window, broken) = (deliver.clone(), Arc::clone(window), Arc::clone(broken));
    let span = Span::current();
    std::thread::Builder::new()
        .name(format!("shard-{}", settings.number))
        .spawn(move || {
            let _inside = span.entered();
            (
                work(shard, settings, &ring, &deliver, &window, &broken),
                ring,
            )
        })
        .map_err(RunError::Thread)
}

/// After how long behind frames count as late; none for runs that are behind by nature.
fn late_after(ms: u64, until_end: bool) -> Option<Duration> {
    (ms > 0 && !until_end).then(|| Duration::from_millis(ms))
}

/// The shards' account with what the source did before them. The two sides are counted apart, so that
/// the sum is a check.
fn account(shards: &Account, feed: &FeedStatus, ticks: u64, waiting: u64) -> Account {
    let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
    let mut all = shards.clone();
    all.received = read(&feed.received) + read(&feed.copies) + read(&feed.gaps) + ticks;
    all.conflated += read(&feed.conflated);
    all.in_flight += read(&feed.held) + waiting;
    for (reason, count) in [
        ("overflow", &feed.dropped.overflow),
        ("binary", &feed.dropped.binary),
        ("tombstone", &feed.dropped.tombstone),
        ("orphaned", &feed.dropped.orphaned),
    ] {
        all.drop_frames(reason, read(count));
    }
    all
}
