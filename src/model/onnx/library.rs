//! The shared library of ONNX Runtime: where it is looked for, and how it is loaded.
//!
//! Looks at files and at variables of the environment, once a process; nothing else of `model` does but the
//! folding of a graph.

use std::path::PathBuf;
use std::sync::OnceLock;

use ort::environment::Environment;

use crate::model::ModelError;

/// Where `make onnxruntime` puts the library, below the working folder.
pub const LIBRARY: &str = ".onnxruntime/libonnxruntime.so";

/// The environment variable that disables the telemetry of ONNX Runtime, if it is 1 before the library is
/// loaded.
pub const NO_TELEMETRY: &str = "ORT_DISABLE_TELEMETRY";

/// Loads ONNX Runtime once a process.
///
/// Its published builds send telemetry to their maker unless [`NO_TELEMETRY`] is set to 1 before this call.
/// The command sets it; another program must do so itself, and gets a warning if it does not.
///
/// # Errors
/// [`ModelError::Runtime`] with what is missing.
pub fn environment() -> Result<&'static Environment, ModelError> {
    static LOADED: OnceLock<Result<Environment, String>> = OnceLock::new();
    let loaded = LOADED.get_or_init(|| {
        let path = library()?;
        if std::env::var_os(NO_TELEMETRY).is_none() {
            tracing::warn!(
                "ONNX Runtime may send telemetry to its maker: set {NO_TELEMETRY}=1 to disable it"
            );
        }
        // `init_from` returns an error; the default search of `init` would panic instead.
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

/// The library's file: that of `ORT_DYLIB_PATH`, or where it is installed.
pub(super) fn library() -> Result<PathBuf, String> {
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
