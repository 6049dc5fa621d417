//! The figures of a model: its predictions compared with the outcomes.
//!
//! Knows labels and scores alone: no file, no pipeline, no model. The figures equal scikit-learn's to
//! 1e-9 (`tests/given/metrics`), also in what it makes of 0/0: precision, recall, F1 and MCC are 0 there. A
//! figure that the rows do not define, like the AUC of a single class, is `None`.

mod classes;
mod error;
mod figures;
#[cfg(test)]
mod tests;
mod values;

pub use error::SampleError;
pub use figures::{Class, EvaluationFigures, FigureKind};

use error::check;
use values::PairedValues;

use crate::model::score_form::SUM_ROUNDING;
use crate::signal::model::{expected, most_probable};
use crate::statistic::bootstrap::Bootstrap;
use crate::statistic::least_squares::Line;
use crate::statistic::ranking::{Ranking, gini};
use crate::statistic::recalibration::Recalibration;
use crate::statistic::reliability;
use crate::statistic::weights::RowWeights;

/// Rows with their outcome and a model's prediction.
///
/// A row may count any number of times: that is how [`Bootstrap`] resamples without sorting again.
#[derive(Clone, Debug)]
pub struct Sample {
    classes: usize,
    rows: Vec<SampleRow>,
    predicted: Predictions,
    /// Score and outcome as numbers, where they are any.
    values: Option<PairedValues>,
    /// What each row counts; none: all the same.
    weights: Option<Vec<f64>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct SampleRow {
    label: usize,
    predicted: usize,
    squared_error: f64,
    log_loss: f64,
}

#[derive(Clone, Debug)]
enum Predictions {
    /// The probability of outcome 1.
    Binary(Ranking, Recalibration),
    /// The probability of each class, and that of the predicted class.
    Multiclass {
        each: Vec<Ranking>,
        confidence: Ranking,
        recalibration: Recalibration,
    },
    /// A number; both are in [`Sample::values`].
    Number,
}

/// The threshold between two classes where none is given.
pub const EVEN: f64 = 0.5;

impl Sample {
    /// Outcomes with the probability of outcome 1. A score above the threshold predicts outcome 1; of two
    /// equal probabilities the first class is predicted, as among more classes.
    ///
    /// # Errors
    /// [`SampleError`] with the row at fault.
    pub fn binary(outcomes: &[bool], scores: &[f64], threshold: f64) -> Result<Self, SampleError> {
        let labels: Vec<usize> = outcomes.iter().map(|one| usize::from(*one)).collect();
        check(&labels, scores, 2, 1)?;
        let rows = labels.iter().zip(scores).map(|(&label, &score)| SampleRow {
            label,
            predicted: usize::from(score > threshold),
            squared_error: (score - label as f64).powi(2),
            log_loss: log_loss(if label == 1 { score } else { 1.0 - score }),
        });
        Ok(Self {
            classes: 2,
            rows: rows.collect(),
            predicted: Predictions::Binary(
                Ranking::new(scores.to_vec()),
                Recalibration::new(scores),
            ),
            values: Some(PairedValues::new(
                scores.to_vec(),
                labels.iter().map(|label| *label as f64).collect(),
            )),
            weights: None,
        })
    }

    /// Outcomes that are numbers, with a prediction of each.
    ///
    /// # Errors
    /// [`SampleError`] with the row at fault.
    pub fn numbers(outcomes: &[f64], scores: &[f64]) -> Result<Self, SampleError> {
        Ok(Self {
            classes: 0,
            rows: vec![SampleRow::default(); outcomes.len()],
            predicted: Predictions::Number,
            values: Some(values_of(outcomes, scores)?),
            weights: None,
        })
    }

    /// The same rows with outcome and score as numbers: those of classes on the scale of the score.
    ///
    /// # Errors
    /// [`SampleError`] with the row at fault.
    pub fn with_values(mut self, outcomes: &[f64], scores: &[f64]) -> Result<Self, SampleError> {
        self.fit(outcomes.len())?;
        self.values = Some(values_of(outcomes, scores)?);
        Ok(self)
    }

