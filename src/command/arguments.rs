//! The words of the command line. What they do is `main`'s.

#![expect(missing_docs, reason = "a doc comment here is a line of --help")]

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::label;
use crate::units::Nanos;
use clap::{Args, Parser, Subcommand, ValueEnum};

/// Market data, news and credit events in, model signals out: live, replayed or backtested by one path.
#[derive(Parser)]
#[command(
    version,
    about,
    after_help = "Exit codes: 0 done, 1 a difference or a failure, 2 wrong use."
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
    /// Form of the log on standard error; FORETICK_LOG says how much (info, debug, foretick=trace).
    #[arg(long, global = true, default_value = "text")]
    pub log: LogForm,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum LogForm {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

#[derive(Subcommand)]
pub enum Command {
    /// Run pipelines live: from an exchange or Kafka topics to their sinks, each for itself.
    Run(Run),
    /// Replay captures through a pipeline: the same signals as live, and their digest.
    Replay(Replay),
    /// Export the rows that the engine would score, with labels and splits, to Parquet.
    Features(Features),
    /// Judge a pipeline's scores by what really happened.
    Evaluate(Evaluate),
    /// Validate a pipeline against its model and its topics without running it.
    Check(Check),
    /// Measure what a model costs here beside ONNX Runtime, and whether it is the same.
    Bench(Bench),
    /// Show what a capture holds, what is missing, and whether the book agrees with the quotes.
    Inspect(Inspect),
    /// Record a live source to a capture.
    Record(Record),
    /// Compare two files of signals: equal, or the first difference and a summary.
    Diff(Diff),
    /// Try everything out in one process: a simulated market, news, firms and loans, an in-memory Kafka.
    Demo(Demo),
    /// Simulate an exchange that speaks Binance's protocol, or write a capture of one.
    Simulate(Simulate),
}

/// A pipeline and changes to its configuration.
#[derive(Args)]
pub struct Which {
    /// The pipeline's folder, or its pipeline.toml.
    pub pipeline: PathBuf,
    /// Changes one key of the configuration: engine.shards=2. May be given often.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
}

#[derive(Args)]
#[command(after_help = RUN_MORE)]
pub struct Run {
    /// Pipelines' folders, or their pipeline.toml. Several run in one process, each for itself.
    #[arg(required = true, num_args = 1.., value_name = "PIPELINE")]
    pub pipelines: Vec<PathBuf>,
    /// Changes one key of the configuration of all, or of one: loan-risk:engine.shards=2. May be given often.
    #[arg(long = "set", value_name = "[NAME:]KEY=VALUE")]
    pub set: Vec<String>,
    /// Refuse to start where more threads are planned than so many.
    #[arg(long, value_name = "N", value_parser = parse_count)]
    pub max_threads: Option<usize>,
    /// Refuse to start where queues and models are planned to take more: 512MiB, 2GiB, or bytes.
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub max_memory: Option<u64>,
    /// End once the topics have been read up to where they ended at the start (Kafka).
    #[arg(long)]
    pub until_end: bool,
    /// End after so many seconds.
    #[arg(long, value_name = "N")]
    pub seconds: Option<u64>,
    /// Where signals go instead of the pipeline's sink: a file as of `replay`, or - for standard output.
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Where unreadable frames go then, as JSON lines.
    #[arg(long, value_name = "FILE", requires = "output")]
    pub dead_letters: Option<PathBuf>,
    /// Where alerts go then, as JSON lines.
    #[arg(long, value_name = "FILE", requires = "output")]
    pub alerts: Option<PathBuf>,
    /// Also write the frames to a capture, in the order in which the engine saw them.
    #[arg(long, value_name = "FILE")]
    pub capture: Option<PathBuf>,
    /// The summary as one JSON object.
    #[arg(long)]
    pub json: bool,
}

const RUN_MORE: &str = "\
Several pipelines: nothing starts unless all can be loaded. One that fails later (its model, source, \
sink, or a panic) ends alone; it is started again from its committed offsets, with its model's file read \
anew, after 1 s, 2 s and so on up to 60 s. It stays down where its sink writes a file, or with \
--until-end. /readyz names it.

Exit codes: 0 all ended as planned; 1 one was down at the end, or the run failed; 2 wrong use, nothing \
started.";

#[derive(Args)]
pub struct Evaluate {
    #[command(flatten)]
    pub which: Which,
    /// Events as of `replay`; CSV and Parquet files too, where [source.table] says what their columns mean.
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    pub input: Vec<PathBuf>,
    /// What really happened: JSON lines {"key", "ts_event", "outcome", "split"}, or a table. An outcome is a
    /// label of the model, or 0 or 1 (false or true).
    #[arg(long, value_name = "FILE")]
    pub labels: PathBuf,
    /// Only labels of this split.
    #[arg(long, value_name = "NAME")]
    pub split: Option<String>,
    /// The score above which a risk counts as said.
    #[arg(long, value_name = "P", default_value_t = 0.5)]
    pub threshold: f64,
    /// The report as one JSON object.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct Record {
    #[command(flatten)]
    pub which: Which,
    /// The capture; gzip or zstd where the name ends in .gz or .zst.
    #[arg(long, value_name = "FILE")]
    pub output: PathBuf,
    /// End after so many seconds.
    #[arg(long, value_name = "N")]
    pub seconds: Option<u64>,
}

#[derive(Args)]
pub struct Demo {
    /// End after so many seconds.
    #[arg(long, value_name = "N")]
    pub seconds: Option<u64>,
    /// Seed of all that is made up.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Changes one key of the configuration of all pipelines, or of one. May be given often.
    #[arg(long = "set", value_name = "[NAME:]KEY=VALUE")]
    pub set: Vec<String>,
    /// The summary as one JSON object, on the last line.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct Simulate {
    /// Serve websocket and REST at this address.
    #[arg(long, default_value = "127.0.0.1:9443", conflicts_with = "output")]
    pub listen: SocketAddr,
    /// Write a capture instead of serving; gzip or zstd where the name ends in .gz or .zst.
    #[arg(long, value_name = "FILE", requires = "seconds")]
    pub output: Option<PathBuf>,
    /// End after so many seconds; of market time where a capture is written.
    #[arg(long, value_name = "N")]
    pub seconds: Option<u64>,
    /// Seed of the market: the same seed gives the same capture on every machine.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Only these symbols of the four that there are.
    #[arg(long, value_name = "SYMBOL", num_args = 1..)]
    pub symbols: Vec<String>,
}

#[derive(Args)]
pub struct Replay {
    #[command(flatten)]
    pub which: Which,
    /// Captures, plain, gzip or zstd; several are merged by receive time.
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    pub input: Vec<PathBuf>,
    /// Where signals go: JSON lines, Parquet where the name ends in .parquet, - for standard output.
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Where unreadable frames go, as JSON lines. Without it they are dropped and counted.
    #[arg(long, value_name = "FILE")]
    pub dead_letters: Option<PathBuf>,
    /// Where alerts go, as JSON lines.
    #[arg(long, value_name = "FILE")]
    pub alerts: Option<PathBuf>,
    /// Only signals of events from this time on (RFC 3339 or nanoseconds); earlier frames warm up.
    #[arg(long, value_name = "TIME", value_parser = label::parse_time)]
    pub from: Option<Nanos>,
    /// Only signals of events before this time.
    #[arg(long, value_name = "TIME", value_parser = label::parse_time)]
    pub to: Option<Nanos>,
    /// max, or a multiple of the recording's speed: 1x, 10x.
    #[arg(long, default_value = "max", value_parser = parse_speed)]
    pub speed: Speed,
    /// The summary as one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// As fast as possible, or a multiple of the recording's speed.
#[derive(Clone, Copy)]
pub struct Speed(pub Option<f64>);

#[derive(Args)]
pub struct Features {
    #[command(flatten)]
    pub which: Which,
    /// Captures, plain, gzip or zstd; several are merged by receive time.
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    pub input: Vec<PathBuf>,
    /// The Parquet file.
    #[arg(long, value_name = "FILE")]
    pub output: PathBuf,
    /// The summary as one JSON object.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct Check {
    #[command(flatten)]
    pub which: Which,
    /// Do not ask the broker for the topics.
    #[arg(long)]
    pub offline: bool,
    /// What was found as one JSON object.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct Bench {
    /// The ONNX file: one float32 tensor [1, T, F] in. It needs no metadata.
    #[arg(value_name = "MODEL.onnx")]
    pub model: PathBuf,
    /// Rows in a window.
    #[arg(long, value_name = "T", value_parser = parse_count)]
    pub window: usize,
    /// Score at every so many rows.
    #[arg(long, value_name = "K", default_value = "1", value_parser = parse_count)]
    pub stride: usize,
    /// Instruments that take the rows, in random order: more of them find less in the caches.
    #[arg(long, value_name = "N", default_value = "1", value_parser = parse_count)]
    pub instruments: usize,
    /// Rows to score: lines of F numbers with commas between, one header line allowed. Random otherwise.
    #[arg(long, value_name = "CSV")]
    pub rows: Option<PathBuf>,
    /// Where scores go: a line for each complete window of one instrument.
    #[arg(long, value_name = "CSV")]
    pub output: Option<PathBuf>,
    /// Also measure whole new windows by the kernels of the slid ones.
    #[arg(long)]
    pub fresh: bool,
    /// How long to measure; rows of a file are all scored, however long that takes.
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub seconds: u64,
    /// The report as one JSON object.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct Inspect {
    /// Captures, plain, gzip or zstd; several are merged by receive time.
    #[arg(required = true, value_name = "CAPTURE")]
    pub captures: Vec<PathBuf>,
    /// Frames over this size are refused, in bytes.
    #[arg(long, default_value_t = 16 << 20, value_name = "BYTES")]
    pub max_frame_bytes: usize,
    /// The report as one JSON object.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct Diff {
    /// Signals as JSON lines.
    pub left: PathBuf,
    /// Signals as JSON lines.
    pub right: PathBuf,
    /// Compare clock readings and frame addresses too.
    #[arg(long)]
    pub all_fields: bool,
    /// Numbers may differ by this much.
    #[arg(long, default_value_t = 0.0, value_name = "NUMBER")]
    pub tolerance: f64,
    /// The report as one JSON object.
    #[arg(long)]
    pub json: bool,
}

fn parse_count(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(count) if count > 0 => Ok(count),
        _ => Err("write a whole number from 1 on".into()),
    }
}

/// A number of bytes, with KiB, MiB or GiB behind it or nothing.
fn parse_size(text: &str) -> Result<u64, String> {
    let units = [("KiB", 10), ("MiB", 20), ("GiB", 30), ("", 0)];
    let (number, shift) = units
        .iter()
        .find_map(|(unit, shift)| Some((text.strip_suffix(unit)?, *shift)))
        .unwrap_or((text, 0));
    let bytes = number.trim().parse::<u64>().ok();
    bytes
        .and_then(|number| number.checked_mul(1 << shift))
        .ok_or_else(|| "write a whole number of bytes, or 512MiB, 2GiB".into())
}

fn parse_speed(text: &str) -> Result<Speed, String> {
    if text == "max" {
        return Ok(Speed(None));
    }
    match text.strip_suffix('x').unwrap_or(text).parse::<f64>() {
        Ok(speed) if speed > 0.0 && speed.is_finite() => Ok(Speed(Some(speed))),
        _ => Err("write max, 1x, or another multiple such as 10x".into()),
    }
}
