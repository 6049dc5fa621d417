//! Puts events that come late in their place, and makes the signals again that they change.
//!
//! An instrument's state goes back to a checkpoint before the late event, and its events are worked on again
//! in the order of their times. Where a row, or one of the rows in its window, is another one than before,
//! its signal is made again as a correction of the one that was published; where there is none any more, that
//! one is taken back. Changes of a book, gaps and halts keep the order in which they came. When inputs were
//! received, and which gaps were told of, is not gone back on.

use super::parts::EngineParts;
use super::past::{PastEvent, PastRow, RecentPast, RowState};
use super::pending::{PendingSignal, ScoreSource};
use super::revision::Revision;
use super::row::{EventCounts, Row};
use super::row_maker::RowMaker;
use crate::event::{Batch, Body, Event, Gap};
use crate::frame::Origin;
use crate::instrument::InstrumentId;
use crate::signal::quality::Quality;
use crate::units::Nanos;

/// Puts late events in their place.
#[derive(Debug)]
pub(super) struct Corrector {
    /// Events this much later than the latest one of their instrument are late, in nanoseconds.
    lateness: i64,
    /// Events this much later are too late.
    within: i64,
    /// Counts the batches.
    round: u64,
    /// What signals that wait for their scores are revisions of.
    revisions: Vec<Revision>,
    /// Holds the levels of one event.
    batch: Batch,
}

/// What is made again because of a late event.
struct Rerun {
    instrument: InstrumentId,
    /// The place of the late event.
    place: usize,
    /// Index of its frame in the batch.
    frame: u32,
    /// Whether its frame is read again only to rebuild state.
    reprocessed: bool,
    /// The number of rows when one was other than before, or missing, the last time.
    changed: Option<u64>,
}

impl Rerun {
    /// Whether a window that ends at this row may be another one than before.
    fn has_changed(&self, rows: u64, steps: usize) -> bool {
        let before = rows.saturating_sub(steps as u64);
        self.changed.is_some_and(|changed| changed > before)
    }
}

impl Corrector {
    pub(super) fn new(lateness: i64, within: i64) -> Self {
        Self {
            lateness,
            within,
            round: 0,
            revisions: vec![],
            batch: Batch::default(),
        }
    }

    /// Begins a batch: no signal waits for its scores.
    pub(super) fn begin_round(&mut self) {
        self.round += 1;
        self.revisions.clear();
    }

    /// Takes an event of an instrument's market.
    pub(super) fn take(&mut self, on: &mut EngineParts<'_>, batch: &Batch, number: usize) {
        let event = &batch.events[number];
        let mut past = take_past(on.rows, event.instrument);
        let now = on.rows.instrument(event.instrument).market.now;
        match self.place(&past, event, now, on.rows.counts_mut()) {
            Some(place) if past.has_trade(place, event) => on.rows.counts_mut().duplicates += 1,
            Some(place) => self.correct(on, &mut past, place, batch, number),
            None => self.append(on, &mut past, batch, number),
        }
        on.rows.instrument(event.instrument).past = Some(past);
    }

    /// The place of an event that comes late; none where it is not to be put in its place.
    fn place(
        &self,
        past: &RecentPast,
        event: &Event,
        now: i64,
        counts: &mut EventCounts,
    ) -> Option<usize> {
        let ts = event.ts_event;
        let has_own_time = matches!(
            event.body,
            Body::Trade(_) | Body::SkippedTrade(_) | Body::Quote(_) | Body::Bar(_)
        );
        if ts == Nanos::UNDEFINED || now == i64::MIN || !has_own_time {
            return None;
        }
        let late_by = now.saturating_sub(ts.0);
        if late_by <= self.lateness || late_by > self.within {
            return None;
        }
        if !past.has_place(ts.0) {
            counts.late_unplaced += 1;
            return None;
        }
        Some(past.place(ts.0))
    }

