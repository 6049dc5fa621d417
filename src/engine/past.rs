//! The recent past of an instrument: its events in the order of their times, and its state before some of
//! them, so that an event that comes late can be put in its place.
//!
//! Holds data: `corrector` works on it. Its bounds do not depend on batches: what is kept longer than it must
//! be is found by nobody.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::feature::FeatureState;
use super::pending::part_of;
use super::row::MarketState;
use super::row_window::RowWindow;
use crate::event::{Batch, Body, Event, Level};
use crate::frame::Origin;
use crate::instrument::InstrumentId;
use crate::model::normalise::Expanding;
use crate::signal::quality::Quality;
use crate::signal::{MAX_OUTPUTS, MAX_REASONS, Reason};
use crate::units::Nanos;

/// The part of an instrument's state that rows and windows are made of.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct RowState {
    pub(super) market: MarketState,
    pub(super) features: FeatureState,
    pub(super) normaliser: Expanding,
    pub(super) window: RowWindow,
}

/// The last events of an instrument.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct RecentPast {
    events: VecDeque<PastEvent>,
    /// How many events came before these.
    dropped: u64,
    /// The state before some of the events; the first one before the first event.
    checkpoints: VecDeque<Checkpoint>,
    /// An event of before this time has no place any more.
    floor: i64,
    /// What was published last of events, by their slots; none before the first signal.
    published: Vec<Option<Published>>,
    free_slots: Vec<u32>,
    /// The round in which events were dropped last.
    #[serde(skip)]
    round: u64,
}

/// What was published last of an event.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Published {
    pub(super) outputs: [f64; MAX_OUTPUTS],
    pub(super) reasons: [Option<Reason>; MAX_REASONS],
    pub(super) quality: Quality,
    pub(super) revision: u32,
}

/// The state before an event.
#[derive(Debug, Serialize, Deserialize)]
struct Checkpoint {
    /// How many events came before it.
    after: u64,
    /// The latest time then.
    ts: i64,
    state: Box<RowState>,
}

/// An event, with all that it points to, and what was made of it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct PastEvent {
    /// Its place in time: its own time, or the latest one known when it came.
    pub(super) at: i64,
    pub(super) ts_event: Nanos,
    /// A tick stands for the repeat of the window before it.
    pub(super) body: Body,
    /// Whether it concerned all instruments.
    pub(super) everywhere: bool,
    /// Of a book change.
    pub(super) levels: Box<[Level]>,
    pub(super) origin: Origin,
    pub(super) part: u16,
    /// Of a tick: the quality that it found.
    pub(super) found: Quality,
    pub(super) row: Option<PastRow>,
    /// Whether it has a signal now.
    pub(super) has_signal: bool,
    /// Where it is kept what was published of it, once it has had a signal.
    pub(super) slot: Option<u32>,
}

/// Whether an event changes what is known of the market of one instrument.
pub(super) fn is_of_one_market(event: &Event) -> bool {
    let is_other = matches!(
        event.body,
        Body::Sentiment(_) | Body::Record(_) | Body::Withdrawn(_) | Body::Tick
    );
    event.instrument != InstrumentId::ALL && !is_other
}

/// A row as the model takes it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct PastRow {
    pub(super) cells: Box<[f64]>,
    pub(super) quality: Quality,
}

/// Events kept for corrections; the oldest are given up for new ones.
const EVENTS_MAX: usize = 1 << 16;
/// Events between two checkpoints, at least: a checkpoint copies the state.
const CHECKPOINT_MIN: u64 = 256;
/// Events between two checkpoints, at most: so many are worked on again for nothing.
const CHECKPOINT_MAX: u64 = 8_192;
/// Checkpoints within the time in which events are put in their place.
const CHECKPOINTS: i64 = 8;

impl RecentPast {
    /// Begins with this state, before the next event.
    pub(super) fn new(state: RowState) -> Self {
        let ts = state.market.now;
        let first = Checkpoint {
            after: 0,
            ts,
            state: Box::new(state),
        };
        Self {
            events: VecDeque::new(),
            dropped: 0,
            checkpoints: [first].into(),
            floor: ts,
            published: vec![],
            free_slots: vec![],
            round: 0,
        }
    }

    /// Whether an event of this time still has a place.
    pub(super) fn has_place(&self, ts: i64) -> bool {
        ts >= self.floor
    }

    /// The place of an event of this time: behind all events that are not later.
    pub(super) fn place(&self, ts: i64) -> usize {
        self.events.partition_point(|event| event.at <= ts)
    }

