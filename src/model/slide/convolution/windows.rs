//! Sliding windows of a convolution network that cost one column per filter.
//!
//! Consecutive windows share their columns, so a row adds one column to each filter
//! ([`ConvolutionWindows::step`]). A dense layer over all columns of a window is summed as they come: the
//! windows that will need the newest column get its share afterwards
//! ([`ConvolutionWindows::run_deferred_work`]). Exact: a sum has one order whenever its parts are computed,
//! and with whatever rows they are computed.

use std::sync::Arc;

use super::columns::ColumnCache;
use super::packed::{ConvolutionScratch, PackedConvolution};
use super::state::ConvolutionState;
use crate::model::slide::mismatch::StateMismatch;
use crate::model::slide::queue::KeyQueue;
use crate::model::slide::request::WindowRequest;
use crate::model::slide::state::{SlideState, SlideStates};

/// The windows of all keys of a shard. The state of each key is the caller's.
#[derive(Debug)]
pub struct ConvolutionWindows {
    network: Arc<PackedConvolution>,
    /// A window ends at every so many rows.
    stride: u64,
    /// Windows in flight at once; 0 where no layer is over all columns.
    slots: u64,
    /// Keys whose newest column may not be in the sums of the windows in flight.
    behind: KeyQueue,
    batch: RowBatch,
    scratch: ConvolutionScratch,
    deferred: u64,
}

/// Rows of different keys that are computed together.
#[derive(Debug, Default)]
struct RowBatch {
    keys: Vec<usize>,
    due: Vec<bool>,
    /// Moved out of the keys' states, so that they lie side by side.
    columns: Vec<ColumnCache>,
}

/// Rows in a batch at most.
const ROWS_MAX: usize = 64;

impl ConvolutionWindows {
    /// Windows of `network` that end at every `stride`-th row of a key.
    #[must_use]
    pub fn new(network: Arc<PackedConvolution>, stride: u64) -> Self {
        let in_flight = |columns: usize| (columns as u64 - 1).div_ceil(stride);
        let slots = network.flat().map_or(0, |flat| in_flight(flat.columns()));
        Self {
            network,
            stride,
            slots,
            behind: KeyQueue::default(),
            batch: RowBatch::default(),
            scratch: ConvolutionScratch::default(),
            deferred: 0,
        }
    }

    /// Serves the requests in order. The rows lie one behind the other in `cells`. Appends the scores of
    /// due rows and of repeats. Rows of different keys share a step.
    pub fn step(
        &mut self,
        states: &mut impl SlideStates,
        requests: &[WindowRequest],
        cells: &[f64],
        scores: &mut Vec<f64>,
    ) {
        let mut rows = cells.chunks_exact(self.network.features());
        for request in requests {
            match *request {
                WindowRequest::Row { key, due } => {
                    if self.batch.keys.len() == ROWS_MAX || self.batch.keys.contains(&key) {
                        self.complete(states, scores);
                    }
                    let row = rows.next().expect("`cells` has a row for each request");
                    let slot = states.slot(key);
                    let state = slot.get_or_insert_with(|| {
                        let state = ConvolutionState::new(&self.network, self.slots);
                        Box::new(SlideState::Convolution(state))
                    });
                    self.append(key, state.convolution_mut(), row, due);
                }
                WindowRequest::Begin { key, rows } => {
                    self.complete(states, scores);
                    let state = ConvolutionState::after(&self.network, self.slots, rows);
                    *states.slot(key) = Some(Box::new(SlideState::Convolution(state)));
                }
                WindowRequest::Repeat { key } => {
                    self.complete(states, scores);
                    let columns = &convolution(states, key).columns;
                    self.network.score(columns, &mut self.scratch, scores);
                }
            }
        }
        self.complete(states, scores);
    }

