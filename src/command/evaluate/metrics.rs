//! The figures of a model: what it said against what happened.
//!
//! Knows labels and scores alone: no file, no pipeline, no model. Figures equal scikit-learn's to 1e-9
//! (`tests/given/metrics`), also in what it makes of 0/0: precision, recall, F1 and MCC are 0 there. A
//! figure that the rows do not define, like the AUC of a single class, is `None`.

mod bootstrap;
mod calibration;
mod classes;
mod ranking;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::Serialize;

pub use bootstrap::{Bootstrap, Interval};
pub use calibration::Bin;
pub use classes::Class;

use ranking::Ranking;

/// Rows whose outcome is known, with what a model said of them.
///
/// A row may count any number of times, which is how [`Bootstrap`] draws it again: all that is sorted is
/// sorted once.
#[derive(Clone, Debug)]
pub struct Sample {
    classes: usize,
    rows: Vec<Row>,
    said: Said,
}

#[derive(Clone, Copy, Debug)]
struct Row {
    label: usize,
    said: usize,
    squared_error: f64,
    log_loss: f64,
}

#[derive(Clone, Debug)]
enum Said {
    /// The probability of outcome 1.
    Binary(Ranking),
    /// The probability of each class, and the one of the class that was said.
    Multiclass {
        each: Vec<Ranking>,
        confidence: Ranking,
    },
}

/// What a model is judged by.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Figures {
    /// Rows judged.
    pub rows: u64,
    /// Share of rows whose class was said.
    pub accuracy: Option<f64>,
    /// Mean F1 of the classes that happened or were said.
    pub macro_f1: Option<f64>,
    /// Mean F1 of the classes, by how often they happened.
    pub weighted_f1: Option<f64>,
    /// Matthews' correlation, over any number of classes (Gorodkin's R).
    pub mcc: Option<f64>,
    /// Chance that a row of outcome 1 has a higher score than one of outcome 0, equal scores half.
    /// Classes: mean of each against the rest.
    pub auc: Option<f64>,
    /// Largest distance of the two outcomes' score distributions (Kolmogorov and Smirnov). Binary only.
    pub ks: Option<f64>,
    /// Binary: mean squared error of the probability. Classes: the errors of all classes added, which for
    /// two of them is twice the binary one.
    pub brier: Option<f64>,
    /// Mean of −ln of the probability of what happened, in nats.
    pub log_loss: Option<f64>,
    /// Mean distance of predicted and observed over the bins of `reliability`.
    pub ece: Option<f64>,
    /// Share of outcome 1 found among the ⌊rows / 10⌋ highest scores, of equal ones at the border their part.
    /// Binary only.
    pub recall_top_decile: Option<f64>,
    /// Rows by what happened (outer) and what was said (inner).
    pub confusion: Vec<Vec<u64>>,
    /// In the order of the labels.
    pub per_class: Vec<Class>,
    /// Bins from low to high of the score of outcome 1; of the probability of what was said for classes.
    pub reliability: Vec<Bin>,
    /// By the name of the figure; empty where none were asked for.
    pub intervals: BTreeMap<&'static str, Interval>,
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

/// From where on the two classes of a probability part, where nobody says.
pub const EVEN: f64 = 0.5;

/// How far the probabilities of a row may add up to other than 1: a softmax in single precision.
const SUM_TOLERANCE: f64 = 1e-4;

impl Sample {
    /// Outcomes with the probability of outcome 1. Outcome 1 is what a score above the threshold says: of
    /// two equal probabilities the first class, as among more classes.
    ///
    /// # Errors
    /// [`SampleError`] with the row at fault.
    pub fn binary(outcomes: &[bool], scores: &[f64], threshold: f64) -> Result<Self, SampleError> {
        let labels: Vec<usize> = outcomes.iter().map(|one| usize::from(*one)).collect();
        check(&labels, scores, 2, 1)?;
        let rows = labels.iter().zip(scores).map(|(&label, &score)| Row {
            label,
            said: usize::from(score > threshold),
            squared_error: (score - label as f64).powi(2),
            log_loss: log_loss(if label == 1 { score } else { 1.0 - score }),
        });
        Ok(Self {
            classes: 2,
            rows: rows.collect(),
            said: Said::Binary(Ranking::new(scores.to_vec())),
        })
    }

