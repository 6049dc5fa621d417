//! What all signals of a pipeline share: schema, model, labels, grades; and what a signal means by them.

use sha2::{Digest as _, Sha256};

use super::Signal;
use crate::hex::hex;

/// What all signals of a pipeline share.
#[derive(Clone, Debug, Default)]
pub struct Lineage {
    /// The schema's name, which is also the default topic.
    pub schema: String,
    /// The pipeline's name.
    pub pipeline: String,
    /// Classes in the order of the outputs; none for a plain score.
    pub labels: Vec<String>,
    /// Where each label lies on the scale of the score: the default rate of a grade; none for the scale
    /// from −1 to 1.
    pub places: Vec<f64>,
    /// Codes of the reasons, in the order in which the model gives them.
    pub reasons: Vec<String>,
    /// Names of grades by the score up to which they go, best first.
    pub grades: Vec<(String, f64)>,
    /// Under which name it is written whom a signal is about: `instrument`, `applicant`, `obligor`.
    pub key: &'static str,
    /// How far ahead the signal looks; 0 where nobody says.
    pub horizon_ns: i64,
    /// The model's name.
    pub model_name: String,
    /// The model's version.
    pub model_version: String,
    /// SHA-256 of the model's file.
    pub model_sha256: String,
    /// SHA-256 of the features' definitions.
    pub features_sha256: String,
    /// Of news: the half-life of averages, in nanoseconds.
    pub half_life_ns: Option<i64>,
    /// Published beside the real ones, for comparison only.
    pub shadow: bool,
    /// Names of the streams that origins point to.
    pub streams: Vec<String>,
}

impl Lineage {
    /// The label of the highest probability, and that probability; the first of equal ones.
    #[must_use]
    pub fn label(&self, signal: &Signal) -> Option<(&str, f64)> {
        let probabilities = &signal.outputs[..self.labels.len()];
        let best = probabilities
            .iter()
            .enumerate()
            .reduce(|a, b| if b.1 > a.1 { b } else { a })?;
        Some((&self.labels[best.0], *best.1))
    }

    /// One number: the score itself, or the expected label on the scale of [`Lineage::places`], or else on
    /// one from −1 (first label) to 1 (last): for down, flat, up that is P(up) − P(down).
    #[must_use]
    pub fn score(&self, signal: &Signal) -> f64 {
        expected(&signal.outputs[..self.labels.len().max(1)], &self.places)
    }

    /// The grade of a score: the first whose border is not below it, else the last.
    #[must_use]
    pub fn grade(&self, signal: &Signal) -> Option<&str> {
        self.grade_of(self.score(signal))
    }

    /// The same of a score alone.
    #[must_use]
    pub fn grade_of(&self, score: f64) -> Option<&str> {
        let grade = self.grades.iter().find(|(_, border)| score <= *border);
        grade.or(self.grades.last()).map(|(name, _)| &**name)
    }

    /// Codes of a signal's reasons, the strongest first.
    pub fn codes(&self, signal: &Signal) -> impl Iterator<Item = &str> {
        let codes = signal.reasons.into_iter().flatten();
        codes.map(|reason| &*self.reasons[usize::from(reason.code)])
    }

    /// The signal's identity: a hash of pipeline, instrument and the place of its frame, so that the
    /// same frame gives the same id whenever it is read again.
    #[must_use]
    pub fn signal_id(&self, signal: &Signal, instrument: &str) -> String {
        let mut hash = Sha256::new();
        for part in [
            &*self.pipeline,
            instrument,
            self.stream(signal.origin.stream),
        ] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        hash.update(signal.origin.partition.to_le_bytes());
        hash.update(signal.origin.offset.to_le_bytes());
        hex(&hash.finalize()[..16])
    }

    /// When the signal is out of date; `None` where no horizon is known.
    #[must_use]
    pub fn valid_until(&self, signal: &Signal) -> Option<i64> {
        (self.horizon_ns > 0).then(|| signal.ts_event.0.saturating_add(self.horizon_ns))
    }

    /// The name of a stream.
    #[must_use]
    pub fn stream(&self, stream: u16) -> &str {
        self.streams
            .get(usize::from(stream))
            .map_or("", |name| name)
    }
}

/// The expected place of a label, where labels have these places, or lie evenly between −1 and 1; a single
/// output itself.
#[must_use]
pub fn expected(outputs: &[f64], places: &[f64]) -> f64 {
    let classes = outputs.len();
    if classes < 2 {
        return outputs[0];
    }
    let even = |at: usize| 2.0 * at as f64 / (classes - 1) as f64 - 1.0;
    let place = |at: usize| places.get(at).copied().unwrap_or_else(|| even(at));
    (0..classes)
        .map(|at| place(at) * outputs[at])
        .fold(0.0, |sum, term| sum + term)
}
