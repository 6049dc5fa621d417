//! `duplicate_rows`: a row of the same instrument, time and features is in train and held out.
//!
//! Rows are compared by a hash of 64 bits (`hash`). Where the rows of each instrument come in the order of
//! their times, those of one time are compared as they come (`same_time`). Else the hashes of held-out rows
//! are kept, some million at a time (`held_hashes`): the set is read once for each part of all hashes, and
//! once more.

use super::columns::SetColumns;
use super::finding::{ExampleRow, Leak, LeakKind, Verdict};
use super::hash::mixed;
use super::hashed_row::{FoundRows, HashedRow};
use super::held_hashes::HeldHashes;
use super::row_order::RowOrder;
use super::rows::{SetRows, shown_time};
use super::same_time::SameTimeRows;
use super::split_counts::UsableSplits;

/// Looks for rows on both sides of a split.
pub(super) struct DuplicateRows {
    features: usize,
    method: DuplicateSearch,
    found: Vec<FoundRows>,
}

/// How rows are compared.
enum DuplicateSearch {
    /// It is not known yet whether they come in order.
    Undecided,
    InOrder(SameTimeRows),
    InParts(HeldHashes),
}

impl DuplicateRows {
    pub(super) fn new(columns: &SetColumns) -> Self {
        Self {
            // A column that someone added tells a copy from its original.
            features: columns.own_features(),
            method: DuplicateSearch::Undecided,
            found: vec![FoundRows::default(); columns.splits.len()],
        }
    }

    /// Chooses how rows are compared, once their order is known.
    pub(super) fn choose(&mut self, order: &RowOrder) {
        self.method = match order.is_broken {
            true => DuplicateSearch::InParts(HeldHashes::of_rows(order.rows)),
            false => DuplicateSearch::InOrder(SameTimeRows::default()),
        };
    }

    /// Compares the rows of a reading, from the second on.
    pub(super) fn see(&mut self, rows: &SetRows<'_>) {
        if self.features == 0 {
            return;
        }
        for row in 0..rows.len() {
            let (train, held) = (rows.train[row], rows.held[row]);
            let Some(time) = rows.time[row].filter(|_| train | held != 0) else {
                continue;
            };
            let row = HashedRow {
                hash: self.hash(rows, row, time),
                row: rows.first + row as u64,
                time,
                instrument: rows.instrument[row],
                train,
                held,
            };
            match &mut self.method {
                DuplicateSearch::Undecided => {}
                DuplicateSearch::InOrder(same) => same.take(row, &mut self.found),
                DuplicateSearch::InParts(parts) => parts.take(row, &mut self.found),
            }
        }
    }

    /// Ends a reading. Returns whether the set must be read once more.
    pub(super) fn end_reading(&mut self) -> bool {
        match &mut self.method {
            DuplicateSearch::Undecided => true,
            DuplicateSearch::InOrder(same) => {
                same.finish(&mut self.found);
                false
            }
            DuplicateSearch::InParts(parts) => parts.end_reading() && self.features > 0,
        }
    }

    fn hash(&self, rows: &SetRows<'_>, row: usize, time: i64) -> u64 {
        let key = mixed(u64::from(rows.instrument[row]), time.cast_unsigned());
        (0..self.features).fold(key, |hash, feature| {
            let value = rows.feature(feature, row);
            // Zero has two signs, and what is no number many bits.
            mixed(
                hash,
                value.map_or(u64::MAX, |value| (value + 0.0).to_bits()),
            )
        })
    }

    pub(super) fn verdict(
        self,
        columns: &SetColumns,
        splits: &UsableSplits,
        instruments: &[String],
    ) -> Verdict {
        let kind = LeakKind::DuplicateRows;
        if columns.time.is_none() {
            return Verdict::unchecked(kind, "there is no column of times; name it with --time");
        }
        if self.features == 0 {
            let why = "there is no column of numbers that could be a feature";
            return Verdict::unchecked(kind, why);
        }
        if let Some(why) = splits.lacks() {
            return Verdict::unchecked(kind, why);
        }
        let key = columns.instrument.as_deref();
        let by = key.map_or(String::new(), |name| format!("`{name}`, "));
        let how = format!(
            "{by}time and {} features of rows in {}",
            self.features,
            splits.listed()
        );
        let found = self.found.into_iter().zip(&splits.names);
        let leaks = found.filter_map(|(found, split)| {
            let (row, held_row) = found.example?;
            let values = [("held_out_row".to_owned(), held_row.into())];
            Some(Leak {
                kind,
                column: split.clone(),
                what: format!("rows in train of `{split}` are in its validation or test too"),
                rows: found.rows,
                example: Some(ExampleRow {
                    row: row.row,
                    instrument: instruments.get(row.instrument as usize).cloned(),
                    ts_event: Some(shown_time(row.time)),
                    values: values.into_iter().collect(),
                }),
                advice: "drop repeated rows before the split, and split by time".into(),
            })
        });
        let leaks = leaks.collect();
        Verdict::checked(kind, how, leaks).without(splits.others.iter().cloned())
    }
}