    /// The same rows, each of which counts as much as its weight says. Shares stay the same where all weights
    /// are multiplied by one number.
    ///
    /// # Errors
    /// [`SampleError`] where there is not a weight for each row, one is no weight, or all are 0.
    pub fn weighted(mut self, weights: Vec<f64>) -> Result<Self, SampleError> {
        self.fit(weights.len())?;
        let is_none = |weight: &f64| !(weight.is_finite() && *weight >= 0.0);
        let at_fault = weights.iter().position(is_none);
        let nothing = weights.iter().all(|weight| *weight == 0.0) && !weights.is_empty();
        if let Some(row) = at_fault.or(nothing.then_some(0)) {
            let weight = weights[row];
            return Err(SampleError::Weight { row, weight });
        }
        self.weights = Some(weights);
        Ok(self)
    }

    fn fit(&self, found: usize) -> Result<(), SampleError> {
        let labels = self.rows.len();
        match found == labels {
            true => Ok(()),
            false => Err(SampleError::Length {
                labels,
                needed: labels,
                found,
            }),
        }
    }

    /// Labels from 0 with the probability of each class, row by row. The most probable class is predicted,
    /// the first of equal ones. Two classes are outcomes 0 and 1 with the probability of the second, and have
    /// the figures of [`Self::binary`].
    ///
    /// # Errors
    /// [`SampleError`] with the row at fault.
    pub fn multiclass(
        labels: &[usize],
        probabilities: &[f64],
        classes: usize,
    ) -> Result<Self, SampleError> {
        check(labels, probabilities, classes, classes)?;
        for (row, given) in probabilities.chunks_exact(classes).enumerate() {
            let sum: f64 = given.iter().sum();
            if (sum - 1.0).abs() > SUM_ROUNDING {
                return Err(SampleError::Sum { row, sum });
            }
        }
        if classes == 2 {
            let happened: Vec<bool> = labels.iter().map(|label| *label == 1).collect();
            let scores: Vec<f64> = probabilities
                .chunks_exact(2)
                .map(|given| given[1])
                .collect();
            return Self::binary(&happened, &scores, EVEN);
        }
        let mut confidence = Vec::with_capacity(labels.len());
        let mut rows = Vec::with_capacity(labels.len());
        for (row, &label) in labels.iter().enumerate() {
            let given = &probabilities[row * classes..][..classes];
            let predicted = most_probable(given);
            let error = |(class, p): (usize, &f64)| (p - f64::from(class == label)).powi(2);
            confidence.push(given[predicted]);
            rows.push(SampleRow {
                label,
                predicted,
                squared_error: given.iter().enumerate().map(error).sum(),
                log_loss: log_loss(given[label]),
            });
        }
        let of_class = |class| {
            probabilities
                .iter()
                .skip(class)
                .step_by(classes)
                .copied()
                .collect()
        };
        Ok(Self {
            classes,
            rows,
            predicted: Predictions::Multiclass {
                each: (0..classes)
                    .map(|class| Ranking::new(of_class(class)))
                    .collect(),
                recalibration: Recalibration::new(&confidence),
                confidence: Ranking::new(confidence),
            },
            values: None,
            weights: None,
        })
    }

    /// The share of each class among the rows; zeros where there are no rows.
    #[must_use]
    pub fn shares(&self) -> Vec<f64> {
        let mut happened = vec![0.0; self.classes];
        for (at, row) in self.rows.iter().enumerate() {
            happened[row.label] += self.weights.as_ref().map_or(1.0, |weights| weights[at]);
        }
        let rows: f64 = happened.iter().sum();
        happened
            .iter()
            .map(|count| count / rows.max(f64::MIN_POSITIVE))
            .collect()
    }

    /// The same rows with these shares as every row's prediction: the baseline that always predicts the most
    /// frequent class. Numbers stay as they are predicted.
    ///
    /// # Errors
    /// [`SampleError`] where the shares are no probabilities of these classes.
    pub fn guess(&self, shares: &[f64]) -> Result<Self, SampleError> {
        let rows = self.rows.len();
        if shares.len() != self.classes {
            return Err(SampleError::Length {
                labels: 1,
                needed: self.classes,
                found: shares.len(),
            });
        }
        match self.predicted {
            Predictions::Binary(..) => self.predicted_by(&vec![shares[1]; rows], &[]),
            Predictions::Multiclass { .. } => self.predicted_by(&shares.repeat(rows), &[]),
            Predictions::Number => Ok(self.clone()),
        }
    }

