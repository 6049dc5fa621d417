//! The arguments of `foretick diff`.

#![expect(missing_docs, reason = "a doc comment here is a line of --help")]

use std::path::PathBuf;

use clap::Args;

use crate::command::argument_values::parse_tolerance;

#[derive(Args)]
pub struct DiffArguments {
    /// The first file of signals: JSON lines or Parquet.
    pub left: PathBuf,
    /// The second file of signals: JSON lines or Parquet.
    pub right: PathBuf,
    /// Also compare clock readings and frame addresses.
    #[arg(long)]
    pub all_fields: bool,
    /// The difference up to which numbers count as equal.
    #[arg(long, default_value_t = 0.0, value_name = "NUMBER", value_parser = parse_tolerance)]
    pub tolerance: f64,
    /// Print the report as one JSON object.
    #[arg(long)]
    pub json: bool,
}
