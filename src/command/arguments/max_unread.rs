//! How much of an input may be unreadable.

use clap::Args;

use crate::command::argument_values::parse_percent;

/// How much of an input may be unreadable.
#[derive(Args, Clone, Copy)]
pub struct MaxUnread {
    /// The percentage of frames that may be unreadable. Above it, and also if no frame gave an event, the
    /// exit code is 1 and the last line says what the input looks like. 100 accepts everything.
    #[arg(long = "max-unread", value_name = "PERCENT", default_value = "1", value_parser = parse_percent)]
    pub percent: f64,
}
