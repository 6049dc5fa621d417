//! When rows are made, when their inputs count as old, and what becomes of late events.

use crate::config::{ConfigFault, PipelineFile, RowLate, RowOn};
use crate::engine::row::{LatePolicy, RowRules, RowTrigger};

/// The rules of `[row]` and `[source]`.
pub(super) fn rules(file: &PipelineFile) -> Result<RowRules, ConfigFault> {
    let row = &file.row;
    let lateness = file.source.lateness_ms.unwrap_or(0);
    Ok(RowRules {
        on: match row.on {
            RowOn::Trade => RowTrigger::Trade,
            RowOn::Quote => RowTrigger::Quote,
            RowOn::Book => RowTrigger::Book,
            RowOn::Bar => RowTrigger::Bar,
            RowOn::Application | RowOn::Statement | RowOn::News => RowTrigger::Record,
        },
        stale_after: row.stale_after_ms.saturating_mul(1_000_000),
        max_gap: row.max_gap_ms().saturating_mul(1_000_000),
        lateness: i64::try_from(lateness.saturating_mul(1_000_000)).unwrap_or(i64::MAX),
        late: late(file)?,
    })
}

fn late(file: &PipelineFile) -> Result<LatePolicy, ConfigFault> {
    let refuse = |what: &str| Err(ConfigFault::at("row.late", what));
    match file.row.late {
        RowLate::Update => Ok(LatePolicy::Update),
        RowLate::Drop if file.source.lateness_ms.is_none() => refuse(
            "`drop` needs `source.lateness_ms`: streams of one venue overtake each other, and without it each \
             event that was overtaken would be dropped",
        ),
        RowLate::Drop => match file.row.on {
            RowOn::Trade | RowOn::Quote | RowOn::Book | RowOn::Bar => Ok(LatePolicy::Drop),
            RowOn::Application | RowOn::Statement | RowOn::News => {
                refuse("`drop` is for market data; leave `late` out")
            }
        },
        RowLate::Correct => refuse(
            "`correct` is not supported: no signal is published again; write `update` (late events are used, at \
             the latest time known) or `drop`",
        ),
    }
}
