//! The arguments of `foretick check`.

#![expect(missing_docs, reason = "a doc comment here is a line of --help")]

use clap::Args;

use super::which::Which;

#[derive(Args)]
pub struct CheckArguments {
    #[command(flatten)]
    pub which: Which,
    /// Do not ask the brokers for topics, group and rights.
    #[arg(long)]
    pub offline: bool,
    /// Print the report as one JSON object.
    #[arg(long)]
    pub json: bool,
}
