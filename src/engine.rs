//! The one path from events to signals: live, replay and backtest all call [`Engine::step`].
//!
//! Reads no clock, does no I/O, and allocates nothing once the buffers have grown. Signals depend on
//! the events alone, never on how they were split into batches (`tests/path/same_path.rs`).

pub mod book;
pub mod feature;
pub mod period;
pub mod row;
pub mod window;

use std::sync::Arc;

use self::feature::Plan;
use self::period::{Periods, Taken};
use self::row::{Counts, RowAt, Rows, Rules};
use crate::event::{Batch, Body, Event};
use crate::instrument::InstrumentId;
use crate::model::normalise::{Expanding, Normalise};
use crate::model::slide::SlidingWindows;
use crate::model::slide::request::WindowRequest;
use crate::model::slide::state::{SlideState, SlideStates};
use crate::model::{Model, ModelError};
use crate::news::average::Scores;
use crate::signal::MAX_OUTPUTS;
use crate::signal::lineage::expected;
use crate::signal::quality::Quality;
use crate::signal::{Latency, Reason, Signal};
use crate::units::Nanos;

/// How rows become windows, and windows signals.
#[derive(Clone, Debug)]
pub struct Settings {
    /// When a row is made.
    pub rules: Rules,
    /// Rows in a window.
    pub steps: usize,
    /// A signal at every so many rows of an instrument, counted from its first.
    pub every: u64,
    /// Whether signals are given while features are still warming.
    pub while_warming: bool,
    /// What happens to a row before the model sees it.
    pub normalise: Normalise,
    /// Numbers that the model gives a window, its reasons behind them.
    pub outputs: usize,
    /// How many of these are reasons.
    pub reasons: usize,
    /// Of news: the time in nanoseconds after which a score counts half in an instrument's average.
    pub half_life: Option<i64>,
}

/// The state of one shard.
pub struct Engine {
    settings: Settings,
    rows: Rows,
    scorer: Scorer,
    keys: Vec<Key>,
    row: Vec<f64>,
    due: Vec<Due>,
    /// The windows of `due`, one behind the other; all rows where windows are slid.
    cells: Vec<f64>,
    scores: Vec<f64>,
    silent: Vec<InstrumentId>,
    undefined: u64,
}

/// What gives scores.
enum Scorer {
    /// A model that takes whole windows.
    Whole(Box<dyn Model>),
    /// Windows kept in flight, and the requests of this batch.
    Slid(Box<SlidingWindows>, Vec<WindowRequest>),
}

/// The window of one instrument.
#[derive(Debug, Default)]
struct Key {
    so_far: Expanding,
    /// The last `steps` rows twice over, so that a window always lies in one piece; empty where windows
    /// are slid.
    ring: Vec<f64>,
    /// Of a company: its last periods, and its latest time.
    periods: Periods,
    now: i64,
    /// Where windows are slid: those in flight.
    slide: Option<Box<SlideState>>,
    /// What headlines said of it.
    told: Scores,
    rows: u64,
    /// Number of the last row of each quality, counted from 1.
    last: [u64; Quality::ALL.len()],
}

/// A window that is to be scored.
#[derive(Debug)]
struct Due {
    row: RowAt,
    frame: u32,
    of: Of,
}

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    /// The next window's scores.
    Window,
    /// The scores of the window before.
    SameWindow,
    /// No scores: what an item said before is taken back, after what was said before that.
    Nothing,
}

impl Engine {
    /// An engine for these features and this model.
    #[must_use]
    pub fn new(plan: Arc<Plan>, settings: Settings, model: Box<dyn Model>) -> Self {
        Self::with(plan, settings, Scorer::Whole(model))
    }

    /// An engine whose windows are kept in flight. The same rows become the same signals.
    #[must_use]
    pub fn sliding(plan: Arc<Plan>, settings: Settings, slide: SlidingWindows) -> Self {
        Self::with(plan, settings, Scorer::Slid(Box::new(slide), vec![]))
    }

    fn with(plan: Arc<Plan>, settings: Settings, scorer: Scorer) -> Self {
        let row = vec![0.0; plan.len()];
        let rows = Rows::new(plan, settings.rules);
        let (keys, due, silent) = (vec![], vec![], vec![]);
        let (cells, scores) = (vec![], vec![]);
        Self {
            settings,
            rows,
            scorer,
            keys,
            row,
            due,
            cells,
            scores,
            silent,
            undefined: 0,
        }
    }

    /// Takes the events of a batch and appends the signals that they make.
    ///
    /// # Errors
    /// [`ModelError`] when the model fails; what was due is then lost.
    pub fn step(&mut self, batch: &Batch, signals: &mut Vec<Signal>) -> Result<(), ModelError> {
        self.apply(batch);
        self.score(batch, signals)
    }

