//! The one path from events to signals: live, replay and backtest all call [`Engine::step`].
//!
//! Reads no clock, does no I/O, and allocates nothing once the buffers have grown. Signals depend on
//! the events alone, never on how they were split into batches (`tests/path/same_path.rs`).

pub mod book;
mod book_repairs;
mod cache;
mod corrector;
pub mod feature;
mod gap_log;
mod market_row;
mod parts;
mod past;
mod pending;
pub mod period;
mod revision;
pub mod row;
pub mod row_maker;
mod row_window;
pub mod saved;
mod scorer;
mod settings;
pub mod state;
pub mod window;

use std::sync::Arc;

use self::corrector::Corrector;
use self::feature::FeaturePlan;
use self::parts::EngineParts;
use self::past::is_of_one_market;
use self::pending::{PendingSignal, ScoreSource};
use self::row::{EventCounts, Figures, GapRecord, LatePolicy, Row};
use self::row_maker::RowMaker;
use self::saved::{SavedStatesError, StatesToSave};
use self::scorer::Scorer;
pub use self::settings::EngineSettings;
use self::state::{EngineState, InstrumentState, InstrumentStates};
use crate::event::{Batch, Body, Event};
use crate::instrument::InstrumentId;
use crate::model::score_form::ScoreFault;
use crate::model::slide::SlidingWindows;
use crate::model::slide::mismatch::StateMismatch;
use crate::model::{Model, ModelError};
use crate::news::saved::SavedItems;
use crate::signal::Signal;
use crate::signal::model::expected;
use crate::signal::quality::Quality;
use crate::units::Nanos;

/// One shard's engine: the states of its instruments, and its model.
pub struct Engine {
    settings: EngineSettings,
    /// Whether rows are of records that depend on nothing else.
    stand_alone: bool,
    rows: RowMaker,
    scorer: Scorer,
    row: Vec<f64>,
    pending: Vec<PendingSignal>,
    silent: Vec<(InstrumentId, Quality)>,
    /// Where late events are put in their place.
    corrector: Option<Box<Corrector>>,
    undefined: u64,
    invalid_probabilities: u64,
}

impl Engine {
    /// An engine for these features and this model.
    #[must_use]
    pub fn new(plan: Arc<FeaturePlan>, settings: EngineSettings, model: Box<dyn Model>) -> Self {
        Self::with(plan, settings, Scorer::whole(model))
    }

    /// An engine whose windows are kept in flight. The same rows become the same signals.
    #[must_use]
    pub fn sliding(
        plan: Arc<FeaturePlan>,
        settings: EngineSettings,
        slide: SlidingWindows,
    ) -> Self {
        Self::with(plan, settings, Scorer::sliding(slide))
    }

    fn with(plan: Arc<FeaturePlan>, settings: EngineSettings, scorer: Scorer) -> Self {
        let rules = &settings.rules;
        let corrector = match rules.late {
            LatePolicy::Correct { within } => Some(Corrector::new(rules.lateness, within)),
            LatePolicy::Update | LatePolicy::Drop => None,
        };
        Self {
            row: vec![0.0; plan.len()],
            rows: RowMaker::new(plan, settings.rules),
            stand_alone: settings.stands_alone(),
            settings,
            scorer: scorer.keeping_rows(corrector.is_some()),
            corrector: corrector.map(Box::new),
            pending: vec![],
            silent: vec![],
            undefined: 0,
            invalid_probabilities: 0,
        }
    }

    /// Takes the events of a batch and appends the signals that they make.
    ///
    /// # Errors
    /// [`ModelError`] when the model fails; the signals of the batch are then lost.
    pub fn step(&mut self, batch: &Batch, signals: &mut Vec<Signal>) -> Result<(), ModelError> {
        self.apply(batch);
        self.score(batch, signals)
    }

    /// The first half of a step: books, windows, features and rows.
    pub fn apply(&mut self, batch: &Batch) {
        if self.corrector.is_some() {
            return self.apply_in_place(batch);
        }
        for (chunk, events) in batch.events.chunks(cache::EVENTS).enumerate() {
            self.rows.load_into_cache(events);
            for (number, event) in (chunk * cache::EVENTS..).zip(events) {
                self.apply_one(batch, event, number);
            }
        }
    }

