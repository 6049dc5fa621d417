//! What a model's file promises, and the check of it against a pipeline's features.

use std::path::Path;

use super::ModelError;
use super::normalise::Normalise;

/// What a model's file promises: what it takes, and what it gives.
#[derive(Clone, Debug, Default)]
pub struct Contract {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of its file, in hexadecimal.
    pub sha256: String,
    /// The columns that it was trained on, in order.
    pub features: Vec<String>,
    /// SHA-256 of their definitions, in hexadecimal; none where the file does not say.
    pub features_sha256: Option<String>,
    /// Its classes, in the order of its outputs; empty for a single score.
    pub labels: Vec<String>,
    /// Rows in a window.
    pub steps: usize,
    /// Normalisation fitted in training.
    pub normalise: Option<Normalise>,
    /// Prediction horizon, in nanoseconds.
    pub horizon_ns: Option<i64>,
    /// Codes of the reasons that it outputs after its scores, in order.
    pub reasons: Vec<String>,
    /// The expected score of each label: the default rate of a grade; empty where the file has none.
    pub places: Vec<f64>,
    /// Grades, best first: the name of each, and its highest score.
    pub grades: Vec<(String, f64)>,
}

/// What the pipeline's configuration says about a model whose file carries no contract, or a part of one.
#[derive(Clone, Debug, Default)]
pub struct DeclaredContract {
    /// The columns of a row.
    pub features: Vec<String>,
    /// Rows in a window.
    pub steps: Option<usize>,
    /// Its classes.
    pub labels: Vec<String>,
    /// Its version.
    pub version: Option<String>,
    /// The columns of each input; empty where there is one input, which takes all.
    pub inputs: Vec<(String, Vec<String>)>,
    /// The output that holds the scores.
    pub output: Option<String>,
}

impl Contract {
    /// Numbers that a window gives: the scores, then the reasons.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.labels.len().max(1) + self.reasons.len()
    }

    /// Checks that the model was trained on the columns that a pipeline computes: their names in order, and
    /// the hash of their definitions.
    ///
    /// # Errors
    /// [`ModelError::Contract`] with the first difference.
    pub fn check(&self, columns: &[String], sha256: &str, path: &Path) -> Result<(), ModelError> {
        let refuse = |what| {
            Err(ModelError::Contract {
                path: path.to_owned(),
                what,
            })
        };
        if self.features != columns {
            let at = self
                .features
                .iter()
                .zip(columns)
                .take_while(|(a, b)| a == b)
                .count();
            let name = |list: &[String]| {
                list.get(at)
                    .map_or("nothing".into(), |name| format!("`{name}`"))
            };
            return refuse(format!(
                "column {at} is {} in the model and {} in the pipeline; use the features that it was \
                 trained on, or train it again",
                name(&self.features),
                name(columns),
            ));
        }
        match &self.features_sha256 {
            Some(trained) if trained != sha256 => refuse(format!(
                "the features have the same names but another definition (model {trained}, pipeline \
                 {sha256}); restore the [[feature]] tables it was trained on, or train it again"
            )),
            _ => Ok(()),
        }
    }
}
