//! What a worker shows of itself while it works, for the metrics.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::account::Account;
use super::counts::RunCounts;
use super::fates::FateCounters;
use super::latency::StageReport;
use super::shard::Shard;
use super::skew::SkewReport;
use crate::clock;
use crate::signal::quality::Quality;
use crate::units::Nanos;

/// The latest figures of a worker, shared by its thread and those that report them.
#[derive(Debug, Default)]
pub struct WorkerStatus {
    latest: Mutex<WorkerFigures>,
    /// Ticks of the clock that the worker has made itself.
    pub(super) ticks: AtomicU64,
    /// What became of its frames, after each batch.
    pub(super) fates: FateCounters,
}

/// A worker's figures at some moment.
#[derive(Clone, Debug, Default)]
pub struct WorkerFigures {
    /// What became of its frames.
    pub account: Account,
    /// What became of its events.
    pub counts: RunCounts,
    /// How long each stage took.
    pub stages: Vec<StageReport>,
    /// Signals by quality, in the order of [`Quality::ALL`].
    pub qualities: [u64; Quality::ALL.len()],
    /// Instruments with state.
    pub instruments: usize,
    /// Instruments with deferred steps.
    pub deferred: usize,
    /// Instruments that an event has come of.
    pub heard: usize,
    /// Their names, of so many that they may all be listed.
    pub heard_names: Arc<[String]>,
    /// Instruments that wait for a book or a quote.
    pub waiting: usize,
    /// The names of the first of them.
    pub waiting_names: Vec<String>,
    /// How far behind their venues' clocks events were received.
    pub skews: Vec<SkewReport>,
    /// The event time up to which all events have come; it never goes back. None where none has come.
    pub watermark: Option<Nanos>,
    /// Since when some have waited, without a pause.
    pub waiting_since: Option<Instant>,
    /// Whether the log says so.
    waiting_told: bool,
}

impl WorkerStatus {
    /// The latest figures.
    #[must_use]
    pub fn figures(&self) -> WorkerFigures {
        self.lock().clone()
    }

    /// Replaces the figures by those of the shard as it is now.
    pub(super) fn update(
        &self,
        shard: &Shard,
        qualities: &[u64; Quality::ALL.len()],
        idle: Duration,
    ) {
        let mut counts = RunCounts::default();
        counts.add_shard(shard);
        let engine = shard.engine();
        let name = |id| shard.instruments().name(id).to_owned();
        let waiting = engine.waiting().count();
        let waiting_names: Vec<String> = engine.waiting().take(NAMES_MAX).map(name).collect();
        let idle = i64::try_from(idle.as_nanos()).unwrap_or(i64::MAX);
        let watermark = shard.engine().watermark(idle);
        let mut latest = self.lock();
        let held = &engine.state().instruments;
        // A shard of records holds none, or as many as there are people: nobody waits for those.
        let heard_names = match (latest.heard == held.len(), held.len()) {
            (_, HEARD_NAMES_MAX..) => Arc::default(),
            (true, _) => Arc::clone(&latest.heard_names),
            (false, _) => held.ids().map(name).collect(),
        };
        let since = latest.waiting_since.filter(|_| waiting > 0);
        let for_long = since.is_some_and(|since| since.elapsed() > TELL_AFTER);
        let waiting_told = waiting > 0 && (latest.waiting_told || for_long);
        if waiting_told && !latest.waiting_told {
            tell_waiting(waiting, &waiting_names);
        }
        let figures = WorkerFigures {
            account: shard.account().clone(),
            counts,
            stages: shard
                .stages()
                .named()
                .map(|(name, all)| StageReport::of(name, all))
                .into(),
            qualities: *qualities,
            instruments: shard.instruments().len(),
            deferred: shard.engine().deferred().0,
            heard: held.len(),
            heard_names,
            waiting,
            waiting_names,
            skews: shard.skews().reports(),
            watermark: watermark.max(latest.watermark),
            waiting_since: since.or_else(|| (waiting > 0).then(clock::instant)),
            waiting_told,
        };
        *latest = figures;
    }

    fn lock(&self) -> MutexGuard<'_, WorkerFigures> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells that instruments wait, once until none does.
fn tell_waiting(waiting: usize, first: &[String]) {
    let (first, remedy) = (
        first.join(", "),
        "a book needs a snapshot: of the venue's REST interface \
        (`[source] rest`), or one in the topic",
    );
    tracing::warn!(
        waiting,
        first,
        "instruments wait for a book or a quote: {remedy}"
    );
}

/// How long instruments may wait before the log says so: a snapshot takes a second or two.
const TELL_AFTER: Duration = Duration::from_secs(5);
/// Instruments that are named where several wait.
pub(super) const NAMES_MAX: usize = 5;
/// The most instruments of which it is told which were heard.
const HEARD_NAMES_MAX: usize = 10_000;