    /// The same rows with another prediction of each: the probability of outcome 1, those of all classes, or
    /// the number. `values` are those of the classes on the scale of the score: see [`expected`].
    ///
    /// # Errors
    /// [`SampleError`] where these are no predictions of such outcomes.
    pub fn predicted_by(&self, predictions: &[f64], values: &[f64]) -> Result<Self, SampleError> {
        let labels: Vec<usize> = self.rows.iter().map(|row| row.label).collect();
        let outcomes = self.values.as_ref().map(|values| &values.outcomes);
        let mut other = match (&self.predicted, outcomes) {
            (Predictions::Binary(..), _) => {
                let happened: Vec<bool> = labels.iter().map(|label| *label == 1).collect();
                Self::binary(&happened, predictions, EVEN)?
            }
            (Predictions::Multiclass { .. }, None) => {
                Self::multiclass(&labels, predictions, self.classes)?
            }
            (Predictions::Multiclass { .. }, Some(outcomes)) => {
                let given = predictions.chunks_exact(self.classes);
                let scores: Vec<f64> = given.map(|given| expected(given, values)).collect();
                let other = Self::multiclass(&labels, predictions, self.classes)?;
                other.with_values(outcomes, &scores)?
            }
            (Predictions::Number, outcomes) => {
                Self::numbers(outcomes.map_or(&[], Vec::as_slice), predictions)?
            }
        };
        other.weights.clone_from(&self.weights);
        Ok(other)
    }

    /// Whether rows count by weights.
    #[must_use]
    pub fn is_weighted(&self) -> bool {
        self.weights.is_some()
    }

    /// All figures, without intervals, with the reason of each that is not defined.
    #[must_use]
    pub fn figures(&self) -> EvaluationFigures {
        self.figures_from(None)
    }

    /// All figures, with their bootstrap intervals. Rows of one group (a firm, a day) are not independent
    /// and are drawn together; without groups rows are drawn one by one.
    ///
    /// # Errors
    /// [`SampleError::Length`] where there is not a group for each row.
    pub fn figures_within(
        &self,
        bootstrap: &Bootstrap,
        groups: Option<&[u32]>,
    ) -> Result<EvaluationFigures, SampleError> {
        let rows = self.rows.len();
        if let Some(groups) = groups {
            self.fit(groups.len())?;
        }
        let mut figures = self.figures();
        // The slope of redrawn rows is near that of all rows, and is found faster from there.
        let slope = figures.calibration_slope.zip(figures.calibration_intercept);
        let near = slope.map(|(slope, intercept)| Line { slope, intercept });
        let resample = |counts: &[u32]| self.counted(counts, near).named();
        figures.intervals = bootstrap.intervals(rows, groups, resample);
        Ok(figures)
    }

    fn figures_from(&self, near: Option<Line>) -> EvaluationFigures {
        let mut figures = self.counted(&vec![1; self.rows.len()], near);
        let values = self.values.as_ref();
        let values = values.map(|values| (&*values.scores, &*values.outcomes));
        figures.undefined = figures.reasons(values);
        figures
    }

    /// The figures where each row counts as often as `counts` says. A slope of calibration that is `near` is
    /// where the search for it begins.
    fn counted(&self, counts: &[u32], near: Option<Line>) -> EvaluationFigures {
        let weights = RowWeights::drawn(counts, self.weights.as_deref());
        let figures = EvaluationFigures {
            rows: weights.rows(),
            kind: self.kind(),
            ..self.predicted_figures(&weights, near)
        };
        match &self.values {
            Some(values) => values.correlated(figures, &weights),
            None => figures,
        }
    }

    /// What is predicted.
    #[must_use]
    pub fn kind(&self) -> FigureKind {
        match self.predicted {
            Predictions::Binary(..) => FigureKind::Binary,
            Predictions::Multiclass { .. } => FigureKind::Multiclass,
            Predictions::Number => FigureKind::Number,
        }
    }

    fn predicted_figures(&self, weights: &RowWeights, near: Option<Line>) -> EvaluationFigures {
        match &self.predicted {
            Predictions::Binary(ranking, recalibration) => {
                let one = |row: usize| self.rows[row].label == 1;
                let figures = EvaluationFigures {
                    ks: ranking.ks(one, weights.each()),
                    recall_top_decile: ranking.recall_of_top(
                        weights.share(1, 10),
                        one,
                        weights.each(),
                    ),
                    ..self.ranked(&[(ranking, 1)], self.classified(weights), weights)
                };
                calibrated(figures, (ranking, recalibration), one, weights, near)
            }
            Predictions::Multiclass {
                each,
                confidence,
                recalibration,
            } => {
                let each: Vec<(&Ranking, usize)> = each.iter().zip(0..).collect();
                let figures = self.ranked(&each, self.classified(weights), weights);
                let right = |row: usize| self.rows[row].label == self.rows[row].predicted;
                calibrated(figures, (confidence, recalibration), right, weights, near)
            }
            Predictions::Number => {
                let values = self.values.as_ref();
                values.map_or_else(EvaluationFigures::default, |values| {
                    values.errors(weights.each())
                })
            }
        }
    }

