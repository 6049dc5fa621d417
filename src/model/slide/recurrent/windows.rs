//! Sliding windows of recurrent networks that cost one step: the windows of each key that are under way are
//! kept as states.
//!
//! A window of T rows that moves by one row shares T − 1 rows with the one before. So T − 1 windows (with a
//! stride of k rows: T / k) are in flight; a row advances all of them by one step and completes one. Only
//! the completing step is on the critical path ([`RecurrentWindows::step`]); the others are deferred
//! ([`RecurrentWindows::run_deferred_work`]), or done at once where a window needs them sooner. Exact, not
//! approximate: a window's state is reset at its first row, and a step has the same bits whenever and with
//! whatever rows it is computed.

use std::sync::Arc;

use super::batch::CompletionBatch;
use super::packed::{LastSteps, PackedRecurrent, RecurrentScratch};
use super::schedule::WindowSchedule;
use super::state::RecurrentState;
use crate::model::slide::mismatch::StateMismatch;
use crate::model::slide::queue::KeyQueue;
use crate::model::slide::request::WindowRequest;
use crate::model::slide::state::{SlideState, SlideStates};

/// The windows of all keys of a shard. The state of each key is the caller's.
#[derive(Debug)]
pub struct RecurrentWindows {
    schedule: WindowSchedule,
    /// Keys whose next window may have to be prepared.
    urgent: KeyQueue,
    /// Keys with other deferred steps.
    later: KeyQueue,
    scratch: RecurrentScratch,
    batch: CompletionBatch,
    /// Where the windows that advance together lie in their state.
    places: Vec<usize>,
    deferred: u64,
}

impl RecurrentWindows {
    /// Windows of `network` that end at every `stride`-th row of a key.
    #[must_use]
    pub fn new(network: Arc<PackedRecurrent>, stride: u64) -> Self {
        Self::with_schedule(WindowSchedule::windows(network, stride))
    }

    /// One state per key that is never reset: another function than the model's windows, right only for a
    /// model that was trained so.
    #[must_use]
    pub fn carried(network: Arc<PackedRecurrent>) -> Self {
        Self::with_schedule(WindowSchedule::carried(network))
    }

    fn with_schedule(schedule: WindowSchedule) -> Self {
        Self {
            schedule,
            urgent: KeyQueue::default(),
            later: KeyQueue::default(),
            scratch: RecurrentScratch::default(),
            batch: CompletionBatch::default(),
            places: vec![],
            deferred: 0,
        }
    }

    /// Serves the requests in order. The rows lie one behind the other in `cells`. Appends the scores of
    /// due rows and of repeats. Due rows of different keys share a step.
    pub fn step(
        &mut self,
        states: &mut impl SlideStates,
        requests: &[WindowRequest],
        cells: &[f64],
        scores: &mut Vec<f64>,
    ) {
        let mut rows = cells.chunks_exact(self.schedule.network.features());
        for request in requests {
            match *request {
                WindowRequest::Row { key, due } => {
                    if self.batch.is_closed_to(key) {
                        self.complete(states, scores);
                    }
                    let row = rows.next().expect("`cells` has a row for each request");
                    let slot = states.slot(key);
                    let state = slot.get_or_insert_with(|| {
                        Box::new(SlideState::Recurrent(RecurrentState::new(&self.schedule)))
                    });
                    let state = state.recurrent_mut();
                    self.append(state, row);
                    self.urgent.push(key);
                    if due || self.schedule.carried {
                        self.prepare(state, state.rows_seen);
                        self.batch.push(key, due);
                    }
                }
                WindowRequest::Begin { key, rows } => {
                    self.complete(states, scores);
                    let state = RecurrentState::after(&self.schedule, rows);
                    *states.slot(key) = Some(Box::new(SlideState::Recurrent(state)));
                }
                WindowRequest::Repeat { key } => {
                    self.complete(states, scores);
                    self.repeat(recurrent(states, key), scores);
                }
            }
        }
        self.complete(states, scores);
    }