    /// Takes an event that comes in time, or too late to be put in its place.
    fn append(
        &mut self,
        on: &mut EngineParts<'_>,
        past: &mut RecentPast,
        batch: &Batch,
        number: usize,
    ) {
        let event = &batch.events[number];
        let state = on.rows.instrument(event.instrument);
        let (now, ts) = (state.market.now, event.ts_event);
        let at = match ts {
            Nanos::UNDEFINED => now,
            ts => now.max(ts.0),
        };
        past.drop_before(now.saturating_sub(self.within), self.round);
        if past.wants_checkpoint(past.len(), at, self.within) {
            past.keep_state(past.len(), state.row_state());
        }
        let mut kept = PastEvent::new(batch, number, at);
        if let Some(mut row) = on.rows.apply(batch, event, on.row) {
            let quality = row.quality;
            let state = on.rows.instrument(event.instrument);
            let is_due =
                on.settings
                    .take_row(&mut state.normaliser, &mut state.window, &mut row, on.row);
            kept.row = Some(PastRow {
                cells: (&*on.row).into(),
                quality,
            });
            let steps = on.settings.steps;
            on.scorer
                .take_row(event.instrument, &mut state.window, on.row, steps, is_due);
            if is_due {
                kept.slot = Some(past.new_slot());
                let reprocessed = kept.origin.reprocessed;
                on.pending
                    .push(self.publish(&mut kept, row, event.frame, reprocessed));
            }
        }
        // A time from the future is not believed.
        kept.at = on.rows.instrument(event.instrument).market.now;
        past.insert(past.len(), kept);
    }

    /// Notes a gap of all instruments that know of it now.
    pub(super) fn note_gap(&mut self, rows: &mut RowMaker, batch: &Batch, number: usize) {
        for (_, state) in rows.instruments_mut().iter_mut() {
            let now = state.market.now;
            if let Some(past) = &mut state.past {
                let mut kept = PastEvent::new(batch, number, now);
                kept.everywhere = true;
                past.insert(past.len(), kept);
            }
        }
    }

    /// Takes a tick that found an instrument silent, or its book broken: `signal` is the repeat of its last
    /// window, where that is to be scored.
    pub(super) fn note_repeat(
        &mut self,
        rows: &mut RowMaker,
        instrument: InstrumentId,
        (batch, number): (&Batch, usize),
        found: Quality,
        signal: Option<Row>,
    ) -> Option<PendingSignal> {
        let mut past = take_past(rows, instrument);
        let state = rows.instrument(instrument);
        let mut kept = PastEvent::new(batch, number, state.market.now);
        kept.found = found;
        let frame = batch.events[number].frame;
        let pending = signal.map(|row| {
            kept.slot = Some(past.new_slot());
            let reprocessed = kept.origin.reprocessed;
            self.publish(&mut kept, row, frame, reprocessed)
        });
        past.insert(past.len(), kept);
        state.past = Some(past);
        pending
    }

    /// Puts a late event in its place, and works on it and on those behind it.
    fn correct(
        &mut self,
        on: &mut EngineParts<'_>,
        past: &mut RecentPast,
        place: usize,
        batch: &Batch,
        number: usize,
    ) {
        let event = &batch.events[number];
        let ts = event.ts_event.0;
        on.rows.counts_mut().late_corrections += 1;
        past.insert(place, PastEvent::new(batch, number, ts));
        let (mut state, from) = past.rewind(place);
        for known in from..place {
            let known = past.event(known);
            if let Some(mut row) = self.work_on(on, &mut state, known, event.instrument, false) {
                let RowState {
                    normaliser, window, ..
                } = &mut state;
                on.settings.take_row(normaliser, window, &mut row, on.row);
                window.keep(on.row, on.settings.steps);
            }
        }
        let (steps, columns) = (on.settings.steps, on.row.len());
        on.scorer
            .begin_again(event.instrument, &state.window, steps, columns);
        let mut rerun = Rerun {
            instrument: event.instrument,
            place,
            frame: event.frame,
            reprocessed: batch.origins[event.frame as usize].reprocessed,
            changed: None,
        };
        for at in place..past.len() {
            if past.wants_checkpoint(at, past.event(at).at, self.within) {
                past.keep_state(at, state.clone());
            }
            self.make_again(on, past, at, &mut state, &mut rerun);
        }
        self.hear(on.rows, batch, event);
        let live = on.rows.instrument(event.instrument);
        state.market.heard = live.market.heard;
        std::mem::swap(&mut state.market.suspicions, &mut live.market.suspicions);
        live.set_row_state(state);
    }

