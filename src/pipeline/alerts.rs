//! The alerts of a pipeline: its rules, and the file that keeps their episodes.

use std::path::Path;

use crate::alert::rule::{AlertRule, check_rules};
use crate::config::{ConfigFault, PipelineFile, SinkKind};
use crate::signal::lineage::Lineage;
use crate::sink::alert_journal::{AlertJournal, AlertJournalError};

/// Checks the rules of `[[alert]]`.
///
/// # Errors
/// The table at fault.
pub(super) fn check(rules: &[AlertRule]) -> Result<(), ConfigFault> {
    check_rules(rules).map_err(|(at, what)| ConfigFault::at(format!("alert[{at}]"), what))
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
