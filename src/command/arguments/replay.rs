//! The arguments of `foretick replay`.

#![expect(missing_docs, reason = "a doc comment here is a line of --help")]

use std::path::PathBuf;

use clap::Args;

use super::max_unread::MaxUnread;
use super::which::Which;
use crate::command::argument_values::{Speed, parse_seconds, parse_speed};
use crate::time::parse_time;
use crate::units::Nanos;

#[derive(Args)]
pub struct ReplayArguments {
    #[command(flatten)]
    pub which: Which,
    /// Captures and archives (Parquet, Arrow, CSV, zip, DBN, LOBSTER; also gzip and zstd), folders and
    /// patterns of them, and topics as kafka://host:port/topic, read to where they end at the start. Several
    /// inputs are merged by receive time, without one by `ts_event`. Tables of records need `[source.table]`.
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    pub input: Vec<PathBuf>,
    /// Write signals to this file: JSON lines, compressed if the name ends in .gz or .zst; Parquet if it ends
    /// in .parquet or .pq; - for standard output. Without it only the digest is printed.
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Write unreadable frames to this file, as JSON lines. Without it they are dropped and counted.
    #[arg(long, value_name = "FILE")]
    pub dead_letters: Option<PathBuf>,
    /// Write alerts to this file, as JSON lines.
    #[arg(long, value_name = "FILE")]
    pub alerts: Option<PathBuf>,
    /// Write gaps in the market data to this file, as JSON lines.
    #[arg(long, value_name = "FILE")]
    pub gaps: Option<PathBuf>,
    /// Write only signals of events from this time on (RFC 3339 with any offset, a day, or nanoseconds);
    /// earlier frames warm up windows.
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub from: Option<Nanos>,
    /// Read only frames that were received at most this many seconds before --from (and 10 s, for clocks that
    /// differ). A capture is opened near that time by its index, FILE.idx. Windows and books begin empty
    /// there, behind a gap; the quality of signals says when they are whole again.
    #[arg(long, visible_alias = "warmup", value_name = "N", requires = "from", value_parser = parse_seconds)]
    pub warm_up: Option<i64>,
    /// Write only signals of events before this time. A capture is read to 10 s behind it (and the lateness
    /// that the pipeline allows). Files without receive times are read to their end, and later lines of them
    /// passed over.
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub to: Option<Nanos>,
    /// Speed of the replay: max, or a multiple of the recording's speed such as 1x or 10x.
    #[arg(long, default_value = "max", value_parser = parse_speed)]
    pub speed: Speed,
    /// Work on instruments in so many threads: signals and their order are the same. Sets engine.shards, so
    /// that a pipeline with figures or news is refused: these concern several instruments.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub parallel: Option<u16>,
    #[command(flatten)]
    pub max_unread: MaxUnread,
    /// Replace output files that exist.
    #[arg(long)]
    pub force: bool,
    /// Print the summary as one JSON object.
    #[arg(long)]
    pub json: bool,
}

impl ReplayArguments {
    /// The changes to the configuration, that for the number of threads among them.
    #[must_use]
    pub fn changes(&self) -> Vec<String> {
        let mut changes = self.which.set.clone();
        changes.extend(
            self.parallel
                .map(|shards| format!("engine.shards={shards}")),
        );
        changes
    }
}
