//! Where ONNX Runtime computes a model, and how many windows at once.
//!
//! Checks what `[model]` says of it; makes no session (`onnx/session.rs` does).

use std::fmt;

use crate::config;
use crate::config::{ModelKind, ProviderName};

/// What computes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Provider {
    /// The processor.
    #[default]
    Cpu,
    /// An NVIDIA GPU.
    Cuda {
        /// Its number.
        device: u16,
    },
}

/// What is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Execution {
    /// Where to compute.
    pub provider: Provider,
    /// Windows in each run; none: [`Provider::batch_max`].
    pub batch_max: Option<usize>,
    /// Whether the processor may stand in for a GPU that cannot be had.
    pub fallback: bool,
}

/// What was found to compute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Active {
    /// Where it computes.
    pub provider: Provider,
    /// Windows in each run.
    pub batch_max: usize,
    /// Why it is not the provider that was asked for.
    pub fallback: Option<String>,
}

impl Provider {
    /// Windows in a run where nobody says. A processor gains less than twice from several, and every
    /// run costs as much as a full one; a GPU takes 32 in nearly the time of one.
    #[must_use]
    pub fn batch_max(self) -> usize {
        match self {
            Self::Cpu => 1,
            Self::Cuda { .. } => 32,
        }
    }
}

impl Execution {
    /// What `[model]` asks for.
    ///
    /// # Errors
    /// The key that makes no sense, and what to do.
    pub fn from_config(model: &config::Model) -> Result<Self, (&'static str, String)> {
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
                return Err((key, what));
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
            return Err(("batch_max", what));
        }
        if model.batch_wait_us > WAIT_US_MOST {
            let what = format!("`batch_wait_us` must be at most {WAIT_US_MOST}: a second");
            return Err(("batch_wait_us", what));
        }
        Ok(Self {
            provider,
            batch_max: model.batch_max,
            fallback: model.fallback.is_some(),
        })
    }
}

fn only_with_cuda(key: &'static str) -> (&'static str, String) {
    let what = format!(
        "`{key}` is for a GPU, but the model runs on the processor; add `provider = \"cuda\"`, or take \
         `{key}` out"
    );
    (key, what)
}

impl Active {
    /// Asks for the very same again: no session of a run falls back on its own.
    #[must_use]
    pub fn execution(&self) -> Execution {
        Execution {
            provider: self.provider,
            batch_max: Some(self.batch_max),
            fallback: false,
        }
    }
}

impl Default for Active {
    fn default() -> Self {
        Self {
            provider: Provider::Cpu,
            batch_max: 1,
            fallback: None,
        }
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda { device } => write!(f, "cuda:{device}"),
        }
    }
}

impl fmt::Display for Active {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.fallback {
            None => write!(f, "{}", self.provider),
            Some(reason) => write!(f, "{} (fallback: {reason})", self.provider),
        }
    }
}

/// Beyond this a batch only takes memory.
const BATCH_MOST: usize = 4_096;
/// Beyond this the windows are no longer about now.
const WAIT_US_MOST: u64 = 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(text: &str) -> Result<Execution, (&'static str, String)> {
        Execution::from_config(&toml::from_str(text).unwrap())
    }

    #[test]
    fn what_is_written_is_what_is_asked_for() {
        let text =
            "kind = \"onnx\"\nprovider = \"cuda\"\ndevice = 3\nbatch_max = 64\nfallback = \"cpu\"";
        let cuda = Execution {
            provider: Provider::Cuda { device: 3 },
            batch_max: Some(64),
            fallback: true,
        };
        assert_eq!(asked(text), Ok(cuda));
        assert_eq!(asked("kind = \"onnx\""), Ok(Execution::default()));
        assert_eq!(asked("kind = \"sum\""), Ok(Execution::default()));
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_its_key() {
        let cases = [
            ("kind = \"onnx\"\ndevice = 0", "device"),
            ("kind = \"onnx\"\nfallback = \"cpu\"", "fallback"),
            ("kind = \"onnx\"\nbatch_max = 0", "batch_max"),
            ("kind = \"onnx\"\nbatch_max = 5_000", "batch_max"),
            (
                "kind = \"onnx\"\nbatch_wait_us = 1_000_001",
                "batch_wait_us",
            ),
            ("kind = \"linear\"\nprovider = \"cuda\"", "provider"),
            ("kind = \"sum\"\nbatch_wait_us = 5", "batch_wait_us"),
        ];
        for (text, key) in cases {
            let (refused, what) = asked(text).expect_err(text);
            assert_eq!(refused, key, "{text}: {what}");
            assert!(what.contains(key), "{what}");
        }
    }

    #[test]
    fn a_fallback_is_shown_and_not_asked_for_again() {
        let active = Active {
            fallback: Some("no GPU".into()),
            ..Active::default()
        };
        assert_eq!(active.to_string(), "cpu (fallback: no GPU)");
        assert_eq!(Provider::Cuda { device: 1 }.to_string(), "cuda:1");
        assert!(!active.execution().fallback);
    }
}
