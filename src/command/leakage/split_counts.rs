//! How many rows each split trains on and holds out, and which splits can be checked at all.

use std::collections::BTreeSet;

use super::columns::SetColumns;
use super::rows::SetRows;
use super::split_role::{SplitRole, bits};

/// Counts the rows of all splits.
pub(super) struct SplitCounts {
    train: Vec<u64>,
    held: Vec<u64>,
    /// Rows of the first split, by role.
    pub(super) roles: [u64; SplitRole::COUNT],
    pub(super) rows: u64,
    pub(super) untimed: u64,
}

/// Splits that train on rows and hold rows out.
#[derive(Clone, Debug, Default)]
pub(super) struct UsableSplits {
    pub(super) names: Vec<String>,
    pub(super) mask: u64,
    /// Why the others cannot be checked.
    pub(super) others: Vec<String>,
}

impl SplitCounts {
    pub(super) fn new(columns: &SetColumns) -> Self {
        Self {
            train: vec![0; columns.splits.len()],
            held: vec![0; columns.splits.len()],
            roles: [0; SplitRole::COUNT],
            rows: 0,
            untimed: 0,
        }
    }

    pub(super) fn see(&mut self, rows: &SetRows<'_>) {
        self.rows += rows.len() as u64;
        for row in 0..rows.len() {
            self.untimed += u64::from(rows.time[row].is_none());
            self.roles[rows.role[row].index()] += 1;
            bits(rows.train[row]).for_each(|split| self.train[split] += 1);
            bits(rows.held[row]).for_each(|split| self.held[split] += 1);
        }
    }

    /// The splits that can be checked.
    pub(super) fn usable(
        &self,
        columns: &SetColumns,
        unknown: &BTreeSet<(usize, String)>,
    ) -> UsableSplits {
        let mut usable = UsableSplits::default();
        for (number, split) in columns.splits.iter().enumerate() {
            let name = &split.name;
            usable.names.push(name.clone());
            let words = unknown.iter().filter(|(of, _)| *of == number);
            let words: Vec<String> = words.take(5).map(|(_, word)| format!("`{word}`")).collect();
            let words = words.join(", ");
            let missing = match (self.train[number], self.held[number]) {
                (0, 0) => "neither train rows nor held-out rows",
                (0, _) => "no train rows",
                (_, 0) => "no validation or test rows",
                _ => {
                    usable.mask |= 1 << number;
                    if !words.is_empty() {
                        usable.others.push(format!(
                            "rows of `{name}` with the words {words}, which are taken as neither train nor test"
                        ));
                    }
                    continue;
                }
            };
            let words = match words.as_str() {
                "" => String::new(),
                words => format!(" (it has the words {words}; write train, validation, test)"),
            };
            usable.others.push(format!("`{name}` has {missing}{words}"));
        }
        for name in &columns.splits_left_out {
            let most = SetColumns::SPLITS_MAX;
            usable
                .others
                .push(format!("`{name}`: at most {most} splits are looked at"));
        }
        usable
    }
}

impl UsableSplits {
    /// Why nothing that is about splits can be checked; none where something can.
    pub(super) fn lacks(&self) -> Option<String> {
        match (self.mask, self.others.is_empty()) {
            (0, true) => {
                Some("there is no split: name its column with --split, or the first test time with --test-from".into())
            }
            (0, false) => Some(self.others.join("; ")),
            _ => None,
        }
    }

    /// The names of those that can be checked.
    pub(super) fn listed(&self) -> String {
        let names: Vec<&str> = bits(self.mask)
            .map(|split| self.names[split].as_str())
            .collect();
        match names.as_slice() {
            [first, .., last] if names.len() > 3 => {
                format!("{first} to {last} ({} splits)", names.len())
            }
            names => names.join(", "),
        }
    }
}
