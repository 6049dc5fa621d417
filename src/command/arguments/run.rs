//! The arguments of `foretick run`.

#![expect(missing_docs, reason = "a doc comment here is a line of --help")]

use std::path::PathBuf;

use clap::Args;

use crate::command::argument_values::{parse_count, parse_size};

#[derive(Args)]
#[command(after_help = RUN_MORE)]
pub struct RunArguments {
    /// The folders of the pipelines, or their pipeline.toml. Several run in one process.
    #[arg(required = true, num_args = 1.., value_name = "PIPELINE")]
    pub pipelines: Vec<PathBuf>,
    /// Change a key of the configuration of all pipelines, or of one: loan-risk:engine.shards=2. May be
    /// repeated.
    #[arg(long = "set", value_name = "[NAME:]KEY=VALUE")]
    pub set: Vec<String>,
    /// Refuse to start if the plan has more threads.
    #[arg(long, value_name = "N", value_parser = parse_count)]
    pub max_threads: Option<usize>,
    /// Refuse to start if the plan has more memory for queues and models: 512MiB, 2GiB, or bytes.
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub max_memory: Option<u64>,
    /// End once the topics are read to where they ended at the start (Kafka).
    #[arg(long)]
    pub until_end: bool,
    /// End after this many seconds.
    #[arg(long, value_name = "N")]
    pub seconds: Option<u64>,
    /// Write signals to this file instead of the pipeline's sink: JSON lines, compressed if the name ends in
    /// .gz or .zst; Parquet if it ends in .parquet or .pq; - for standard output.
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Write unreadable frames to this file, as JSON lines.
    #[arg(long, value_name = "FILE", requires = "output")]
    pub dead_letters: Option<PathBuf>,
    /// Write alerts to this file, as JSON lines.
    #[arg(long, value_name = "FILE", requires = "output")]
    pub alerts: Option<PathBuf>,
    /// Write gaps in the market data to this file, as JSON lines.
    #[arg(long, value_name = "FILE", requires = "output")]
    pub gaps: Option<PathBuf>,
    /// Also write the frames to a capture, in the order in which the engine took them. Its name may hold the
    /// time, as that of `record --output`.
    #[arg(long, value_name = "FILE")]
    pub capture: Option<PathBuf>,
    /// Replace files of the sink that exist. Without it, plain lines are appended, and a compressed or
    /// Parquet file that exists gets a number in its name.
    #[arg(long)]
    pub force: bool,
    /// Print the summary as one JSON object.
    #[arg(long)]
    pub json: bool,
}

const RUN_MORE: &str = "\
With several pipelines, nothing starts unless all of them can be loaded. If one fails later (its model, \
source, sink, or a panic), the others go on. It is restarted from its committed offsets, with its model's \
file read again, after 1 s, 2 s and so on up to 60 s, and goes on with its files. It is not restarted with \
--until-end. /readyz names a pipeline that is down.

Exit codes: 0 all ended as planned; 1 one was down at the end, or the run failed; 2 a usage or configuration \
error, nothing started.";
