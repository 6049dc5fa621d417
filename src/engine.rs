//! The one path from events to signals: live, replay and backtest all call [`Engine::step`].
//!
//! Reads no clock, does no I/O, and allocates nothing once the buffers have grown. Signals depend on
//! the events alone, never on how they were split into batches (`tests/path/same_path.rs`).

use std::sync::Arc;

use crate::event::{Batch, Body};
use crate::feature::Plan;
use crate::instrument::InstrumentId;
use crate::model::{MAX_OUTPUTS, Model, ModelError};
use crate::normalise::{Expanding, Normalise};
use crate::row::{Counts, RowAt, Rows, Rules};
use crate::signal::{Latency, Quality, Signal};
use crate::units::{Nanos, Price};

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
    /// Numbers that the model gives a window.
    pub outputs: usize,
}

/// The state of one shard.
pub struct Engine {
    settings: Settings,
    rows: Rows,
    model: Box<dyn Model>,
    keys: Vec<Key>,
    row: Vec<f64>,
    due: Vec<Due>,
    /// The windows of `due`, one behind the other.
    windows: Vec<f64>,
    scores: Vec<f64>,
    silent: Vec<InstrumentId>,
    undefined: u64,
}

/// The window of one instrument.
#[derive(Debug, Default)]
struct Key {
    so_far: Expanding,
    /// The last `steps` rows twice over, so that a window always lies in one piece.
    ring: Vec<f64>,
    rows: u64,
    /// Number of the last row of each quality, counted from 1.
    last: [u64; Quality::ALL.len()],
}

/// A window that is to be scored.
#[derive(Debug)]
struct Due {
    row: RowAt,
    frame: u32,
}

impl Engine {
    /// An engine for these features and this model.
    #[must_use]
    pub fn new(plan: Arc<Plan>, settings: Settings, model: Box<dyn Model>) -> Self {
        let row = vec![0.0; plan.len()];
        let rows = Rows::new(plan, settings.rules);
        let (keys, due, silent) = (vec![], vec![], vec![]);
        let (windows, scores) = (vec![], vec![]);
        Self {
            settings,
            rows,
            model,
            keys,
            row,
            due,
            windows,
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
            } else if event.body == Body::Tick {
                self.tick(event.ts_event, event.frame);
            }
        }
    }

    /// The second half: the model.
    ///
    /// # Errors
    /// [`ModelError`] when the model fails; what was due is then lost.
    pub fn score(&mut self, batch: &Batch, signals: &mut Vec<Signal>) -> Result<(), ModelError> {
        self.scores.clear();
        let scored = self.model.score(&self.windows, &mut self.scores);
        self.windows.clear();
        if scored.is_err() {
            self.due.clear();
        }
        let scores = self.scores.chunks_exact(self.settings.outputs);
        for (due, scores) in self.due.drain(..).zip(scores) {
            if scores.iter().all(|score| score.is_finite()) {
                signals.push(due.signal(scores, batch));
            } else {
                self.undefined += 1;
            }
        }
        scored
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
        key.push(&self.row, self.settings.steps, row.quality);
        row.quality = key.quality(self.settings.steps);
        let complete = key.rows >= self.settings.steps as u64;
        let wanted = self.settings.while_warming || row.quality != Quality::Warming;
        if complete && wanted && key.rows.is_multiple_of(self.settings.every) {
            self.windows
                .extend_from_slice(key.window(self.settings.steps, self.row.len()));
            self.due.push(Due { row, frame });
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
                self.windows
                    .extend_from_slice(key.window(self.settings.steps, self.row.len()));
                let quality = key.quality(self.settings.steps).max(Quality::Stale);
                let row = RowAt {
                    instrument,
                    ts_event: ts,
                    quality,
                    mid: None,
                    price: Price::UNDEFINED,
                };
                self.due.push(Due { row, frame });
            }
        }
    }
}

impl Due {
    fn signal(&self, scores: &[f64], batch: &Batch) -> Signal {
        let mut outputs = [0.0; MAX_OUTPUTS];
        outputs[..scores.len()].copy_from_slice(scores);
        let mut origin = batch.origins[self.frame as usize];
        if origin.ts_recv == Nanos::UNDEFINED {
            origin.ts_recv = self.row.ts_event;
        }
        Signal {
            instrument: self.row.instrument,
            ts_event: self.row.ts_event,
            ts_out: Nanos::UNDEFINED,
            outputs,
            quality: self.row.quality,
            last_price: self.row.price,
            origin,
            latency: Latency::default(),
        }
    }
}

impl Key {
    fn push(&mut self, row: &[f64], steps: usize, quality: Quality) {
        let columns = row.len();
        self.ring.resize(2 * steps * columns, 0.0);
        let slot = (self.rows % steps as u64) as usize * columns;
        self.ring[slot..slot + columns].copy_from_slice(row);
        let twin = slot + steps * columns;
        self.ring[twin..twin + columns].copy_from_slice(row);
        self.rows += 1;
        self.last[quality as usize] = self.rows;
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
