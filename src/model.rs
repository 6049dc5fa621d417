//! Models: windows of rows in, scores out.
//!
//! A model file is a contract: it says which features it was trained on, and [`Contract::check`]
//! refuses a pipeline that computes others. Models know no instrument and keep no state between calls.

pub mod kernel;
pub mod linear;
pub mod normalise;
pub mod onnx;
pub mod proto;
pub mod provider;
pub mod recognise;
pub mod slide;
pub mod strategy;

use std::path::{Path, PathBuf};

use self::normalise::Normalise;
use crate::engine::feature::Plan;

/// Something that scores windows.
pub trait Model: Send {
    /// Scores windows that lie one behind the other: each of `steps` rows, oldest first, each row of as
    /// many numbers as there are features. Appends [`Contract::outputs`] numbers a window to `scores`,
    /// in the same order: probabilities where there are labels. A window's scores depend on it alone,
    /// to the bit, whatever it comes with.
    ///
    /// # Errors
    /// [`ModelError::Run`] when the runtime fails.
    fn score(&mut self, windows: &[f64], scores: &mut Vec<f64>) -> Result<(), ModelError>;
}

/// What a model says of itself.
#[derive(Clone, Debug, Default)]
pub struct Contract {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of its file, in hexadecimal.
    pub sha256: String,
    /// Columns that it was trained on, in order.
    pub features: Vec<String>,
    /// Hash of their definitions: [`Plan::sha256`].
    pub features_sha256: Option<String>,
    /// Its classes, in the order of its outputs; none for a plain score.
    pub labels: Vec<String>,
    /// Rows in a window.
    pub steps: usize,
    /// Normalisation fitted in training.
    pub normalise: Option<Normalise>,
    /// How far ahead it looks, in nanoseconds.
    pub horizon_ns: Option<i64>,
    /// Codes of the reasons that it gives beside its scores, in order.
    pub reasons: Vec<String>,
    /// Where each label lies on the scale of the score: the default rate of a grade.
    pub places: Vec<f64>,
    /// Names of grades by the score up to which they go, best first.
    pub grades: Vec<(String, f64)>,
}

/// What the pipeline says of a model whose file carries no contract, or not all of one.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// The columns.
    pub features: Vec<String>,
    /// Rows in a window.
    pub steps: Option<usize>,
    /// Classes.
    pub labels: Vec<String>,
    /// Version.
    pub version: Option<String>,
    /// Which columns each input takes; empty: there is one, and it takes all.
    pub inputs: Vec<(String, Vec<String>)>,
    /// The output that holds the scores.
    pub output: Option<String>,
}

/// Why a model cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The file is not there or not readable.
    #[error("while reading the model {}: {cause}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// ONNX Runtime is missing or of the wrong version.
    #[error(
        "while loading ONNX Runtime: {0}; run `make onnxruntime`, or set ORT_DYLIB_PATH to a \
         libonnxruntime of version 1.22 or newer"
    )]
    Runtime(String),
    /// The GPU that was asked for cannot be had.
    #[error(
        "while setting up CUDA: {0}; or write `provider = \"cpu\"`, or `fallback = \"cpu\"` to go on \
         without a GPU where there is none"
    )]
    Cuda(String),
    /// The file is no model that can be loaded.
    #[error("while loading the model {}: {what}", path.display())]
    Load {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what to do.
        what: String,
    },
    /// The model was made for other features or another window.
    #[error("the model {} does not fit the pipeline: {what}", path.display())]
    Contract {
        /// The file.
        path: PathBuf,
        /// Both sides of the difference, and what to do.
        what: String,
    },
    /// The graph takes windows of another length.
    #[error("the model takes windows of {takes} rows, not of {asked}; ask for {takes}")]
    Window {
        /// Rows that the graph takes.
        takes: usize,
        /// Rows that were asked for.
        asked: usize,
    },
    /// Inference failed.
    #[error("while scoring a window: {0}")]
    Run(String),
}

impl Contract {
    /// Numbers a window gives: scores, and the reasons behind them.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.labels.len().max(1) + self.reasons.len()
    }

    /// Holds the model against the pipeline's features.
    ///
    /// # Errors
    /// [`ModelError::Contract`] with the first difference.
    pub fn check(&self, plan: &Plan, path: &Path) -> Result<(), ModelError> {
        let refuse = |what| {
            Err(ModelError::Contract {
                path: path.to_owned(),
                what,
            })
        };
        if self.features != plan.names() {
            let at = self
                .features
                .iter()
                .zip(plan.names())
                .take_while(|(a, b)| a == b)
                .count();
            let name = |list: &[String]| {
                list.get(at)
                    .map_or("nothing".into(), |name| format!("`{name}`"))
            };
            return refuse(format!(
                "column {at} is {} in the model and {} in the pipeline; use the features that it was \
                 trained on, or train it anew",
                name(&self.features),
                name(plan.names()),
            ));
        }
        match &self.features_sha256 {
            Some(sha256) if sha256 != plan.sha256() => refuse(format!(
                "the features have the same names but another definition (model {sha256}, pipeline \
                 {}); restore the [[feature]] tables it was trained on, or train it anew",
                plan.sha256()
            )),
            _ => Ok(()),
        }
    }
}

/// Probabilities from scores: e^(x − max) / Σ, in place.
pub fn softmax(scores: &mut [f64]) {
    let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    for score in scores.iter_mut() {
        *score = libm::exp(*score - most);
        sum += *score;
    }
    for score in scores {
        *score /= sum;
    }
}
