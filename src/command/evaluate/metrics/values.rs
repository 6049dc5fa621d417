//! Scores and outcomes as numbers: what they have in common, and how far they are apart.

use super::figures::EvaluationFigures;
use crate::statistic::correlation::{RankedColumns, pearson};
use crate::statistic::least_squares;
use crate::statistic::weights::RowWeights;

/// The score and the outcome of each row as numbers.
#[derive(Clone, Debug)]
pub(super) struct PairedValues {
    pub(super) scores: Vec<f64>,
    pub(super) outcomes: Vec<f64>,
    ranked: RankedColumns,
}

impl PairedValues {
    /// Of as many scores as outcomes, which are numbers.
    pub(super) fn new(scores: Vec<f64>, outcomes: Vec<f64>) -> Self {
        let ranked = RankedColumns::new(&scores, &outcomes);
        Self {
            scores,
            outcomes,
            ranked,
        }
    }

    /// The figures with those of the correlation.
    pub(super) fn correlated(
        &self,
        figures: EvaluationFigures,
        weights: &RowWeights,
    ) -> EvaluationFigures {
        let each = weights.each();
        let spread = |parts| {
            let order = self.ranked.x();
            order.quantile_spread(parts, &self.outcomes, weights)
        };
        EvaluationFigures {
            ic_pearson: pearson(&self.scores, &self.outcomes, each),
            ic_spearman: self.ranked.spearman(each),
            quantile_spread_5: spread(5),
            quantile_spread_10: spread(10),
            ..figures
        }
    }

    /// The figures of scores that predict the outcome itself.
    pub(super) fn errors(&self, weights: &[f64]) -> EvaluationFigures {
        let (scores, outcomes) = (&self.scores, &self.outcomes);
        let line = least_squares::line(scores, outcomes, weights);
        EvaluationFigures {
            r2: least_squares::r2(scores, outcomes, weights),
            mae: least_squares::mae(scores, outcomes, weights),
            rmse: least_squares::rmse(scores, outcomes, weights),
            calibration_slope: line.map(|line| line.slope),
            calibration_intercept: line.map(|line| line.intercept),
            ..EvaluationFigures::default()
        }
    }
}
