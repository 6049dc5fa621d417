//! Sliding windows of a convolution network that cost one column a filter.
//!
//! The columns of consecutive windows are the same, so a row adds one to each filter ([`Columns::step`]). A
//! dense layer over all of a window's columns is summed as they come: the windows that will need the newest
//! one get their share afterwards ([`Columns::settle`]). Exact: a sum has one order whenever its parts
//! are computed, and whatever they are computed beside.

use std::collections::VecDeque;
use std::sync::Arc;

use super::packed::{Filters, Scratch, State};
use crate::model::slide::recurrent::windows::Ask;

/// The windows of all keys of a shard.
#[derive(Debug)]
pub struct Columns {
    network: Arc<Filters>,
    /// A window ends at every so many rows.
    every: u64,
    /// Windows in flight at once; none where no layer is over all columns.
    slots: u64,
    keys: Vec<Option<Key>>,
    /// Keys whose newest column the windows in flight have not got.
    behind: VecDeque<usize>,
    batch: Batch,
    scratch: Scratch,
    deferred: u64,
}

#[derive(Debug)]
struct Key {
    /// Away while it is in a batch.
    state: Option<State>,
    /// Sums of the windows in flight, slot by slot.
    sums: Vec<f32>,
    /// Up to which row they have the columns.
    applied: u64,
    /// Whether it stands in the queue.
    behind: bool,
}

/// Rows of different keys that are computed together.
#[derive(Debug, Default)]
struct Batch {
    keys: Vec<usize>,
    due: Vec<bool>,
    states: Vec<State>,
}

/// Rows computed together at most.
const TOGETHER: usize = 64;

impl Columns {
    /// Windows of `network` that end at every `every`-th row of a key.
    #[must_use]
    pub fn new(network: Arc<Filters>, every: u64) -> Self {
        let in_flight = |columns: usize| (columns as u64 - 1).div_ceil(every);
        let slots = network.flat().map_or(0, |flat| in_flight(flat.columns()));
        Self {
            network,
            every,
            slots,
            keys: vec![],
            behind: VecDeque::new(),
            batch: Batch::default(),
            scratch: Scratch::default(),
            deferred: 0,
        }
    }

    /// Does what is asked, in turn. The rows lie one behind the other in `cells`. Appends the scores of
    /// due rows and of those asked for again. Rows of different keys share a step.
    pub fn step(&mut self, asks: &[Ask], cells: &[f64], scores: &mut Vec<f64>) {
        let mut rows = cells.chunks_exact(self.network.features());
        for ask in asks {
            match *ask {
                Ask::Row { key, due } => {
                    if self.batch.keys.len() == TOGETHER || self.batch.keys.contains(&key) {
                        self.complete(scores);
                    }
                    let row = rows.next().expect("as many rows as are asked to be taken");
                    self.take(key, row, due);
                }
                Ask::Again { key } => {
                    self.complete(scores);
                    let state = self.keys[key].as_ref().and_then(|key| key.state.as_ref());
                    let state = state.expect("it has a row");
                    self.network.score(state, &mut self.scratch, scores);
                }
            }
        }
        self.complete(scores);
    }

    /// Gives windows in flight the newest columns until none is left without or `wanted` says that there
    /// is other work. Returns whether all is done.
    pub fn settle(&mut self, mut wanted: impl FnMut() -> bool) -> bool {
        while let Some(key) = self.behind.pop_front() {
            self.keys[key].as_mut().expect("queued keys exist").behind = false;
            self.catch_up(key);
            if wanted() {
                return false;
            }
        }
        true
    }

    /// Keys with deferred work.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.behind.len()
    }

    /// Columns given to windows in flight so far.
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

    /// Takes a row into the batch.
    fn take(&mut self, key: usize, row: &[f64], due: bool) {
        if key >= self.keys.len() {
            self.keys.resize_with(key + 1, || None);
        }
        let (network, slots) = (&self.network, self.slots as usize);
        self.keys[key].get_or_insert_with(|| Key {
            state: Some(network.state()),
            sums: vec![0.0; slots * network.flat().map_or(0, |flat| flat.width())],
            applied: 0,
            behind: false,
        });
        self.catch_up(key);
        let of = self.keys[key].as_mut().expect("made above");
        let mut state = of.state.take().expect("a key is once in a batch");
        self.network.take(row, &mut state);
        self.batch.keys.push(key);
        self.batch.due.push(due);
        self.batch.states.push(state);
    }

    /// Computes the rows of the batch, and scores those that are due.
    fn complete(&mut self, scores: &mut Vec<f64>) {
        let Batch { keys, due, states } = &mut self.batch;
        if keys.is_empty() {
            return;
        }
        self.network.advance(states, &mut self.scratch);
        for ((key, due), state) in keys.drain(..).zip(due.drain(..)).zip(states.drain(..)) {
            let of = self.keys[key].as_mut().expect("it has a row");
            if due && self.slots > 0 && state.rows().is_multiple_of(self.every) {
                let slot = (state.rows() / self.every % self.slots) as usize;
                let width = of.sums.len() / self.slots as usize;
                let known = &of.sums[slot * width..(slot + 1) * width];
                self.network
                    .complete(&state, known, &mut self.scratch, scores);
            } else if due {
                self.network.score(&state, &mut self.scratch, scores);
            }
            of.state = Some(state);
            if self.slots > 0 && !of.behind {
                of.behind = true;
                self.behind.push_back(key);
            }
        }
    }

    /// Gives the windows in flight of a key its newest column, if they have not got it.
    fn catch_up(&mut self, key: usize) {
        let of = self.keys[key].as_mut().expect("it has a row");
        let state = of.state.as_ref().expect("it is in no batch");
        let row = state.rows();
        let Some(flat) = self.network.flat().filter(|_| of.applied < row) else {
            return;
        };
        of.applied = row;
        let last = flat.columns() as u64 - 1;
        let (first, end) = (row / self.every + 1, (row + last) / self.every);
        for window in first..=end {
            let at = last - (window * self.every - row);
            let slot = (window % self.slots) as usize;
            let sums = &mut of.sums[slot * flat.width()..(slot + 1) * flat.width()];
            if at == 0 {
                flat.restart(sums);
            }
            self.network
                .add(state, at as usize, sums, &mut self.scratch);
        }
        self.deferred += 1;
    }
}

#[cfg(test)]
mod tests;
