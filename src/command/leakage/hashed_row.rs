//! Rows that are told apart by a hash, and those that are on both sides of a split.

use super::split_role::bits;

/// A row that is compared with others.
#[derive(Clone, Copy, Debug)]
pub(super) struct HashedRow {
    pub(super) hash: u64,
    pub(super) row: u64,
    pub(super) time: i64,
    pub(super) instrument: u32,
    /// The splits in which it is train.
    pub(super) train: u64,
    /// The splits in which it is held out.
    pub(super) held: u64,
}

/// Train rows of a split that are held out too.
#[derive(Clone, Copy, Default)]
pub(super) struct FoundRows {
    pub(super) rows: u64,
    /// One, and the number of the held-out row that is equal.
    pub(super) example: Option<(HashedRow, u64)>,
}

impl FoundRows {
    fn add(&mut self, row: HashedRow, held_row: u64) {
        self.rows += 1;
        self.example.get_or_insert((row, held_row));
    }
}

/// Adds a train row to the splits in which `held` of the rows that equal it are held out.
pub(super) fn add_to_splits(found: &mut [FoundRows], row: HashedRow, held: u64, held_row: u64) {
    bits(row.train & held).for_each(|split| found[split].add(row, held_row));
}