    /// Does deferred steps in blocks of rows, those of the windows that complete next first, until none is
    /// left or `interrupted` returns true; it is called after each block. Returns whether none is left.
    pub fn run_deferred_work(
        &mut self,
        states: &mut impl SlideStates,
        mut interrupted: impl FnMut() -> bool,
    ) -> bool {
        while let Some(key) = self.urgent.pop() {
            // An evicted key has no state.
            let Some(state) = states.find(key) else {
                continue;
            };
            self.later.push(key);
            self.prepare_next(state.recurrent_mut());
            if interrupted() {
                return false;
            }
        }
        while let Some(key) = self.later.first() {
            if let Some(state) = states.find(key) {
                let state = state.recurrent_mut();
                while let Some(group) = self.first_lagging(state) {
                    self.advance(state, group);
                    if interrupted() {
                        return false;
                    }
                }
            }
            self.later.pop();
        }
        true
    }

    /// Checks the state of a key that was saved, and queues its deferred steps.
    ///
    /// # Errors
    /// [`StateMismatch`] where the state is of other windows.
    pub fn restore(&mut self, key: usize, state: &mut SlideState) -> Result<(), StateMismatch> {
        let SlideState::Recurrent(state) = state else {
            return Err(StateMismatch);
        };
        state.restore(&self.schedule)?;
        self.urgent.push(key);
        Ok(())
    }

    /// Keys with deferred steps, evicted ones included until they are next in turn.
    #[must_use]
    pub fn waiting(&self) -> usize {
        let in_both = self.urgent.iter().filter(|&key| self.later.contains(key));
        self.urgent.len() + self.later.len() - in_both.count()
    }

    /// Deferred steps done so far, in blocks of rows.
    #[must_use]
    pub fn deferred(&self) -> u64 {
        self.deferred
    }

    /// Bytes of state that a key takes.
    #[must_use]
    pub fn bytes_per_key(&self) -> usize {
        let WindowSchedule {
            network,
            slots,
            rows_kept,
            ..
        } = &self.schedule;
        let windows = (2 * *slots as usize + 1) * network.state_len();
        let rows = *rows_kept as usize * network.features();
        4 * (windows + network.recurrent_sums_len() + rows)
    }

    /// Appends a row to a key's rows.
    fn append(&mut self, state: &mut RecurrentState, cells: &[f64]) {
        state.rows_seen += 1;
        let row = state.rows_seen;
        // A row that a group still needs is never overwritten.
        while let Some(group) =
            self.first_needing(state, row.saturating_sub(self.schedule.rows_kept))
        {
            self.advance(state, group);
        }
        let schedule = &self.schedule;
        let scaled = &mut state.rows[schedule.row_cells(row)];
        schedule.network.scale(cells, scaled);
        if schedule.carried {
            state.advanced_to[0] = row;
        }
    }

    /// The first group that has not advanced to `row`.
    fn first_needing(&self, state: &RecurrentState, row: u64) -> Option<usize> {
        state
            .advanced_to
            .iter()
            .position(|&advanced| advanced < row)
    }

    /// Brings the window that ends at row `end` up to the row before, and computes what its last step
    /// needs beforehand.
    fn prepare(&mut self, state: &mut RecurrentState, end: u64) {
        if state.next_end == end {
            return;
        }
        let slot = self.schedule.slot(end);
        let group = (slot / self.schedule.group_slots) as usize;
        while state.advanced_to[group] + 1 < end {
            self.advance(state, group);
        }
        let (schedule, cells) = (&self.schedule, self.schedule.slot_cells(slot));
        let network = &schedule.network;
        if !schedule.carried && schedule.steps == 1 {
            network.start(&mut state.h[cells.clone()], &mut state.carry[cells.clone()]);
        }
        network.precompute(&state.h[cells.clone()], &mut state.recurrent_sums);
        state.next_carry.copy_from_slice(&state.carry[cells]);
        state.next_end = end;
    }

    /// After a row: prepares the next window, if the next row completes one.
    fn prepare_next(&mut self, state: &mut RecurrentState) {
        let next = state.rows_seen + 1;
        let completes = next.is_multiple_of(self.schedule.stride) && next >= self.schedule.steps;
        if self.schedule.carried || completes {
            self.prepare(state, next);
            self.advance_following_group(state, next);
        }
    }

