//! The thread of a shard, for all drivers that use rings.
//!
//! A worker drains its ring at its own pace, works on what was there as one batch, and hands what came of it
//! to the [`super::writer`].

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender as Deliver;
use std::time::{Duration, Instant};

use rustc_hash::FxHashSet;

use super::account::Account;
use super::delivery::{DeliveredCommand, Delivery, PartitionState, UndecodedFrame};
use super::fates::READ_BEFORE;
use super::intake::FrameOutcome;
use super::lateness::{FrameAddress, address};
use super::partition_states::{NextOffsets, PartitionStates};
use super::shard::Shard;
use super::state_inbox::StateInbox;
use super::status::WorkerStatus;
use super::ticker::{Ticker, is_tick, tick_of};
use crate::clock;
use crate::frame::{Frame, Origin};
use crate::instrument::InstrumentId;
use crate::model::ModelError;
use crate::signal::Signal;
use crate::signal::quality::Quality;
use crate::source::ring::Receiver;

/// How a worker works.
#[derive(Clone, Copy, Debug, Default)]
pub struct WorkerSettings {
    /// Number of its shard.
    pub shard: usize,
    /// The most frames in a batch.
    pub batch: usize,
    /// How long to wait for more frames once there is one; zero: not at all.
    pub batch_wait: Duration,
    /// How often the shard has a tick of the clock; none where its source sends them, or time is of no use.
    pub tick: Option<Duration>,
    /// Whether other shards have ticks of their own: a capture then says whom a tick concerned.
    pub ticks_differ: bool,
    /// Whether a frame whose offset was worked on before is dropped: Kafka delivers records again after a
    /// rebalance.
    pub drops_repeated_offsets: bool,
    /// How long an instrument may be silent before it no longer holds the watermark.
    pub idle: Duration,
    /// Whether frames are handed on for a capture.
    pub captures: bool,
}

/// Works until every source has gone and the ring is empty, or `stop` is set. Gives the shard back.
///
/// # Errors
/// [`ModelError`] when the model fails.
pub fn work(
    shard: Shard,
    settings: WorkerSettings,
    ring: &Receiver,
    deliver: &Deliver<Delivery>,
    status: &WorkerStatus,
    stop: &AtomicBool,
) -> Result<Shard, ModelError> {
    work_by_partition(shard, settings, None, (ring, deliver), status, stop)
}

/// The same, with the states of partitions that a source hands over in an inbox.
pub(crate) fn work_by_partition(
    shard: Shard,
    settings: WorkerSettings,
    inbox: Option<Arc<StateInbox>>,
    (ring, deliver): (&Receiver, &Deliver<Delivery>),
    status: &WorkerStatus,
    stop: &AtomicBool,
) -> Result<Shard, ModelError> {
    let mut turns = ShardTurns::new(shard, settings, inbox);
    let mut goes_on = true;
    while goes_on && !stop.load(Ordering::Acquire) && turns.drain(ring, PATIENCE) {
        goes_on = turns.turn((ring, deliver), status)?;
    }
    turns.end(deliver, status, stop)
}

/// The turns of a shard: what is done with what was drained from its ring.
pub(crate) struct ShardTurns {
    shard: Shard,
    worker: Worker,
    states: Option<PartitionStates>,
    frames: Vec<Frame>,
    /// Frames that the status shows as worked on.
    published: u64,
    updated: Instant,
}

impl ShardTurns {
    /// Those of a shard, with the states of partitions that come through an inbox.
    pub(crate) fn new(
        shard: Shard,
        settings: WorkerSettings,
        inbox: Option<Arc<StateInbox>>,
    ) -> Self {
        let published = shard.account().received;
        Self {
            shard,
            worker: Worker::new(settings),
            states: inbox.map(PartitionStates::new),
            published,
            frames: Vec::with_capacity(settings.batch),
            updated: clock::instant(),
        }
    }

    /// Drains the ring, and waits for so long where it is empty. False where no more can come.
    pub(crate) fn drain(&mut self, ring: &Receiver, patience: Duration) -> bool {
        ring.drain(&mut self.frames, self.worker.settings.batch, patience)
    }

