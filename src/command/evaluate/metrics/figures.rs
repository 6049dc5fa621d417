//! The figures of a model: each one number, with its interval, and the tables behind them.

use std::collections::BTreeMap;

use serde::Serialize;

use super::bootstrap::Interval;
use super::calibration::Bin;

/// The figures of a model on some rows.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct EvaluationFigures {
    /// Number of rows.
    pub rows: u64,
    /// Share of rows whose class was predicted.
    pub accuracy: Option<f64>,
    /// Mean F1 of the classes that occur as outcome or prediction.
    pub macro_f1: Option<f64>,
    /// Mean F1 of the classes, weighted by the number of their rows.
    pub weighted_f1: Option<f64>,
    /// Matthews' correlation, over any number of classes (Gorodkin's R).
    pub mcc: Option<f64>,
    /// Chance that a row of outcome 1 has a higher score than one of outcome 0, equal scores half.
    /// Classes: mean of each against the rest.
    pub auc: Option<f64>,
    /// Largest distance of the two outcomes' score distributions (Kolmogorov and Smirnov). Of two outcomes
    /// only.
    pub ks: Option<f64>,
    /// Two outcomes: mean squared error of the probability of the second. More: the errors of all classes
    /// added, as by Brier.
    pub brier: Option<f64>,
    /// Mean of −ln of the probability of the outcome, in nats.
    pub log_loss: Option<f64>,
    /// Expected calibration error: mean distance of predicted and observed over the bins of `reliability`.
    pub ece_equal_count: Option<f64>,
    /// The same over the bins of `reliability_equal_width`.
    pub ece_equal_width: Option<f64>,
    /// How many bins of each kind the interval 0 to 1 has; those that no row falls into are left out.
    pub ece_bins: u64,
    /// Share of outcome 1 found among the ⌊rows / 10⌋ highest scores, of equal ones at the border their
    /// part. Of two outcomes only.
    pub recall_top_decile: Option<f64>,
    /// Rows by outcome (outer) and prediction (inner).
    pub confusion: Vec<Vec<u64>>,
    /// In the order of the labels.
    pub per_class: Vec<Class>,
    /// Bins of as many rows each as equal scores allow, from low to high by the score of outcome 1; for more
    /// than two classes by the probability of the predicted class.
    pub reliability: Vec<Bin>,
    /// Bins of equal width, in the same order.
    pub reliability_equal_width: Vec<Bin>,
    /// Intervals by the name of the figure; empty where none were computed.
    pub intervals: BTreeMap<&'static str, Interval>,
}

/// How well the model separates one class from the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Class {
    /// The share of the rows predicted as this class whose outcome is this class.
    pub precision: f64,
    /// The share of the rows with this outcome that were predicted as this class.
    pub recall: f64,
    /// Harmonic mean of both.
    pub f1: f64,
    /// Rows with this outcome.
    pub support: u64,
}

impl EvaluationFigures {
    /// The figures that are one number, by the names that they are written under.
    #[must_use]
    pub fn named(&self) -> [(&'static str, Option<f64>); 11] {
        [
            ("accuracy", self.accuracy),
            ("macro_f1", self.macro_f1),
            ("weighted_f1", self.weighted_f1),
            ("mcc", self.mcc),
            ("auc", self.auc),
            ("ks", self.ks),
            ("brier", self.brier),
            ("log_loss", self.log_loss),
            ("ece_equal_count", self.ece_equal_count),
            ("ece_equal_width", self.ece_equal_width),
            ("recall_top_decile", self.recall_top_decile),
        ]
    }
}
