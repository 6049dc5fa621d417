//! What an evaluation keeps of a signal.

use std::sync::Arc;

use super::prices::StartPrice;

/// What is kept of a signal.
#[derive(Clone, Debug)]
pub(super) struct Scored {
    /// The instrument, applicant or obligor.
    pub(super) key: Arc<str>,
    /// Its id, where labels name signals by their ids.
    pub(super) id: Option<String>,
    /// Its event time, in nanoseconds since the UNIX epoch.
    pub(super) ts_event: i64,
    /// The probability of each label; the score alone where the model has no labels.
    pub(super) probabilities: Vec<f64>,
    /// The score.
    pub(super) score: f64,
    /// What was known of the price when it was made, where prices are wanted.
    pub(super) start: Option<StartPrice>,
}

#[cfg(test)]
impl Scored {
    /// A signal of a model that gives one score.
    pub(super) fn of(key: &str, ts_event: i64, score: f64) -> Self {
        Self {
            key: key.into(),
            id: None,
            ts_event,
            probabilities: vec![score],
            score,
            start: None,
        }
    }
}
