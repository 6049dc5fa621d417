//! The live driver: source, rings, shards and the writer, until the source ends or the run is stopped.
//!
//! A Kafka offset is committed once every signal of the frames before it has arrived at the sink: at
//! least once. Stopping is orderly: the source ends, the shards empty their rings, the writer flushes,
//! the source commits.

mod capture;
pub mod sources;
mod timing;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam::channel::{Receiver as Deliveries, RecvTimeoutError, Sender as Deliver, bounded};
use tokio::runtime::Runtime;
use tracing::Span;

use self::capture::LiveCapture;
use self::sources::{Source, SourceOptions};
use self::timing::{late_rule, shard_tick, snapshot_reports};
use super::account::Account;
use super::budget::ResourceNeed;
use super::delivery::Delivery;
use super::error::RunError;
use super::metrics::{PipelineState, PipelineStatus, ProcessStatus, RunningPipeline, Server};
use super::runtime::{metrics_runtime, source_runtime};
use super::shard::Shard;
use super::status::WorkerStatus;
use super::stop::StopFlag;
use super::summary::{Summary, summarise};
use super::worker::{DELIVERIES, WorkerSettings, work};
use super::writer::Writer;
use crate::clock;
use crate::config::{ConfigError, SourceKind};
use crate::instrument::venue_of;
use crate::model::ModelError;
use crate::pipeline::{Loaded, Pipeline};
use crate::sink::{Sink, SinkError};
use crate::source::capture::{CaptureSettings, CaptureWriter};
use crate::source::ring::{Receiver, ring_of};
use crate::source::snapshot_requests::snapshot_requests;
use crate::source::status::FeedStatus;

/// How long to run, and what to keep.
#[derive(Clone, Debug, Default)]
pub struct RunOptions {
    /// Ends once the topics have been read up to where they ended at the start.
    pub until_end: bool,
    /// Ends after so long.
    pub duration: Option<Duration>,
    /// Writes the frames to a capture, in the order in which the engine saw them.
    pub capture: Option<CaptureSettings>,
}

/// What a run did, and why it ended early, if it did.
#[derive(Debug)]
pub struct RunOutcome {
    /// What it did.
    pub summary: Summary,
    /// Why it ended early.
    pub failure: Option<RunError>,
}

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
    let need = ResourceNeed::of(pipeline, loaded);
    let status = Arc::new(PipelineStatus::new(&pipeline.file.name, need));
    let served = metrics_runtime()?;
    let listen = &pipeline.file.metrics.listen;
    Server::start(listen, ProcessStatus(vec![Arc::clone(&status)]), &served)?;
    let outcome = run_at(&status, pipeline, loaded, sink, options, stop);
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

/// The thread of a shard, which gives back the shard and what waited in its ring.
type Worker = JoinHandle<(Result<Shard, ModelError>, Receiver)>;

/// The parts of a run.
struct LiveRun {
    source: Source,
    workers: Vec<Worker>,
    /// The status of each worker, in their order.
    statuses: Vec<Arc<WorkerStatus>>,
    deliveries: Deliveries<Delivery>,
    writer: Writer,
    capture: Option<LiveCapture>,
    /// Set where the run fails: the workers then end without emptying their rings.
    failed: Arc<AtomicBool>,
}

