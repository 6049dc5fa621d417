//! How rows become windows, and windows signals.

use super::row::{RowRules, RowTrigger};
use crate::model::normalise::Normalise;
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
    /// Whether a record's signal depends on that record alone, so that nothing of it needs to be kept: an
    /// application.
    pub(super) fn stand_alone(&self) -> bool {
        self.rules.on == RowTrigger::Record
            && (self.steps, self.every) == (1, 1)
            && self.half_life.is_none()
            && self.normalise != Normalise::Expanding
    }
}
