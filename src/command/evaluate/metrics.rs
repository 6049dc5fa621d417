//! The figures of a model: its predictions compared with the outcomes.
//!
//! Knows labels and scores alone: no file, no pipeline, no model. The figures equal scikit-learn's to
//! 1e-9 (`tests/given/metrics`), also in what it makes of 0/0: precision, recall, F1 and MCC are 0 there. A
//! figure that the rows do not define, like the AUC of a single class, is `None`.

mod bootstrap;
mod calibration;
mod classes;
mod figures;
mod ranking;
#[cfg(test)]
mod tests;

pub(in crate::command::evaluate) use bootstrap::numbered;
pub use bootstrap::{Bootstrap, Interval};
pub use calibration::Bin;
pub use figures::{Class, EvaluationFigures};

use ranking::Ranking;

use crate::model::score_form::SUM_ROUNDING;
use crate::signal::model::most_probable;

/// Rows with their outcome and a model's prediction.
///
/// A row may count any number of times: that is how [`Bootstrap`] resamples without sorting again.
#[derive(Clone, Debug)]
pub struct Sample {
    classes: usize,
    rows: Vec<SampleRow>,
    predicted: Predictions,
}

#[derive(Clone, Copy, Debug)]
struct SampleRow {
    label: usize,
    predicted: usize,
    squared_error: f64,
    log_loss: f64,
}

#[derive(Clone, Debug)]
enum Predictions {
    /// The probability of outcome 1.
    Binary(Ranking),
    /// The probability of each class, and that of the predicted class.
    Multiclass {
        each: Vec<Ranking>,
        confidence: Ranking,
    },
}

/// Why labels and scores make no sample.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum SampleError {
    /// The lengths do not fit.
    #[error("while judging scores: {labels} labels need {needed} probabilities, {found} came")]
    Length {
        /// Labels given.
        labels: usize,
        /// Probabilities that these need.
        needed: usize,
        /// Probabilities given.
        found: usize,
    },
    /// A label is none of the classes.
    #[error(
        "while judging scores: label {label} of row {row} is not below {classes}, the number of classes"
    )]
    Label {
        /// The row, from 0.
        row: usize,
        /// Its label.
        label: usize,
        /// The number of classes.
        classes: usize,
    },
    /// A score is no probability.
    #[error("while judging scores: {score} in row {row} is no probability, which lies in 0..1")]
    Score {
        /// The row, from 0.
        row: usize,
        /// Its score.
        score: f64,
    },
    /// The probabilities of a row do not add up.
    #[error("while judging scores: the probabilities of row {row} add up to {sum}, not 1")]
    Sum {
        /// The row, from 0.
        row: usize,
        /// Their sum.
        sum: f64,
    },
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
            predicted: Predictions::Binary(Ranking::new(scores.to_vec())),
        })
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
                confidence: Ranking::new(confidence),
            },
        })
    }

    /// The share of each class among the rows; zeros where there are no rows.
    #[must_use]
    pub fn shares(&self) -> Vec<f64> {
        let mut happened = vec![0_u64; self.classes];
        for row in &self.rows {
            happened[row.label] += 1;
        }
        let rows = self.rows.len().max(1) as f64;
        happened.iter().map(|count| *count as f64 / rows).collect()
    }

    /// The same rows with these shares as every row's prediction: the baseline that always predicts the most
    /// frequent class. The shares are those of the training rows, or [`Self::shares`].
    ///
    /// # Errors
    /// [`SampleError`] where the shares are no probabilities of these classes.
    pub fn guess(&self, shares: &[f64]) -> Result<Self, SampleError> {
        let labels: Vec<usize> = self.rows.iter().map(|row| row.label).collect();
        if shares.len() != self.classes {
            return Err(SampleError::Length {
                labels: 1,
                needed: self.classes,
                found: shares.len(),
            });
        }
        match self.predicted {
            Predictions::Binary(_) => {
                let outcomes: Vec<bool> = labels.iter().map(|label| *label == 1).collect();
                Self::binary(&outcomes, &vec![shares[1]; labels.len()], EVEN)
            }
            Predictions::Multiclass { .. } => {
                Self::multiclass(&labels, &shares.repeat(labels.len()), self.classes)
            }
        }
    }

    /// All figures, without intervals.
    #[must_use]
    pub fn figures(&self) -> EvaluationFigures {
        self.counted(&vec![1; self.rows.len()])
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
        if let Some(found) = groups.map(<[u32]>::len).filter(|found| *found != rows) {
            return Err(SampleError::Length {
                labels: rows,
                needed: rows,
                found,
            });
        }
        let mut figures = self.figures();
        let resample = |counts: &[u32]| self.counted(counts).named();
        figures.intervals = bootstrap.intervals(rows, groups, resample);
        Ok(figures)
    }

    /// The figures where each row counts as often as `counts` says.
    fn counted(&self, counts: &[u32]) -> EvaluationFigures {
        let mut confusion = vec![vec![0; self.classes]; self.classes];
        let (mut squared_error, mut log_loss) = (0.0, 0.0);
        for (row, &count) in self.rows.iter().zip(counts) {
            confusion[row.label][row.predicted] += u64::from(count);
            squared_error += f64::from(count) * row.squared_error;
            log_loss += f64::from(count) * row.log_loss;
        }
        let rows: u64 = confusion.iter().flatten().sum();
        let mean = |sum: f64| (rows > 0).then(|| sum / rows as f64);
        let figures = EvaluationFigures {
            rows,
            brier: mean(squared_error),
            log_loss: mean(log_loss),
            ..classes::figures(confusion)
        };
        match &self.predicted {
            Predictions::Binary(ranking) => self.of_binary(ranking, counts, figures),
            Predictions::Multiclass { each, confidence } => {
                let aucs = (0..self.classes)
                    .map(|class| each[class].auc(|row| self.rows[row].label == class, counts));
                let auc: Option<f64> = aucs.sum();
                let right = |row: usize| self.rows[row].label == self.rows[row].predicted;
                let figures = EvaluationFigures {
                    auc: auc.map(|sum| sum / self.classes as f64),
                    ..figures
                };
                calibrated(figures, confidence, right, counts)
            }
        }
    }

    fn of_binary(
        &self,
        ranking: &Ranking,
        counts: &[u32],
        figures: EvaluationFigures,
    ) -> EvaluationFigures {
        let one = |row: usize| self.rows[row].label == 1;
        let figures = EvaluationFigures {
            auc: ranking.auc(one, counts),
            ks: ranking.ks(one, counts),
            recall_top_decile: ranking.recall_of_top(figures.rows / 10, one, counts),
            ..figures
        };
        calibrated(figures, ranking, one, counts)
    }
}

