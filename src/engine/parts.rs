//! The parts of the engine that work on rows; and the rows of records, of which the instrument's market knows
//! nothing.

use super::pending::{PendingSignal, ScoreSource};
use super::period::PeriodChange;
use super::row::Row;
use super::row_maker::RowMaker;
use super::scorer::Scorer;
use super::settings::EngineSettings;
use crate::event::{Batch, Event};
use crate::signal::quality::Quality;
use crate::units::Nanos;

/// The parts of the engine that work on rows.
pub(super) struct EngineParts<'a> {
    pub(super) settings: &'a EngineSettings,
    pub(super) rows: &'a mut RowMaker,
    pub(super) scorer: &'a mut Scorer,
    pub(super) pending: &'a mut Vec<PendingSignal>,
    pub(super) row: &'a mut [f64],
}

impl EngineParts<'_> {
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