    /// Whether this trade is known already, at the place before `place`.
    pub(super) fn has_trade(&self, place: usize, event: &Event) -> bool {
        let Body::Trade(trade) = &event.body else {
            return false;
        };
        let same_time = self.events.range(..place).rev();
        let mut same_time = same_time.take_while(|other| other.at == event.ts_event.0);
        trade.trade_id > 0
            && same_time.any(|other| other.body == event.body && other.ts_event == event.ts_event)
    }

    pub(super) fn len(&self) -> usize {
        self.events.len()
    }

    pub(super) fn event(&self, place: usize) -> &PastEvent {
        &self.events[place]
    }

    pub(super) fn event_mut(&mut self, place: usize) -> &mut PastEvent {
        &mut self.events[place]
    }

    /// Adds an event at its place.
    pub(super) fn insert(&mut self, place: usize, event: PastEvent) {
        self.events.insert(place, event);
        if let Some(oldest) = self.events.len().checked_sub(EVENTS_MAX + 1) {
            self.floor = self.floor.max(self.events[oldest].at);
        }
    }

    /// Whether the state before the event at this place, of this time, is to be kept.
    pub(super) fn wants_checkpoint(&self, place: usize, ts: i64, within: i64) -> bool {
        let last = self.checkpoints.back().expect("the first one stays");
        let events = self.dropped + place as u64 - last.after;
        let is_later = ts.saturating_sub(last.ts) >= within / CHECKPOINTS;
        events >= CHECKPOINT_MAX || events >= CHECKPOINT_MIN && is_later
    }

    /// Keeps the state before the event at this place.
    pub(super) fn keep_state(&mut self, place: usize, state: RowState) {
        self.checkpoints.push_back(Checkpoint {
            after: self.dropped + place as u64,
            ts: state.market.now,
            state: Box::new(state),
        });
    }

    /// Forgets the states behind the event at this place. Returns the last one before it, and the place of
    /// the event that it precedes.
    pub(super) fn rewind(&mut self, place: usize) -> (RowState, usize) {
        let after = self.dropped + place as u64;
        let kept = self.checkpoints.partition_point(|one| one.after <= after);
        self.checkpoints.truncate(kept);
        let last = self.checkpoints.back().expect("the first one stays");
        let from = last.after - self.dropped;
        ((*last.state).clone(), from as usize)
    }

    /// Drops what events later than `until` do not need, once in a round: no signal of an event that is
    /// dropped may still wait for its scores.
    pub(super) fn drop_before(&mut self, until: i64, round: u64) {
        if std::mem::replace(&mut self.round, round) == round {
            return;
        }
        let until = until.max(self.floor);
        while let Some(next) = self.checkpoints.get(1) {
            let events = (next.after - self.dropped) as usize;
            if self.events[events - 1].at > until {
                break;
            }
            self.dropped = next.after;
            self.checkpoints.pop_front();
            for slot in self.events.drain(..events).filter_map(|event| event.slot) {
                self.published[slot as usize] = None;
                self.free_slots.push(slot);
            }
        }
    }

    /// A slot for what is published.
    pub(super) fn new_slot(&mut self) -> u32 {
        self.free_slots.pop().unwrap_or_else(|| {
            self.published.push(None);
            self.published.len() as u32 - 1
        })
    }

    /// What was published last.
    pub(super) fn published(&mut self, slot: u32) -> &mut Option<Published> {
        &mut self.published[slot as usize]
    }
}

impl PastEvent {
    /// An event of a batch, at this place in time.
    pub(super) fn new(batch: &Batch, number: usize, at: i64) -> Self {
        let event = &batch.events[number];
        let levels = match &event.body {
            Body::Depth(depth) => {
                let (bids, asks) = batch.levels(depth);
                [bids, asks].concat().into()
            }
            _ => [].into(),
        };
        Self {
            at,
            ts_event: event.ts_event,
            body: event.body,
            everywhere: false,
            levels,
            origin: batch.origins[event.frame as usize],
            part: part_of(batch, number),
            found: Quality::Ok,
            row: None,
            has_signal: false,
            slot: None,
        }
    }
}

impl PastRow {
    /// Whether two rows are the same to a model and to whoever reads its signals.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.quality == other.quality && are_same(&self.cells, &other.cells)
    }
}

impl Published {
    /// Whether two say the same, whatever their revisions.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        (self.quality, self.reasons) == (other.quality, other.reasons)
            && are_same(&self.outputs, &other.outputs)
    }
}

fn are_same(cells: &[f64], others: &[f64]) -> bool {
    let mut pairs = cells.iter().zip(others);
    pairs.all(|(cell, other)| cell.to_bits() == other.to_bits())
}
