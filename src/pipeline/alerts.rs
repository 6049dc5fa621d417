//! The alerts of a pipeline: its rules.

use crate::alert::rule::check_rules;
use crate::config::{ConfigFault, PipelineFile, RowOn};
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

/// The journal of a pipeline's alerts; none where it has no rules, and cannot have had any: a live run that
/// keeps states may find episodes of rules that it had.
///
/// # Errors
/// [`AlertJournalError`].
pub(super) fn journal(
    file: &PipelineFile,
    lineage: &Lineage,
    keeps_states: bool,
) -> Result<Option<AlertJournal>, AlertJournalError> {
    let is_of_records = matches!(file.row.on, RowOn::Statement | RowOn::Application);
    if file.alerts.is_empty() && !(keeps_states && is_of_records) {
        return Ok(None);
    }
    let journal = AlertJournal::open(&file.alerts, lineage)?;
    Ok(Some(match keeps_states {
        true => journal.keeping_homes(),
        false => journal,
    }))
}