    /// Adds the newest columns to the sums of windows in flight, until none is left or `interrupted` returns
    /// true; it is called after each key. Returns whether none is left.
    pub fn run_deferred_work(
        &mut self,
        states: &mut impl SlideStates,
        mut interrupted: impl FnMut() -> bool,
    ) -> bool {
        while let Some(key) = self.behind.pop() {
            // An evicted key has no state.
            let Some(state) = states.find(key) else {
                continue;
            };
            self.catch_up(state.convolution_mut());
            if interrupted() {
                return false;
            }
        }
        true
    }

    /// Checks the state of a key that was saved, and queues its deferred work.
    ///
    /// # Errors
    /// [`StateMismatch`] where the state is of other windows.
    pub fn restore(&mut self, key: usize, state: &mut SlideState) -> Result<(), StateMismatch> {
        let SlideState::Convolution(state) = state else {
            return Err(StateMismatch);
        };
        state.restore(&self.network, self.slots)?;
        if self.slots > 0 {
            self.behind.push(key);
        }
        Ok(())
    }

    /// Keys with deferred work, evicted ones included until they are next in turn.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.behind.len()
    }

    /// Columns added to windows in flight so far.
    #[must_use]
    pub fn deferred(&self) -> u64 {
        self.deferred
    }

    /// Bytes of state that a key takes.
    #[must_use]
    pub fn bytes_per_key(&self) -> usize {
        let sums = self.network.flat().map_or(0, |flat| flat.width());
        4 * (self.network.state_cells() + self.slots as usize * sums)
    }

    /// Appends a row to a key's rows, and its columns to the batch.
    fn append(&mut self, key: usize, state: &mut ConvolutionState, row: &[f64], due: bool) {
        self.catch_up(state);
        let mut columns = std::mem::take(&mut state.columns);
        self.network.append(row, &mut columns);
        self.batch.keys.push(key);
        self.batch.due.push(due);
        self.batch.columns.push(columns);
    }

    /// Computes the rows of the batch, and scores those that are due.
    fn complete(&mut self, states: &mut impl SlideStates, scores: &mut Vec<f64>) {
        let RowBatch { keys, due, columns } = &mut self.batch;
        if keys.is_empty() {
            return;
        }
        self.network.advance(columns, &mut self.scratch);
        let rows = keys.drain(..).zip(due.drain(..)).zip(columns.drain(..));
        for ((key, due), columns) in rows {
            let state = convolution(states, key);
            let row = columns.rows_seen;
            if due && self.slots > 0 && row.is_multiple_of(self.stride) {
                let slot = (row / self.stride % self.slots) as usize;
                let width = state.sums.len() / self.slots as usize;
                let sums = &state.sums[slot * width..(slot + 1) * width];
                self.network
                    .complete(&columns, sums, &mut self.scratch, scores);
            } else if due {
                self.network.score(&columns, &mut self.scratch, scores);
            }
            state.columns = columns;
            if self.slots > 0 {
                self.behind.push(key);
            }
        }
    }

    /// Adds a key's newest column to the sums of its windows in flight, unless it is in them already.
    fn catch_up(&mut self, state: &mut ConvolutionState) {
        let row = state.columns.rows_seen;
        let Some(flat) = self.network.flat().filter(|_| state.advanced_to < row) else {
            return;
        };
        state.advanced_to = row;
        let last = flat.columns() as u64 - 1;
        let (first, end) = (row / self.stride + 1, (row + last) / self.stride);
        for window in first..=end {
            let at = last - (window * self.stride - row);
            let slot = (window % self.slots) as usize;
            let sums = &mut state.sums[slot * flat.width()..(slot + 1) * flat.width()];
            if at == 0 {
                flat.restart(sums);
            }
            self.network
                .add(&state.columns, at as usize, sums, &mut self.scratch);
        }
        self.deferred += 1;
    }
}

/// The state of a key that has had a row.
fn convolution(states: &mut impl SlideStates, key: usize) -> &mut ConvolutionState {
    let state = states.find(key).expect("the key has had a row");
    state.convolution_mut()
}

#[cfg(test)]
mod tests;
