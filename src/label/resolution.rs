//! What becomes known of rows.

use super::point::LabelOutcome;

/// What is known of a row: which label, the row's number, and the outcome, none where there is none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Resolution {
    /// Index of the label.
    pub label: usize,
    /// The number of the row.
    pub row: u64,
    /// What happened.
    pub outcome: Option<LabelOutcome>,
}

/// Where the states of one label put what they know.
pub(super) struct Resolved<'a> {
    label: usize,
    all: &'a mut Vec<Resolution>,
}

impl<'a> Resolved<'a> {
    pub(super) fn of(label: usize, all: &'a mut Vec<Resolution>) -> Self {
        Self { label, all }
    }

    pub(super) fn push(&mut self, row: u64, outcome: Option<LabelOutcome>) {
        let label = self.label;
        self.all.push(Resolution {
            label,
            row,
            outcome,
        });
    }

    /// These rows have no label.
    pub(super) fn none(&mut self, rows: impl Iterator<Item = u64>) {
        rows.for_each(|row| self.push(row, None));
    }
}
