//! Engine threads, for all drivers that use rings.
//!
//! A worker drains its ring at its own pace, works on what was there as one batch, and hands the signals on
//! to the [`super::writer`].

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use crossbeam::channel::Sender as Deliver;
use rustc_hash::FxHashMap;

use super::account::Account;
use super::latency::StageReport;
use super::shard::Shard;
use super::summary::Events;
use crate::alert::command::Command;
use crate::clock;
use crate::decode::DecodeError;
use crate::frame::{Frame, Origin};
use crate::instrument::InstrumentId;
use crate::model::ModelError;
use crate::signal::Signal;
use crate::signal::quality::Quality;
use crate::source::ring::Receiver;

/// What a worker hands to the writer after a batch.
#[derive(Debug, Default)]
pub struct Delivery {
    /// Which worker.
    pub shard: usize,
    /// Names of the instruments that are new since its last delivery, in the order of their numbers.
    pub new_names: Vec<String>,
    /// The signals.
    pub signals: Vec<Signal>,
    /// Commands about alerts, each with the number of signals that come before it.
    pub commands: Vec<(usize, Command)>,
    /// Frames that could not be read.
    pub letters: Vec<Letter>,
    /// Up to where each stream and partition has been worked on.
    pub done: Vec<Done>,
    /// Instruments whose book needs a new snapshot.
    pub wanted: Vec<String>,
    /// The frames themselves, in the order in which they were worked on, where a capture is made.
    pub frames: Vec<Frame>,
}

/// How a worker works.
#[derive(Clone, Copy, Debug, Default)]
pub struct Settings {
    /// Which worker this is.
    pub number: usize,
    /// Frames worked on at once, at most.
    pub batch: usize,
    /// How long to wait for more frames once there is one; zero: not.
    pub batch_wait: Duration,
    /// How long the shard may be behind before frames count as late; none: for ever.
    pub late_after: Option<Duration>,
    /// Whether the sink keeps unreadable frames.
    pub keeps_letters: bool,
    /// Whether an offset that comes again is passed over: Kafka gives records again after a
    /// rebalance.
    pub once: bool,
    /// Whether frames are handed on for a capture.
    pub captures: bool,
}

/// What a worker shows of itself while it works.
#[derive(Debug, Default)]
pub struct Window {
    report: Mutex<Report>,
}

/// A worker's figures at some moment.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What became of its frames.
    pub account: Account,
    /// What became of its events.
    pub events: Events,
    /// What each stage took.
    pub stages: Vec<StageReport>,
    /// Signals made, by quality, in the order of [`Quality::ALL`].
    pub qualities: [u64; Quality::ALL.len()],
    /// Instruments known.
    pub instruments: usize,
    /// Instruments with deferred steps.
    pub deferred: usize,
}

/// A dead letter on its way.
#[derive(Clone, Debug)]
pub struct Letter {
    /// Why.
    pub error: DecodeError,
    /// From where.
    pub origin: Origin,
    /// The frame.
    pub bytes: Bytes,
}

/// All frames of a partition before `next` have been worked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Done {
    /// The stream.
    pub stream: u16,
    /// Its partition.
    pub partition: i32,
    /// The offset after the last frame.
    pub next: i64,
}

/// Works until every source has gone and the ring is empty, or `stop` is set. Gives the shard back.
///
/// # Errors
/// [`ModelError`] when the model fails.
pub fn work(
    mut shard: Shard,
    settings: Settings,
    ring: &Receiver,
    deliver: &Deliver<Delivery>,
    window: &Window,
    stop: &AtomicBool,
) -> Result<Shard, ModelError> {
    let mut frames = Vec::with_capacity(settings.batch);
    let mut state = State {
        settings,
        next: FxHashMap::default(),
        named: 0,
        qualities: [0; 6],
        behind: Behind::new(),
    };
    let mut shown = clock::instant();
    while !stop.load(Ordering::Acquire) && ring.drain(&mut frames, settings.batch, PATIENCE) {
        if clock::instant().duration_since(shown) > SHOW_EVERY {
            shown = clock::instant();
            window.show(&shard, &state.qualities);
        }
        state
            .behind
            .look(&mut frames, ring.is_empty(), settings.late_after);
        if frames.is_empty() {
            continue;
        }
        if !settings.batch_wait.is_zero() {
            let until = clock::instant() + settings.batch_wait;
            ring.gather(&mut frames, settings.batch, until);
        }
        let made = state.batch(&mut shard, &mut frames);
        if made.is_err() {
            // The shard's last figures: it ends here.
            window.show(&shard, &state.qualities);
        }
        let delivery = made?;
        // The writer has gone only when it failed; then there is nobody to work for.
        if deliver.send(delivery).is_err() {
            break;
        }
        // Signals are out; what the next ones need is done until new frames come.
        shard.settle(|| !ring.is_empty());
    }
    window.show(&shard, &state.qualities);
    Ok(shard)
}

