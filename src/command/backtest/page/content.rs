//! What the page of a backtest shows.

use serde_json::Value;

use crate::backtest::TrialOutcome;
use crate::command::backtest::report::BacktestReport;
use crate::command::backtest::study::StudyOutcome;

/// What the page shows.
pub(in crate::command::backtest) struct PageContent<'a> {
    pub(in crate::command::backtest) report: &'a BacktestReport,
    /// The report as JSON, as `--json` prints it.
    pub(in crate::command::backtest) json: &'a Value,
    pub(in crate::command::backtest) base: &'a TrialOutcome,
    pub(in crate::command::backtest) study: &'a StudyOutcome,
    pub(in crate::command::backtest) names: &'a [String],
    /// The command, as it was written.
    pub(in crate::command::backtest) command: &'a str,
}
