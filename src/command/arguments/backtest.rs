//! The arguments of `foretick backtest`.

#![expect(missing_docs, reason = "a doc comment here is a line of --help")]

use std::path::PathBuf;

use clap::Args;

use super::max_unread::MaxUnread;
use super::which::Which;
use crate::command::argument_values::parse_seconds;
use crate::time::parse_time;
use crate::units::Nanos;

#[derive(Args)]
pub struct BacktestArguments {
    #[command(flatten)]
    pub which: Which,
    /// Captures and archives (Parquet, Arrow, CSV, zip, DBN, LOBSTER; also gzip and zstd), folders and
    /// patterns of them; topics as kafka://host:port/topic. Several are merged by receive time, without one by
    /// `ts_event`.
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    pub input: Vec<PathBuf>,
    /// Trade only signals of events from this time on (RFC 3339 with any offset, a day, or nanoseconds);
    /// earlier frames warm up windows.
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub from: Option<Nanos>,
    /// Read only frames that were received at most this many seconds before --from (and 10 s, for clocks that
    /// differ). A capture is opened near that time by its index, FILE.idx.
    #[arg(long, visible_alias = "warmup", value_name = "N", requires = "from", value_parser = parse_seconds)]
    pub warm_up: Option<i64>,
    /// Trade only signals of events before this time. The market is followed to the end of the input.
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub to: Option<Nanos>,
    /// Also try these values of a key of `[backtest]`, such as backtest.enter=0.1,0.15,0.2. May be repeated:
    /// all combinations are tried on the signals of one replay.
    #[arg(long, value_name = "KEY=VALUE,VALUE")]
    pub sweep: Vec<String>,
    /// How many terms were tried before these were chosen, these included: the Sharpe ratio is deflated by
    /// them. At least the combinations of --sweep.
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u64).range(1..))]
    pub trials: u64,
    /// The failures, for a pipeline with rules of `[[alert]]`: labels as `evaluate` takes them. How well the
    /// alerts warn of them is told, with other thresholds too; nothing is traded.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["sweep", "trades", "equity"])]
    pub labels: Option<PathBuf>,
    /// Write trades.parquet, equity.parquet and report.json to this folder, which is made if it does not
    /// exist.
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["trades", "equity"])]
    pub output: Option<PathBuf>,
    /// Write a page to this HTML file: charts, tables and findings, for a browser or a printer. It is one
    /// file and asks for nothing outside.
    #[arg(long, value_name = "FILE.html")]
    pub report: Option<PathBuf>,
    /// Write the trades to this Parquet file.
    #[arg(long, value_name = "FILE")]
    pub trades: Option<PathBuf>,
    /// Write the equity curve to this Parquet file.
    #[arg(long, value_name = "FILE")]
    pub equity: Option<PathBuf>,
    #[command(flatten)]
    pub max_unread: MaxUnread,
    /// Replace output files that exist.
    #[arg(long)]
    pub force: bool,
    /// Print the report as one JSON object.
    #[arg(long)]
    pub json: bool,
}
