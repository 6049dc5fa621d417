//! Sessions of ONNX Runtime, on the processor or on an NVIDIA GPU.
//!
//! There is no silent fallback to the processor: a session on a GPU runs every node of the graph there, or
//! it is refused. Makes sessions, and runs none.

use std::path::Path;

use ort::environment::Environment;
use ort::ep::{self, cuda};
use ort::session::Session;
use ort::session::builder::SessionBuilder;

use super::library::library;
use crate::model::deadline::{Allowed, Watchdog, Watched};

/// A session on the processor. `watchdog` ends a load that takes too long.
///
/// # Errors
/// The message of ONNX Runtime, or that the load was ended, and what to do.
pub(super) fn on_cpu(
    environment: &Environment,
    bytes: &[u8],
    watchdog: Option<&dyn Watchdog>,
) -> Result<Session, String> {
    let explained = |error: ort::Error| refusal(&error.to_string());
    let mut builder = builder(environment).map_err(explained)?;
    let canceler = builder.canceler();
    let watched = Watched::start(watchdog, Allowed::Load(bytes.len()), move || {
        if let Err(error) = canceler.cancel() {
            tracing::warn!(%error, "a load cannot be ended");
        }
    });
    watched.begin(1);
    let loaded = builder.commit_from_memory(bytes);
    let ended = watched.finish(|| {});
    loaded.map_err(|error| match ended {
        Some(_) => {
            "it did not load in time and was stopped: its constants take too long to compute"
                .to_owned()
        }
        None => explained(error),
    })
}

/// What ONNX Runtime says of a file that it does not load, and what to do. It has most operators for float32
/// alone.
fn refusal(said: &str) -> String {
    let is_of_types = [
        "Type Error",
        "Could not find an implementation",
        "NOT_IMPLEMENTED",
    ];
    let what = match is_of_types.iter().any(|words| said.contains(words)) {
        true => {
            "export it from float32 (scikit-learn: `to_onnx(model, x[:1].astype(numpy.float32))`, PyTorch: \
             `model.float()`)"
        }
        false => "is it an ONNX file, whole and self-contained?",
    };
    format!("{said}; {what}")
}

/// A session on a GPU. `sizes` gives the dimensions that the graph leaves open: with them, ONNX Runtime
/// folds the nodes that compute shapes, which would otherwise run on the processor.
///
/// # Errors
/// The message of ONNX Runtime; [`explain`] adds what it means.
pub(super) fn on_cuda(
    environment: &Environment,
    bytes: &[u8],
    device: u16,
    sizes: &[(String, i64)],
) -> Result<Session, String> {
    preload();
    let made = || -> ort::Result<Session> {
        // TensorFloat-32 has ten bits of mantissa; a search by time may choose another kernel at each start.
        let cuda = ep::CUDA::default()
            .with_device_id(i32::from(device))
            .with_tf32(false)
            .with_conv_algorithm_search(cuda::ConvAlgorithmSearch::Heuristic)
            .build()
            .error_on_failure();
        let mut builder = builder(environment)?
            .with_execution_providers([cuda])?
            .with_disable_cpu_fallback()?
            .with_deterministic_compute(true)?;
        for (name, size) in sizes {
            builder = builder.with_dimension_override(name, *size)?;
        }
        builder.commit_from_memory(bytes)
    };
    made().map_err(|error| error.to_string())
}

/// With one thread ONNX Runtime starts none, and computes on the thread that calls it. Each session has a
/// memory arena of its own, which keeps what a run allocated: `ort` has no safe call to share one.
fn builder(environment: &Environment) -> ort::Result<SessionBuilder> {
    Ok(Session::builder(environment)?
        .with_intra_threads(1)?
        .with_inter_threads(1)?
        .with_intra_op_spinning(false)?)
}

/// Loads CUDA from the folder of ONNX Runtime, which searches for it by name only and finds what is loaded
/// already. A missing library is reported by ONNX Runtime itself.
fn preload() {
    let library = library().unwrap_or_default();
    let folder = library.parent().unwrap_or(Path::new(""));
    if folder.join(cuda::CUDA_DYLIBS[0]).exists()
        && let Err(error) = cuda::preload_dylibs(Some(folder), Some(folder))
    {
        tracing::debug!(%error, "the folder of ONNX Runtime does not have all of CUDA and cuDNN");
    }
}

/// A message of ONNX Runtime about a GPU, with what it means and what to do.
pub(super) fn explain(message: &str, device: u16) -> String {
    let absent = "cannot open shared object file";
    let missing = message
        .split_once(absent)
        .and_then(|(before, _)| before.split_whitespace().last())
        .map(|name| name.trim_end_matches(':'));
    let meaning = match missing {
        _ if message.contains("not enabled in this build") => "this libonnxruntime has no CUDA \
            provider: install onnxruntime-gpu (`deploy/onnxruntime.sh gpu`) and set ORT_DYLIB_PATH to \
            its library"
            .into(),
        Some("libcuda.so.1") => {
            "there is no libcuda.so.1: install NVIDIA's driver, 580 or newer".into()
        }
        Some(name) => format!(
            "{name} is missing: install CUDA 13 and cuDNN 9, or take them from `deploy/onnxruntime.sh gpu`"
        ),
        None if message.contains("fallback to CPU EP") => {
            "CUDA has no kernel for some nodes of this graph: export it without them (open \
             dimensions other than the batch make such nodes)"
                .into()
        }
        None => format!("GPU {device} cannot be used: does `nvidia-smi` show it?"),
    };
    format!("{meaning} (ONNX Runtime: {})", message.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_the_runtime_are_explained() {
        let beside = "Failed to load library libonnxruntime_providers_cuda.so with error: ";
        let cases = [
            (
                "CUDA execution provider is not enabled in this build.",
                "install onnxruntime-gpu",
            ),
            (
                &format!("{beside}libcublasLt.so.13: cannot open shared object file: No such file"),
                "libcublasLt.so.13 is missing",
            ),
            (
                &format!("{beside}libcuda.so.1: cannot open shared object file: No such file"),
                "NVIDIA's driver",
            ),
            (
                "This session contains graph nodes that are assigned to the default CPU EP, but fallback \
                 to CPU EP has been explicitly disabled by the user.",
                "no kernel for some nodes",
            ),
            (
                "CUDA failure 100: no CUDA-capable device is detected",
                "GPU 2 cannot be used",
            ),
        ];
        for (message, meaning) in cases {
            let text = explain(message, 2);
            assert!(text.contains(meaning) && text.contains(message), "{text}");
        }
    }

    #[test]
    fn a_file_that_lacks_an_operator_for_its_type_is_told_to_be_exported_otherwise() {
        let of_types = refusal("Could not find an implementation for Imputer(1)");
        assert!(of_types.contains("numpy.float32"), "{of_types}");
        let of_bytes = refusal("Protobuf parsing failed");
        assert!(of_bytes.contains("is it an ONNX file"), "{of_bytes}");
    }
}
