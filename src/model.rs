//! Models: windows of rows in, scores out.
//!
//! Models know no instrument and keep no state between calls. What a model's file promises is its
//! [`contract::Contract`].

pub mod contract;
pub mod deadline;
pub mod kernel;
pub mod linear;
pub mod normalise;
pub mod onnx;
pub mod proto;
pub mod provider;
pub(crate) mod random_numbers;
pub mod recognise;
pub mod score_form;
pub mod slide;
pub mod strategy;

use std::path::PathBuf;

/// A model that scores whole windows.
pub trait Model: Send {
    /// Scores windows that lie one behind the other: each of [`contract::Contract::steps`] rows, oldest
    /// first, each row of as many numbers as there are features.
    ///
    /// Appends exactly [`contract::Contract::outputs`] numbers per window to `scores`, in the order of the
    /// windows: probabilities where there are labels, then the reasons. A caller may rely on the count, and
    /// asserts it. The scores of a window depend on that window alone, to the bit, not on the others of the
    /// call.
    ///
    /// # Errors
    /// [`ModelError::Run`] when the runtime fails. What was appended to `scores` is then undefined.
    fn score(&mut self, windows: &[f64], scores: &mut Vec<f64>) -> Result<(), ModelError>;
}

/// The reason for which a model cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The file does not exist or cannot be read.
    #[error("while reading the model {}: {cause}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        cause: std::io::Error,
    },
    /// ONNX Runtime is missing or of the wrong version.
    #[error(
        "while loading ONNX Runtime: {0}; run `make onnxruntime`, or set ORT_DYLIB_PATH to a \
         libonnxruntime of version 1.22 or newer"
    )]
    Runtime(String),
    /// The configured GPU cannot be used.
    #[error(
        "while setting up CUDA: {0}; or write `provider = \"cpu\"`, or `fallback = \"cpu\"` to run \
         without a GPU where there is none"
    )]
    Cuda(String),
    /// The file cannot be loaded as a model.
    #[error("while loading the model {}: {what}", path.display())]
    Load {
        /// The file.
        path: PathBuf,
        /// The error, and what to do.
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
    #[error("the model takes windows of {takes} rows, not of {requested}; use {takes}")]
    Window {
        /// Rows that the graph takes.
        takes: usize,
        /// Rows that were requested.
        requested: usize,
    },
    /// A run took longer than is allowed.
    #[error(
        "while scoring a window: the run did not end before its deadline and was stopped; does the graph have a \
         loop without an end? If it is only slow, raise `[model] deadline_ms`"
    )]
    Deadline,
    /// Inference failed.
    #[error("while scoring a window: {0}")]
    Run(String),
}

/// Turns scores into probabilities, in place: e^(x − max) / Σ.
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
