//! A row on its way into the set.

use crate::engine::row::Row;
use crate::frame::Origin;
use crate::label::LabelOutcome;

/// A row as it was made.
#[derive(Clone, Debug)]
pub(super) struct SetRow {
    /// What it is about.
    pub(super) at: Row,
    /// The frame of the event that made it.
    pub(super) origin: Origin,
    /// Its columns.
    pub(super) cells: Box<[f64]>,
    /// When the features that are taken as of another time became known.
    pub(super) known: Box<[Option<i64>]>,
    /// The time of the oldest row of the window that ends here; none while there are too few.
    pub(super) window_start: Option<i64>,
    /// Why it is in no part; none: it may be.
    pub(super) excluded: Option<&'static str>,
    /// Its group.
    pub(super) group: Option<RowGroup>,
}

/// What a row shares with others, so that they must not be on two sides of a border.
#[derive(Clone, Copy, Debug)]
pub(super) struct RowGroup {
    /// Its number.
    pub(super) number: u64,
    /// When it was seen first.
    pub(super) since: i64,
}

/// A row with all that is known of it.
#[derive(Debug)]
pub(super) struct FinishedRow {
    /// The row.
    pub(super) row: SetRow,
    /// Of each label what happened; none where there is no label.
    pub(super) outcomes: Box<[Option<LabelOutcome>]>,
    /// The average uniqueness of the first label.
    pub(super) weight: f64,
}

impl FinishedRow {
    /// When the last of its labels was known; none without a label.
    pub(super) fn end(&self) -> Option<i64> {
        let ends = self.outcomes.iter().flatten().map(|outcome| outcome.end.0);
        ends.max()
    }
}