    /// Advances the group needed after that of the window ending at `end` far enough that deferred steps
    /// are spread evenly: in a burst, no window has to wait for all steps of a group.
    fn advance_following_group(&mut self, state: &mut RecurrentState, end: u64) {
        let schedule = &self.schedule;
        if schedule.slots <= schedule.group_slots {
            return;
        }
        let slot = schedule.slot(end);
        let group = slot / schedule.group_slots;
        let left = schedule.slots_of(group as usize).end - slot;
        let following = ((group + 1) % schedule.groups()) as usize;
        let behind = (end - 1).saturating_sub(state.advanced_to[following]);
        for _ in 0..behind.div_ceil(left) {
            self.advance(state, following);
        }
    }

    /// The group with deferred steps that is needed first.
    fn first_lagging(&self, state: &RecurrentState) -> Option<usize> {
        let schedule = &self.schedule;
        let next = (state.rows_seen / schedule.stride + 1) * schedule.stride;
        let first = (schedule.slot(next) / schedule.group_slots) as usize;
        let groups = state.advanced_to.len();
        (0..groups)
            .map(|i| (first + i) % groups)
            .find(|&group| state.advanced_to[group] < state.rows_seen)
    }

    /// Advances the windows of a group by one row.
    fn advance(&mut self, state: &mut RecurrentState, group: usize) {
        let schedule = &self.schedule;
        let network = &schedule.network;
        let row = state.advanced_to[group] + 1;
        state.advanced_to[group] = row;
        self.places.clear();
        for slot in schedule.slots_of(group) {
            let end = schedule.end_after(slot, row);
            let begin = (end + 1).saturating_sub(schedule.steps);
            // A window that would reach back before the first row does not exist.
            if begin == 0 || begin > row {
                continue;
            }
            let cells = schedule.slot_cells(slot);
            self.places.push(cells.start);
            if begin == row {
                network.start(&mut state.h[cells.clone()], &mut state.carry[cells]);
            }
        }
        if self.places.is_empty() {
            return;
        }
        network.project(&state.rows[schedule.row_cells(row)], &mut self.scratch);
        network.advance(
            &self.places,
            &mut state.h,
            &mut state.carry,
            &mut self.scratch,
        );
        self.deferred += 1;
    }

    /// Completes the windows of the batch in one step.
    fn complete(&mut self, states: &mut impl SlideStates, scores: &mut Vec<f64>) {
        let Self {
            schedule,
            batch,
            scratch,
            ..
        } = self;
        let network = &schedule.network;
        match batch.keys[..] {
            [] => return,
            // A single window needs no copy.
            [key] if !schedule.carried => {
                let state = recurrent(states, key);
                let last = LastSteps {
                    windows: 1,
                    rows: &state.rows[schedule.row_cells(state.rows_seen)],
                    recurrent_sums: &state.recurrent_sums,
                    carry: &mut state.next_carry,
                    outputs: None,
                };
                network.complete(last, scratch, scores);
            }
            _ => {
                batch.gather(states, schedule);
                let first = scores.len();
                let last = LastSteps {
                    windows: batch.keys.len(),
                    rows: &batch.rows,
                    recurrent_sums: &batch.recurrent_sums,
                    carry: &mut batch.carry,
                    outputs: schedule.carried.then_some(&mut batch.outputs[..]),
                };
                network.complete(last, scratch, scores);
                if schedule.carried {
                    batch.scatter(states, network.state_len());
                    batch.keep_due(scores, first, network.outputs());
                }
            }
        }
        batch.clear();
    }

    /// Scores the last rows of a key again.
    fn repeat(&mut self, state: &RecurrentState, scores: &mut Vec<f64>) {
        let schedule = &self.schedule;
        if schedule.carried {
            // The state before its last step is gone; its outputs are there.
            let network = &schedule.network;
            return network.score_outputs(&state.h, &mut self.scratch, scores);
        }
        let mut window = vec![];
        for row in state.rows_seen + 1 - schedule.steps..=state.rows_seen {
            window.extend_from_slice(&state.rows[schedule.row_cells(row)]);
        }
        let network = &schedule.network;
        network.score_window(&window, &mut self.scratch, scores);
    }
}

/// The state of a key that has had a row in this step, or a complete window before it.
fn recurrent(states: &mut impl SlideStates, key: usize) -> &mut RecurrentState {
    let state = states.find(key).expect("the key has had a row");
    state.recurrent_mut()
}

#[cfg(test)]
mod tests;
