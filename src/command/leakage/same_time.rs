//! Compares the rows of an instrument that have one time, where they come in the order of their times.
//!
//! Keeps the rows of one time of each instrument.

use super::hashed_row::{FoundRows, HashedRow, add_to_splits};

/// The newest rows of each instrument.
#[derive(Debug, Default)]
pub(super) struct SameTimeRows {
    instruments: Vec<Vec<HashedRow>>,
}

impl SameTimeRows {
    /// Takes the next row of its instrument.
    pub(super) fn take(&mut self, row: HashedRow, found: &mut [FoundRows]) {
        let at = row.instrument as usize;
        if at >= self.instruments.len() {
            self.instruments.resize_with(at + 1, Vec::new);
        }
        let own = &mut self.instruments[at];
        if own.first().is_some_and(|first| first.time != row.time) {
            compare(own, found);
        }
        own.push(row);
    }

    /// Compares the last rows.
    pub(super) fn finish(&mut self, found: &mut [FoundRows]) {
        let own = self.instruments.iter_mut();
        own.for_each(|rows| compare(rows, found));
    }
}

/// Compares rows of one instrument and time, and forgets them.
fn compare(rows: &mut Vec<HashedRow>, found: &mut [FoundRows]) {
    rows.sort_unstable_by_key(|row| (row.hash, row.row));
    for equal in rows.chunk_by(|left, right| left.hash == right.hash) {
        let held = equal.iter().fold(0, |held, row| held | row.held);
        let held_row = equal.iter().find(|row| row.held != 0);
        if let Some(held_row) = held_row.map(|row| row.row) {
            let rows = equal.iter();
            rows.for_each(|row| add_to_splits(found, *row, held, held_row));
        }
    }
    rows.clear();
}
