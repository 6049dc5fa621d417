//! The arguments of `foretick explain`.

#![expect(missing_docs, reason = "a doc comment here is a line of --help")]

use std::path::PathBuf;

use clap::Args;

use super::which::Which;
use crate::command::argument_values::parse_seconds;
use crate::command::explain::WantedSignal;
use crate::source::input_paths::is_topic;
use crate::time::parse_time;
use crate::units::Nanos;

#[derive(Args)]
#[command(
    override_usage = "foretick explain <PIPELINE> --input <FILE>... <SIGNAL_ID|--instrument NAME --at TIME>"
)]
pub struct ExplainArguments {
    #[command(flatten)]
    pub which: Which,
    /// The signal, by its `signal_id`. The id is made of the name of the file and the number of the frame:
    /// give the files that the run read, in their order. Of a signal of another run (live, say), name
    /// instrument and time.
    #[arg(value_name = "SIGNAL_ID", conflicts_with = "instrument")]
    pub signal_id: Option<String>,
    /// The captures that gave it, plain, gzip or zstd; several are merged by receive time, without one by
    /// `ts_event`. Also archives, and topics as kafka://host:port/topic, whose signals have the id that a live
    /// run gave; and tables, if [source.table] says what their columns mean.
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    pub input: Vec<PathBuf>,
    /// The instrument, obligor or applicant of the signal, as it is published: BTCUSDT.BINANCE.
    #[arg(long, value_name = "NAME", requires = "at")]
    pub instrument: Option<String>,
    /// Its time: the last signal of the instrument at this time or before is explained (RFC 3339 with any
    /// offset, a day, or nanoseconds).
    #[arg(long, value_name = "TIME", value_parser = parse_time, requires = "instrument")]
    pub at: Option<Nanos>,
    /// Read only frames that were received at most this many seconds before --at (and 10 s, for clocks that
    /// differ). The window must be whole by then; `source.offset` counts from the first frame that is read.
    #[arg(long, visible_alias = "warmup", value_name = "N", requires = "at", value_parser = parse_seconds)]
    pub warm_up: Option<i64>,
    /// Print the report as one JSON object.
    #[arg(long)]
    pub json: bool,
}

impl ExplainArguments {
    /// Which signal is wanted; none where none is named. An id behind the files of `--input` is taken from
    /// them: it is the last, and no file.
    #[must_use]
    pub fn wanted(&mut self) -> Option<WantedSignal> {
        if let (Some(instrument), Some(at)) = (&self.instrument, self.at) {
            return Some(WantedSignal::At {
                instrument: instrument.clone(),
                at,
                warm_up: self.warm_up,
            });
        }
        if let Some(id) = &self.signal_id {
            return Some(WantedSignal::Id(id.clone()));
        }
        let is_no_input = |last: &PathBuf| !last.exists() && !is_topic(last);
        let is_id = self.input.len() > 1 && self.input.last().is_some_and(is_no_input);
        let id = self.input.pop().filter(|_| is_id)?;
        Some(WantedSignal::Id(id.to_string_lossy().into_owned()))
    }
}
