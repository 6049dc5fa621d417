//! `[model]`: the model's file, where it computes, and what the file does not say of itself.

use std::path::PathBuf;

use serde::Deserialize;

/// `[model]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// The kind of model: `onnx`, `linear` (a JSON file of weights) or `sum` (the sum of the row's columns).
    /// Required.
    pub kind: ModelKind,
    /// The model's file, below the pipeline's folder. Required, except for `sum`.
    pub file: Option<PathBuf>,
    /// The mean and standard deviation by which rows are normalised: `model` (those of the training rows,
    /// from the model's metadata; none where it has none), `expanding` (those of the instrument's rows so
    /// far) or `none`. Default: `"model"`.
    #[serde(default)]
    pub normalise: NormaliseBy,
    /// The number of rows in a window. Default: what the model's metadata or its input shape says.
    pub steps: Option<usize>,
    /// The model's classes in the order of its outputs. Default: what its metadata says; a model without
    /// labels gives a score.
    #[serde(default)]
    pub labels: Vec<String>,
    /// The value of each label on the scale of the score, in the order of `labels`: `score` is their mean by
    /// probability, as with `[-1, 1, 0]` for bearish, bullish, neutral. Required for three and more labels
    /// whose order nothing else says. Default: what the model's metadata says (`foretick.values`); else
    /// evenly from -1 for the first label to 1 for the last where the metadata lists the labels, which it
    /// does lowest first.
    #[serde(default)]
    pub values: Vec<f64>,
    /// What turns the model's numbers into probabilities where it gives logits: `softmax` for one number a
    /// label, `sigmoid` for a single number. Default: none, the numbers are probabilities or a score.
    pub activation: Option<ActivationName>,
    /// The model's version, which stands in every signal. Default: what its metadata says.
    pub version: Option<String>,
    /// The features that each input takes: one table for each input of a graph that has several. Default: one
    /// input takes all features.
    #[serde(default, rename = "input")]
    pub inputs: Vec<ModelInput>,
    /// The name of the output that holds the scores. Default: the first output of type float32.
    pub output: Option<String>,
    /// How windows of rows are computed: `auto` (incrementally where that is exact, else whole), `plain`
    /// (whole, by ONNX Runtime) or `carried` (one recurrent state that is never reset: another function
    /// than windows, right only for a model that was trained so). Default: `"auto"`.
    #[serde(default)]
    pub window: WindowSetting,
    /// Where ONNX Runtime computes: `cpu`, or `cuda` for an NVIDIA GPU. Default: `"cpu"`.
    #[serde(default)]
    pub provider: ProviderName,
    /// The number of the GPU. Default: `0`.
    pub device: Option<u16>,
    /// The number of windows in each run of ONNX Runtime; a run with fewer is padded and costs the same. A
    /// window has the same score in any batch, but other last bits for another `batch_max`. Default: `1` on
    /// `cpu`, which gains little from more, and `32` on `cuda`, which takes 32 in nearly the time of one.
    pub batch_max: Option<usize>,
    /// How long a live batch waits for more frames after its first, in microseconds, so that windows of
    /// several instruments share a run. Default: `0`, which adds no latency.
    #[serde(default)]
    pub batch_wait_us: u64,
    /// How long a run of ONNX Runtime may take, in milliseconds, before it is stopped and is an error.
    /// Default: `2_000`.
    #[serde(default = "default_deadline_ms")]
    pub deadline_ms: u64,
    /// The memory that ONNX Runtime may take while it loads the model and computes its first windows on the
    /// processor; on Linux alone. Default: `4_294_967_296`: 4 GiB.
    #[serde(default = "default_memory_bytes")]
    pub memory_bytes: u64,
    /// Where the model computes if the GPU is not available: `cpu`. Not given: that is an error.
    pub fallback: Option<Fallback>,
}

impl ModelConfig {
    /// The built-in linear model in this file.
    #[must_use]
    pub fn linear(file: PathBuf) -> Self {
        Self {
            kind: ModelKind::Linear,
            file: Some(file),
            normalise: NormaliseBy::Model,
            steps: None,
            labels: vec![],
            values: vec![],
            activation: None,
            version: None,
            inputs: vec![],
            output: None,
            window: WindowSetting::Auto,
            provider: ProviderName::Cpu,
            device: None,
            batch_max: None,
            batch_wait_us: 0,
            deadline_ms: default_deadline_ms(),
            memory_bytes: default_memory_bytes(),
            fallback: None,
        }
    }
}

fn default_deadline_ms() -> u64 {
    2_000
}

fn default_memory_bytes() -> u64 {
    4_294_967_296
}

/// `[[model.input]]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelInput {
    /// The input's name in the graph. Required.
    pub name: String,
    /// The features that the input takes, in its order: of all rows of the window, or of the newest row where
    /// the input has no dimension of rows. Required.
    pub features: Vec<String>,
}

/// How windows of rows are computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WindowSetting {
    /// Incrementally where that is exact, else whole.
    #[default]
    Auto,
    /// Whole, by ONNX Runtime.
    Plain,
    /// One state that is never reset, in place of windows.
    Carried,
}

/// What turns the model's numbers into probabilities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActivationName {
    /// e^x, divided by the sum over the labels.
    Softmax,
    /// 1 / (1 + e^-x).
    Sigmoid,
}

/// Where ONNX Runtime computes a model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProviderName {
    /// On the processor.
    #[default]
    Cpu,
    /// On an NVIDIA GPU.
    Cuda,
}

/// Where the model computes if the provider is not available.
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

/// The mean and standard deviation by which rows are normalised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NormaliseBy {
    /// Those of the training rows, from the model's metadata; none if it has none.
    #[default]
    Model,
    /// Those of the instrument's rows so far.
    Expanding,
    /// None: rows are not normalised.
    None,
}
