//! `group_overlap`: one group (a firm, near-duplicate texts) has rows in train and rows that are held out.
//!
//! Keeps one entry of 40 bytes a group. The first reading notes the splits of each, the second counts rows.

use rustc_hash::FxHashMap;

use super::columns::SetColumns;
use super::finding::{ExampleRow, Leak, LeakKind, Verdict};
use super::rows::SetRows;
use super::split_counts::UsableSplits;
use super::split_role::bits;

/// Looks for groups on both sides of a split.
pub(super) struct GroupOverlap {
    column: Option<String>,
    groups: FxHashMap<u64, GroupSplits>,
    overlaps: Vec<GroupOverlaps>,
    ungrouped: u64,
}

/// The splits in which a group has train rows and held-out rows.
#[derive(Clone, Copy, Default)]
struct GroupSplits {
    train: u64,
    held: u64,
    held_row: u64,
}

/// What was found in a split.
#[derive(Clone, Default)]
struct GroupOverlaps {
    rows: u64,
    groups: u64,
    example: Option<ExampleRow>,
}

impl GroupOverlap {
    pub(super) fn new(columns: &SetColumns) -> Self {
        Self {
            column: columns.group.clone(),
            groups: FxHashMap::default(),
            overlaps: vec![GroupOverlaps::default(); columns.splits.len()],
            ungrouped: 0,
        }
    }

    /// Notes the splits of each group.
    pub(super) fn note(&mut self, rows: &SetRows<'_>) {
        if self.column.is_none() {
            return;
        }
        for (row, group) in rows.group.iter().enumerate() {
            let Some(group) = group else {
                self.ungrouped += 1;
                continue;
            };
            let splits = self.groups.entry(*group).or_default();
            splits.train |= rows.train[row];
            if splits.held == 0 && rows.held[row] != 0 {
                splits.held_row = rows.first + row as u64;
            }
            splits.held |= rows.held[row];
        }
    }

    /// Counts the train rows of groups that are held out too; after all were noted.
    pub(super) fn count(&mut self, rows: &SetRows<'_>) {
        let Some(column) = self.column.as_deref() else {
            return;
        };
        for (row, group) in rows.group.iter().enumerate() {
            let Some(splits) = group.and_then(|group| self.groups.get(&group)) else {
                continue;
            };
            for split in bits(rows.train[row] & splits.held) {
                let found = &mut self.overlaps[split];
                found.rows += 1;
                if found.example.is_none() {
                    let mut example = rows.example(row, &[column]);
                    example
                        .values
                        .insert("held_out_row".into(), splits.held_row.into());
                    found.example = Some(example);
                }
            }
        }
    }

    pub(super) fn verdict(mut self, splits: &UsableSplits) -> Verdict {
        let kind = LeakKind::GroupOverlap;
        let Some(column) = self.column.take() else {
            return Verdict::unchecked(kind, "there is no column of groups; name one with --group");
        };
        if self.groups.is_empty() {
            return Verdict::unchecked(
                kind,
                format!("`{column}` is empty: rows are not split by group"),
            );
        }
        if let Some(why) = splits.lacks() {
            return Verdict::unchecked(kind, why);
        }
        for group in self.groups.values() {
            bits(group.train & group.held).for_each(|split| self.overlaps[split].groups += 1);
        }
        let how = format!(
            "{} groups of `{column}` in {}",
            self.groups.len(),
            splits.listed()
        );
        let ungrouped = self.ungrouped;
        let ungrouped = (ungrouped > 0).then(|| format!("{ungrouped} rows without a group"));
        let found = self.overlaps.into_iter().zip(&splits.names);
        let found = found.filter(|(found, _)| found.rows > 0);
        let leaks = found.map(|(found, split)| Leak {
            kind,
            column: split.clone(),
            what: format!(
                "{} groups of `{column}` have rows in train and in validation or test of `{split}`",
                found.groups
            ),
            rows: found.rows,
            example: found.example,
            advice: "split by group: all rows of one into the same part".into(),
        });
        let leaks = leaks.collect();
        Verdict::checked(kind, how, leaks).without(splits.others.iter().cloned().chain(ungrouped))
    }
}