    /// The first half of a step: books, windows and features; notes what is due.
    pub fn apply(&mut self, batch: &Batch) {
        for event in &batch.events {
            if let Some(row) = self.rows.apply(batch, event, &mut self.row) {
                self.take_row(row, event.frame);
                continue;
            }
            match event.body {
                Body::Tick => self.tick(event.ts_event, event.frame),
                Body::Withdrawn(item) => self.withdraw(event, item),
                _ => {}
            }
        }
    }

    /// The second half: the model.
    ///
    /// # Errors
    /// [`ModelError`] when the model fails; what was due is then lost.
    pub fn score(&mut self, batch: &Batch, signals: &mut Vec<Signal>) -> Result<(), ModelError> {
        self.scores.clear();
        let scored = match &mut self.scorer {
            Scorer::Whole(model) => model.score(&self.cells, &mut self.scores),
            Scorer::Slid(slide, requests) => {
                slide.step(&mut self.keys, requests, &self.cells, &mut self.scores);
                requests.clear();
                Ok(())
            }
        };
        self.cells.clear();
        if scored.is_err() {
            self.due.clear();
        }
        let mut all = self.scores.chunks_exact(self.settings.outputs);
        let mut scores: &[f64] = &[];
        for due in self.due.drain(..) {
            match due.of {
                Of::Window => scores = all.next().unwrap_or_default(),
                Of::SameWindow => {}
                Of::Nothing => {
                    let key = &mut self.keys[due.row.instrument.index()];
                    key.told.withdraw(due.row.item.unwrap_or_default());
                    continue;
                }
            }
            if scores.iter().all(|score| score.is_finite()) {
                let mut signal = due.signal(scores, self.settings.reasons, batch);
                if let (Some(item), Some(half_life)) = (due.row.item, self.settings.half_life) {
                    let key = &mut self.keys[due.row.instrument.index()];
                    let classes = self.settings.outputs - self.settings.reasons;
                    let score = expected(&signal.outputs[..classes], &[]);
                    let told = key.told.take(item, signal.ts_event.0, score, half_life);
                    (signal.average, signal.ts_event) = (Some(told.0), Nanos(told.1));
                }
                signals.push(signal);
            } else {
                self.undefined += 1;
            }
        }
        scored
    }

    /// Does work that no signal has waited for, until none is left or `wanted` says that there is other
    /// work. Returns whether all is done. Scores do not depend on it, only how soon the next one comes.
    pub fn settle(&mut self, wanted: impl FnMut() -> bool) -> bool {
        match &mut self.scorer {
            Scorer::Whole(_) => true,
            Scorer::Slid(slide, _) => slide.settle(&mut self.keys, wanted),
        }
    }

    /// Instruments with deferred steps, and blocks of such steps done so far.
    #[must_use]
    pub fn deferred(&self) -> (usize, u64) {
        match &self.scorer {
            Scorer::Whole(_) => (0, 0),
            Scorer::Slid(slide, _) => (slide.waiting(), slide.deferred()),
        }
    }

    /// Names the instruments whose book waits for a new snapshot, each once.
    pub fn take_wanted(&mut self, wanted: &mut Vec<InstrumentId>) {
        self.rows.take_wanted(wanted);
    }

