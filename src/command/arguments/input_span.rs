//! The span of time that is read of inputs, for commands that take all that they read.

#![expect(missing_docs, reason = "a doc comment here is a line of --help")]

use clap::Args;

use crate::pipeline::Pipeline;
use crate::source::file::SpanEnd;
use crate::time::parse_time;
use crate::units::Nanos;

#[derive(Args)]
pub struct InputSpan {
    /// Read only what was received, or without a receive time happened, from this time on (RFC 3339 with any
    /// offset, a day, or nanoseconds): windows and books begin empty there.
    #[arg(long, value_name = "TIME", requires = "input", value_parser = parse_time)]
    pub from: Option<Nanos>,
    /// Read only what happened before this time; files and topics in order are read up to there.
    #[arg(long, value_name = "TIME", requires = "input", value_parser = parse_time)]
    pub to: Option<Nanos>,
}

impl InputSpan {
    /// The pipeline, which reads this span of its inputs.
    #[must_use]
    pub fn of(&self, pipeline: Pipeline) -> Pipeline {
        pipeline.within(self.from, self.to.map(|to| SpanEnd::new(to, 0)))
    }
}
