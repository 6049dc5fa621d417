//! When rows are made, and when their inputs count as old.

use crate::config::{RowConfig, RowOn};
use crate::engine::row::{RowRules, RowTrigger};

/// The rules of `[row]`.
pub(super) fn rules(row: &RowConfig) -> RowRules {
    RowRules {
        on: match row.on {
            RowOn::Trade => RowTrigger::Trade,
            RowOn::Quote => RowTrigger::Quote,
            RowOn::Book => RowTrigger::Book,
            RowOn::Bar => RowTrigger::Bar,
            RowOn::Application | RowOn::Statement | RowOn::News => RowTrigger::Record,
        },
        stale_after: row.stale_after_ms.saturating_mul(1_000_000),
        max_gap: row.max_gap_ms().saturating_mul(1_000_000),
    }
}
