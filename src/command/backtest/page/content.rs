//! What the page of a backtest shows.

use serde_json::Value;

use crate::backtest::TrialOutcome;
use crate::command::backtest::report::BacktestReport;
use crate::command::backtest::study::StudyOutcome;

/// What the page shows.
pub(crate) struct PageContent<'a> {
    pub(crate) report: &'a BacktestReport,
    /// The report as JSON, as `--json` prints it.
    pub(crate) json: &'a Value,
    pub(crate) base: &'a TrialOutcome,
    pub(crate) study: &'a StudyOutcome,
    pub(crate) names: &'a [String],
    /// The command, as it was written.
    pub(crate) command: &'a str,
}
