//! Which windows of a key are in flight, and in which slot of its state each lies.

use std::sync::Arc;

use super::packed::PackedRecurrent;

/// How the windows of every key lie in time. Rows are numbered from 1.
#[derive(Debug)]
pub(super) struct WindowSchedule {
    pub(super) network: Arc<PackedRecurrent>,
    /// Numbers in the outputs of one window, [`PackedRecurrent::state_len`].
    state_len: usize,
    /// Rows in a window.
    pub(super) steps: u64,
    /// A window ends at every so many rows.
    pub(super) stride: u64,
    /// Windows in flight at once.
    pub(super) slots: u64,
    /// Slots that advance together.
    pub(super) group_slots: u64,
    /// Rows kept: those of a window, and those that a lagging group still needs.
    pub(super) rows_kept: u64,
    /// One state that is never reset instead of windows.
    pub(super) carried: bool,
}

impl WindowSchedule {
    /// Windows of `network` that end at every `stride`-th row.
    pub(super) fn windows(network: Arc<PackedRecurrent>, stride: u64) -> Self {
        let steps = network.steps() as u64;
        let slots = (steps - 1).div_ceil(stride).max(1);
        // The larger the weights, the more rows should share one pass over them before they leave the cache.
        let most: u64 = match network.step_bytes() {
            0..=262_144 => 12,
            262_145..=1_048_576 => 24,
            _ => 60,
        };
        Self {
            state_len: network.state_len(),
            network,
            steps,
            stride,
            slots,
            group_slots: slots.div_ceil(slots.div_ceil(most)),
            rows_kept: steps + stride.min(steps),
            carried: false,
        }
    }

    /// One state that is never reset.
    pub(super) fn carried(network: Arc<PackedRecurrent>) -> Self {
        let steps = network.steps() as u64;
        Self {
            state_len: network.state_len(),
            network,
            steps,
            stride: 1,
            slots: 1,
            group_slots: 1,
            rows_kept: steps,
            carried: true,
        }
    }

    /// Groups of slots.
    pub(super) fn groups(&self) -> u64 {
        self.slots.div_ceil(self.group_slots)
    }

    /// The slot of the window that ends at row `end`.
    pub(super) fn slot(&self, end: u64) -> u64 {
        end / self.stride % self.slots
    }

    /// The slots of a group.
    pub(super) fn slots_of(&self, group: usize) -> std::ops::Range<u64> {
        let first = group as u64 * self.group_slots;
        first..(first + self.group_slots).min(self.slots)
    }

    /// The end of the window that a slot holds once `row` has been appended: the first end after it.
    pub(super) fn end_after(&self, slot: u64, row: u64) -> u64 {
        let number = row / self.stride + 1;
        let ahead = (slot + self.slots - number % self.slots) % self.slots;
        (number + ahead) * self.stride
    }

    /// Where the cells of a row lie among the rows kept.
    pub(super) fn row_cells(&self, row: u64) -> std::ops::Range<usize> {
        let features = self.network.features();
        let begin = (row % self.rows_kept) as usize * features;
        begin..begin + features
    }

    /// Where the cells of a slot lie in the outputs and the carry of a state.
    pub(super) fn slot_cells(&self, slot: u64) -> std::ops::Range<usize> {
        let begin = slot as usize * self.state_len;
        begin..begin + self.state_len
    }
}