/// Deliveries that may wait for the writer.
pub(crate) const DELIVERIES: usize = 256;
/// How long a worker sleeps when nothing comes, before it looks at `stop` again.
const PATIENCE: Duration = Duration::from_millis(50);
/// How often a worker shows its figures.
const SHOW_EVERY: Duration = Duration::from_millis(500);

/// What a worker remembers between batches.
struct State {
    settings: Settings,
    /// The offset that comes next, by stream and partition.
    next: FxHashMap<(u16, i32), i64>,
    named: usize,
    qualities: [u64; Quality::ALL.len()],
    behind: Behind,
}

/// Since when the ring has not been empty.
struct Behind {
    since: Instant,
}

impl Behind {
    fn new() -> Self {
        Self {
            since: clock::instant(),
        }
    }

    /// Marks the frames just drained as late where the shard has been behind for too long: for so long has
    /// every drain left frames behind.
    fn look(&mut self, frames: &mut [Frame], all: bool, late_after: Option<Duration>) {
        let Some(late_after) = late_after else {
            return;
        };
        let now = clock::instant();
        if all {
            self.since = now;
        } else if now.duration_since(self.since) > late_after {
            for frame in frames {
                frame.origin.late = true;
            }
        }
    }
}

impl State {
    fn batch(
        &mut self,
        shard: &mut Shard,
        frames: &mut Vec<Frame>,
    ) -> Result<Delivery, ModelError> {
        let mut delivery = Delivery {
            shard: self.settings.number,
            ..Delivery::default()
        };
        for frame in frames.drain(..) {
            self.frame(shard, frame, &mut delivery)?;
        }
        shard.step(&mut delivery.signals)?;
        for signal in &delivery.signals {
            self.qualities[signal.quality as usize] += 1;
        }
        let instruments = shard.instruments();
        let known = |id| instruments.name(InstrumentId(id)).to_owned();
        delivery.new_names = (self.named as u32..instruments.len() as u32)
            .map(known)
            .collect();
        self.named = instruments.len();
        let mut wanted = vec![];
        shard.engine_mut().take_snapshot_requests(&mut wanted);
        let name = |id| shard.instruments().name(id).to_owned();
        delivery.wanted = wanted.into_iter().map(name).collect();
        Ok(delivery)
    }

    fn frame(
        &mut self,
        shard: &mut Shard,
        frame: Frame,
        delivery: &mut Delivery,
    ) -> Result<(), ModelError> {
        let Origin {
            stream,
            partition,
            offset,
            ..
        } = frame.origin;
        let next = self.next.entry((stream, partition)).or_insert(i64::MIN);
        if self.settings.once && offset < *next {
            shard.pass_over(READ_BEFORE);
            return Ok(());
        }
        *next = offset + 1;
        note(
            &mut delivery.done,
            Done {
                stream,
                partition,
                next: *next,
            },
        );
        let taken = match shard.command(frame.origin, &frame.bytes) {
            None => shard.take(frame.origin, &frame.bytes),
            Some(Err(error)) => Err(error),
            // The state of alerts knows it.
            Some(Ok(_)) if frame.origin.known => Ok(()),
            Some(Ok(command)) => {
                shard.step(&mut delivery.signals)?;
                delivery.commands.push((delivery.signals.len(), command));
                Ok(())
            }
        };
        if let Err(error) = taken {
            let bury = self.settings.keeps_letters && error.unreadable() && !frame.origin.known;
            shard.dispose(error, bury);
            if bury {
                let bytes = match shard.redacted(&frame.bytes) {
                    Cow::Borrowed(_) => frame.bytes.clone(),
                    Cow::Owned(shown) => shown.into(),
                };
                let origin = frame.origin;
                delivery.letters.push(Letter {
                    error,
                    origin,
                    bytes,
                });
            }
        }
        if self.settings.captures {
            delivery.frames.push(frame);
        }
        Ok(())
    }
}

/// The reason for records that Kafka gave again.
const READ_BEFORE: &str = "read_before";

fn note(all: &mut Vec<Done>, one: Done) {
    let same = |done: &&mut Done| done.stream == one.stream && done.partition == one.partition;
    match all.iter_mut().find(same) {
        Some(done) => done.next = one.next,
        None => all.push(one),
    }
}

impl Window {
    /// The figures shown last.
    #[must_use]
    pub fn report(&self) -> Report {
        self.lock().clone()
    }

    fn show(&self, shard: &Shard, qualities: &[u64; Quality::ALL.len()]) {
        let mut events = Events::default();
        events.add(shard);
        let report = Report {
            account: shard.account().clone(),
            events,
            stages: shard
                .stages()
                .named()
                .map(|(name, all)| StageReport::of(name, all))
                .into(),
            qualities: *qualities,
            instruments: shard.instruments().len(),
            deferred: shard.engine().deferred().0,
        };
        *self.lock() = report;
    }

    fn lock(&self) -> MutexGuard<'_, Report> {
        self.report.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
