//! Where the model computes and how many windows at once: the keys of `[model]` for it, checked.

use crate::config;
use crate::config::{ConfigFault, ModelKind, ProviderName, WindowSetting};
use crate::model::provider::{Execution, Provider};
use crate::model::strategy::WindowMode;

/// What `[model]` requests.
///
/// # Errors
/// The key whose value makes no sense, and what to do.
pub(super) fn execution(model: &config::ModelConfig) -> Result<Execution, ConfigFault> {
    if model.kind != ModelKind::Onnx {
        let written = [
            ("provider", model.provider != ProviderName::Cpu),
            ("device", model.device.is_some()),
            ("batch_max", model.batch_max.is_some()),
            ("batch_wait_us", model.batch_wait_us != 0),
            ("fallback", model.fallback.is_some()),
        ];
        if let Some((key, _)) = written.into_iter().find(|(_, is_written)| *is_written) {
            let what = format!("`{key}` is for models of kind `onnx`; take it out");
            return Err(fault(key, what));
        }
    }
    let provider = match (model.provider, model.device) {
        (ProviderName::Cuda, device) => Provider::Cuda {
            device: device.unwrap_or(0),
        },
        (ProviderName::Cpu, None) => Provider::Cpu,
        (ProviderName::Cpu, Some(_)) => return Err(only_with_cuda("device")),
    };
    if provider == Provider::Cpu && model.fallback.is_some() {
        return Err(only_with_cuda("fallback"));
    }
    if let Some(batch_max) = model.batch_max
        && !(1..=BATCH_MOST).contains(&batch_max)
    {
        let what = format!("`batch_max` must be 1 to {BATCH_MOST}, or left out");
        return Err(fault("batch_max", what));
    }
    for (key, value) in [
        ("deadline_ms", model.deadline_ms),
        ("memory_bytes", model.memory_bytes),
    ] {
        if value == 0 {
            return Err(fault(key, format!("`{key}` must be above zero")));
        }
    }
    if model.batch_wait_us > WAIT_US_MOST {
        let what = format!("`batch_wait_us` must be at most {WAIT_US_MOST}: a second");
        return Err(fault("batch_wait_us", what));
    }
    Ok(Execution {
        provider,
        batch_max: model.batch_max,
        fallback: model.fallback.is_some(),
    })
}

/// How `[model] window` requests windows to be computed.
pub(super) fn window_mode(setting: WindowSetting) -> WindowMode {
    match setting {
        WindowSetting::Auto => WindowMode::Auto,
        WindowSetting::Plain => WindowMode::Plain,
        WindowSetting::Carried => WindowMode::Carried,
    }
}

fn only_with_cuda(key: &str) -> ConfigFault {
    let what = format!(
        "`{key}` is for a GPU, but the model runs on the processor; add `provider = \"cuda\"`, or take \
         `{key}` out"
    );
    fault(key, what)
}

fn fault(key: &str, what: String) -> ConfigFault {
    ConfigFault::at(format!("model.{key}"), what)
}

/// A larger batch only takes memory.
const BATCH_MOST: usize = 4_096;
/// After a longer wait the windows are no longer current.
const WAIT_US_MOST: u64 = 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn requested(text: &str) -> Result<Execution, ConfigFault> {
        execution(&toml::from_str(text).unwrap())
    }

    #[test]
    fn all_keys_are_taken_over() {
        let text =
            "kind = \"onnx\"\nprovider = \"cuda\"\ndevice = 3\nbatch_max = 64\nfallback = \"cpu\"";
        let cuda = Execution {
            provider: Provider::Cuda { device: 3 },
            batch_max: Some(64),
            fallback: true,
        };
        assert_eq!(requested(text), Ok(cuda));
        assert_eq!(requested("kind = \"onnx\""), Ok(Execution::default()));
        assert_eq!(requested("kind = \"sum\""), Ok(Execution::default()));
    }

    #[test]
    fn the_error_names_the_key_of_an_invalid_value() {
        let cases = [
            ("kind = \"onnx\"\ndevice = 0", "device"),
            ("kind = \"onnx\"\nfallback = \"cpu\"", "fallback"),
            ("kind = \"onnx\"\nbatch_max = 0", "batch_max"),
            ("kind = \"onnx\"\nbatch_max = 5_000", "batch_max"),
            ("kind = \"onnx\"\ndeadline_ms = 0", "deadline_ms"),
            ("kind = \"onnx\"\nmemory_bytes = 0", "memory_bytes"),
            (
                "kind = \"onnx\"\nbatch_wait_us = 1_000_001",
                "batch_wait_us",
            ),
            ("kind = \"linear\"\nprovider = \"cuda\"", "provider"),
            ("kind = \"sum\"\nbatch_wait_us = 5", "batch_wait_us"),
        ];
        for (text, key) in cases {
            let fault = requested(text).expect_err(text);
            assert_eq!(fault.key, format!("model.{key}"), "{text}: {}", fault.what);
            assert!(fault.what.contains(key), "{}", fault.what);
        }
    }
}