    /// What became of the events so far.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        self.rows.counts()
    }

    /// Windows for which the model gave no finite number: no signal came of them.
    #[must_use]
    pub fn undefined(&self) -> u64 {
        self.undefined
    }

    fn take_row(&mut self, mut row: RowAt, frame: u32) {
        let at = row.instrument.index();
        if at >= self.keys.len() {
            self.keys.resize_with(at + 1, Key::default);
        }
        let key = &mut self.keys[at];
        self.settings
            .normalise
            .apply(&mut key.so_far, &mut self.row);
        if let Some(period) = row.period {
            return self.take_period(row, period, frame);
        }
        key.note(row.quality);
        row.quality = key.quality(self.settings.steps);
        let complete = key.rows >= self.settings.steps as u64;
        let wanted = self.settings.while_warming || row.quality != Quality::Warming;
        let due = complete && wanted && key.rows.is_multiple_of(self.settings.every);
        // A headline about several instruments is scored once.
        let shared = row.item.is_some()
            && self
                .due
                .last()
                .is_some_and(|last| (last.frame, last.row.item) == (frame, row.item));
        match &mut self.scorer {
            Scorer::Whole(_) => {
                key.keep(&self.row, self.settings.steps);
                if due && !shared {
                    let window = key.window(self.settings.steps, self.row.len());
                    self.cells.extend_from_slice(window);
                }
            }
            Scorer::Slid(_, requests) => {
                self.cells.extend_from_slice(&self.row);
                requests.push(WindowRequest::Row { key: at, due });
            }
        }
        if due {
            let of = if shared { Of::SameWindow } else { Of::Window };
            self.due.push(Due { row, frame, of });
        }
    }

    /// The row of a company's period. A window is due whenever what is known of its periods has changed.
    fn take_period(&mut self, mut row: RowAt, period: i64, frame: u32) {
        let key = &mut self.keys[row.instrument.index()];
        let steps = self.settings.steps;
        let taken = key.periods.take(period, row.ts_event.0, &self.row, steps);
        self.rows.note(taken);
        let backwards = key.rows > 0 && row.ts_event.0 < key.now;
        key.now = if key.rows == 0 {
            row.ts_event.0
        } else {
            key.now.max(row.ts_event.0)
        };
        key.rows += 1;
        let complete = key.periods.are_complete(steps);
        self.rows.note_window(!complete, backwards);
        if !complete || matches!(taken, Taken::Again | Taken::TooOld) {
            return;
        }
        key.periods.window(&mut self.cells);
        row.ts_event = Nanos(key.now);
        if !key.periods.are_consecutive() {
            row.quality = row.quality.max(Quality::Gap);
        }
        self.due.push(Due::new(row, frame));
    }

    /// Takes back what an item said of an instrument, in the order of what is due.
    fn withdraw(&mut self, event: &Event, item: u64) {
        if event.instrument.index() < self.keys.len() {
            let row = RowAt::bare(event.instrument, event.ts_event, Quality::Ok);
            let row = RowAt {
                item: Some(item),
                ..row
            };
            let (frame, of) = (event.frame, Of::Nothing);
            self.due.push(Due { row, frame, of });
        }
    }

    /// Instruments that fell silent say once more what they said, marked as stale.
    fn tick(&mut self, ts: Nanos, frame: u32) {
        self.rows.tick(ts, &mut self.silent);
        for instrument in self.silent.drain(..) {
            let Some(key) = self.keys.get(instrument.index()) else {
                continue;
            };
            if key.rows >= self.settings.steps as u64 {
                match &mut self.scorer {
                    Scorer::Whole(_) => self
                        .cells
                        .extend_from_slice(key.window(self.settings.steps, self.row.len())),
                    Scorer::Slid(_, requests) => requests.push(WindowRequest::Repeat {
                        key: instrument.index(),
                    }),
                }
                let quality = key.quality(self.settings.steps).max(Quality::Stale);
                let row = RowAt::bare(instrument, ts, quality);
                self.due.push(Due::new(row, frame));
            }
        }
    }
}

impl Due {
    fn new(row: RowAt, frame: u32) -> Self {
        Self {
            row,
            frame,
            of: Of::Window,
        }
    }

    fn signal(&self, scores: &[f64], reasons: usize, batch: &Batch) -> Signal {
        let (scores, reasons) = scores.split_at(scores.len() - reasons);
        let mut outputs = [0.0; MAX_OUTPUTS];
        outputs[..scores.len()].copy_from_slice(scores);
        let mut origin = batch.origins[self.frame as usize];
        if origin.ts_recv == Nanos::UNDEFINED {
            origin.ts_recv = self.row.ts_event;
        }
        let quality = if origin.late {
            self.row.quality.max(Quality::Degraded)
        } else {
            self.row.quality
        };
        Signal {
            instrument: self.row.instrument,
            ts_event: self.row.ts_event,
            ts_out: Nanos::UNDEFINED,
            outputs,
            quality,
            reasons: Reason::strongest(reasons),
            average: None,
            item: self.row.item,
            last_price: self.row.price,
            origin,
            latency: Latency::default(),
        }
    }
}

/// The engine makes a key before it requests a window of it.
impl SlideStates for Vec<Key> {
    fn slot(&mut self, key: usize) -> &mut Option<Box<SlideState>> {
        &mut self[key].slide
    }
}

impl Key {
    /// Counts one row more.
    fn note(&mut self, quality: Quality) {
        self.rows += 1;
        self.last[quality as usize] = self.rows;
    }

    /// Keeps the row counted last.
    fn keep(&mut self, row: &[f64], steps: usize) {
        let columns = row.len();
        self.ring.resize(2 * steps * columns, 0.0);
        let slot = ((self.rows - 1) % steps as u64) as usize * columns;
        self.ring[slot..slot + columns].copy_from_slice(row);
        let twin = slot + steps * columns;
        self.ring[twin..twin + columns].copy_from_slice(row);
    }

    /// The last `steps` rows, oldest first.
    fn window(&self, steps: usize, columns: usize) -> &[f64] {
        let start = (self.rows % steps as u64) as usize * columns;
        &self.ring[start..start + steps * columns]
    }

    /// The worst quality of the window's rows.
    fn quality(&self, steps: usize) -> Quality {
        let since = self.rows.saturating_sub(steps as u64);
        let worst = Quality::ALL
            .into_iter()
            .rev()
            .find(|&quality| self.last[quality as usize] > since);
        worst.unwrap_or_default()
    }
}
