//! The alerts of a pipeline: its rules, and the file that keeps their episodes.

use std::path::Path;

use crate::alert::rule::check_rules;
use crate::config::{ConfigFault, PipelineFile, RowOn, SinkKind};
use crate::signal::lineage::Lineage;
use crate::sink::alert_journal::{AlertJournal, AlertJournalError};

/// Checks the rules of `[[alert]]`.
///
/// # Errors
/// The table at fault.
pub(super) fn check(file: &PipelineFile) -> Result<(), ConfigFault> {
    let rules = check_rules(&file.alerts);
    rules.map_err(|(at, what)| ConfigFault::at(format!("alert[{at}]"), what))?;
    let is_of_records = matches!(file.row.on, RowOn::Statement | RowOn::Application);
    if !file.alerts.is_empty() && !is_of_records {
        let what = "alerts are about probabilities of default; take [[alert]] out, or make rows of records: `[row] on \
                    = \"statement\"` or `\"application\"`";
        return Err(ConfigFault::at("alert[0]", what));
    }
    Ok(())
}

/// The journal of a pipeline's alerts; none where it has no rules, and no state of rules that it had. A live
/// run goes on where the run before it ended.
///
/// # Errors
/// [`AlertJournalError`].
pub(super) fn journal(
    file: &PipelineFile,
    lineage: &Lineage,
    live: bool,
) -> Result<Option<AlertJournal>, AlertJournalError> {
    let rules = &file.alerts;
    let sink = &file.sink;
    let state = sink.alerts_state.as_deref().filter(|_| live);
    if rules.is_empty() && !state.is_some_and(Path::exists) {
        return Ok(None);
    }
    if let Some(path) = state
        && sink.kind != SinkKind::Kafka
        && sink.alerts.is_none()
    {
        return Err(AlertJournalError::NotWritten(path.to_owned()));
    }
    AlertJournal::open(rules, lineage, state).map(Some)
}
