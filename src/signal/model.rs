//! The model that made a signal: its identity, and what its outputs mean.

/// What a model says of its signals.
#[derive(Clone, Debug, Default)]
pub struct ModelIdentity {
    /// The model's name.
    pub name: String,
    /// The model's version.
    pub version: String,
    /// SHA-256 of the model's file.
    pub sha256: String,
    /// SHA-256 of the definitions of its features.
    pub features_sha256: String,
    /// Classes in the order of the outputs; empty for a model that gives one score.
    pub labels: Vec<String>,
    /// The value of each label on the scale of the score, such as the default rate of a grade; empty for the
    /// scale from −1 to 1.
    pub values: Vec<f64>,
    /// Codes of the reasons, in the order in which the model gives them.
    pub reasons: Vec<String>,
    /// Names of grades with the score up to which they reach, best first.
    pub grades: Vec<(String, f64)>,
    /// How far ahead a signal looks, in nanoseconds; 0 where it is not known.
    pub horizon_ns: i64,
    /// Whether its signals are published for comparison only.
    pub shadow: bool,
}

impl ModelIdentity {
    /// The label of the highest probability, and that probability; the first of equal ones. None for a model
    /// that gives one score.
    #[must_use]
    pub fn label(&self, outputs: &[f64]) -> Option<(&str, f64)> {
        let probabilities = &outputs[..self.labels.len()];
        let best = most_probable(probabilities);
        Some((self.labels.get(best)?, probabilities[best]))
    }

    /// One number: the score itself, or the expected label on the scale of [`Self::values`], or else on one
    /// from −1 (first label) to 1 (last): for down, flat, up that is P(up) − P(down).
    #[must_use]
    pub fn score(&self, outputs: &[f64]) -> f64 {
        expected(&outputs[..self.labels.len().max(1)], &self.values)
    }

    /// The grade of a score: the first whose limit is not below it, else the last.
    #[must_use]
    pub fn grade(&self, score: f64) -> Option<&str> {
        let grade = self.grades.iter().find(|(_, limit)| score <= *limit);
        grade.or(self.grades.last()).map(|(name, _)| &**name)
    }
}

/// The expected value of a label, where labels have these values, or lie evenly between −1 and 1; a single
/// output itself.
#[must_use]
pub fn expected(outputs: &[f64], values: &[f64]) -> f64 {
    let classes = outputs.len();
    if classes < 2 {
        return outputs[0];
    }
    let even = |at: usize| 2.0 * at as f64 / (classes - 1) as f64 - 1.0;
    let value = |at: usize| values.get(at).copied().unwrap_or_else(|| even(at));
    (0..classes)
        .map(|at| value(at) * outputs[at])
        .fold(0.0, |sum, term| sum + term)
}

/// The place of the highest of these probabilities, the first of equal ones; 0 where there are none.
#[must_use]
pub fn most_probable(probabilities: &[f64]) -> usize {
    let higher = |best, at| {
        if probabilities[at] > probabilities[best] {
            at
        } else {
            best
        }
    };
    (1..probabilities.len()).fold(0, higher)
}
