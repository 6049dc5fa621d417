//! How windows get their scores: whole by a model, or slid, kept in flight as states.

use super::row_window::RowWindow;
use super::state::InstrumentStates;
use crate::instrument::InstrumentId;
use crate::model::slide::SlidingWindows;
use crate::model::slide::mismatch::StateMismatch;
use crate::model::slide::request::WindowRequest;
use crate::model::{Model, ModelError};

/// What gives scores, and the windows of the batch that wait for them.
pub(super) struct Scorer {
    method: ScoringMethod,
    /// The windows to be scored, one behind the other; all rows where windows are slid.
    cells: Vec<f64>,
    scores: Vec<f64>,
    /// Windows that the model has to score.
    windows: usize,
    /// Whether windows keep their rows where they are slid, too.
    keeps_rows: bool,
}

enum ScoringMethod {
    /// A model that takes whole windows.
    Whole(Box<dyn Model>),
    /// Windows kept in flight, and the requests of this batch.
    Slid(Box<SlidingWindows>, Vec<WindowRequest>),
}

impl Scorer {
    pub(super) fn whole(model: Box<dyn Model>) -> Self {
        Self::with(ScoringMethod::Whole(model))
    }

    pub(super) fn sliding(slide: SlidingWindows) -> Self {
        Self::with(ScoringMethod::Slid(Box::new(slide), vec![]))
    }

    fn with(method: ScoringMethod) -> Self {
        Self {
            method,
            cells: vec![],
            scores: vec![],
            windows: 0,
            keeps_rows: false,
        }
    }

    /// The same; windows keep their rows where they are slid, too, if `keeps` is true.
    pub(super) fn keeping_rows(self, keeps: bool) -> Self {
        Self {
            keeps_rows: keeps,
            ..self
        }
    }

    /// Takes a row of an instrument, whose window it completes; `score` is whether that is to be scored.
    pub(super) fn take_row(
        &mut self,
        instrument: InstrumentId,
        window: &mut RowWindow,
        row: &[f64],
        steps: usize,
        score: bool,
    ) {
        match &mut self.method {
            ScoringMethod::Whole(_) => {
                window.keep(row, steps);
                if score {
                    self.cells.extend_from_slice(window.cells(steps, row.len()));
                }
            }
            ScoringMethod::Slid(_, requests) => {
                if self.keeps_rows {
                    window.keep(row, steps);
                }
                self.cells.extend_from_slice(row);
                let key = instrument.index();
                requests.push(WindowRequest::Row { key, due: score });
            }
        }
        self.windows += usize::from(score);
    }

    /// Forgets the rows of an instrument but for those of this window, to which others follow than before.
    pub(super) fn begin_again(
        &mut self,
        instrument: InstrumentId,
        window: &RowWindow,
        steps: usize,
        columns: usize,
    ) {
        let ScoringMethod::Slid(_, requests) = &mut self.method else {
            return;
        };
        let (cells, key) = (window.last_cells(steps, columns), instrument.index());
        let rows = cells.len() / columns;
        requests.push(WindowRequest::Begin {
            key,
            rows: window.rows() - rows as u64,
        });
        requests.extend((0..rows).map(|_| WindowRequest::Row { key, due: false }));
        self.cells.extend_from_slice(cells);
    }

    /// Scores the last window of an instrument once more.
    pub(super) fn repeat(
        &mut self,
        instrument: InstrumentId,
        window: &RowWindow,
        steps: usize,
        columns: usize,
    ) {
        match &mut self.method {
            ScoringMethod::Whole(_) => self.cells.extend_from_slice(window.cells(steps, columns)),
            ScoringMethod::Slid(_, requests) => {
                let key = instrument.index();
                requests.push(WindowRequest::Repeat { key });
            }
        }
        self.windows += 1;
    }

    /// Takes a whole window that is no instrument's last rows.
    pub(super) fn take_window(&mut self, append: impl FnOnce(&mut Vec<f64>)) {
        append(&mut self.cells);
        self.windows += 1;
    }

    /// Scores what waits: `outputs` numbers a window, in the order in which the windows came.
    ///
    /// # Errors
    /// [`ModelError`] when the model fails; there are no scores then.
    ///
    /// # Panics
    /// Where a model gives more or fewer numbers than its contract.
    pub(super) fn score(
        &mut self,
        instruments: &mut InstrumentStates,
        outputs: usize,
    ) -> Result<&[f64], ModelError> {
        self.scores.clear();
        let scored = match &mut self.method {
            ScoringMethod::Whole(model) => model.score(&self.cells, &mut self.scores),
            ScoringMethod::Slid(slide, requests) => {
                slide.step(instruments, requests, &self.cells, &mut self.scores);
                requests.clear();
                Ok(())
            }
        };
        self.cells.clear();
        let windows = std::mem::take(&mut self.windows);
        scored?;
        assert_eq!(
            self.scores.len(),
            windows * outputs,
            "a model gives {outputs} numbers a window, and there were {windows} windows"
        );
        Ok(&self.scores)
    }

    /// Does deferred steps until none is left or `interrupted` returns true. Returns whether all are done.
    pub(super) fn run_deferred_work(
        &mut self,
        instruments: &mut InstrumentStates,
        interrupted: impl FnMut() -> bool,
    ) -> bool {
        match &mut self.method {
            ScoringMethod::Whole(_) => true,
            ScoringMethod::Slid(slide, _) => slide.run_deferred_work(instruments, interrupted),
        }
    }

    /// Goes on with windows in flight that were restored.
    ///
    /// # Errors
    /// [`StateMismatch`] where they are of another network.
    pub(super) fn restore(
        &mut self,
        instruments: &mut InstrumentStates,
    ) -> Result<(), StateMismatch> {
        let ScoringMethod::Slid(slide, _) = &mut self.method else {
            return Ok(());
        };
        let keys: Vec<usize> = instruments.ids().map(InstrumentId::index).collect();
        keys.into_iter()
            .try_for_each(|key| slide.restore(key, instruments))
    }

    /// Goes on with the window in flight of one instrument.
    pub(super) fn restore_one(
        &mut self,
        instrument: InstrumentId,
        instruments: &mut InstrumentStates,
    ) -> Result<(), StateMismatch> {
        match &mut self.method {
            ScoringMethod::Whole(_) => Ok(()),
            ScoringMethod::Slid(slide, _) => slide.restore(instrument.index(), instruments),
        }
    }

    /// Instruments with deferred steps, and blocks of such steps done so far.
    pub(super) fn deferred(&self) -> (usize, u64) {
        match &self.method {
            ScoringMethod::Whole(_) => (0, 0),
            ScoringMethod::Slid(slide, _) => (slide.waiting(), slide.deferred()),
        }
    }
}
