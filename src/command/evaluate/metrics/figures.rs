//! The figures of a model: each one number, with its interval, and the tables behind them.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::statistic::bootstrap::{Interval, NamedFigures};
use crate::statistic::reliability::Bin;

/// The figures of a model on some rows.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct EvaluationFigures {
    /// Number of rows.
    pub rows: u64,
    /// What the model predicts: two outcomes, more, or a number.
    pub kind: FigureKind,
    /// Share of rows whose class was predicted.
    pub accuracy: Option<f64>,
    /// Mean recall of the classes that occur as outcome.
    pub balanced_accuracy: Option<f64>,
    /// Mean F1 of the classes that occur as outcome or prediction.
    pub macro_f1: Option<f64>,
    /// Mean F1 of the classes, weighted by the number of their rows.
    pub weighted_f1: Option<f64>,
    /// Matthews' correlation, over any number of classes (Gorodkin's R).
    pub mcc: Option<f64>,
    /// Chance that a row of outcome 1 has a higher score than one of outcome 0, equal scores half.
    /// Classes: mean of each against the rest.
    pub auc: Option<f64>,
    /// 2 · AUC − 1.
    pub gini: Option<f64>,
    /// Average precision, the area under the curve of precision and recall. Classes: mean of each against the
    /// rest.
    pub average_precision: Option<f64>,
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
    /// Probabilities: slope of the logistic regression of what happened on their log odds, for more than two
    /// classes of the predicted class. Numbers: slope of the line of the outcome on the prediction.
    pub calibration_slope: Option<f64>,
    /// The intercept beside it.
    pub calibration_intercept: Option<f64>,
    /// Share of outcome 1 found among the ⌊rows / 10⌋ highest scores, of equal ones at the border their
    /// part. Of two outcomes only.
    pub recall_top_decile: Option<f64>,
    /// Share of the outcomes' variance that the predictions explain. Of numbers only.
    pub r2: Option<f64>,
    /// Mean absolute error, in the unit of the outcome. Of numbers only.
    pub mae: Option<f64>,
    /// Root of the mean squared error. Of numbers only.
    pub rmse: Option<f64>,
    /// Pearson's correlation of score and outcome, the information coefficient; an outcome of classes is its
    /// value on the scale of the score.
    pub ic_pearson: Option<f64>,
    /// Spearman's.
    pub ic_spearman: Option<f64>,
    /// Mean outcome of the fifth of the rows with the highest scores, less that of the lowest fifth.
    pub quantile_spread_5: Option<f64>,
    /// The same of tenths.
    pub quantile_spread_10: Option<f64>,
    /// Rows by outcome (outer) and prediction (inner); empty for numbers.
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
    /// Why a figure of this kind of model has no value, by its name.
    pub undefined: BTreeMap<&'static str, &'static str>,
}

/// What a model predicts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FigureKind {
    /// One of two outcomes.
    #[default]
    Binary,
    /// One of more classes.
    Multiclass,
    /// A number.
    Number,
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
    /// The figures of this kind that are one number, by the names that they are written under.
    #[must_use]
    pub fn named(&self) -> NamedFigures {
        let mut named = match self.kind {
            FigureKind::Number => {
                vec![("r2", self.r2), ("mae", self.mae), ("rmse", self.rmse)]
            }
            FigureKind::Binary | FigureKind::Multiclass => vec![
                ("accuracy", self.accuracy),
                ("balanced_accuracy", self.balanced_accuracy),
                ("macro_f1", self.macro_f1),
                ("weighted_f1", self.weighted_f1),
                ("mcc", self.mcc),
                ("auc", self.auc),
                ("gini", self.gini),
                ("average_precision", self.average_precision),
                ("brier", self.brier),
                ("log_loss", self.log_loss),
                ("ece_equal_count", self.ece_equal_count),
                ("ece_equal_width", self.ece_equal_width),
            ],
        };
        if self.kind == FigureKind::Binary {
            named.push(("ks", self.ks));
            named.push(("recall_top_decile", self.recall_top_decile));
        }
        named.extend([
            ("calibration_slope", self.calibration_slope),
            ("calibration_intercept", self.calibration_intercept),
            ("ic_pearson", self.ic_pearson),
            ("ic_spearman", self.ic_spearman),
            ("quantile_spread_5", self.quantile_spread_5),
            ("quantile_spread_10", self.quantile_spread_10),
        ]);
        named
    }

    /// Why figures have no value, of these scores and outcomes as numbers.
    pub(super) fn reasons(
        &self,
        values: Option<(&[f64], &[f64])>,
    ) -> BTreeMap<&'static str, &'static str> {
        let same = |values: &[f64]| values.windows(2).all(|pair| pair[0] == pair[1]);
        let reason = |name: &str| match (name, values) {
            _ if self.rows == 0 => "no rows",
            ("ic_pearson" | "ic_spearman" | "quantile_spread_5" | "quantile_spread_10", None) => {
                "the labels have no values"
            }
            ("recall_top_decile", _) if self.rows < 10 => "fewer than ten rows",
            ("auc" | "gini" | "average_precision" | "ks" | "recall_top_decile", _) => {
                "an outcome does not occur"
            }
            (_, Some((_, outcomes))) if same(outcomes) => "all outcomes are equal",
            (_, Some((scores, _))) if same(scores) => "all scores are equal",
            ("calibration_slope" | "calibration_intercept", _) => {
                "a threshold separates the outcomes, or the scores are equal"
            }
            ("quantile_spread_5" | "quantile_spread_10", _) => "fewer rows than parts",
            _ => "the rows that count do not define it",
        };
        let undefined = self
            .named()
            .into_iter()
            .filter(|(_, value)| value.is_none());
        undefined.map(|(name, _)| (name, reason(name))).collect()
    }
}
