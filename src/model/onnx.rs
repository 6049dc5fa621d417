//! ONNX models through ONNX Runtime: a window `[1, T, F]` of f32 in, one tensor of scores out.
//!
//! One thread and one session a shard; the processor's own provider. The library is found by
//! `ORT_DYLIB_PATH`, or where `make onnxruntime` unpacks it. The file is read once and handed over as
//! bytes, so that the hash is that of what runs and no external data file is followed.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use ort::environment::Environment;
use ort::session::Session;
use ort::value::{Tensor, TensorElementType, ValueType};

use super::{Contract, MAX_OUTPUTS, Model, ModelError};
use crate::normalise::Normalise;

/// A loaded model with its input buffer.
pub struct Onnx {
    session: Session,
    input: Tensor<f32>,
    input_name: String,
    outputs: usize,
}

/// Where `make onnxruntime` puts the library, below the working folder.
pub const LIBRARY: &str = ".onnxruntime/libonnxruntime.so";

/// Loads ONNX Runtime once a process.
///
/// # Errors
/// [`ModelError::Runtime`] with what is missing.
pub fn environment() -> Result<&'static Environment, ModelError> {
    static LOADED: OnceLock<Result<Environment, String>> = OnceLock::new();
    let loaded = LOADED.get_or_init(|| {
        let path = library()?;
        // `init_from` says what is wrong; the default search of `init` would panic instead.
        let builder =
            ort::init_from(&path).map_err(|error| match std::error::Error::source(&error) {
                Some(cause) => format!("{error} ({cause})"),
                None => error.to_string(),
            })?;
        let environment = builder
            .with_telemetry(false)
            .build()
            .map_err(|e| e.to_string())?;
        environment.set_log_level(ort::logging::LogLevel::Warning);
        Ok(environment)
    });
    loaded
        .as_ref()
        .map_err(|what| ModelError::Runtime(what.clone()))
}

fn library() -> Result<PathBuf, String> {
    if let Some(path) = std::env::var_os("ORT_DYLIB_PATH").filter(|path| !path.is_empty()) {
        return Ok(path.into());
    }
    let beside = std::env::current_exe().ok().and_then(|exe| {
        // target/release/foretick in a checkout; the same folder where installed.
        exe.ancestors()
            .skip(1)
            .take(4)
            .map(|folder| folder.join(LIBRARY))
            .find(|path| path.exists())
    });
    let here = std::env::current_dir()
        .map(|folder| folder.join(LIBRARY))
        .ok();
    let installed = [
        "/usr/lib/foretick/libonnxruntime.so",
        "/usr/local/lib/libonnxruntime.so",
    ];
    here.filter(|path| path.exists())
        .or(beside)
        .or_else(|| {
            installed
                .iter()
                .map(PathBuf::from)
                .find(|path| path.exists())
        })
        .ok_or_else(|| format!("no {LIBRARY} here, and ORT_DYLIB_PATH is not set"))
}

impl Onnx {
    /// Loads a model from its bytes and reads its contract from `metadata_props`.
    ///
    /// # Errors
    /// [`ModelError`] when the runtime or the model cannot be loaded, or has other inputs and outputs
    /// than one f32 window and one f32 tensor of scores.
    pub fn parse(
        path: &Path,
        bytes: &[u8],
        sha256: String,
    ) -> Result<(Self, Contract), ModelError> {
        let fail = |what: String| ModelError::Load {
            path: path.to_owned(),
            what,
        };
        let session = Session::builder(environment()?)
            .and_then(|builder| Ok(builder.with_intra_threads(1)?))
            .and_then(|builder| Ok(builder.with_inter_threads(1)?))
            .and_then(|builder| Ok(builder.with_intra_op_spinning(false)?))
            .and_then(|mut builder| builder.commit_from_memory(bytes))
            .map_err(|error| {
                fail(format!(
                    "{error}; is it an ONNX file, whole and self-contained?"
                ))
            })?;
        let contract = read_contract(&session, path, sha256)?;
        let (input_name, input) = window_input(&session, &contract).map_err(fail)?;
        let outputs = contract.outputs();
        let mut onnx = Self {
            session,
            input,
            input_name,
            outputs,
        };
        // The first run allocates: not on the first signal.
        onnx.run(&mut Vec::new())?;
        Ok((onnx, contract))
    }

    fn run(&mut self, scores: &mut Vec<f64>) -> Result<(), ModelError> {
        let failed = |error: ort::Error| ModelError::Run(error.to_string());
        let inputs = ort::inputs![self.input_name.as_str() => &self.input];
        let outputs = self.session.run(inputs).map_err(failed)?;
        let (shape, values) = outputs[0].try_extract_tensor::<f32>().map_err(failed)?;
        if values.len() != self.outputs {
            return Err(ModelError::Run(format!(
                "the first output has shape {shape:?}, but {} scores were promised",
                self.outputs
            )));
        }
        scores.extend(values.iter().map(|&value| f64::from(value)));
        Ok(())
    }
}