impl LiveRun {
    fn start(
        status: &PipelineStatus,
        pipeline: &Pipeline,
        loaded: &Loaded,
        sink: Box<dyn Sink>,
        options: &RunOptions,
        runtime: &Runtime,
    ) -> Result<Self, RunError> {
        let config = &pipeline.file.engine;
        let desk = pipeline
            .alert_journal(&loaded.lineage, true)
            .map_err(SinkError::from)?;
        let mut writer = Writer::new(sink, &loaded.lineage).with_alerts(desk);
        refuse_capture(pipeline, options)?;
        let capture = options
            .capture
            .clone()
            .map(|capture| {
                let feed = pipeline.file.name.clone();
                CaptureWriter::create(CaptureSettings { feed, ..capture })
            })
            .transpose()?;
        // A partition of Kafka lives on one shard, and nothing goes to all.
        let venue = match pipeline.file.source.kind {
            SourceKind::Websocket => Some(pipeline.websocket_settings()?.venue),
            SourceKind::Kafka => None,
        };
        let capture = capture.map(|writer| LiveCapture::new(writer, config.shards, venue));
        let (deliver, deliveries) = bounded(DELIVERIES);
        let (requests, requested) = snapshot_requests();
        let failed = Arc::new(AtomicBool::new(false));
        let (mut rings, mut workers, mut statuses) = (vec![], vec![], vec![]);
        for number in 0..config.shards {
            let mut decoder = pipeline.decoder();
            if pipeline.file.source.kind == SourceKind::Websocket {
                decoder = decoder.of_shard(number, config.shards);
            }
            let shard = Shard::new(decoder, loaded.engine()?, &loaded.lineage, true)
                .keeping_dead_letters(writer.keeps_dead_letters())
                .marking_late(late_rule(pipeline, options.until_end))
                .requesting_snapshots(snapshot_reports(pipeline, &requests, number));
            let (sender, receiver) = ring_of(config.ring_frames, config.ring_bytes);
            let status = Arc::new(WorkerStatus::default());
            let settings = WorkerSettings {
                shard: number,
                batch: config.batch,
                tick: shard_tick(pipeline, options.until_end),
                ticks_differ: config.shards > 1,
                batch_wait: Duration::from_micros(pipeline.file.model.batch_wait_us),
                drops_repeated_offsets: pipeline.file.source.kind == SourceKind::Kafka,
                captures: capture.is_some(),
                idle: Duration::from_millis(pipeline.file.source.idle_ms),
            };
            workers.push(worker(
                shard, settings, receiver, &deliver, &status, &failed,
            )?);
            statuses.push(status);
            rings.push(sender);
        }
        let source_options = SourceOptions {
            until_end: options.until_end,
            is_recorded: false,
        };
        let source = Source::start(pipeline, source_options, rings, requested, runtime)?;
        writer.begin()?;
        status.set_state(PipelineState::Running(Box::new(RunningPipeline {
            model_sha256: loaded.lineage.first_model().sha256.clone(),
            provider: loaded.active.provider.to_string(),
            workers: statuses.clone(),
            feed: Arc::clone(&source.status),
            listed: pipeline.file.source.instruments.clone(),
            hours: pipeline
                .websocket_settings()
                .ok()
                .and_then(|feed| feed.hours),
            venues: venues_of(&pipeline.file.source.instruments),
            needs_quotes: pipeline.plan.uses_book() || pipeline.plan.uses_top(),
            began: clock::instant(),
            waiting_max: Duration::from_millis(pipeline.file.metrics.waiting_ms),
            capture_failed: capture.as_ref().map(LiveCapture::failed),
        })));
        Ok(Self {
            source,
            workers,
            statuses,
            deliveries,
            writer,
            capture,
            failed,
        })
    }

