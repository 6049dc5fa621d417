//! Why labels and scores make no sample.

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
    /// A score or an outcome is no number.
    #[error("while judging scores: {value} in row {row} is not a finite number")]
    Number {
        /// The row, from 0.
        row: usize,
        /// Its score or outcome.
        value: f64,
    },
    /// A weight is none.
    #[error(
        "while judging scores: the weight {weight} of row {row} is none: it must be finite and not negative, and one \
         above 0"
    )]
    Weight {
        /// The row, from 0.
        row: usize,
        /// Its weight.
        weight: f64,
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

/// Whether labels are of these classes, and scores probabilities, so many of each label.
pub(super) fn check(
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