    /// Works on what was drained. False where the writer has gone: only when it failed; then no work is of
    /// use any more.
    ///
    /// # Errors
    /// [`ModelError`] when the model fails.
    pub(crate) fn turn(
        &mut self,
        (ring, deliver): (&Receiver, &Deliver<Delivery>),
        status: &WorkerStatus,
    ) -> Result<bool, ModelError> {
        let settings = self.worker.settings;
        if clock::instant().duration_since(self.updated) > UPDATE_EVERY {
            self.updated = clock::instant();
            self.update(status);
        }
        if let Some(states) = &mut self.states {
            // Before the first frame of a partition that begins, which may be among these.
            let changed = states.change(&mut self.shard, &mut self.worker.next);
            if !changed.is_empty() && deliver.send(self.worker.states(changed)).is_err() {
                return Ok(false);
            }
        }
        self.worker.tick(&mut self.frames, ring, status);
        if self.frames.is_empty() {
            return Ok(self.save(deliver));
        }
        if !settings.batch_wait.is_zero() {
            let until = clock::instant() + settings.batch_wait;
            ring.gather(&mut self.frames, settings.batch, until);
        }
        let made = self.worker.batch(&mut self.shard, &mut self.frames);
        publish(self.shard.account(), &mut self.published, ring, status);
        if made.is_err() {
            // The shard's last figures: it ends here.
            self.update(status);
        }
        if deliver.send(made?).is_err() {
            return Ok(false);
        }
        // The signals have left: do deferred work until new frames come.
        self.shard.run_deferred_work(|| !ring.is_empty());
        Ok(self.save(deliver))
    }

    /// The last states, where nobody stops the run, and the shard.
    pub(crate) fn end(
        mut self,
        deliver: &Deliver<Delivery>,
        status: &WorkerStatus,
        stop: &AtomicBool,
    ) -> Result<Shard, ModelError> {
        if let Some(save) = self.states_to_save(true)
            && !stop.load(Ordering::Acquire)
        {
            // The writer has gone only when it failed.
            drop(deliver.send(save));
        }
        self.update(status);
        Ok(self.shard)
    }

    /// Delivers states where it is time. False where the writer has gone.
    fn save(&mut self, deliver: &Deliver<Delivery>) -> bool {
        let save = self.states_to_save(false);
        save.is_none_or(|save| deliver.send(save).is_ok())
    }

    fn states_to_save(&mut self, last: bool) -> Option<Delivery> {
        let states = self.states.as_mut()?;
        let save = states.save(&self.shard, &self.worker.next, last)?;
        Some(self.worker.states(save))
    }

    fn update(&self, status: &WorkerStatus) {
        let Worker {
            settings,
            qualities,
            ..
        } = &self.worker;
        status.update(&self.shard, qualities, settings.idle);
    }
}

/// Shows what became of a batch, and that its frames are no longer in hand.
fn publish(account: &Account, published: &mut u64, ring: &Receiver, status: &WorkerStatus) {
    let _turn = ring.begin_turn();
    status.fates.publish(account);
    let done = account.received - std::mem::replace(published, account.received);
    ring.done(done as usize);
}

/// Deliveries that may wait for the writer.
pub(crate) const DELIVERIES: usize = 256;
/// How long a worker sleeps when nothing comes, before it looks at `stop` again.
const PATIENCE: Duration = Duration::from_millis(50);
/// How often a worker updates its status.
const UPDATE_EVERY: Duration = Duration::from_millis(500);

/// What a worker remembers between batches.
struct Worker {
    settings: WorkerSettings,
    /// The offset that comes next, by stream and partition.
    next: NextOffsets,
    /// Instruments whose names have been delivered.
    named: usize,
    qualities: [u64; Quality::ALL.len()],
    ticker: Option<Ticker>,
}

impl Worker {
    fn new(settings: WorkerSettings) -> Self {
        let every = settings.tick;
        Self {
            settings,
            next: NextOffsets::default(),
            named: 0,
            qualities: [0; Quality::ALL.len()],
            ticker: every.map(|every| Ticker::new(every, clock::instant())),
        }
    }

    /// A delivery of states alone.
    fn states(&self, states: Vec<PartitionState>) -> Delivery {
        Delivery {
            shard: self.settings.shard,
            states,
            ..Delivery::default()
        }
    }

