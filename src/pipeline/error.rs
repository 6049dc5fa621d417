//! Why a pipeline cannot run.

use crate::config::ConfigError;
use crate::model::ModelError;

/// Why a pipeline cannot run.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// The configuration is at fault. Not transparent: the chain of causes must contain the [`ConfigError`].
    #[error("{0}")]
    Config(#[from] ConfigError),
    /// The model cannot be loaded, or does not fit the configuration.
    #[error(transparent)]
    Model(#[from] ModelError),
}
