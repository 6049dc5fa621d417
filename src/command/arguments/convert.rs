//! The arguments of `foretick convert`.

#![expect(missing_docs, reason = "a doc comment here is a line of --help")]

use std::path::PathBuf;

use clap::Args;

use super::max_unread::MaxUnread;
use crate::time::parse_time;
use crate::units::Nanos;

#[derive(Args)]
pub struct ConvertArguments {
    /// Archives, captures, folders of them, or quoted patterns with * and ?, and topics as
    /// kafka://host:port/topic; several are merged by receive time, without one by event time.
    #[arg(required = true, value_name = "INPUT")]
    pub inputs: Vec<PathBuf>,
    /// Where rows go: a folder, for Parquet by instrument and day; a file ending in .parquet; one ending in
    /// .jsonl, .jsonl.gz or .jsonl.zst, for JSON lines of the topics; - for these on standard output; or kafka://host:port/topic, or
    /// kafka://host:port for the topics md.trades.v1, md.quotes.v1, md.book.v1 and md.bars.v1.
    #[arg(long, value_name = "PATH")]
    pub output: PathBuf,
    /// Write prices and sizes to Parquet as text, which keeps every digit, instead of float64.
    #[arg(long)]
    pub exact: bool,
    /// Leave out what was received, or happened, before this time (RFC 3339 with any offset, a day, or
    /// nanoseconds).
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub from: Option<Nanos>,
    /// Leave out what happened at this time or later.
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub to: Option<Nanos>,
    /// The pipeline that says what columns mean ([source.history]), describes the feed of a capture, or has
    /// the [kafka.properties] of topics: login and encryption.
    #[arg(long, value_name = "PIPELINE")]
    pub pipeline: Option<PathBuf>,
    /// Change a key of the pipeline's configuration. May be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE", requires = "pipeline")]
    pub set: Vec<String>,
    /// The largest frame that is read, in bytes.
    #[arg(long, default_value_t = 32 << 20, value_name = "BYTES")]
    pub max_frame_bytes: usize,
    #[command(flatten)]
    pub max_unread: MaxUnread,
    /// Replace an output that exists; write behind the records of a topic that is not empty.
    #[arg(long)]
    pub force: bool,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}
