//! The arguments of `foretick features`.

#![expect(missing_docs, reason = "a doc comment here is a line of --help")]

use std::path::PathBuf;

use clap::Args;

use super::input_span::InputSpan;
use super::max_unread::MaxUnread;
use super::which::Which;

#[derive(Args)]
pub struct FeaturesArguments {
    #[command(flatten)]
    pub which: Which,
    /// Captures and archives (Parquet, Arrow, CSV, zip, DBN, LOBSTER; also gzip and zstd), folders and
    /// patterns of them. Several files are merged by receive time, without one by `ts_event`. Tables of
    /// records need `[source.table]`. Topics are named as kafka://host:port/topic.
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    pub input: Vec<PathBuf>,
    #[command(flatten)]
    pub span: InputSpan,
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
