//! The parts of a live run: source, rings, shards, writer; from their start to their end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{
    Receiver as Deliveries, RecvTimeoutError, SyncSender as Deliver, sync_channel,
};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use tracing::Span;

use super::capture::LiveCapture;
use super::committing::SourceGroup;
use super::outcome::{RunOptions, RunOutcome};
use super::run_output::RunOutput;
use super::sources::{Source, SourceOptions};
use super::states::RunStates;
use super::timing::{late_rule, shard_tick, snapshot_reports};
use crate::clock;
use crate::config::{ConfigError, DeliveryMode, SourceKind};
use crate::instrument::venue_of;
use crate::model::ModelError;
use crate::pipeline::{Loaded, Pipeline};
use crate::run::account::Account;
use crate::run::delivery::Delivery;
use crate::run::error::RunError;
use crate::run::metrics::{PipelineState, PipelineStatus, RunningPipeline};
use crate::run::shard::Shard;
use crate::run::state_inbox::StateInbox;
use crate::run::status::WorkerStatus;
use crate::run::stop::StopFlag;
use crate::run::summary::summarise;
use crate::run::worker::{DELIVERIES, WorkerSettings, work_by_partition};
use crate::run::writer::Writer;
use crate::sink::{Sink, SinkError};
use crate::source::capture::{CaptureSettings, CaptureWriter};
use crate::source::ring::{Receiver, ring_of};
use crate::source::snapshot_requests::snapshot_requests;
use crate::source::status::FeedStatus;

/// The thread of a shard, which gives back the shard and what waited in its ring.
type Worker = JoinHandle<(Result<Shard, ModelError>, Receiver)>;

/// The parts of a run.
pub(super) struct LiveRun {
    source: Source,
    workers: Vec<Worker>,
    /// The status of each worker, in their order.
    statuses: Vec<Arc<WorkerStatus>>,
    deliveries: Deliveries<Delivery>,
    output: RunOutput,
    states: RunStates,
    capture: Option<LiveCapture>,
    /// Set where the run fails: the workers then end without emptying their rings.
    failed: Arc<AtomicBool>,
}

impl LiveRun {
    pub(super) fn start(
        status: &PipelineStatus,
        pipeline: &Pipeline,
        loaded: &Loaded,
        sink: Box<dyn Sink>,
        options: &RunOptions,
        runtime: &Runtime,
    ) -> Result<Self, RunError> {
        let config = &pipeline.file.engine;
        let is_kafka = pipeline.file.source.kind == SourceKind::Kafka;
        let alerts = pipeline
            .alert_journal(&loaded.lineage, is_kafka)
            .map_err(SinkError::from)?;
        let (mut states, has_alerts) = (RunStates::of(pipeline, loaded)?, alerts.is_some());
        let mut writer = Writer::new(sink, &loaded.lineage).with_alerts(alerts);
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
        // Not crossbeam's: its receiver yields the processor before it sleeps, and a thread that has
        // yielded waits for its next slice of time, where one that is woken runs at once.
        let (deliver, deliveries) = sync_channel(DELIVERIES);
        let (requests, requested) = snapshot_requests();
        let failed = Arc::new(AtomicBool::new(false));
        let (mut rings, mut workers, mut statuses, mut gauges) = (vec![], vec![], vec![], vec![]);
        for number in 0..config.shards {
            let mut decoder = pipeline.decoder();
            if pipeline.file.source.kind == SourceKind::Websocket {
                decoder = decoder.of_shard(number, config.shards);
            }
            let shard = Shard::new(decoder, loaded.engine()?, &loaded.lineage, true)
                .keeping_dead_letters(writer.keeps_dead_letters())
                .marking_late(late_rule(pipeline, options.until_end))
                .requesting_snapshots(snapshot_reports(pipeline, &requests, number));
            let shard = match is_kafka {
                true => shard.keeping_states().giving_reprocessed(has_alerts),
                false => shard,
            };
            let (sender, receiver) = ring_of(config.ring_frames, config.ring_bytes);
            let status = Arc::new(WorkerStatus::default());
            let settings = WorkerSettings {
                shard: number,
                batch: config.batch,
                tick: shard_tick(pipeline, options.until_end),
                ticks_differ: config.shards > 1,
                batch_wait: Duration::from_micros(pipeline.file.model.batch_wait_us),
                drops_repeated_offsets: is_kafka,
                captures: capture.is_some(),
                idle: Duration::from_millis(pipeline.file.source.idle_ms),
            };
            gauges.push(receiver.gauge());
            let inbox = states.inbox(number);
            let ends = (receiver, &deliver);
            workers.push(worker(shard, settings, inbox, ends, &status, &failed)?);
            statuses.push(status);
            rings.push(sender);
        }
        let source_options = SourceOptions {
            until_end: options.until_end,
            is_recorded: false,
            starts: is_kafka.then(|| states.starts(pipeline, loaded)),
        };
        let source = Source::start(pipeline, source_options, rings, requested, runtime)?;
        if let Some(group) = &source.group {
            writer.commit_for(Arc::new(SourceGroup {
                group: Arc::clone(group),
                progress: Arc::clone(&source.progress),
            }));
        }
        status.set_state(PipelineState::Running(Box::new(RunningPipeline {
            model_sha256: loaded.lineage.first_model().sha256.clone(),
            provider: loaded.active.provider.to_string(),
            workers: statuses.clone(),
            rings: gauges,
            ticks: Arc::clone(&source.ticks),
            frames: Arc::default(),
            feed: Arc::clone(&source.status),
            progress: Arc::clone(&source.progress),
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
            sink: writer.sink_status(),
            states: Arc::clone(&states.counts),
        })));
        let output = RunOutput::new(
            writer,
            Arc::clone(&source.progress),
            states.waiting.take(),
            pipeline.file.sink.delivery == DeliveryMode::ExactlyOnce,
        );
        Ok(Self {
            source,
            workers,
            statuses,
            deliveries,
            output,
            states,
            capture,
            failed,
        })
    }

