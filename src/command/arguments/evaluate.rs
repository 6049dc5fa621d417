//! The arguments of `foretick evaluate`.

#![expect(missing_docs, reason = "a doc comment here is a line of --help")]

use std::path::PathBuf;

use clap::Args;

use super::max_unread::MaxUnread;
use super::which::Which;
use crate::command::argument_values::{parse_finite, parse_seconds, parse_span};
use crate::command::evaluate::EvaluationOptions;
use crate::time::parse_time;
use crate::units::Nanos;

#[derive(Args)]
pub struct EvaluateArguments {
    #[command(flatten)]
    pub which: Which,
    /// Captures and archives (Parquet, Arrow, CSV, zip, DBN, LOBSTER; also gzip and zstd), folders and
    /// patterns of them. Several files are merged by receive time, without one by `ts_event`. Tables of
    /// records need `[source.table]`. Topics are named as kafka://host:port/topic.
    #[arg(long, required_unless_present = "signals", num_args = 1.., value_name = "FILE")]
    pub input: Vec<PathBuf>,
    /// Judge only signals of events from this time on (RFC 3339 with any offset, a day, or nanoseconds);
    /// earlier frames warm up windows.
    #[arg(long, value_name = "TIME", requires = "input", value_parser = parse_time)]
    pub from: Option<Nanos>,
    /// Read only frames that were received at most this many seconds before --from (and 10 s, for clocks that
    /// differ). A capture is opened near that time by its index, FILE.idx.
    #[arg(long, visible_alias = "warmup", value_name = "N", requires = "from", value_parser = parse_seconds)]
    pub warm_up: Option<i64>,
    /// Judge only signals of events before this time. With --horizons prices are followed to the end of the
    /// input.
    #[arg(long, value_name = "TIME", requires = "input", value_parser = parse_time)]
    pub to: Option<Nanos>,
    /// Signals in place of events, as a sink or `replay --output` wrote them, in their order: JSON lines,
    /// plain, gzip or zstd; Parquet; or a topic as kafka://host:port/topic.
    #[arg(long, conflicts_with = "input", num_args = 1.., value_name = "FILE")]
    pub signals: Vec<PathBuf>,
    /// The outcomes: JSON lines {"key", "ts_event", "outcome", "split"}, or a table. An outcome is a label of
    /// the model, or 0 or 1 (false or true); of a score without classes it may be any number. `signal_id` may
    /// name the signal in place of `key` and `ts_event`; without any of them the label belongs to the last
    /// signal of its key. `weight` says how much a row counts, `group` which rows depend on each other.
    /// Alerts before the first signal with an outcome do not count: where each firm has one outcome, for its
    /// last signal, that is most of them.
    #[arg(long, required_unless_present = "horizons", value_name = "FILE")]
    pub labels: Option<PathBuf>,
    /// Judge only the outcomes of this split. Baselines are fitted on those of the split `train`.
    #[arg(long, value_name = "NAME", requires = "labels")]
    pub split: Option<String>,
    /// Give the information coefficient of the score and the move of the price so long after the signal, such
    /// as 100ms,1s,5s. Needs no labels.
    #[arg(
        long,
        value_name = "SPAN",
        value_delimiter = ',',
        value_parser = parse_span,
        conflicts_with = "signals"
    )]
    pub horizons: Vec<i64>,
    /// The score above which a risk counts as predicted.
    #[arg(long, value_name = "P", default_value_t = 0.5, value_parser = parse_finite)]
    pub threshold: f64,
    #[command(flatten)]
    pub max_unread: MaxUnread,
    /// Print the report as one JSON object.
    #[arg(long)]
    pub json: bool,
}

impl EvaluateArguments {
    /// What is to be evaluated, of these files of events.
    #[must_use]
    pub fn options(self, inputs: Vec<PathBuf>) -> EvaluationOptions {
        EvaluationOptions {
            inputs,
            signals: self.signals,
            labels: self.labels,
            split: self.split,
            threshold: Some(self.threshold),
            horizons: self.horizons,
            from: self.from,
            warm_up: self.warm_up,
            to: self.to,
        }
    }
}
