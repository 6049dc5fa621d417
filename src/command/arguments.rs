//! The arguments of the command line. `main` executes them.

#![expect(missing_docs, reason = "a doc comment here is a line of --help")]

mod backtest;
mod convert;
mod diff;
mod explain;
mod max_unread;
mod reconcile;
mod state;
mod which;

use std::net::SocketAddr;
use std::path::PathBuf;

pub use self::backtest::BacktestArguments;
pub use self::convert::ConvertArguments;
pub use self::diff::DiffArguments;
pub use self::explain::ExplainArguments;
pub use self::max_unread::MaxUnread;
pub use self::reconcile::ReconcileArguments;
pub use self::state::{StateArguments, StateCommand};
pub use self::which::Which;
use super::argument_values::{Speed, parse_count, parse_finite, parse_size, parse_speed};
use super::version::long_version;
use crate::time::parse_time;
use crate::units::Nanos;
use clap::{Args, Parser, Subcommand, ValueEnum};

/// Turns market data, news and credit events into model signals, live, replayed or backtested, by one code
/// path.
#[derive(Parser)]
#[command(
    version,
    long_version = long_version(),
    about,
    after_help = "Exit codes: 0 done, 1 a difference, a failure, or an input that could not be read, 2 a usage or \
                  configuration error."
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
    /// Format of the log on standard error. The environment variable FORETICK_LOG sets its level: info,
    /// debug, foretick=trace.
    #[arg(long, global = true, default_value = "text")]
    pub log: LogFormat,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum LogFormat {
    /// Text lines.
    Text,
    /// One JSON object on each line.
    Json,
}

#[derive(Subcommand)]
pub enum Command {
    /// Run pipelines live, from an exchange or Kafka topics to their sinks.
    Run(RunArguments),
    /// Replay captures through a pipeline: gives the same signals as live, and their digest.
    Replay(ReplayArguments),
    /// Trade a pipeline's signals on the recorded market by a rule, with latency and fees.
    Backtest(BacktestArguments),
    /// Export the rows that the engine scores, with labels and splits, to Parquet for training.
    Features(FeaturesArguments),
    /// Compare a pipeline's scores with outcomes: accuracy, ranking, calibration, worth of alerts.
    Evaluate(EvaluateArguments),
    /// Check a pipeline's configuration, model, topics and rights without running it.
    Check(CheckArguments),
    /// Measure the time of a model's windows on this machine against ONNX Runtime, and compare the scores.
    Bench(BenchArguments),
    /// Show what captures and archives hold: instruments, times, gaps, and whether books agree with quotes.
    Inspect(InspectArguments),
    /// Convert archives and captures to Parquet, by instrument and day, or to JSON lines of the topics.
    Convert(ConvertArguments),
    /// Record a live source to a capture file.
    Record(RecordArguments),
    /// List the venues, with what each proves of its data and how a broken book is repaired.
    Venues(VenuesArguments),
    /// Compare two files of signals: shows the earliest difference and a summary.
    Diff(DiffArguments),
    /// Compare what was published with what a replay gives: equal, missing, different, label flips, scores.
    Reconcile(ReconcileArguments),
    /// Explain a signal: the rows of its window, features with formulas, scores, reasons, source positions.
    Explain(ExplainArguments),
    /// List, show or verify the snapshots of state that a run has saved.
    State(StateArguments),
    /// Run four of the shipped pipelines on a simulated market, news, firms and loans, with an in-memory
    /// Kafka.
    Demo(DemoArguments),
    /// Simulate an exchange with Binance's protocol, or write a capture of one.
    Simulate(SimulateArguments),
}

#[derive(Args)]
pub struct VenuesArguments {
    /// Print one JSON object instead of a table.
    #[arg(long)]
    pub json: bool,
}

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

#[derive(Args)]
pub struct EvaluateArguments {
    #[command(flatten)]
    pub which: Which,
    /// Captures and archives (Parquet, Arrow, CSV, zip, DBN, LOBSTER; also gzip and zstd), folders and
    /// patterns of them. Several files are merged by receive time, without one by `ts_event`. Tables of
    /// records need `[source.table]`.
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    pub input: Vec<PathBuf>,
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

/// Where records are published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RecordTarget {
    /// Topics of Kafka.
    Kafka,
}

#[derive(Args)]
pub struct RecordArguments {
    #[command(flatten)]
    pub which: Which,
    /// The capture to write; gzip or zstd if the name ends in .gz or .zst. %Y %m %d %H %M %S in it stand for
    /// the time in UTC: another file follows whenever the name changes, and no file is replaced.
    #[arg(long, value_name = "FILE", required_unless_present = "to")]
    pub output: Option<PathBuf>,
    /// Publish trades, quotes and books to the topics md.trades.v1, md.quotes.v1 and md.book.v1 of the
    /// pipeline's Kafka, keyed by instrument.
    #[arg(long, value_name = "TARGET")]
    pub to: Option<RecordTarget>,
    /// Begin another file when one has this many bytes.
    #[arg(long, value_name = "N", requires = "output", value_parser = clap::value_parser!(u64).range(1..))]
    pub rotate_bytes: Option<u64>,
    /// Replace output files that exist.
    #[arg(long)]
    pub force: bool,
    /// End after this many seconds.
    #[arg(long, value_name = "N")]
    pub seconds: Option<u64>,
}

