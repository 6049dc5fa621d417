//! How rows become windows, and windows signals.

use super::row::{Row, RowRules, RowTrigger};
use super::row_window::RowWindow;
use crate::model::normalise::{Expanding, Normalise};
use crate::model::score_form::ScoreForm;

/// How rows become windows, and windows signals.
#[derive(Clone, Debug)]
pub struct EngineSettings {
    /// When a row is made.
    pub rules: RowRules,
    /// Rows in a window.
    pub steps: usize,
    /// A signal at every so many rows of an instrument, counted from its first.
    pub every: u64,
    /// Whether signals are given while features are still warming.
    pub while_warming: bool,
    /// What happens to a row before the model sees it.
    pub normalise: Normalise,
    /// What the numbers are that the model gives for a window before its reasons.
    pub form: ScoreForm,
    /// How many reasons it gives after them.
    pub reasons: usize,
    /// The value of each label in an average of news; empty for the scale from −1 to 1.
    pub values: Vec<f64>,
    /// The model's index in the lineage, for its signals.
    pub model: u8,
    /// Of news: the time in nanoseconds after which a score weighs half in an instrument's average.
    pub half_life: Option<i64>,
}

impl EngineSettings {
    /// Takes a row of an instrument into its window. Its cells become those that the model sees, its quality
    /// that of the window. Returns whether the window is to be scored.
    #[inline]
    pub(super) fn take_row(
        &self,
        normaliser: &mut Expanding,
        window: &mut RowWindow,
        row: &mut Row,
        cells: &mut [f64],
    ) -> bool {
        self.normalise.apply(normaliser, cells);
        window.count(row.quality, row.warm);
        row.quality = window.quality(self.steps);
        self.scores(window) && window.rows().is_multiple_of(self.every)
    }

    /// Whether a window is one that may be scored: complete, and warm where that is asked for.
    pub(super) fn scores(&self, window: &RowWindow) -> bool {
        window.rows() >= self.steps as u64 && (self.while_warming || window.is_warm(self.steps))
    }

    /// Whether a record's signal depends on that record alone, so that nothing of it needs to be kept: an
    /// application.
    #[must_use]
    pub fn stands_alone(&self) -> bool {
        self.rules.on == RowTrigger::Record
            && (self.steps, self.every) == (1, 1)
            && self.half_life.is_none()
            && self.normalise != Normalise::Expanding
    }
}
