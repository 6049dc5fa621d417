//! The arguments of the command line. `main` executes them.

#![expect(missing_docs, reason = "a doc comment here is a line of --help")]

mod backtest;
mod check;
mod convert;
mod diff;
mod evaluate;
mod explain;
mod features;
mod input_span;
mod inspect;
mod max_unread;
mod reconcile;
mod replay;
mod run;
mod state;
mod which;

use std::net::SocketAddr;
use std::path::PathBuf;

pub use self::backtest::BacktestArguments;
pub use self::check::CheckArguments;
pub use self::convert::ConvertArguments;
pub use self::diff::DiffArguments;
pub use self::evaluate::EvaluateArguments;
pub use self::explain::ExplainArguments;
pub use self::features::FeaturesArguments;
pub use self::input_span::InputSpan;
pub use self::inspect::InspectArguments;
pub use self::max_unread::MaxUnread;
pub use self::reconcile::ReconcileArguments;
pub use self::replay::ReplayArguments;
pub use self::run::RunArguments;
pub use self::state::{StateArguments, StateCommand};
pub use self::which::Which;
use super::argument_values::parse_count;
use super::version::long_version;
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
