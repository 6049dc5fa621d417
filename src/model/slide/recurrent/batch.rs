//! The windows of several keys that complete in one step.

use super::schedule::WindowSchedule;
use crate::model::slide::state::SlideStates;

/// Windows that complete together, and what their last step needs side by side.
#[derive(Debug, Default)]
pub(super) struct CompletionBatch {
    pub(super) keys: Vec<usize>,
    /// Whether the score of each is needed: a carried state also completes for rows whose score is not.
    due: Vec<bool>,
    pub(super) rows: Vec<f32>,
    pub(super) recurrent_sums: Vec<f32>,
    pub(super) carry: Vec<f32>,
    /// The new outputs of carried states.
    pub(super) outputs: Vec<f32>,
}

impl CompletionBatch {
    /// Whether it must be completed before a window of this key is added.
    pub(super) fn is_closed_to(&self, key: usize) -> bool {
        self.keys.len() == WINDOWS_MAX || self.keys.contains(&key)
    }

    /// Adds the newest window of a key.
    pub(super) fn push(&mut self, key: usize, due: bool) {
        self.keys.push(key);
        self.due.push(due);
    }

    /// Removes all windows.
    pub(super) fn clear(&mut self) {
        self.keys.clear();
        self.due.clear();
    }

    /// Copies side by side what the last steps need.
    pub(super) fn gather(&mut self, states: &mut impl SlideStates, schedule: &WindowSchedule) {
        self.rows.clear();
        self.recurrent_sums.clear();
        self.carry.clear();
        for &key in &self.keys {
            let state = states.find(key).expect("the key has had a row");
            let state = state.recurrent_mut();
            self.rows.extend_from_slice(state.newest_row(schedule));
            self.recurrent_sums.extend_from_slice(&state.recurrent_sums);
            self.carry.extend_from_slice(&state.next_carry);
        }
        self.outputs.resize(self.carry.len(), 0.0);
    }

    /// Copies the new outputs and carry back into carried states, `len` numbers each.
    pub(super) fn scatter(&self, states: &mut impl SlideStates, len: usize) {
        let outputs = self.outputs.chunks_exact(len);
        let cells = outputs.zip(self.carry.chunks_exact(len));
        for (&key, (h, carry)) in self.keys.iter().zip(cells) {
            let state = states.find(key).expect("the key has had a row");
            let state = state.recurrent_mut();
            state.h.copy_from_slice(h);
            state.carry.copy_from_slice(carry);
        }
    }

    /// Removes the scores of windows that are not due from those appended after `first`.
    pub(super) fn keep_due(&self, scores: &mut Vec<f64>, first: usize, outputs: usize) {
        let mut kept = first;
        for (window, _) in self.due.iter().enumerate().filter(|(_, due)| **due) {
            let from = first + window * outputs;
            scores.copy_within(from..from + outputs, kept);
            kept += outputs;
        }
        scores.truncate(kept);
    }
}

/// Windows in a batch at most.
const WINDOWS_MAX: usize = 64;