/// The figures with those of the calibration of these probabilities, by both kinds of bins.
fn calibrated(
    figures: EvaluationFigures,
    ranking: &Ranking,
    hit: impl Fn(usize) -> bool,
    counts: &[u32],
) -> EvaluationFigures {
    let equal_count = calibration::of_equal_count(ranking, &hit, counts);
    let equal_width = calibration::of_equal_width(ranking, &hit, counts);
    EvaluationFigures {
        ece_equal_count: calibration::ece(&equal_count),
        ece_equal_width: calibration::ece(&equal_width),
        ece_bins: calibration::BINS,
        reliability: equal_count,
        reliability_equal_width: equal_width,
        ..figures
    }
}

fn check(
    labels: &[usize],
    scores: &[f64],
    classes: usize,
    columns: usize,
) -> Result<(), SampleError> {
    let needed = labels.len() * columns;
    if scores.len() != needed || classes == 0 {
        return Err(SampleError::Length {
            labels: labels.len(),
            needed,
            found: scores.len(),
        });
    }
    if let Some(row) = labels.iter().position(|label| *label >= classes) {
        return Err(SampleError::Label {
            row,
            label: labels[row],
            classes,
        });
    }
    match scores.iter().position(|score| !(0.0..=1.0).contains(score)) {
        Some(at) => Err(SampleError::Score {
            row: at / columns,
            score: scores[at],
        }),
        None => Ok(()),
    }
}

/// −ln of the probability of the outcome, which is kept 2⁻⁵² away from 0 and 1, so that one certain mistake
/// does not make the mean infinite. scikit-learn does the same for doubles since version 1.3; before, with
/// 1e-15.
fn log_loss(probability: f64) -> f64 {
    -libm::log(probability.clamp(f64::EPSILON, 1.0 - f64::EPSILON))
}
