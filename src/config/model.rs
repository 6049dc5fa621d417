//! `[model]`: which model, where its windows are computed, and what a file without a contract is told.

use std::path::PathBuf;

use serde::Deserialize;

use crate::model::strategy::Windows;

/// `[model]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// `onnx`, `linear` (a JSON file of weights) or `sum` (the plain sum of the row).
    pub kind: ModelKind,
    /// The model's file, below the pipeline's folder.
    pub file: Option<PathBuf>,
    /// Whose mean and standard deviation normalise a row.
    #[serde(default)]
    pub normalise: NormaliseBy,
    /// Rows in a window, for a file that does not say so itself.
    pub steps: Option<usize>,
    /// Its classes in the order of its outputs, for a file that does not say so itself; none for a score.
    #[serde(default)]
    pub labels: Vec<String>,
    /// Its version, for a file that does not say so itself.
    pub version: Option<String>,
    /// What each input takes, for a file with several.
    #[serde(default, rename = "input")]
    pub inputs: Vec<ModelInput>,
    /// The output that holds the scores; the first of float32 if not given.
    pub output: Option<String>,
    /// How windows of rows are computed: `auto` (slid by one step where that is exact, else whole), `plain`
    /// (whole, by ONNX Runtime), or `carried` (one state that is never reset: another function than
    /// windows, for models that were trained so).
    #[serde(default)]
    pub window: Windows,
    /// Where ONNX Runtime computes: `cpu`, or `cuda` for an NVIDIA GPU.
    #[serde(default)]
    pub provider: ProviderName,
    /// The GPU's number; 0 if not given.
    pub device: Option<u16>,
    /// Windows in each run of ONNX Runtime, which costs the same with fewer; 1 on `cpu` and 32 on `cuda`
    /// if not given. Scores have the same bits however windows are batched, but other last bits for
    /// another `batch_max`.
    pub batch_max: Option<usize>,
    /// How long a live batch waits for more frames after its first, in microseconds, so that windows of
    /// several instruments go in one run.
    #[serde(default)]
    pub batch_wait_us: u64,
    /// What computes where the GPU cannot be had: `cpu`; an error if not given.
    pub fallback: Option<Fallback>,
}

/// `[[model.input]]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelInput {
    /// Its name in the graph.
    pub name: String,
    /// The features that it takes, in its order: those of all rows of the window, or of the newest alone
    /// where it has no dimension of rows.
    pub features: Vec<String>,
}

/// Where ONNX Runtime computes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProviderName {
    /// On the processor.
    #[default]
    Cpu,
    /// On an NVIDIA GPU.
    Cuda,
}

/// What computes where the provider cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fallback {
    /// The processor.
    Cpu,
}

/// The kinds of model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelKind {
    /// A graph for ONNX Runtime.
    Onnx,
    /// The built-in linear model.
    Linear,
    /// The sum of the row's columns.
    Sum,
}

/// Whose mean and standard deviation normalise a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NormaliseBy {
    /// Those of the training rows, from the model's metadata; none if it has none.
    #[default]
    Model,
    /// Those of the instrument's rows so far.
    Expanding,
    /// Nobody's.
    None,
}
