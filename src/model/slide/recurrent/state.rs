//! What is kept of a key: its windows in flight and its last rows, and how windows lie in time.

use std::sync::Arc;

use super::packed::Recurrent;
use crate::model::kernel::Aligned;

/// How windows lie in time.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) network: Arc<Recurrent>,
    pub(super) steps: u64,
    /// A window ends at every so many rows.
    pub(super) every: u64,
    /// Windows in flight at once.
    pub(super) slots: u64,
    /// Slots that move on together.
    pub(super) group: u64,
    /// Rows kept.
    pub(super) rows: u64,
    /// One state that is never reset instead of windows.
    pub(super) carried: bool,
}

#[derive(Debug)]
pub(super) struct Key {
    /// Outputs and carry of the windows in flight, slot by slot.
    pub(super) h: Aligned,
    pub(super) carry: Aligned,
    /// Recurrent sums and carry of the window that completes next, and its last row; zero where they
    /// have not been made.
    pub(super) known: Aligned,
    pub(super) ready_carry: Aligned,
    pub(super) ready: u64,
    /// The last rows, scaled, by their number modulo the capacity.
    pub(super) rows: Vec<f32>,
    /// Rows taken. Rows are numbered from 1.
    pub(super) taken: u64,
    /// Up to which row each group has moved on.
    pub(super) applied: Vec<u64>,
    /// The queues it stands in.
    pub(super) urgent: bool,
    pub(super) later: bool,
}

/// Windows that complete together.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) keys: Vec<usize>,
    pub(super) due: Vec<bool>,
    pub(super) rows: Vec<f32>,
    pub(super) known: Vec<f32>,
    pub(super) carry: Vec<f32>,
    pub(super) keep: Vec<f32>,
    pub(super) places: Vec<usize>,
}

impl Plan {
    /// Where the window that ends at this row is kept.
    pub(super) fn slot(&self, end: u64) -> u64 {
        end / self.every % self.slots
    }

    /// The end of the window that a slot holds once `row` has been: the first after it.
    pub(super) fn end_after(&self, slot: u64, row: u64) -> u64 {
        let number = row / self.every + 1;
        let ahead = (slot + self.slots - number % self.slots) % self.slots;
        (number + ahead) * self.every
    }
}

impl Key {
    pub(super) fn new(plan: &Plan) -> Self {
        let Plan { network, slots, .. } = plan;
        let state = network.state();
        let mut key = Self {
            h: Aligned::zeros(*slots as usize * state),
            carry: Aligned::zeros(*slots as usize * state),
            known: Aligned::zeros(network.known()),
            ready_carry: Aligned::zeros(state),
            ready: 0,
            rows: vec![0.0; plan.rows as usize * network.features()],
            taken: 0,
            applied: vec![0; slots.div_ceil(plan.group) as usize],
            urgent: false,
            later: false,
        };
        if plan.carried {
            network.start(&mut key.h, &mut key.carry);
        }
        key
    }

    pub(super) fn row(&self, plan: &Plan, row: u64) -> &[f32] {
        let features = plan.network.features();
        let place = (row % plan.rows) as usize * features;
        &self.rows[place..place + features]
    }
}

impl Batch {
    /// Puts side by side what the windows need.
    pub(super) fn gather(&mut self, keys: &[Option<Box<Key>>], plan: &Plan) {
        self.rows.clear();
        self.known.clear();
        self.carry.clear();
        for of in self.keys.iter().filter_map(|&key| keys[key].as_ref()) {
            self.rows.extend_from_slice(of.row(plan, of.taken));
            self.known.extend_from_slice(&of.known);
            self.carry.extend_from_slice(&of.ready_carry);
        }
        self.keep.resize(self.carry.len(), 0.0);
    }

    /// Gives carried states back to their keys.
    pub(super) fn scatter(&self, keys: &mut [Option<Box<Key>>], state: usize) {
        let states = self
            .keep
            .chunks_exact(state)
            .zip(self.carry.chunks_exact(state));
        for (&key, (h, carry)) in self.keys.iter().zip(states) {
            let of = keys[key].as_mut().expect("it has a row");
            of.h.copy_from_slice(h);
            of.carry.copy_from_slice(carry);
        }
    }

    /// Takes out the scores that nobody asked for: a carried state moves on at every row.
    pub(super) fn forget(&self, scores: &mut Vec<f64>, given: usize, outputs: usize) {
        let mut kept = given;
        for (window, _) in self.due.iter().enumerate().filter(|(_, due)| **due) {
            let from = given + window * outputs;
            scores.copy_within(from..from + outputs, kept);
            kept += outputs;
        }
        scores.truncate(kept);
    }
}