    /// The same where late events are put in their place.
    fn apply_in_place(&mut self, batch: &Batch) {
        if let Some(corrector) = self.corrector.as_mut().filter(|_| self.pending.is_empty()) {
            corrector.begin_round();
        }
        for (number, event) in batch.events.iter().enumerate() {
            let is_of_market = |_: &&mut Box<Corrector>| is_of_one_market(event);
            let Some(corrector) = self.corrector.as_mut().filter(is_of_market) else {
                self.apply_one(batch, event, number);
                if let (Some(corrector), Body::Gap(_)) = (&mut self.corrector, event.body) {
                    corrector.note_gap(&mut self.rows, batch, number);
                }
                continue;
            };
            let mut parts = EngineParts {
                settings: &self.settings,
                stand_alone: self.stand_alone,
                rows: &mut self.rows,
                scorer: &mut self.scorer,
                pending: &mut self.pending,
                row: &mut self.row,
            };
            corrector.take(&mut parts, batch, number);
        }
    }

    /// Takes the event of this number.
    #[inline]
    fn apply_one(&mut self, batch: &Batch, event: &Event, number: usize) {
        if let Some(row) = self.rows.apply(batch, event, &mut self.row) {
            return self.parts().take_row(row, batch, number);
        }
        match event.body {
            Body::Tick => {
                let mut parts = EngineParts {
                    settings: &self.settings,
                    stand_alone: self.stand_alone,
                    rows: &mut self.rows,
                    scorer: &mut self.scorer,
                    pending: &mut self.pending,
                    row: &mut self.row,
                };
                let mut corrector = self.corrector.as_deref_mut();
                let pend = |rows: &mut RowMaker, of, found, row: Option<Row>| match &mut corrector {
                    Some(one) => one.note_repeat(rows, of, (batch, number), found, row),
                    None => {
                        row.map(|row| PendingSignal::of(row, batch, number, ScoreSource::OwnWindow))
                    }
                };
                parts.tick(batch, number, &mut self.silent, pend);
            }
            Body::Withdrawn(item) => self.parts().withdraw(event, item),
            _ => {}
        }
    }

    /// The second half: the model.
    ///
    /// # Errors
    /// [`ModelError`] when the model fails; the signals of the batch are then lost.
    ///
    /// # Panics
    /// Where a model gives more or fewer numbers than its contract.
    pub fn score(&mut self, batch: &Batch, signals: &mut Vec<Signal>) -> Result<(), ModelError> {
        let (form, reasons) = (self.settings.form, self.settings.reasons);
        let numbers = form.given + reasons;
        let instruments = self.rows.instruments_mut();
        let all = match self.scorer.score(instruments, numbers) {
            Ok(all) => all,
            Err(error) => {
                self.pending.clear();
                return Err(error);
            }
        };
        let mut windows = all.chunks_exact(numbers);
        let mut scores: &[f64] = &[];
        let first = signals.len();
        for pending in self.pending.drain(..) {
            let Row {
                instrument, item, ..
            } = pending.row;
            match pending.scores {
                ScoreSource::OwnWindow => {
                    scores = windows.next().expect("the scorer has counted them");
                }
                ScoreSource::SharedWindow => {}
                ScoreSource::Withdrawal => {
                    let state = instruments.state_mut(instrument);
                    if let ((Some(state), Some(item)), Some(half_life)) =
                        ((state, item), self.settings.half_life)
                    {
                        state.scores.withdraw(item, half_life);
                    }
                    continue;
                }
                ScoreSource::TakenBack => {}
            }
            let corrector = self.corrector.as_ref();
            let revision = corrector.map(|corrector| corrector.revision(&pending));
            let take_back = |instruments: &mut InstrumentStates| {
                revision.and_then(|revision| revision.take_back(&pending, instruments))
            };
            if pending.scores == ScoreSource::TakenBack {
                signals.extend(take_back(instruments));
                continue;
            }
            let (given, reasons) = scores.split_at(form.given);
            let outputs = match form.outputs(given) {
                Ok(outputs) if reasons.iter().all(|reason| reason.is_finite()) => outputs,
                fault => {
                    match fault {
                        Ok(_) | Err(ScoreFault::Undefined) => self.undefined += 1,
                        Err(ScoreFault::Range(_) | ScoreFault::Sum(_)) => {
                            self.invalid_probabilities += 1;
                        }
                    }
                    signals.extend(take_back(instruments));
                    continue;
                }
            };
            let origin = match revision {
                Some(revision) => revision.origin,
                None => batch.origins[pending.frame as usize],
            };
            let mut signal = pending.signal(outputs, reasons, origin);
            signal.model = self.settings.model;
            if revision.is_some_and(|one| !one.number(&mut signal, instruments)) {
                continue;
            }
            if let (Some(item), Some(half_life)) = (item, self.settings.half_life) {
                let state = instruments
                    .state_mut(instrument)
                    .expect("its row made the state");
                let outputs = &signal.outputs[..form.classes.max(1)];
                let score = expected(outputs, &self.settings.values);
                let (average, ts) = state.scores.add(item, signal.ts_event.0, score, half_life);
                (signal.average, signal.ts_event) = (Some(average), Nanos(ts));
            }
            signals.push(signal);
        }
        if self.corrector.is_some() {
            let corrected = signals[first..].iter().filter(|signal| signal.revision > 0);
            self.rows.counts_mut().corrected_signals += corrected.count() as u64;
        }
        Ok(())
    }