    /// Puts a tick before the frames just drained, where one is due.
    fn tick(&mut self, frames: &mut Vec<Frame>, ring: &Receiver, status: &WorkerStatus) {
        let Some(ticker) = &mut self.ticker else {
            return;
        };
        let (now, waits) = (clock::instant(), !frames.is_empty());
        if waits {
            ticker.heard(now);
        }
        if let Some(tick) = ticker.tick(now, waits) {
            frames.insert(0, tick);
            let _turn = ring.begin_turn();
            ring.take_in_hand();
            status.ticks.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn batch(
        &mut self,
        shard: &mut Shard,
        frames: &mut Vec<Frame>,
    ) -> Result<Delivery, ModelError> {
        let mut delivery = Delivery {
            shard: self.settings.shard,
            ..Delivery::default()
        };
        for frame in frames.drain(..) {
            self.frame(shard, frame, &mut delivery)?;
        }
        shard.step(&mut delivery.signals)?;
        if let Some(ticker) = &mut self.ticker {
            ticker.note(&shard.batch().origins, clock::now());
        }
        mark_late(&mut delivery.frames, &shard.take_late_frames());
        if self.settings.captures && self.settings.ticks_differ {
            name_silent(shard, &mut delivery);
        }
        let new = |signal: &&Signal| !signal.origin.reprocessed;
        for signal in delivery.signals.iter().filter(new) {
            self.qualities[signal.quality as usize] += 1;
        }
        shard.take_gaps(&mut delivery.gaps);
        let instruments = shard.instruments();
        let name = |id| instruments.name(InstrumentId(id)).to_owned();
        delivery.new_names = (self.named as u32..instruments.len() as u32)
            .map(name)
            .collect();
        self.named = instruments.len();
        delivery.names_per_batch = instruments.are_per_batch();
        shard.end_batch();
        self.named = shard.instruments().len();
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
        if self.settings.drops_repeated_offsets && offset < *next {
            shard.drop_unread(READ_BEFORE);
            return Ok(());
        }
        *next = offset + 1;
        // The position of a frame that is read again is behind what was committed.
        if partition >= 0 {
            let positions = match frame.origin.reprocessed {
                false => &mut delivery.positions,
                true => &mut delivery.again,
            };
            frame.origin.after().note(positions);
        }
        match shard.frame(frame.origin, &frame.bytes) {
            FrameOutcome::Command(command) | FrameOutcome::ReprocessedCommand(command) => {
                shard.step(&mut delivery.signals)?;
                delivery.commands.push(DeliveredCommand {
                    before: delivery.signals.len(),
                    command,
                    reprocessed: frame.origin.reprocessed,
                });
            }
            FrameOutcome::DeadLetter(error) => {
                let bytes = match shard.dead_letter(&frame.bytes) {
                    Cow::Borrowed(_) => frame.bytes.clone(),
                    Cow::Owned(redacted) => redacted.into(),
                };
                delivery.dead_letters.push(UndecodedFrame {
                    error,
                    origin: frame.origin,
                    bytes,
                });
            }
            FrameOutcome::Events | FrameOutcome::Notice(_) | FrameOutcome::Dropped(_) => {}
        }
        if self.settings.captures {
            delivery.frames.push(frame);
        }
        Ok(())
    }
}

/// Marks the frames whose signals were late, for a capture.
fn mark_late(frames: &mut [Frame], late: &[FrameAddress]) {
    if late.is_empty() {
        return;
    }
    let late: FxHashSet<&FrameAddress> = late.iter().collect();
    for frame in frames {
        frame.origin.late |= late.contains(&address(&frame.origin));
    }
}

/// Puts in the place of each tick one for each instrument that it has found silent: a replay does not know
/// which instruments were of this shard.
fn name_silent(shard: &Shard, delivery: &mut Delivery) {
    if !delivery.frames.iter().any(|frame| is_tick(&frame.origin)) {
        return;
    }
    let frames = std::mem::take(&mut delivery.frames);
    for frame in frames {
        if !is_tick(&frame.origin) {
            delivery.frames.push(frame);
            continue;
        }
        let is_of = |signal: &&Signal| {
            let origin = &signal.origin;
            is_tick(origin) && origin.offset == frame.origin.offset
        };
        let silent = delivery.signals.iter().filter(is_of);
        let names = silent.map(|signal| shard.instruments().name(signal.instrument));
        let ticks = names.map(|name| tick_of(frame.origin, name));
        delivery.frames.extend(ticks);
    }
}
