//! The log on standard error.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

use super::arguments::LogFormat;

/// Starts the log. The variable `FORETICK_LOG` sets its level.
pub fn start(format: LogFormat) {
    let filter = EnvFilter::try_from_env("FORETICK_LOG")
        .unwrap_or_else(|_| EnvFilter::new("warn,foretick=info,librdkafka=off,rdkafka=off"));
    let to = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr);
    match format {
        LogFormat::Text => to.with_ansi(io::stderr().is_terminal()).init(),
        LogFormat::Json => to.json().init(),
    }
}