    /// What follows from the confusion matrix, and from each row's probability of its outcome.
    fn classified(&self, weights: &RowWeights) -> EvaluationFigures {
        let mut confusion = vec![vec![0; self.classes]; self.classes];
        let mut counted = vec![vec![0.0; self.classes]; self.classes];
        let (mut squared_error, mut log_loss) = (0.0, 0.0);
        let each = weights.counts().iter().zip(weights.each());
        for (row, (&count, &weight)) in self.rows.iter().zip(each) {
            confusion[row.label][row.predicted] += u64::from(count);
            counted[row.label][row.predicted] += weight;
            squared_error += weight * row.squared_error;
            log_loss += weight * row.log_loss;
        }
        let support: Vec<u64> = confusion.iter().map(|row| row.iter().sum()).collect();
        let total = weights.total();
        let mean = |sum: f64| (total > 0.0).then(|| sum / total);
        EvaluationFigures {
            brier: mean(squared_error),
            log_loss: mean(log_loss),
            confusion,
            ..classes::figures(&counted, &support)
        }
    }

    /// The figures with those of the order of the scores of these classes: the mean of each against the rest.
    fn ranked(
        &self,
        each: &[(&Ranking, usize)],
        figures: EvaluationFigures,
        weights: &RowWeights,
    ) -> EvaluationFigures {
        let is = |class: usize| move |row: usize| self.rows[row].label == class;
        let mean = |sum: f64| sum / each.len() as f64;
        let aucs = each
            .iter()
            .map(|(ranking, class)| ranking.auc(is(*class), weights.each()));
        let auc: Option<f64> = aucs.sum();
        let precisions = each
            .iter()
            .map(|(ranking, class)| ranking.average_precision(is(*class), weights.each()));
        let precision: Option<f64> = precisions.sum();
        let auc = auc.map(mean);
        EvaluationFigures {
            auc,
            gini: auc.map(gini),
            average_precision: precision.map(mean),
            ..figures
        }
    }
}

/// The figures with those of the calibration of these probabilities.
fn calibrated(
    figures: EvaluationFigures,
    (ranking, recalibration): (&Ranking, &Recalibration),
    hit: impl Fn(usize) -> bool,
    weights: &RowWeights,
    near: Option<Line>,
) -> EvaluationFigures {
    let equal_count = reliability::of_equal_count(ranking, &hit, weights);
    let equal_width = reliability::of_equal_width(ranking, &hit, weights);
    let line = recalibration.fit(&hit, weights, near);
    EvaluationFigures {
        ece_equal_count: reliability::ece(&equal_count),
        ece_equal_width: reliability::ece(&equal_width),
        ece_bins: reliability::BINS,
        calibration_slope: line.map(|line| line.slope),
        calibration_intercept: line.map(|line| line.intercept),
        reliability: equal_count,
        reliability_equal_width: equal_width,
        ..figures
    }
}

fn values_of(outcomes: &[f64], scores: &[f64]) -> Result<PairedValues, SampleError> {
    if scores.len() != outcomes.len() {
        return Err(SampleError::Length {
            labels: outcomes.len(),
            needed: outcomes.len(),
            found: scores.len(),
        });
    }
    for values in [scores, outcomes] {
        if let Some(row) = values.iter().position(|value| !value.is_finite()) {
            let value = values[row];
            return Err(SampleError::Number { row, value });
        }
    }
    Ok(PairedValues::new(scores.to_vec(), outcomes.to_vec()))
}

/// −ln of the probability of the outcome, which is kept 2⁻⁵² away from 0 and 1, so that one certain mistake
/// does not make the mean infinite. scikit-learn does the same for doubles since version 1.3; before, with
/// 1e-15.
fn log_loss(probability: f64) -> f64 {
    -libm::log(probability.clamp(f64::EPSILON, 1.0 - f64::EPSILON))
}
