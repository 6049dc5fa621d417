//! The arguments of `foretick inspect`.

#![expect(missing_docs, reason = "a doc comment here is a line of --help")]

use std::path::PathBuf;

use clap::Args;

use super::max_unread::MaxUnread;
use crate::pipeline::DescribedInputs;
use crate::run::replay::CLOCKS_DIFFER_NS;
use crate::source::file::{FileOptions, SpanEnd};
use crate::time::parse_time;
use crate::units::Nanos;

#[derive(Args)]
pub struct InspectArguments {
    /// Captures and archives of any format that is read, and topics as kafka://host:port/topic; several are
    /// merged by receive time, without one by `ts_event`.
    #[arg(required = true, value_name = "FILE")]
    pub captures: Vec<PathBuf>,
    /// Read only frames that were received from this time on (RFC 3339 with any offset, a day, or
    /// nanoseconds). A capture is opened near it by its index, CAPTURE.idx.
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub from: Option<Nanos>,
    /// Read only up to this time: to 10 s behind it, where files and topics are in order.
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub to: Option<Nanos>,
    /// The pipeline that describes the feed, where it is none of the venues that Foretick knows, or has the
    /// [kafka.properties] of topics.
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

impl InspectArguments {
    /// How the inputs are read.
    #[must_use]
    pub fn files(&self, described: DescribedInputs) -> FileOptions {
        FileOptions {
            max_frame_bytes: self.max_frame_bytes,
            tables: described.tables,
            begin: self.from,
            end: self.to.map(|to| SpanEnd::new(to, CLOCKS_DIFFER_NS)),
            max_jump_ns: None,
            kafka: described.kafka,
        }
    }
}
