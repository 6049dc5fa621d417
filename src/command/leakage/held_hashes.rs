//! Compares rows in any order, by the hashes of those that are held out.
//!
//! Hashes are divided into parts, so that few are kept at a time (24 bytes each): a reading keeps those of
//! its part, and looks the train rows of the part before up.

use super::hashed_row::{FoundRows, HashedRow, add_to_splits};

/// The hashes of the held-out rows of a part.
#[derive(Debug)]
pub(super) struct HeldHashes {
    parts: u64,
    /// The part that this reading keeps.
    part: u64,
    /// The part that the reading before has kept, sorted.
    kept: Vec<HeldHash>,
    next: Vec<HeldHash>,
}

/// A held-out row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct HeldHash {
    hash: u64,
    row: u64,
    /// The splits in which it, or one that is equal, is held out.
    splits: u64,
}

/// Rows of the set for each part. Where all are held out (combinatorial folds), a part and the next fill
/// 200 MB.
const ROWS_OF_PART: u64 = 1 << 22;

impl HeldHashes {
    /// For a set of so many rows.
    pub(super) fn of_rows(rows: u64) -> Self {
        Self::in_parts(rows.div_ceil(ROWS_OF_PART).max(1))
    }

    fn in_parts(parts: u64) -> Self {
        Self {
            parts,
            part: 0,
            kept: vec![],
            next: vec![],
        }
    }

    /// Looks up a train row of the part before, and keeps a held-out row of this one.
    pub(super) fn take(&mut self, row: HashedRow, found: &mut [FoundRows]) {
        let part = (row.hash >> 32) % self.parts;
        if row.held != 0 && part == self.part {
            self.next.push(HeldHash {
                hash: row.hash,
                row: row.row,
                splits: row.held,
            });
        }
        if row.train != 0 && part + 1 == self.part {
            let at = self.kept.binary_search_by_key(&row.hash, |held| held.hash);
            if let Ok(at) = at {
                let held = self.kept[at];
                add_to_splits(found, row, held.splits, held.row);
            }
        }
    }

    /// Ends a reading. Returns whether there is to be another.
    pub(super) fn end_reading(&mut self) -> bool {
        self.part += 1;
        self.kept = std::mem::take(&mut self.next);
        self.kept.sort_unstable();
        self.kept.dedup_by(|again, first| {
            let is_same = again.hash == first.hash;
            first.splits |= if is_same { again.splits } else { 0 };
            is_same
        });
        self.part <= self.parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::leakage::hash::mixed;

    /// Rows of few hashes in 64 splits, by all pairs, by parts, and one after the other.
    #[test]
    fn parts_find_what_all_pairs_find() {
        let row = |row: u64| {
            let bit = 1 << (mixed(1, row) % 64);
            let is_train = mixed(2, row).is_multiple_of(2);
            HashedRow {
                hash: mixed(3, mixed(4, row) % 60),
                row,
                time: 0,
                instrument: 0,
                train: if is_train { bit | 1 } else { 0 },
                held: if is_train { 0 } else { bit | 1 },
            }
        };
        let rows: Vec<HashedRow> = (0..400).map(row).collect();
        let pairs = |split: u32| {
            let of = |mask: u64| mask >> split & 1 == 1;
            let is_held = |row: &HashedRow| {
                let mut equal = rows.iter().filter(|other| other.hash == row.hash);
                equal.any(|other| of(other.held))
            };
            let train = rows.iter().filter(|row| of(row.train));
            train.filter(|row| is_held(row)).count() as u64
        };
        let expected: Vec<u64> = (0..64).map(pairs).collect();
        assert!(expected[0] > 50 && expected[1..].iter().any(|rows| *rows > 0));
        for parts in [1, 2, 7] {
            let mut found = vec![FoundRows::default(); 64];
            let mut held = HeldHashes::in_parts(parts);
            let mut readings = 0;
            loop {
                rows.iter().for_each(|row| held.take(*row, &mut found));
                readings += 1;
                if !held.end_reading() {
                    break;
                }
            }
            assert_eq!(readings, parts + 1);
            let counts: Vec<u64> = found.iter().map(|found| found.rows).collect();
            assert_eq!(counts, expected, "{parts} parts");
        }
    }
}
