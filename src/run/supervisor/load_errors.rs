//! All errors of a start, so that they are reported together.

use std::fmt;

use crate::pipeline::PipelineError;

/// All that is wrong with the pipelines of a run.
#[derive(Debug, Default)]
pub struct LoadErrors {
    messages: Vec<String>,
    wrong_use: bool,
}

impl LoadErrors {
    /// Whether it is how the command is used: a configuration, or pipelines that do not go together.
    #[must_use]
    pub fn is_wrong_use(&self) -> bool {
        self.wrong_use
    }

    pub(super) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    pub(super) fn push_pipeline(&mut self, error: PipelineError) {
        self.wrong_use |= matches!(error, PipelineError::Config(_));
        self.messages.push(error.to_string());
    }

    pub(super) fn extend(&mut self, other: Self) {
        self.wrong_use |= other.wrong_use;
        self.messages.extend(other.messages);
    }

    pub(super) fn push(&mut self, what: String) {
        self.wrong_use = true;
        self.messages.push(what);
    }

    pub(super) fn into_result<T>(self, value: T) -> Result<T, Self> {
        match self.is_empty() {
            true => Ok(value),
            false => Err(self),
        }
    }
}

impl std::error::Error for LoadErrors {}

impl fmt::Display for LoadErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.messages.join("\n"))
    }
}
