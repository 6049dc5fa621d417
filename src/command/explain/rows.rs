//! The rows of the windows of instruments, with the address of the frame that made each.
//!
//! They are made by the code of the engine, from the events that it takes, and kept as it keeps them: the
//! last of an instrument, or the last periods of a company.

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;

use crate::engine::EngineSettings;
use crate::engine::period::{PeriodChange, Periods};
use crate::engine::row::Row;
use crate::engine::row_maker::RowMaker;
use crate::event::{Batch, Event};
use crate::frame::Origin;
use crate::instrument::InstrumentId;
use crate::model::normalise::Expanding;
use crate::pipeline::{Loaded, Pipeline};

/// A row of a window.
#[derive(Clone, Debug)]
pub(super) struct KeptRow {
    pub(super) row: Row,
    /// The features, in their order.
    pub(super) values: Box<[f64]>,
    /// The same as the model sees them.
    pub(super) cells: Box<[f64]>,
    /// The frame of its event.
    pub(super) origin: Origin,
}

/// The rows of a window, oldest first.
pub(super) type Window = Vec<Rc<KeptRow>>;

/// Makes rows, and keeps those of the windows.
pub(super) struct WindowRows {
    maker: RowMaker,
    settings: EngineSettings,
    row: Vec<f64>,
    instruments: BTreeMap<InstrumentId, InstrumentRows>,
}

#[derive(Default)]
struct InstrumentRows {
    so_far: Expanding,
    last: VecDeque<Rc<KeptRow>>,
    /// Of a company: the periods as the engine keeps them, and their rows.
    periods: Periods,
    by_period: BTreeMap<i64, Rc<KeptRow>>,
}

impl WindowRows {
    pub(super) fn new(pipeline: &Pipeline, loaded: &Loaded) -> Self {
        Self {
            maker: RowMaker::new(Arc::clone(&pipeline.plan), pipeline.rules),
            settings: loaded.settings().clone(),
            row: vec![0.0; pipeline.plan.len()],
            instruments: BTreeMap::new(),
        }
    }

    /// Takes an event of a batch.
    pub(super) fn apply(&mut self, batch: &Batch, event: &Event) {
        let Some(row) = self.maker.apply(batch, event, &mut self.row) else {
            return;
        };
        let own = self.instruments.entry(row.instrument).or_default();
        let mut cells: Box<[f64]> = self.row.as_slice().into();
        self.settings.normalise.apply(&mut own.so_far, &mut cells);
        let kept = Rc::new(KeptRow {
            row,
            values: self.row.as_slice().into(),
            cells,
            origin: batch.origins[event.frame as usize],
        });
        own.keep(kept, self.settings.steps);
    }

    /// The window of an instrument as it is now.
    pub(super) fn window(&self, instrument: InstrumentId) -> Window {
        let Some(own) = self.instruments.get(&instrument) else {
            return vec![];
        };
        match own.by_period.is_empty() {
            true => own.last.iter().map(Rc::clone).collect(),
            false => own.by_period.values().map(Rc::clone).collect(),
        }
    }
}

impl InstrumentRows {
    fn keep(&mut self, kept: Rc<KeptRow>, steps: usize) {
        let Some(period) = kept.row.period else {
            if self.last.len() == steps {
                self.last.pop_front();
            }
            return self.last.push_back(kept);
        };
        let ts = kept.row.ts_event.0;
        match self.periods.update(period, ts, &kept.cells, steps) {
            PeriodChange::New | PeriodChange::Restated => {
                self.by_period.insert(period, kept);
                if self.by_period.len() > steps {
                    self.by_period.pop_first();
                }
            }
            PeriodChange::Unchanged | PeriodChange::TooOld => {}
        }
    }
}
