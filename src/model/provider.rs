//! Where ONNX Runtime computes a model, and how many windows at once.
//!
//! Makes no session; `onnx/session.rs` does.

use std::fmt;

/// The hardware that computes a model.
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

/// The configured execution of a model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Execution {
    /// Where to compute.
    pub provider: Provider,
    /// Windows in each run; if not configured, [`Provider::batch_max`].
    pub batch_max: Option<usize>,
    /// Whether the processor may compute where the GPU cannot be used.
    pub fallback: bool,
}

/// The execution that a loaded model has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Active {
    /// Where it computes.
    pub provider: Provider,
    /// Windows in each run.
    pub batch_max: usize,
    /// The reason for which it is not the configured provider.
    pub fallback: Option<String>,
}

impl Provider {
    /// Windows in a run, if not configured. A processor gains less than a factor of two from several, and
    /// every run costs as much as a full one; a GPU computes 32 in nearly the time of one.
    #[must_use]
    pub fn batch_max(self) -> usize {
        match self {
            Self::Cpu => 1,
            Self::Cuda { .. } => 32,
        }
    }
}

impl Active {
    /// The same execution for further sessions, without a fallback: all sessions of a run use one provider.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fallback_is_shown_and_not_requested_again() {
        let active = Active {
            fallback: Some("no GPU".into()),
            ..Active::default()
        };
        assert_eq!(active.to_string(), "cpu (fallback: no GPU)");
        assert_eq!(Provider::Cuda { device: 1 }.to_string(), "cuda:1");
        assert!(!active.execution().fallback);
    }
}
