//! The last rows of an instrument, as many as the model's window has, and the worst of their qualities.

use serde::{Deserialize, Serialize};

use crate::signal::quality::Quality;

/// The last rows of an instrument.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct RowWindow {
    /// Rows so far.
    rows: u64,
    /// Number of the last row of each quality, counted from 1.
    last: [u64; Quality::ALL.len()],
    /// Number of the last row whose features were still warming, whatever else was wrong with it.
    last_warming: u64,
    /// The last rows; of more than one each is kept twice, a window apart, so that a window always lies in
    /// one piece. Empty where windows are slid.
    ring: Vec<f64>,
}

impl RowWindow {
    /// Rows so far.
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    /// Reads from the cache lines that the next row needs.
    pub(super) fn touch(&self) -> u64 {
        self.ring.first().map_or(0, |cell| cell.to_bits())
    }

    /// Counts one row more.
    pub(super) fn count(&mut self, quality: Quality, warm: bool) {
        self.rows += 1;
        self.last[quality as usize] = self.rows;
        if !warm {
            self.last_warming = self.rows;
        }
    }

    /// Whether the features of the last `steps` rows were all warm.
    pub(super) fn is_warm(&self, steps: usize) -> bool {
        self.last_warming <= self.rows.saturating_sub(steps as u64)
    }

    /// Keeps the row that was counted last.
    pub(super) fn keep(&mut self, row: &[f64], steps: usize) {
        let columns = row.len();
        if steps == 1 {
            self.ring.clear();
            self.ring.extend_from_slice(row);
            return;
        }
        self.ring.resize(2 * steps * columns, 0.0);
        let slot = ((self.rows - 1) % steps as u64) as usize * columns;
        self.ring[slot..slot + columns].copy_from_slice(row);
        let twin = slot + steps * columns;
        self.ring[twin..twin + columns].copy_from_slice(row);
    }

    /// The last `steps` rows, oldest first.
    pub(super) fn cells(&self, steps: usize, columns: usize) -> &[f64] {
        let start = (self.rows % steps as u64) as usize * columns;
        &self.ring[start..start + steps * columns]
    }

    /// The last rows, `steps` at most, oldest first.
    pub(super) fn last_cells(&self, steps: usize, columns: usize) -> &[f64] {
        match self.rows < steps as u64 {
            true => &self.ring[..self.rows as usize * columns],
            false => self.cells(steps, columns),
        }
    }

    /// The worst quality of the last `steps` rows.
    pub(super) fn quality(&self, steps: usize) -> Quality {
        let since = self.rows.saturating_sub(steps as u64);
        let worst = Quality::ALL
            .into_iter()
            .rev()
            .find(|&quality| self.last[quality as usize] > since);
        worst.unwrap_or_default()
    }
}