    /// The writer's loop, until all shards have ended: by themselves, or because the source was stopped.
    pub(super) fn write(
        &mut self,
        stop: &StopFlag,
        deadline: Option<Instant>,
    ) -> Result<(), RunError> {
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
                    // What has piled up goes out together, unless the sink is slow: what it has taken is
                    // acknowledged meanwhile.
                    let began = clock::instant();
                    for _ in 0..DELIVERIES {
                        if began.elapsed() > TOGETHER {
                            break;
                        }
                        let Ok(delivery) = self.deliveries.try_recv() else {
                            break;
                        };
                        self.deliver(delivery)?;
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
            if let Some(snapshots) = self.output.acknowledge()? {
                self.states.save(snapshots);
            }
            if let Some(capture) = &mut self.capture {
                capture.sync();
            }
        }
    }

    fn deliver(&mut self, mut delivery: Delivery) -> Result<(), RunError> {
        self.output.deliver(&mut delivery)?;
        if let Some(capture) = &mut self.capture {
            capture.take(delivery.shard, delivery.frames);
        }
        Ok(())
    }

    pub(super) fn end(
        mut self,
        loaded: &Loaded,
        failure: Option<RunError>,
        runtime: &Runtime,
    ) -> RunOutcome {
        let mut failures: Vec<RunError> = failure.into_iter().collect();
        // Where all shards have failed, the source has not been stopped yet.
        self.source.stop();
        if failures.is_empty() {
            // After the flush everything has arrived; the source may commit it.
            failures.extend(self.output.close().err());
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
        // Behind the last commit.
        self.states.close(self.output.last_states());
        let mut summary = summarise(&loaded.lineage, shards);
        summary.capture_failure = capture_failure;
        (summary.signals, summary.alerts) =
            (self.output.writer.written(), self.output.writer.alerts());
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
const ACKNOWLEDGE_EVERY: Duration = Duration::from_millis(5);
/// How long deliveries go out before it looks.
const TOGETHER: Duration = Duration::from_millis(20);

fn worker(
    shard: Shard,
    settings: WorkerSettings,
    inbox: Option<Arc<StateInbox>>,
    (ring, deliver): (Receiver, &Deliver<Delivery>),
    status: &Arc<WorkerStatus>,
    failed: &Arc<AtomicBool>,
) -> Result<Worker, RunError> {
    let (deliver, status, failed) = (deliver.clone(), Arc::clone(status), Arc::clone(failed));
    let span = Span::current();
    std::thread::Builder::new()
        .name(format!("shard-{}", settings.shard))
        .spawn(move || {
            let _inside = span.entered();
            let ends = (&ring, &deliver);
            let worked = work_by_partition(shard, settings, inbox, ends, &status, &failed);
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
    for (reason, count) in feed.dropped.by_reason() {
        all.drop_frames(reason, count);
    }
    all
}