    /// Labels from 0 with the probability of each class, row by row. What a row says is its most probable
    /// class, the first of equal ones.
    ///
    /// # Errors
    /// [`SampleError`] with the row at fault.
    pub fn multiclass(
        labels: &[usize],
        probabilities: &[f64],
        classes: usize,
    ) -> Result<Self, SampleError> {
        check(labels, probabilities, classes, classes)?;
        let mut confidence = Vec::with_capacity(labels.len());
        let mut rows = Vec::with_capacity(labels.len());
        for (row, &label) in labels.iter().enumerate() {
            let given = &probabilities[row * classes..][..classes];
            let sum: f64 = given.iter().sum();
            if (sum - 1.0).abs() > SUM_TOLERANCE {
                return Err(SampleError::Sum { row, sum });
            }
            let said = (1..classes).fold(
                0,
                |best, at| if given[at] > given[best] { at } else { best },
            );
            let error = |(class, p): (usize, &f64)| (p - f64::from(class == label)).powi(2);
            confidence.push(given[said]);
            rows.push(Row {
                label,
                said,
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
            said: Said::Multiclass {
                each: (0..classes)
                    .map(|class| Ranking::new(of_class(class)))
                    .collect(),
                confidence: Ranking::new(confidence),
            },
        })
    }

    /// How often each class happened, as shares of all rows; zeros where there are none.
    #[must_use]
    pub fn shares(&self) -> Vec<f64> {
        let mut happened = vec![0_u64; self.classes];
        for row in &self.rows {
            happened[row.label] += 1;
        }
        let rows = self.rows.len().max(1) as f64;
        happened.iter().map(|count| *count as f64 / rows).collect()
    }

    /// The same rows judged by one who always says these shares, and so guesses the commonest class: what
    /// a model must beat. The shares are those of the training rows, or [`Self::shares`].
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
        match self.said {
            Said::Binary(_) => {
                let outcomes: Vec<bool> = labels.iter().map(|label| *label == 1).collect();
                Self::binary(&outcomes, &vec![shares[1]; labels.len()], EVEN)
            }
            Said::Multiclass { .. } => {
                Self::multiclass(&labels, &shares.repeat(labels.len()), self.classes)
            }
        }
    }

    /// All figures, without intervals.
    #[must_use]
    pub fn figures(&self) -> Figures {
        self.counted(&vec![1; self.rows.len()])
    }

    /// All figures, with the intervals in which they lie. Rows of one group (a firm, a day) are drawn
    /// together, as they are no independent witnesses; without groups, row by row.
    ///
    /// # Errors
    /// [`SampleError::Length`] where there is not a group for each row.
    pub fn figures_within(
        &self,
        bootstrap: &Bootstrap,
        groups: Option<&[u32]>,
    ) -> Result<Figures, SampleError> {
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

    /// The figures where each row counts so many times.
    fn counted(&self, counts: &[u32]) -> Figures {
        let mut confusion = vec![vec![0; self.classes]; self.classes];
        let (mut squared_error, mut log_loss) = (0.0, 0.0);
        for (row, &count) in self.rows.iter().zip(counts) {
            confusion[row.label][row.said] += u64::from(count);
            squared_error += f64::from(count) * row.squared_error;
            log_loss += f64::from(count) * row.log_loss;
        }
        let rows: u64 = confusion.iter().flatten().sum();
        let mean = |sum: f64| (rows > 0).then(|| sum / rows as f64);
        let figures = Figures {
            rows,
            brier: mean(squared_error),
            log_loss: mean(log_loss),
            ..classes::figures(confusion)
        };
        match &self.said {
            Said::Binary(ranking) => self.of_binary(ranking, counts, figures),
            Said::Multiclass { each, confidence } => {
                let aucs = (0..self.classes)
                    .map(|class| each[class].auc(|row| self.rows[row].label == class, counts));
                let auc: Option<f64> = aucs.sum();
                let right = |row: usize| self.rows[row].label == self.rows[row].said;
                let reliability = calibration::bins(confidence, right, counts);
                Figures {
                    auc: auc.map(|sum| sum / self.classes as f64),
                    ece: calibration::ece(&reliability),
                    reliability,
                    ..figures
                }
            }
        }
    }

    fn of_binary(&self, ranking: &Ranking, counts: &[u32], figures: Figures) -> Figures {
        let one = |row: usize| self.rows[row].label == 1;
        let reliability = calibration::bins(ranking, one, counts);
        Figures {
            auc: ranking.auc(one, counts),
            ks: ranking.ks(one, counts),
            recall_top_decile: ranking.recall_of_top(figures.rows / 10, one, counts),
            ece: calibration::ece(&reliability),
            reliability,
            ..figures
        }
    }
}

impl Figures {
    /// The figures that are one number, by the names that they are written under.
    #[must_use]
    pub fn named(&self) -> [(&'static str, Option<f64>); 10] {
        [
            ("accuracy", self.accuracy),
            ("macro_f1", self.macro_f1),
            ("weighted_f1", self.weighted_f1),
            ("mcc", self.mcc),
            ("auc", self.auc),
            ("ks", self.ks),
            ("brier", self.brier),
            ("log_loss", self.log_loss),
            ("ece", self.ece),
            ("recall_top_decile", self.recall_top_decile),
        ]
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

/// Of the probability of what happened, kept 2⁻⁵² away from 0 and 1 so that one sure mistake does not make
/// all rows infinite. It is what scikit-learn takes for doubles since version 1.3; before, 1e-15.
fn log_loss(probability: f64) -> f64 {
    -libm::log(probability.clamp(f64::EPSILON, 1.0 - f64::EPSILON))
}
