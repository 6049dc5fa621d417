//! How rows become windows, and windows signals.

use super::row::{RowRules, RowTrigger};
use crate::model::normalise::Normalise;

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
    /// Numbers that the model gives for a window: its scores, then its reasons.
    pub outputs: usize,
    /// How many of these are reasons.
    pub reasons: usize,
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
