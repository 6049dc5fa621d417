//! The arguments that name a pipeline.

use std::path::PathBuf;

use clap::Args;

/// A pipeline and changes to its configuration.
#[derive(Args)]
pub struct Which {
    /// The pipeline's folder, or its pipeline.toml.
    pub pipeline: PathBuf,
    /// Change a key of the configuration, such as engine.shards=2. May be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
}
