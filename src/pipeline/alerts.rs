//! The alerts of a pipeline: its rules, and the file that keeps their episodes.

use crate::config::{PipelineFile, SinkKind};
use crate::signal::lineage::Lineage;
use crate::sink::alert_journal::{AlertJournal, AlertJournalError};

/// The journal of a pipeline's alerts; none where it has no rules. A live run goes on where the run before it
/// ended.
///
/// # Errors
/// [`AlertJournalError`].
pub(super) fn journal(
    file: &PipelineFile,
    lineage: &Lineage,
    live: bool,
) -> Result<Option<AlertJournal>, AlertJournalError> {
    let rules = &file.alerts;
    if rules.is_empty() {
        return Ok(None);
    }
    let sink = &file.sink;
    let state = sink.alerts_state.as_deref().filter(|_| live);
    if let Some(path) = state
        && sink.kind != SinkKind::Kafka
        && sink.alerts.is_none()
    {
        return Err(AlertJournalError::NotWritten(path.to_owned()));
    }
    AlertJournal::open(rules, lineage, state).map(Some)
}
