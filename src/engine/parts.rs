//! The parts of the engine that work on rows; and the rows of records, of which the instrument's market knows
//! nothing.

use super::pending::{PendingSignal, ScoreSource};
use super::period::PeriodChange;
use super::row::Row;
use super::row_maker::RowMaker;
use super::scorer::Scorer;
use super::settings::EngineSettings;
use crate::event::{Batch, Event};
use crate::instrument::InstrumentId;
use crate::signal::quality::Quality;
use crate::units::Nanos;

/// The parts of the engine that work on rows.
pub(super) struct EngineParts<'a> {
    pub(super) settings: &'a EngineSettings,
    /// Whether rows are of records that depend on nothing else.
    pub(super) stand_alone: bool,
    pub(super) rows: &'a mut RowMaker,
    pub(super) scorer: &'a mut Scorer,
    pub(super) pending: &'a mut Vec<PendingSignal>,
    pub(super) row: &'a mut [f64],
}

impl EngineParts<'_> {
    /// Takes a row that an event has made.
    #[inline]
    pub(super) fn take_row(&mut self, mut row: Row, batch: &Batch, number: usize) {
        let steps = self.settings.steps;
        let frame = batch.events[number].frame;
        if row.period.is_some() {
            return self.take_statement(row, batch, number);
        }
        if self.stand_alone {
            return self.take_record(row, batch, number);
        }
        let state = self.rows.instrument(row.instrument);
        let window = &mut state.window;
        let scored = self
            .settings
            .take_row(&mut state.normaliser, window, &mut row, self.row);
        // A headline about several instruments is scored once.
        let shared = row.item.is_some()
            && self
                .pending
                .last()
                .is_some_and(|last| last.is_score_of(frame, row.item));
        self.scorer
            .take_row(row.instrument, window, self.row, steps, scored && !shared);
        if scored {
            let scores = if shared {
                ScoreSource::SharedWindow
            } else {
                ScoreSource::OwnWindow
            };
            self.pending
                .push(PendingSignal::of(row, batch, number, scores));
        }
    }

    /// Repeats the last signal of instruments that have fallen silent or whose book is broken, marked as
    /// stale or gap. `silent` is room to work in; `pend` makes the pending signal of an instrument, what was
    /// found of it, and its row.
    pub(super) fn tick(
        &mut self,
        batch: &Batch,
        number: usize,
        silent: &mut Vec<(InstrumentId, Quality)>,
        mut pend: impl FnMut(&mut RowMaker, InstrumentId, Quality, Option<Row>) -> Option<PendingSignal>,
    ) {
        let event = &batch.events[number];
        let (ts, of) = (event.ts_event, event.instrument);
        let (steps, columns) = (self.settings.steps, self.row.len());
        self.rows.tick(ts, of, silent);
        for (instrument, found) in silent.drain(..) {
            let window = &self.rows.instrument(instrument).window;
            let mut row = None;
            if self.settings.scores(window) {
                self.scorer.repeat(instrument, window, steps, columns);
                let quality = window.quality(steps).max(found);
                row = Some(Row::bare(instrument, ts, quality));
            }
            let pending = pend(self.rows, instrument, found, row);
            self.pending.extend(pending);
        }
    }

    /// Takes a record whose signal depends on it alone: nothing of it is kept.
    pub(super) fn take_record(&mut self, row: Row, batch: &Batch, number: usize) {
        self.settings
            .normalise
            .apply(&mut Default::default(), self.row);
        let cells = &self.row;
        self.scorer
            .take_window(|windows| windows.extend_from_slice(cells));
        let scores = ScoreSource::OwnWindow;
        self.pending
            .push(PendingSignal::of(row, batch, number, scores));
    }

    /// Takes the row of a company's period. Its window is scored whenever a period in it has changed.
    pub(super) fn take_statement(&mut self, mut row: Row, batch: &Batch, number: usize) {
        let steps = self.settings.steps;
        let state = self.rows.instrument(row.instrument);
        self.settings
            .normalise
            .apply(&mut state.normaliser, self.row);
        let company = &mut state.company;
        let period = row.period.expect("it is of a statement");
        let (change, backwards) = company.update(period, row.ts_event.0, self.row, steps);
        let complete = company.periods.are_complete(steps);
        if complete && matches!(change, PeriodChange::New | PeriodChange::Restated) {
            self.scorer
                .take_window(|cells| company.periods.window(cells));
            row.ts_event = Nanos(company.now);
            row.period = company.periods.newest();
            if !company.periods.are_consecutive() {
                row.quality = row.quality.max(Quality::Gap);
            }
            let scores = ScoreSource::OwnWindow;
            self.pending
                .push(PendingSignal::of(row, batch, number, scores));
        }
        self.rows.count_period(change);
        self.rows.count_window(!complete, backwards);
    }

    /// Takes an item out of an instrument's average, after the signals that are pending.
    pub(super) fn withdraw(&mut self, event: &Event, item: u64) {
        let row = Row {
            item: Some(item),
            ..Row::bare(event.instrument, event.ts_event, Quality::Ok)
        };
        self.pending.push(PendingSignal {
            row,
            frame: event.frame,
            part: 0,
            scores: ScoreSource::Withdrawal,
            revision: 0,
        });
    }
}