    /// Does the work that no signal waited for, until none is left or `interrupted` returns true. Returns
    /// whether all is done. Scores do not depend on it, only how soon the next one is ready.
    pub fn run_deferred_work(&mut self, interrupted: impl FnMut() -> bool) -> bool {
        self.scorer
            .run_deferred_work(self.rows.instruments_mut(), interrupted)
    }

    /// Instruments with deferred steps, and blocks of such steps done so far.
    #[must_use]
    pub fn deferred(&self) -> (usize, u64) {
        self.scorer.deferred()
    }

    /// Appends the instruments whose book needs a new snapshot now. A book that still waits is appended
    /// again at later ticks.
    pub fn take_snapshot_requests(&mut self, requests: &mut Vec<InstrumentId>) {
        self.rows.take_snapshot_requests(requests);
    }

    /// Appends the instruments whose book has become whole, or has got a snapshot that it did not need.
    pub fn take_whole_books(&mut self, whole: &mut Vec<InstrumentId>) {
        self.rows.take_whole_books(whole);
    }

    /// Appends the gaps that were found and that have ended since the last call, in the order of their
    /// events.
    pub fn take_gaps(&mut self, gaps: &mut Vec<GapRecord>) {
        self.rows.take_gaps(gaps);
    }

    /// Instruments whose features need a book or a quote that is not there, or is of before a gap.
    pub fn waiting(&self) -> impl Iterator<Item = InstrumentId> {
        self.rows.waiting()
    }

    /// The event time up to which all events have come: see [`RowMaker::watermark`].
    #[must_use]
    pub fn watermark(&self, idle: i64) -> Option<Nanos> {
        self.rows.watermark(idle)
    }

    /// Counters of the events so far.
    #[must_use]
    pub fn counts(&self) -> &EventCounts {
        self.rows.counts()
    }

    /// Windows for which the model gave a number that is not finite: they became no signal.
    #[must_use]
    pub fn undefined(&self) -> u64 {
        self.undefined
    }

    /// Windows for which the model gave numbers that should be probabilities and are none: they became no
    /// signal.
    #[must_use]
    pub fn invalid_probabilities(&self) -> u64 {
        self.invalid_probabilities
    }

    /// All that the instruments hold, to be written between two batches.
    #[must_use]
    pub fn state(&self) -> &EngineState {
        self.rows.state()
    }

    /// Goes on from the state of an engine with the same features and the same model.
    ///
    /// # Errors
    /// [`StateMismatch`] where windows in flight are of another network.
    pub fn restore(&mut self, state: EngineState) -> Result<(), StateMismatch> {
        self.rows.restore(state);
        self.scorer.restore(self.rows.instruments_mut())
    }

    /// The states of these instruments, to be read by [`saved::SavedStates::read`]: between two batches.
    /// `figures` is whether the shared economic figures are among them; `items` go along.
    ///
    /// # Errors
    /// [`SavedStatesError::Write`].
    pub fn save(
        &self,
        instruments: &[(InstrumentId, &str)],
        figures: bool,
        items: Option<SavedItems>,
    ) -> Result<Vec<u8>, SavedStatesError> {
        let states = self.rows.states(instruments, figures);
        StatesToSave { items, ..states }.write()
    }

    /// An instrument goes on from a saved state, in place of the one that it has.
    ///
    /// # Errors
    /// [`StateMismatch`] where its window in flight is of another network: it then begins without a past.
    pub fn adopt(
        &mut self,
        instrument: InstrumentId,
        state: Box<InstrumentState>,
    ) -> Result<(), StateMismatch> {
        self.rows.adopt(instrument, state);
        let instruments = self.rows.instruments_mut();
        let restored = self.scorer.restore_one(instrument, instruments);
        restored.inspect_err(|_| self.rows.evict(instrument))
    }

    /// The economic figures go on from a saved state.
    pub fn adopt_figures(&mut self, figures: Figures) {
        self.rows.restore_figures(figures);
    }

    /// Forgets an instrument: its next event finds it without a past.
    pub fn evict(&mut self, instrument: InstrumentId) {
        self.rows.evict(instrument);
    }

    fn parts(&mut self) -> EngineParts<'_> {
        EngineParts {
            settings: &self.settings,
            stand_alone: self.stand_alone,
            rows: &mut self.rows,
            scorer: &mut self.scorer,
            pending: &mut self.pending,
            row: &mut self.row,
        }
    }
}
