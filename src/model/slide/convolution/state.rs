//! The convolution windows of one key: its last columns, and the sums of its windows in flight.

use serde::{Deserialize, Serialize};

use super::columns::ColumnCache;
use super::packed::PackedConvolution;
use crate::model::slide::cells;
use crate::model::slide::mismatch::StateMismatch;

/// The last columns of one key, and the sums of its windows in flight.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ConvolutionState {
    /// Empty while the key's row is in a batch.
    pub(super) columns: ColumnCache,
    /// Sums of the windows in flight, slot by slot, each padded to whole registers; empty where no layer
    /// is over all columns.
    #[serde(with = "cells")]
    pub(super) sums: Vec<f32>,
    /// The row whose column was added to the sums last.
    pub(super) advanced_to: u64,
    /// Lanes of a register, to which each window of `sums` is padded.
    lanes: usize,
}

impl ConvolutionState {
    /// A key without rows, for so many windows in flight.
    pub(super) fn new(network: &PackedConvolution, slots: u64) -> Self {
        let width = network.flat().map_or(0, |flat| flat.width());
        Self {
            columns: network.new_columns(),
            sums: vec![0.0; slots as usize * width],
            advanced_to: 0,
            lanes: network.isa().lanes(),
        }
    }

    /// A key of which so many rows are not known any more: no window that reaches back to them may be asked
    /// for.
    pub(super) fn after(network: &PackedConvolution, slots: u64, rows: u64) -> Self {
        let mut state = Self::new(network, slots);
        (state.columns.rows_seen, state.advanced_to) = (rows, rows);
        state
    }

    /// Makes a state that was saved usable: lays it out for this processor.
    pub(super) fn restore(
        &mut self,
        network: &PackedConvolution,
        slots: u64,
    ) -> Result<(), StateMismatch> {
        let new = Self::new(network, slots);
        let units = network.flat().map_or(0, |flat| flat.outputs());
        let sums = cells::repad(&self.sums, &[units], self.lanes, new.lanes);
        let rows = self.columns.rows_seen;
        // One row at most waits to be added, where there are sums at all.
        let added = new.sums.is_empty()
            || (self.advanced_to..=self.advanced_to.saturating_add(1)).contains(&rows);
        match sums.filter(|sums| sums.len() == new.sums.len()) {
            Some(sums) if added && self.columns.cells.len() == new.columns.cells.len() => {
                (self.sums, self.lanes) = (sums, new.lanes);
                Ok(())
            }
            _ => Err(StateMismatch),
        }
    }
}