    /// The writer's loop, until all shards have ended: by themselves, or because the source was stopped.
    fn write(&mut self, stop: &StopFlag, deadline: Option<Instant>) -> Result<(), RunError> {
        let mut stopping = false;
        loop {
            let late = deadline.is_some_and(|deadline| clock::instant() >= deadline);
            // Once the source has ended, its ticks must end too, or the shards would go on. A shard that
            // ended first has failed: the run must not go on without its instruments.
            let ended = self.source.is_finished() || self.workers.iter().any(Worker::is_finished);
            if !stopping && (late || stop.is_set() || ended) {
                stopping = true;
                self.source.stop();
            }
            match self.deliveries.recv_timeout(ACKNOWLEDGE_EVERY) {
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
            self.acknowledge(false)?;
            if let Some(capture) = &mut self.capture {
                capture.sync();
            }
        }
    }

    fn deliver(&mut self, mut delivery: Delivery) -> Result<(), RunError> {
        self.writer.deliver(&mut delivery)?;
        if let Some(capture) = &mut self.capture {
            capture.take(delivery.shard, delivery.frames);
        }
        Ok(())
    }

    /// Hands the positions that the sink has acknowledged to the source, which commits them.
    fn acknowledge(&mut self, last: bool) -> Result<(), RunError> {
        for position in self.writer.acknowledged(last)? {
            self.source.progress.done(position);
        }
        Ok(())
    }

    fn end(mut self, loaded: &Loaded, failure: Option<RunError>, runtime: &Runtime) -> RunOutcome {
        let mut failures: Vec<RunError> = failure.into_iter().collect();
        // Where all shards have failed, the source has not been stopped yet.
        self.source.stop();
        if failures.is_empty() {
            failures.extend(self.writer.close().err().map(RunError::from));
            // After the flush everything has arrived; the source may commit it.
            failures.extend(self.acknowledge(true).err());
        } else {
            self.failed.store(true, Ordering::Release);
        }
        let capture_failure = self.capture.take().and_then(LiveCapture::close);
        // Workers that wait to deliver get an error, and end.
        drop(self.deliveries);
        let (mut shards, mut waiting, mut lost) = (vec![], 0, Account::default());
        for (worker, status) in self.workers.into_iter().zip(&self.statuses) {
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
            lost += &status.figures().account;
        }
        if !failures.is_empty() {
            self.source.progress.abandon();
        }
        let status = Arc::clone(&self.source.status);
        let of_shards = self.statuses.iter().map(|status| &status.ticks);
        let all_ticks = of_shards.chain([&*self.source.ticks]);
        let ticks = all_ticks.map(|ticks| ticks.load(Ordering::Relaxed)).sum();
        failures.extend(self.source.join(runtime).err());
        let mut summary = summarise(&loaded.lineage, shards);
        summary.capture_failure = capture_failure;
        (summary.signals, summary.alerts) = (self.writer.written(), self.writer.alerts());
        summary.frames += &lost;
        summary.frames = account(&summary.frames, &status, ticks, waiting);
        if !failures.is_empty() {
            // Frames of a shard that failed; Kafka delivers them again.
            summary.frames.in_flight += summary.frames.missing();
        }
        RunOutcome {
            summary,
            failure: failures.into_iter().next(),
        }
    }
}

/// Refuses a capture of records about persons: it holds frames as they came.
fn refuse_capture(pipeline: &Pipeline, options: &RunOptions) -> Result<(), ConfigError> {
    match &options.capture {
        Some(_) => pipeline.may_be_captured(),
        None => Ok(()),
    }
}

/// How long the writer waits for a delivery before it looks for acknowledgements.
const ACKNOWLEDGE_EVERY: Duration = Duration::from_millis(20);

fn worker(
    shard: Shard,
    settings: WorkerSettings,
    ring: Receiver,
    deliver: &Deliver<Delivery>,
    status: &Arc<WorkerStatus>,
    failed: &Arc<AtomicBool>,
) -> Result<Worker, RunError> {
    let (deliver, status, failed) = (deliver.clone(), Arc::clone(status), Arc::clone(failed));
    let span = Span::current();
    std::thread::Builder::new()
        .name(format!("shard-{}", settings.shard))
        .spawn(move || {
            let _inside = span.entered();
            let worked = work(shard, settings, &ring, &deliver, &status, &failed);
            (worked, ring)
        })
        .map_err(RunError::Thread)
}

/// The venues of instruments, each once.
fn venues_of(instruments: &[String]) -> Vec<String> {
    let venues = instruments.iter().filter_map(|name| venue_of(name));
    let mut venues: Vec<String> = venues.map(str::to_owned).collect();
    venues.sort_unstable();
    venues.dedup();
    venues
}

/// The shards' account with what the source did before them. Source and shards count independently, so that
/// a frame lost between them shows.
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
        ("repeated", &feed.dropped.repeated),
    ] {
        all.drop_frames(reason, read(count));
    }
    all
}
