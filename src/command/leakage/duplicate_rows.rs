//! `duplicate_rows`: a row of the same instrument, time and features is in train and held out.
//!
//! Rows are compared by a hash of 64 bits (`hash`). Those of held-out rows are kept, sorted, some million
//! at a time (24 bytes each): the first reading keeps the first part of all hashes, each further one looks
//! the train rows up and keeps the next part.

use super::columns::SetColumns;
use super::finding::{ExampleRow, Leak, LeakKind, Verdict};
use super::hash::mixed;
use super::rows::SetRows;
use super::split_counts::UsableSplits;
use super::split_role::bits;

/// Looks for rows on both sides of a split.
pub(super) struct DuplicateRows {
    features: usize,
    shown: Option<String>,
    /// Into how many parts hashes are divided.
    parts: u64,
    /// The part that is being kept.
    part: u64,
    /// The part that was kept by the reading before, sorted.
    kept: Vec<HeldHash>,
    next: Vec<HeldHash>,
    found: Vec<(u64, Option<ExampleRow>)>,
}

/// A held-out row.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct HeldHash {
    hash: u64,
    row: u64,
    /// The splits in which it, or one that is equal, is held out.
    splits: u64,
}

/// Rows of the set for each part. Where all are held out (combinatorial folds), a part and the next fill
/// 200 MB.
const ROWS_OF_PART: u64 = 1 << 22;

impl DuplicateRows {
    pub(super) fn new(columns: &SetColumns, rows: u64) -> Self {
        Self::in_parts(columns, rows.div_ceil(ROWS_OF_PART).max(1))
    }

    fn in_parts(columns: &SetColumns, parts: u64) -> Self {
        Self {
            features: columns.features.len(),
            shown: columns.features.first().cloned(),
            parts,
            part: 0,
            kept: vec![],
            next: vec![],
            found: vec![(0, None); columns.splits.len()],
        }
    }

    /// How often the set must be read.
    pub(super) fn readings(&self) -> u64 {
        if self.features == 0 {
            2
        } else {
            self.parts + 1
        }
    }

    /// Looks up train rows in the part that was kept before, and keeps the next part.
    pub(super) fn see(&mut self, rows: &SetRows<'_>) {
        if self.features == 0 {
            return;
        }
        for row in 0..rows.len() {
            let (train, held) = (rows.train[row], rows.held[row]);
            let Some(time) = rows.time[row].filter(|_| train | held != 0) else {
                continue;
            };
            let hash = self.hash(rows, row, time);
            let part = (hash >> 32) % self.parts;
            if held != 0 && part == self.part {
                self.next.push(HeldHash {
                    hash,
                    row: rows.first + row as u64,
                    splits: held,
                });
            }
            if train != 0 && part + 1 == self.part {
                self.look_up(rows, row, hash);
            }
        }
    }

    /// Ends a reading.
    pub(super) fn end_reading(&mut self) {
        self.part += 1;
        self.kept = std::mem::take(&mut self.next);
        self.kept.sort_unstable();
        self.kept.dedup_by(|again, first| {
            let is_same = again.hash == first.hash;
            first.splits |= if is_same { again.splits } else { 0 };
            is_same
        });
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

    fn look_up(&mut self, rows: &SetRows<'_>, row: usize, hash: u64) {
        let Ok(at) = self.kept.binary_search_by_key(&hash, |held| held.hash) else {
            return;
        };
        let held = self.kept[at];
        for split in bits(rows.train[row] & held.splits) {
            let (count, example) = &mut self.found[split];
            *count += 1;
            if example.is_none() {
                let shown: Vec<&str> = self.shown.as_deref().into_iter().collect();
                let mut row = rows.example(row, &shown);
                row.values.insert("held_out_row".into(), held.row.into());
                *example = Some(row);
            }
        }
    }

    pub(super) fn verdict(self, columns: &SetColumns, splits: &UsableSplits) -> Verdict {
        let kind = LeakKind::DuplicateRows;
        if columns.time.is_none() {
            return Verdict::unchecked(kind, "there is no column of times; name it with --time");
        }
        if self.features == 0 {
            return Verdict::unchecked(
                kind,
                "there is no column of numbers that could be a feature",
            );
        }
        if let Some(why) = splits.lacks() {
            return Verdict::unchecked(kind, why);
        }
        let by = columns
            .instrument
            .as_deref()
            .map_or(String::new(), |name| format!("`{name}`, "));
        let how = format!(
            "{by}time and {} features of rows in {}",
            self.features,
            splits.listed()
        );
        let found = self.found.into_iter().zip(&splits.names);
        let found = found.filter(|((rows, _), _)| *rows > 0);
        let leaks = found.map(|((rows, example), split)| Leak {
            kind,
            column: split.clone(),
            what: format!("rows in train of `{split}` are in its validation or test too"),
            rows,
            example,
            advice: "drop repeated rows before the split, and split by time".into(),
        });
        let leaks = leaks.collect();
        Verdict::checked(kind, how, leaks).without(splits.others.iter().cloned())
    }
}
