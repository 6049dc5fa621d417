//! The arguments of `foretick evaluate`.

#![expect(missing_docs, reason = "a doc comment here is a line of --help")]

use std::path::PathBuf;

use clap::Args;

use super::input_span::InputSpan;
use super::max_unread::MaxUnread;
use super::which::Which;
use crate::command::argument_values::parse_finite;

#[derive(Args)]
pub struct EvaluateArguments {
    #[command(flatten)]
    pub which: Which,
    /// Captures and archives (Parquet, Arrow, CSV, zip, DBN, LOBSTER; also gzip and zstd), folders and
    /// patterns of them. Several files are merged by receive time, without one by `ts_event`. Tables of
    /// records need `[source.table]`. Topics are named as kafka://host:port/topic.
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    pub input: Vec<PathBuf>,
    #[command(flatten)]
    pub span: InputSpan,
    /// The outcomes: JSON lines {"key", "ts_event", "outcome", "split"}, or a table. An outcome is a label of the
    /// model, or 0 or 1 (false or true). Without `ts_event` it belongs to the last signal of its key. Alerts
    /// before the first signal with an outcome do not count: where each firm has one outcome, for its last
    /// signal, that is most of them.
    #[arg(long, value_name = "FILE")]
    pub labels: PathBuf,
    /// Use only the outcomes of this split.
    #[arg(long, value_name = "NAME")]
    pub split: Option<String>,
    /// The score above which a risk counts as predicted.
    #[arg(long, value_name = "P", default_value_t = 0.5, value_parser = parse_finite)]
    pub threshold: f64,
    #[command(flatten)]
    pub max_unread: MaxUnread,
    /// Print the report as one JSON object.
    #[arg(long)]
    pub json: bool,
}
