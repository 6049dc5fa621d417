//! What an evaluation keeps of a signal.

use std::sync::Arc;

/// What is kept of a signal.
#[derive(Clone, Debug)]
pub(super) struct Scored {
    /// The instrument, applicant or obligor.
    pub(super) key: Arc<str>,
    /// Its event time, in nanoseconds since the UNIX epoch.
    pub(super) ts_event: i64,
    /// The probability of each label; the score alone where the model has no labels.
    pub(super) probabilities: Vec<f64>,
    /// The score.
    pub(super) score: f64,
}