#[derive(Args)]
pub struct DemoArguments {
    /// End after this many seconds.
    #[arg(long, value_name = "N")]
    pub seconds: Option<u64>,
    /// Seed of the simulation.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Change a key of the configuration of all pipelines, or of one: loan-risk:engine.shards=2. May be
    /// repeated.
    #[arg(long = "set", value_name = "[NAME:]KEY=VALUE")]
    pub set: Vec<String>,
    /// Print the summary as one JSON object, on the last line.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct SimulateArguments {
    /// Serve the websocket and the REST interface at this address.
    #[arg(long, default_value = "127.0.0.1:9443", conflicts_with = "output")]
    pub listen: SocketAddr,
    /// Write a capture instead of serving; gzip or zstd if the name ends in .gz or .zst.
    #[arg(long, value_name = "FILE", requires = "seconds")]
    pub output: Option<PathBuf>,
    /// Replace output files that exist.
    #[arg(long)]
    pub force: bool,
    /// End after this many seconds; of market time if a capture is written.
    #[arg(long, value_name = "N")]
    pub seconds: Option<u64>,
    /// Seed of the simulated market: the same seed gives the same capture on every machine.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Simulate only these of BTCUSDT, ETHUSDT, BNBUSDT and SOLUSDT.
    #[arg(long, value_name = "SYMBOL", num_args = 1..)]
    pub symbols: Vec<String>,
}

#[derive(Args)]
pub struct ReplayArguments {
    #[command(flatten)]
    pub which: Which,
    /// Captures and archives (Parquet, Arrow, CSV, zip, DBN, LOBSTER; also gzip and zstd), folders and
    /// patterns of them. Several files are merged by receive time, without one by `ts_event`. Tables of
    /// records need `[source.table]`.
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
    #[arg(long, visible_alias = "warmup", value_name = "N", requires = "from")]
    pub warm_up: Option<u32>,
    /// Write only signals of events before this time. A capture is read to 10 s behind it (and the lateness
    /// that the pipeline allows). Files without receive times are read to their end, and later lines of them
    /// passed over.
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub to: Option<Nanos>,
    /// Speed of the replay: max, or a multiple of the recording's speed such as 1x or 10x.
    #[arg(long, default_value = "max", value_parser = parse_speed)]
    pub speed: Speed,
    #[command(flatten)]
    pub max_unread: MaxUnread,
    /// Replace output files that exist.
    #[arg(long)]
    pub force: bool,
    /// Print the summary as one JSON object.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct FeaturesArguments {
    #[command(flatten)]
    pub which: Which,
    /// Captures and archives (Parquet, Arrow, CSV, zip, DBN, LOBSTER; also gzip and zstd), folders and
    /// patterns of them. Several files are merged by receive time, without one by `ts_event`. Tables of
    /// records need `[source.table]`.
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    pub input: Vec<PathBuf>,
    /// The Parquet file to write; its name ends in .parquet or .pq.
    #[arg(long, value_name = "FILE")]
    pub output: PathBuf,
    #[command(flatten)]
    pub max_unread: MaxUnread,
    /// Replace output files that exist.
    #[arg(long)]
    pub force: bool,
    /// Print the summary as one JSON object.
    #[arg(long)]
    pub json: bool,
}

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

#[derive(Args)]
pub struct BenchArguments {
    /// The ONNX file, with one float32 input [1, T, F]. It needs no metadata.
    #[arg(value_name = "MODEL.onnx")]
    pub model: PathBuf,
    /// The number of rows in a window.
    #[arg(long, value_name = "T", value_parser = parse_count)]
    pub window: usize,
    /// Score at every K-th row.
    #[arg(long, value_name = "K", default_value = "1", value_parser = parse_count)]
    pub stride: usize,
    /// The number of instruments that the rows belong to, in random order: more of them need more cache.
    #[arg(long, value_name = "N", default_value = "1", value_parser = parse_count)]
    pub instruments: usize,
    /// A CSV file of rows to score: F numbers on each line; a header line is allowed. Default: random rows.
    #[arg(long, value_name = "CSV")]
    pub rows: Option<PathBuf>,
    /// Write scores to this CSV file: a line for each complete window of one instrument.
    #[arg(long, value_name = "CSV")]
    pub output: Option<PathBuf>,
    /// Also measure whole windows, computed by the kernels of incremental inference.
    #[arg(long)]
    pub fresh: bool,
    /// How many seconds to measure. Rows of a file are all scored, however long that takes.
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub seconds: u64,
    /// Replace output files that exist.
    #[arg(long)]
    pub force: bool,
    /// Print the report as one JSON object.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct InspectArguments {
    /// Captures and archives of any format that is read; several are merged by receive time, without one by
    /// `ts_event`.
    #[arg(required = true, value_name = "FILE")]
    pub captures: Vec<PathBuf>,
    /// Read only frames that were received from this time on (RFC 3339 with any offset, a day, or
    /// nanoseconds). A capture is opened near it by its index, CAPTURE.idx.
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub from: Option<Nanos>,
    /// The pipeline that describes the feed, where it is none of the venues that Foretick knows.
    #[arg(long, value_name = "PIPELINE")]
    pub pipeline: Option<PathBuf>,
    /// The largest frame that is read, in bytes.
    #[arg(long, default_value_t = 32 << 20, value_name = "BYTES")]
    pub max_frame_bytes: usize,
    #[command(flatten)]
    pub max_unread: MaxUnread,
    /// Print the report as one JSON object.
    #[arg(long)]
    pub json: bool,
}
