//! The source of a live run: an exchange's websocket or Kafka topics, from settings to frames in rings.
//!
//! Does not decode the frames.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval};
use tracing::{Instrument, Span};

use crate::clock;
use crate::config::SourceKind;
use crate::frame::{Frame, Origin, TICKS};
use crate::pipeline::Pipeline;
use crate::run::error::RunError;
use crate::source::conflation::Conflation;
use crate::source::kafka;
use crate::source::kafka::starts::Starts;
use crate::source::kafka::{Group, KafkaLinks, KafkaSourceError, Progress};
use crate::source::ring::Sender;
use crate::source::snapshot_requests::BookReport;
use crate::source::status::FeedStatus;
use crate::source::websocket;
use crate::source::websocket::{WebsocketError, fetch_snapshots};

/// A running source.
pub(crate) struct Source {
    /// Its counters, and whether it is healthy.
    pub(crate) status: Arc<FeedStatus>,
    /// The acknowledged positions of Kafka's partitions.
    pub(crate) progress: Arc<Progress>,
    /// The consumer group of a Kafka source.
    pub(crate) group: Option<Arc<Group>>,
    /// Ticks of the clock that a websocket source has sent to the shards; shards that read Kafka make their
    /// own.
    pub(crate) ticks: Arc<AtomicU64>,
    /// None once the source was joined.
    kind: Option<RunningSource>,
}

/// How a source is read.
#[derive(Clone, Default)]
pub(crate) struct SourceOptions {
    /// Ends once the topics have been read up to where they ended at the start.
    pub(crate) until_end: bool,
    /// Whether frames go to a capture alone, as they came: frames of several messages whole.
    pub(crate) is_recorded: bool,
    /// Where partitions of Kafka begin; none: where the settings say.
    pub(crate) starts: Option<Arc<dyn Starts>>,
}

enum RunningSource {
    Websocket {
        feed: tokio::task::JoinHandle<Result<(), WebsocketError>>,
        stop: watch::Sender<bool>,
    },
    Kafka {
        thread: JoinHandle<Result<(), KafkaSourceError>>,
        stop: Arc<AtomicBool>,
        /// Ends the task that fetches snapshots, where there is one.
        stop_fetching: watch::Sender<bool>,
    },
}

impl Source {
    /// Starts the pipeline's source into these rings. What the engine says of
    /// its books arrives on `requested`.
    pub(crate) fn start(
        pipeline: &Pipeline,
        options: SourceOptions,
        rings: Vec<Sender>,
        requested: mpsc::Receiver<BookReport>,
        runtime: &Runtime,
    ) -> Result<Self, RunError> {
        let status = Arc::new(FeedStatus::default());
        let progress = Arc::new(Progress::default());
        let ticks = Arc::new(AtomicU64::new(0));
        let mut group = None;
        let kind = match pipeline.file.source.kind {
            SourceKind::Websocket => {
                let (stop, stopped) = watch::channel(false);
                if let Some(every) = pipeline.file.source.tick() {
                    let counted = (Arc::clone(&ticks), Arc::clone(&status));
                    let tick = tick(every, rings.clone(), counted, stopped.clone());
                    runtime.spawn(tick);
                }
                let settings = pipeline.websocket_settings()?;
                let (venue, symbols) = (settings.venue, &settings.symbols);
                let mut out = Conflation::new(venue, rings, symbols, Arc::clone(&status));
                if options.is_recorded {
                    out = out.whole();
                }
                let feed = websocket::run(settings, out, requested, Arc::clone(&status), stopped);
                let feed = runtime.spawn(feed.instrument(Span::current()));
                RunningSource::Websocket { feed, stop }
            }
            SourceKind::Kafka => {
                let stop = Arc::new(AtomicBool::new(false));
                let settings = pipeline.kafka_settings(options.until_end);
                let (stop_fetching, stopped) = watch::channel(false);
                let is_live = !options.until_end && !options.is_recorded;
                if let Some(feed) = pipeline.book_snapshots.clone().filter(|_| is_live) {
                    let (rings, status) = (rings.clone(), Arc::clone(&status));
                    let fetch = fetch_snapshots(feed, rings, requested, status, stopped);
                    runtime.spawn(fetch.instrument(Span::current()));
                }
                let usual = KafkaLinks::new(&settings);
                let links = KafkaLinks {
                    progress: Arc::clone(&progress),
                    status: Arc::clone(&status),
                    starts: options.starts.unwrap_or(usual.starts),
                    group: usual.group,
                };
                group = Some(Arc::clone(&links.group));
                let thread = kafka::spawn(settings, rings, links, Arc::clone(&stop))
                    .map_err(RunError::Thread)?;
                RunningSource::Kafka {
                    thread,
                    stop,
                    stop_fetching,
                }
            }
        };
        Ok(Self {
            status,
            progress,
            group,
            ticks,
            kind: Some(kind),
        })
    }

    /// Stops it; it ends within some 100 ms and drops its rings.
    pub(crate) fn stop(&self) {
        match &self.kind {
            Some(RunningSource::Websocket { stop, .. }) => drop(stop.send(true)),
            Some(RunningSource::Kafka {
                stop,
                stop_fetching,
                ..
            }) => {
                stop.store(true, Ordering::Relaxed);
                stop_fetching.send_replace(true);
            }
            None => {}
        }
    }

    /// Whether it has ended, by itself or because it was stopped.
    pub(crate) fn is_finished(&self) -> bool {
        match &self.kind {
            Some(RunningSource::Websocket { feed, .. }) => feed.is_finished(),
            Some(RunningSource::Kafka { thread, .. }) => thread.is_finished(),
            None => true,
        }
    }

    /// Waits for its end; for Kafka that includes the last commit.
    pub(crate) fn join(mut self, runtime: &Runtime) -> Result<(), RunError> {
        match self.kind.take() {
            Some(RunningSource::Websocket { feed, .. }) => match runtime.block_on(feed) {
                Ok(result) => Ok(result?),
                Err(error) => Err(RunError::Panicked(error.to_string())),
            },
            Some(RunningSource::Kafka { thread, .. }) => match thread.join() {
                Ok(result) => Ok(result?),
                Err(panic) => Err(RunError::panicked("the Kafka source", panic.as_ref())),
            },
            None => Ok(()),
        }
    }
}

/// Runs without a join only where the driver has panicked. The source must not go on beside the next one of
/// its group.
impl Drop for Source {
    fn drop(&mut self) {
        self.progress.abandon();
        self.stop();
    }
}

/// Sends every shard the time, so that an instrument that falls silent is noticed. A full ring needs no
/// tick: its frames carry the time.
async fn tick(
    every: Duration,
    rings: Vec<Sender>,
    (ticks, status): (Arc<AtomicU64>, Arc<FeedStatus>),
    mut stopped: watch::Receiver<bool>,
) {
    let mut beat = interval(every);
    beat.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            _ = beat.tick() => {}
            changed = stopped.changed() => {
                if changed.is_err() || *stopped.borrow() {
                    return;
                }
            }
        }
        let now = clock::now();
        let bytes = Bytes::from(format!("{{\"foretick\":\"tick\",\"ts\":{}}}", now.0));
        let offset = ticks.load(Ordering::Relaxed) as i64;
        let origin = Origin {
            ts_recv: now,
            offset,
            partition: TICKS,
            stream: 0,
            late: false,
            reprocessed: false,
        };
        for ring in &rings {
            let frame = Frame {
                origin,
                bytes: bytes.clone(),
            };
            let _turn = status.turns.begin();
            ticks.fetch_add(u64::from(ring.try_send(frame).is_ok()), Ordering::Relaxed);
        }
    }
}
