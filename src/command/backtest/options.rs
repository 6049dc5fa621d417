//! What to backtest, and which files are written.

use std::path::{Path, PathBuf};

use crate::command::arguments::BacktestArguments;
use crate::command::outputs::{OutputContent, PlannedOutput, outputs_of};
use crate::units::Nanos;

/// What to backtest.
#[derive(Clone, Debug, Default)]
pub struct BacktestOptions {
    /// Events: captures, JSON lines.
    pub inputs: Vec<PathBuf>,
    /// Signals before this time are not acted on; earlier frames warm the windows.
    pub from: Option<Nanos>,
    /// How long before `from` a frame may have been received to be read, in nanoseconds; none: all are.
    pub warm_up: Option<i64>,
    /// Signals from this time on are not acted on.
    pub to: Option<Nanos>,
    /// Changes of the configuration, as `key=value`.
    pub set: Vec<String>,
    /// Keys of `[backtest]` with the values to try, as `backtest.key=value,value`.
    pub sweep: Vec<String>,
    /// How many terms were tried before these were chosen, these included.
    pub trials: u64,
    /// The failures that alerts are to warn of; none for a pipeline without rules of alerts.
    pub labels: Option<PathBuf>,
    /// A folder that is made, for the files below.
    pub folder: Option<PathBuf>,
    /// Where the round trips go, as Parquet.
    pub trades: Option<PathBuf>,
    /// Where the equity curve goes, as Parquet.
    pub equity: Option<PathBuf>,
    /// Where the report goes, as JSON.
    pub report: Option<PathBuf>,
    /// Where the page goes, as HTML.
    pub page: Option<PathBuf>,
    /// The command, as the page tells it.
    pub command: String,
}

impl From<&BacktestArguments> for BacktestOptions {
    fn from(args: &BacktestArguments) -> Self {
        let inside = |name| args.output.as_ref().map(|folder| folder.join(name));
        Self {
            inputs: args.input.clone(),
            from: args.from,
            warm_up: args.warm_up,
            to: args.to,
            set: args.which.set.clone(),
            sweep: args.sweep.clone(),
            trials: args.trials,
            labels: args.labels.clone(),
            folder: args.output.clone(),
            trades: args.trades.clone().or_else(|| inside("trades.parquet")),
            equity: args.equity.clone().or_else(|| inside("equity.parquet")),
            report: inside("report.json"),
            page: args.report.clone(),
            command: command(std::env::args()),
        }
    }
}

impl BacktestOptions {
    /// The files that are written.
    #[must_use]
    pub fn outputs(&self) -> Vec<PlannedOutput> {
        let named = |option| {
            if self.folder.is_some() {
                "--output"
            } else {
                option
            }
        };
        outputs_of([
            (named("--trades"), self.trades.clone(), OutputContent::Rows),
            (named("--equity"), self.equity.clone(), OutputContent::Rows),
            ("--output", self.report.clone(), OutputContent::JsonLines),
            ("--report", self.page.clone(), OutputContent::Page),
        ])
    }
}

/// A command as a shell would take it; where a machine keeps the program is left out.
fn command(words: impl Iterator<Item = String>) -> String {
    let is_plain = |word: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
        !word.is_empty() && word.chars().all(plain)
    };
    let program = |word: String| {
        let name = Path::new(&word).file_name();
        name.map_or(word.clone(), |name| name.to_string_lossy().into_owned())
    };
    let words = words.enumerate().map(|(at, word)| match at {
        0 => program(word),
        _ => word,
    });
    let quoted = words.map(|word| match is_plain(&word) {
        true => word,
        false => format!("'{}'", word.replace('\'', "'\\''")),
    });
    quoted.collect::<Vec<String>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_quoted_as_a_shell_takes_it() {
        let words = [
            "/usr/local/bin/foretick",
            "backtest.enter=0.15",
            "it's",
            "",
            "a b",
        ];
        let written = command(words.into_iter().map(str::to_owned));
        assert_eq!(written, r"foretick backtest.enter=0.15 'it'\''s' '' 'a b'");
    }
}
