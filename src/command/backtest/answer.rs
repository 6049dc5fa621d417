//! What a backtest answers: the trades of a market's signals, or the episodes of alerts.

use std::fmt;

use serde::Serialize;

use super::alerts::AlertsReport;
use super::error::BacktestError;
use super::options::BacktestOptions;
use super::report::BacktestReport;
use crate::run::summary::Summary;

/// What a backtest answers.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum BacktestAnswer {
    /// Trades.
    Trades(Box<BacktestReport>),
    /// Episodes.
    Alerts(Box<AlertsReport>),
}

impl fmt::Display for BacktestAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trades(report) => report.fmt(f),
            Self::Alerts(report) => report.fmt(f),
        }
    }
}

impl BacktestAnswer {
    /// Whether enough of the input was read, and whether it gave anything to judge.
    ///
    /// # Errors
    /// [`BacktestError::Unread`], [`BacktestError::Nothing`].
    pub fn check(&self, options: &BacktestOptions, max_unread: f64) -> Result<(), BacktestError> {
        let (summary, signals) = match self {
            Self::Trades(report) => (&report.summary, report.signals),
            Self::Alerts(report) => (&report.summary, report.signals),
        };
        let Summary {
            readability,
            frames,
            ..
        } = summary;
        readability.check(frames, max_unread)?;
        if signals > 0 {
            return Ok(());
        }
        let is_part = options.from.is_some() || options.to.is_some();
        let why = match summary.lack_of_signals() {
            Some(why) => format!(": {why}"),
            None if is_part => "; do --from and --to name a time of the input?".into(),
            None => "; `foretick inspect` shows what the input holds".into(),
        };
        Err(BacktestError::Nothing { why })
    }
}