impl Model for Onnx {
    fn score(&mut self, window: &[f64], scores: &mut Vec<f64>) -> Result<(), ModelError> {
        let (_, cells) = self.input.extract_tensor_mut();
        for (cell, value) in cells.iter_mut().zip(window) {
            *cell = *value as f32;
        }
        self.run(scores)
    }
}

/// The input tensor `[1, T, F]`, checked against what the graph declares.
fn window_input(session: &Session, contract: &Contract) -> Result<(String, Tensor<f32>), String> {
    let (steps, columns) = (contract.steps, contract.features.len());
    let [input] = session.inputs() else {
        return Err(format!(
            "it has {} inputs; one window [1, T, F] is expected",
            session.inputs().len()
        ));
    };
    let ValueType::Tensor {
        ty: TensorElementType::Float32,
        shape,
        ..
    } = input.dtype()
    else {
        return Err(format!(
            "its input is {}; a float32 tensor [1, T, F] is expected",
            input.dtype()
        ));
    };
    let wanted = [1, steps as i64, columns as i64];
    let fits = shape.len() == 3
        && shape
            .iter()
            .zip(wanted)
            .all(|(&has, want)| has == -1 || has == want);
    if !fits {
        return Err(format!(
            "its input `{}` has shape {shape:?}, but its metadata promises {steps} steps of {columns} \
             features: [1, {steps}, {columns}]",
            input.name()
        ));
    }
    let input_tensor = Tensor::from_array(([1, steps, columns], vec![0.0_f32; steps * columns]));
    Ok((
        input.name().to_owned(),
        input_tensor.map_err(|error| error.to_string())?,
    ))
}

/// `metadata_props` that begin with `foretick.`.
fn read_contract(session: &Session, path: &Path, sha256: String) -> Result<Contract, ModelError> {
    let fail = |what: String| ModelError::Load {
        path: path.to_owned(),
        what,
    };
    let metadata = session
        .metadata()
        .map_err(|error| fail(error.to_string()))?;
    let text = |key: &str| metadata.custom(&format!("foretick.{key}"));
    let needed = |key: &str| {
        text(key).ok_or_else(|| {
            fail(format!(
                "metadata_props has no `foretick.{key}`; the model must carry its contract (see \
                 \"Bring your own model\" in the README)"
            ))
        })
    };
    fn json<T: serde::de::DeserializeOwned>(key: &str, text: &str) -> Result<T, String> {
        serde_json::from_str(text).map_err(|error| {
            format!("metadata `foretick.{key}` is not the JSON expected there: {error}")
        })
    }
    let features: Vec<String> = json("features", &needed("features")?).map_err(fail)?;
    let labels: Vec<String> = text("labels")
        .map_or(Ok(vec![]), |t| json("labels", &t))
        .map_err(fail)?;
    if labels.len() > MAX_OUTPUTS {
        return Err(fail(format!(
            "{} labels; at most {MAX_OUTPUTS} are possible",
            labels.len()
        )));
    }
    let column = |key: &str| {
        text(key)
            .map(|t| json::<Vec<f64>>(key, &t))
            .transpose()
            .map_err(fail)
    };
    let normalise = match (column("mean")?, column("std")?) {
        (None, None) => None,
        (Some(mean), Some(std))
            if mean.len() == features.len()
                && std.len() == features.len()
                && std.iter().all(|&s| s > 0.0) =>
        {
            Some(Normalise::Fixed { mean, std })
        }
        _ => {
            return Err(fail(format!(
                "metadata `foretick.mean` and `foretick.std` must both have {} numbers, std above 0",
                features.len()
            )));
        }
    };
    let horizon_ms: Option<i64> = text("horizon_ms")
        .map(|t| json("horizon_ms", &t))
        .transpose()
        .map_err(fail)?;
    Ok(Contract {
        name: text("name").unwrap_or_else(|| file_stem(path)),
        version: text("version").unwrap_or_else(|| "0".into()),
        sha256,
        features_sha256: text("features_sha256"),
        steps: json("steps", &needed("steps")?).map_err(fail)?,
        features,
        labels,
        normalise,
        horizon_ns: horizon_ms.map(|ms| ms.saturating_mul(1_000_000)),
    })
}

fn file_stem(path: &Path) -> String {
    path.file_stem().map_or_else(
        || "model".into(),
        |stem| stem.to_string_lossy().into_owned(),
    )
}
