//! The recurrent windows of one key: its windows in flight and its last rows.

use serde::{Deserialize, Serialize};

use super::schedule::WindowSchedule;
use crate::model::kernel::Aligned;
use crate::model::slide::cells;
use crate::model::slide::mismatch::StateMismatch;

/// The windows in flight and the last rows of one key. Rows are numbered from 1.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RecurrentState {
    /// Outputs of the windows in flight, slot by slot, each layer padded to whole registers.
    #[serde(with = "cells")]
    pub(super) h: Aligned,
    /// What these windows carry, in the same layout.
    #[serde(with = "cells")]
    pub(super) carry: Aligned,
    /// The last rows, scaled; row n lies at n modulo the rows kept.
    #[serde(with = "cells")]
    pub(super) rows: Vec<f32>,
    /// Rows appended so far.
    pub(super) rows_seen: u64,
    /// The row to which each group of slots has advanced.
    pub(super) advanced_to: Vec<u64>,
    /// Lanes of a register, to which each layer of `h` and `carry` is padded.
    lanes: usize,
    /// The last row of the window for which `recurrent_sums` and `next_carry` were computed; 0: of none.
    /// These three can be computed again, so they are not saved.
    #[serde(skip)]
    pub(super) next_end: u64,
    #[serde(skip)]
    pub(super) recurrent_sums: Aligned,
    #[serde(skip)]
    pub(super) next_carry: Aligned,
}

impl RecurrentState {
    /// A key without rows.
    pub(super) fn new(schedule: &WindowSchedule) -> Self {
        let network = &schedule.network;
        let cells = schedule.slots as usize * network.state_len();
        let mut state = Self {
            h: Aligned::zeros(cells),
            carry: Aligned::zeros(cells),
            rows: vec![0.0; schedule.rows_kept as usize * network.features()],
            rows_seen: 0,
            advanced_to: vec![0; schedule.groups() as usize],
            lanes: network.isa().lanes(),
            next_end: 0,
            recurrent_sums: Aligned::zeros(network.recurrent_sums_len()),
            next_carry: Aligned::zeros(network.state_len()),
        };
        if schedule.carried {
            network.start(&mut state.h, &mut state.carry);
        }
        state
    }

    /// A key of which so many rows are not known any more: no window that reaches back to them may be asked
    /// for.
    pub(super) fn after(schedule: &WindowSchedule, rows: u64) -> Self {
        let mut state = Self::new(schedule);
        state.rows_seen = rows;
        state.advanced_to.fill(rows);
        state
    }

    /// The row appended last, scaled.
    pub(super) fn newest_row(&self, schedule: &WindowSchedule) -> &[f32] {
        &self.rows[schedule.row_cells(self.rows_seen)]
    }

    /// Makes a state that was saved usable: lays it out for this processor, and marks as not computed what
    /// was not saved.
    pub(super) fn restore(&mut self, schedule: &WindowSchedule) -> Result<(), StateMismatch> {
        let new = Self::new(schedule);
        let units = schedule.network.layer_units();
        let lay_out = |cells: &[f32]| {
            let cells = cells::repad(cells, &units, self.lanes, new.lanes);
            cells.filter(|cells| cells.len() == new.h.len())
        };
        let (Some(h), Some(carry)) = (lay_out(&self.h), lay_out(&self.carry)) else {
            return Err(StateMismatch);
        };
        let fits = self.rows.len() == new.rows.len()
            && self.advanced_to.len() == new.advanced_to.len()
            && self.advanced_to.iter().all(|&row| {
                row <= self.rows_seen && row.saturating_add(schedule.rows_kept) >= self.rows_seen
            });
        if !fits {
            return Err(StateMismatch);
        }
        (self.h, self.carry) = (h.into(), carry.into());
        (self.lanes, self.next_end) = (new.lanes, 0);
        (self.recurrent_sums, self.next_carry) = (new.recurrent_sums, new.next_carry);
        Ok(())
    }
}
