//! The arguments of `foretick reconcile`.

#![expect(missing_docs, reason = "a doc comment here is a line of --help")]

use std::path::PathBuf;

use clap::Args;

use crate::command::argument_values::parse_tolerance;
use crate::command::pairing::SpanOfTimes;
use crate::command::pairing::compare::CompareOptions;
use crate::command::reconcile::ReconcileOptions;
use crate::kafka::Properties;
use crate::time::parse_time;
use crate::units::Nanos;

#[derive(Args)]
#[command(after_help = MORE)]
pub struct ReconcileArguments {
    /// The signals that were published: JSON lines, plain, gzip or zstd; Parquet; or a topic as
    /// kafka://host:port/topic, of which committed records are read to where it ends at the start.
    pub left: PathBuf,
    /// The signals that a replay gives.
    pub right: PathBuf,
    /// Compare only signals of events from this time on (RFC 3339 with any offset, a day, or nanoseconds).
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub from: Option<Nanos>,
    /// Compare only signals of events before this time.
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub to: Option<Nanos>,
    /// Also compare clock readings and frame addresses.
    #[arg(long)]
    pub all_fields: bool,
    /// The difference up to which numbers count as equal; differences of scores are told all the same.
    #[arg(long, default_value_t = 0.0, value_name = "NUMBER", value_parser = parse_tolerance)]
    pub tolerance: f64,
    /// The pipeline whose [kafka.properties] the client of a topic gets: login and encryption.
    #[arg(long, value_name = "PIPELINE")]
    pub pipeline: Option<PathBuf>,
    /// Print the report as one JSON object.
    #[arg(long)]
    pub json: bool,
}

const MORE: &str = "\
Signals are paired by instrument, event time, and their order within it. Where each side has those of an \
instrument in the order of their times, the sides are merged as they are read; else, or if a side is a \
pipe or has corrections, both are held in memory.

Exit codes: 0 all pairs are equal; 1 there is a difference, a side cannot be read, or neither has a signal.";

impl ReconcileArguments {
    /// What is to be compared; `properties` are those of the clients of topics.
    #[must_use]
    pub fn options(self, properties: Properties) -> ReconcileOptions {
        ReconcileOptions {
            left: self.left,
            right: self.right,
            span: SpanOfTimes {
                from: self.from,
                to: self.to,
            },
            compare: CompareOptions {
                all_fields: self.all_fields,
                tolerance: self.tolerance,
            },
            properties,
        }
    }
}
