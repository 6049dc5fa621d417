//! Whether the rows of each instrument come in the order of their times.

use super::rows::SetRows;

/// Notes the order of rows.
#[derive(Debug, Default)]
pub(super) struct RowOrder {
    /// The time of the last row of each instrument.
    last: Vec<i64>,
    pub(super) is_broken: bool,
    pub(super) rows: u64,
}

impl RowOrder {
    pub(super) fn see(&mut self, rows: &SetRows<'_>) {
        self.rows += rows.len() as u64;
        for (time, instrument) in rows.time.iter().zip(&rows.instrument) {
            let Some(time) = *time else { continue };
            let at = *instrument as usize;
            if at >= self.last.len() {
                self.last.resize(at + 1, i64::MIN);
            }
            self.is_broken |= time < self.last[at];
            self.last[at] = time;
        }
    }
}
