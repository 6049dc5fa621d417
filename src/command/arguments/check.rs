//! The arguments of `foretick check`.

#![expect(missing_docs, reason = "a doc comment here is a line of --help")]

use std::path::PathBuf;

use clap::Args;

use crate::command::argument_values::parse_count;
use crate::command::leakage::{KnownTime, LeakageOptions};
use crate::config::ConfigError;
use crate::pipeline::Pipeline;
use crate::time::parse_time;
use crate::units::Nanos;

#[derive(Args)]
#[command(after_help = MORE)]
pub struct CheckArguments {
    /// The pipeline's folder, or its pipeline.toml. With --leakage it may be left out; the set must have its
    /// features then.
    #[arg(required_unless_present = "leakage")]
    pub pipeline: Option<PathBuf>,
    /// Change a key of the configuration, such as engine.shards=2. May be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE", requires = "pipeline")]
    pub set: Vec<String>,
    /// Do not ask the brokers for topics, group and rights.
    #[arg(long)]
    pub offline: bool,
    /// Look for leaks in this training set, a Parquet file: one of `features`, or any other.
    #[arg(long, value_name = "DATASET")]
    pub leakage: Option<PathBuf>,
    #[command(flatten)]
    pub columns: LeakageArguments,
    /// Print the report as one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// What a set does not say itself.
#[derive(Args)]
pub struct LeakageArguments {
    /// The set's column with the time of decision of a row [default: ts_event, timestamp, time, date, or the
    /// only column of times].
    #[arg(long, value_name = "COLUMN", requires = "leakage")]
    pub time: Option<String>,
    /// Its column with the key of a row [default: instrument, symbol, ticker].
    #[arg(long, value_name = "COLUMN", requires = "leakage")]
    pub instrument: Option<String>,
    /// Its column with train, validation and test [default: split].
    #[arg(long, value_name = "COLUMN", requires = "leakage")]
    pub split: Option<String>,
    /// Without such a column: rows from this time on are held out.
    #[arg(long, value_name = "TIME", value_parser = parse_time, requires = "leakage", conflicts_with = "split")]
    pub test_from: Option<Nanos>,
    /// A column with a label, as class or value [default: label, target, y, and what has an X_end]. May be
    /// repeated.
    #[arg(long, value_name = "COLUMN", requires = "leakage")]
    pub label: Vec<String>,
    /// A column with the time at which a label was known [default: label_end, X_end]. May be repeated.
    #[arg(long, value_name = "COLUMN", requires = "leakage")]
    pub label_end: Vec<String>,
    /// Without such a column: milliseconds from a row to its label.
    #[arg(long, value_name = "MS", value_parser = clap::value_parser!(u32).range(1..), requires = "leakage")]
    pub horizon_ms: Option<u32>,
    /// Rows in a window, where no column `window_start` says when it began.
    #[arg(long, value_name = "T", value_parser = parse_count, requires = "leakage")]
    pub steps: Option<usize>,
    /// A column with the time at which a feature's value was known [default: X_known]. May be repeated.
    #[arg(long, value_name = "COLUMN=FEATURE", requires = "leakage")]
    pub known: Vec<KnownTime>,
    /// A feature that is taken as of another time. May be repeated.
    #[arg(long, value_name = "FEATURE", requires = "leakage")]
    pub as_of: Vec<String>,
    /// A column of groups that must not be on both sides of a split [default: group].
    #[arg(long, value_name = "COLUMN", requires = "leakage")]
    pub group: Option<String>,
}

const MORE: &str = "\
Exit codes of --leakage: 0 no leak was found by the checks that could be made, which the report names; 1 a \
leak was found, or the set cannot be read or checked; 2 it has no such column.";

impl CheckArguments {
    /// Loads the pipeline, if one is named.
    ///
    /// # Errors
    /// As [`Pipeline::load`].
    pub fn pipeline(&self) -> Result<Option<Pipeline>, ConfigError> {
        let path = self.pipeline.as_ref();
        path.map(|path| Pipeline::load(path, &self.set)).transpose()
    }
}

impl LeakageArguments {
    /// What is said of the set, which should have the features of `pipeline`.
    #[must_use]
    pub fn options(self, pipeline: Option<&Pipeline>) -> LeakageOptions {
        LeakageOptions {
            time: self.time,
            instrument: self.instrument,
            split: self.split,
            test_from: self.test_from,
            labels: self.label,
            label_ends: self.label_end,
            horizon_ns: self.horizon_ms.map(|ms| i64::from(ms) * 1_000_000),
            steps: self.steps,
            known: self.known,
            as_of: self.as_of,
            group: self.group,
            features_sha256: pipeline.map(|pipeline| pipeline.plan.sha256().to_owned()),
        }
    }
}
