//! Where ONNX Runtime computes a model, and how many windows at once.
//!
//! Makes no session (`onnx/session.rs` does).

use std::fmt;

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

#[cfg(test)]
mod tests {
    use super::*;

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
