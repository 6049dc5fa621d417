//! What to evaluate.

use std::path::PathBuf;

use crate::units::Nanos;

/// What to evaluate.
#[derive(Clone, Debug, Default)]
pub struct EvaluationOptions {
    /// Events: captures, JSON lines, tables.
    pub inputs: Vec<PathBuf>,
    /// Signals in place of events, as a sink wrote them: files, or topics as `kafka://host:port/topic`.
    pub signals: Vec<PathBuf>,
    /// The file of labels: see [`Outcomes`](super::outcome::Outcomes). Needed where there are no horizons.
    pub labels: Option<PathBuf>,
    /// Only labels of this split; baselines are fitted on those of the split `train`.
    pub split: Option<String>,
    /// The score above which outcome 1 counts as predicted; 0.5 where none is given.
    pub threshold: Option<f64>,
    /// How long after a signal the price is looked at, in nanoseconds, for information coefficients.
    pub horizons: Vec<i64>,
    /// Only signals of events from this time on; earlier frames warm windows.
    pub from: Option<Nanos>,
    /// How long before `from` a frame may have been received to be read, in nanoseconds; none: all are.
    pub warm_up: Option<i64>,
    /// Only signals of events before this time; prices are followed to the end of the input.
    pub to: Option<Nanos>,
}