    /// Makes the row and the signal of an event of the past again, where they are not the same.
    fn make_again(
        &mut self,
        on: &mut EngineParts<'_>,
        past: &mut RecentPast,
        at: usize,
        state: &mut RowState,
        rerun: &mut Rerun,
    ) {
        let (steps, columns, instrument) = (on.settings.steps, on.row.len(), rerun.instrument);
        let is_late = at == rerun.place;
        let (mut signal, mut new) = (None, None);
        if let Some(mut row) = self.work_on(on, state, past.event(at), instrument, is_late) {
            let quality = row.quality;
            let RowState {
                normaliser, window, ..
            } = state;
            let is_scored = on.settings.take_row(normaliser, window, &mut row, on.row);
            signal = is_scored.then_some(row);
            new = Some(PastRow {
                cells: (&*on.row).into(),
                quality,
            });
        }
        let rows = state.window.rows();
        let known = past.event_mut(at);
        let is_same = match (&known.row, &new) {
            (Some(before), Some(now)) => before.is_same(now),
            (before, now) => before.is_none() && now.is_none(),
        };
        if !is_same {
            rerun.changed = Some(rows);
        }
        known.row = new;
        if matches!(known.body, Body::Tick) && on.settings.scores(&state.window) {
            let quality = state.window.quality(steps).max(known.found);
            signal = Some(Row::bare(instrument, known.ts_event, quality));
        }
        let is_due = signal.is_some() && (!known.has_signal || rerun.has_changed(rows, steps));
        if known.row.is_some() {
            on.scorer
                .take_row(instrument, &mut state.window, on.row, steps, is_due);
        } else if is_due {
            on.scorer.repeat(instrument, &state.window, steps, columns);
        }
        let pending = match signal {
            Some(row) if is_due => {
                if known.slot.is_none() {
                    let slot = past.new_slot();
                    past.event_mut(at).slot = Some(slot);
                }
                self.publish(past.event_mut(at), row, rerun.frame, rerun.reprocessed)
            }
            None if known.has_signal => {
                let ts = match known.body {
                    Body::Tick => known.ts_event,
                    _ => Nanos(known.at),
                };
                let row = Row::bare(instrument, ts, Quality::Gap);
                let back = self.publish(known, row, rerun.frame, rerun.reprocessed);
                past.event_mut(at).has_signal = false;
                PendingSignal {
                    scores: ScoreSource::TakenBack,
                    ..back
                }
            }
            _ => return,
        };
        on.pending.push(pending);
    }

    /// A signal of an event, once more where there was one before.
    fn publish(
        &mut self,
        known: &mut PastEvent,
        row: Row,
        frame: u32,
        reprocessed: bool,
    ) -> PendingSignal {
        self.revisions.push(Revision {
            origin: Origin {
                reprocessed,
                ..known.origin
            },
            slot: known.slot.expect("it was given one"),
        });
        known.has_signal = true;
        PendingSignal {
            row,
            frame,
            part: known.part,
            scores: ScoreSource::OwnWindow,
            revision: self.revisions.len() as u32,
        }
    }

    /// What a signal is a revision of.
    pub(super) fn revision(&self, pending: &PendingSignal) -> Revision {
        self.revisions[pending.revision as usize - 1]
    }

    /// Notes that an event was received, whatever its time.
    fn hear(&self, rows: &mut RowMaker, batch: &Batch, event: &Event) {
        let market = &mut rows.instrument(event.instrument).market;
        let received = batch.origins[event.frame as usize].ts_recv;
        market.heard.take(&event.body, received);
        market.silent = false;
    }

    /// Works on an event of the past.
    fn work_on(
        &mut self,
        on: &mut EngineParts<'_>,
        state: &mut RowState,
        known: &PastEvent,
        instrument: InstrumentId,
        counts: bool,
    ) -> Option<Row> {
        match known.body {
            Body::Tick => return None,
            Body::FeedGap(Gap { reason, .. }) => {
                state.market.break_by(reason);
                return None;
            }
            Body::Gap(Gap { reason, .. }) if known.everywhere => {
                state.market.break_by(reason);
                return None;
            }
            _ => {}
        }
        self.batch.origins.clear();
        self.batch.origins.push(known.origin);
        let mut body = known.body;
        if let Body::Depth(depth) = &mut body {
            depth.start = 0;
            self.batch.levels.clear();
            self.batch.levels.extend_from_slice(&known.levels);
        }
        let event = Event {
            ts_event: known.ts_event,
            instrument,
            frame: 0,
            body,
        };
        on.rows
            .take_again(state, &self.batch, &event, on.row, counts)
    }
}

/// The past of an instrument, which begins now where it has none.
fn take_past(rows: &mut RowMaker, instrument: InstrumentId) -> Box<RecentPast> {
    let state = rows.instrument(instrument);
    let past = state.past.take();
    past.unwrap_or_else(|| Box::new(RecentPast::new(state.row_state())))
}
