//! The rows of an instrument that wait: for their labels, and for those of the rows that these overlap.
//!
//! Rows leave in the order in which they came. A row waits for the end of its labels, and for those of the
//! rows within its first label: so twice the longest horizon is held, and no more.

use std::collections::VecDeque;

use super::set_row::{FinishedRow, SetRow};
use super::weight::Uniqueness;
use crate::label::{LabelOutcome, LabelPoint, Labels, Resolution};

/// The rows of an instrument that wait.
#[derive(Debug)]
pub(super) struct HeldRows {
    labels: Labels,
    count: usize,
    rows: VecDeque<Held>,
    /// The number of the first row that is held.
    first: u64,
    /// How many rows, from the first on, have all their labels, or none.
    closed: usize,
    weights: Uniqueness,
    /// The latest time.
    now: i64,
    resolutions: Vec<Resolution>,
}

#[derive(Debug)]
struct Held {
    row: SetRow,
    /// Its time, or that of a row before it that was later.
    at: i64,
    outcomes: Box<[Option<LabelOutcome>]>,
    /// Labels that are not known.
    open: usize,
}

impl HeldRows {
    /// No rows yet; `count` is the number of labels.
    pub(super) fn new(labels: Labels, count: usize) -> Self {
        Self {
            labels,
            count,
            rows: VecDeque::new(),
            first: 0,
            closed: 0,
            weights: Uniqueness::default(),
            now: i64::MIN,
            resolutions: vec![],
        }
    }

    /// Takes what an event has left; passes on the rows that it finishes.
    pub(super) fn point(&mut self, point: &LabelPoint, out: &mut impl FnMut(FinishedRow)) {
        self.now = self.now.max(point.now.0);
        self.labels.point(point, &mut self.resolutions);
        self.settle(out);
    }

    /// Takes a row, after the point of its event.
    pub(super) fn row(
        &mut self,
        row: SetRow,
        point: &LabelPoint,
        out: &mut impl FnMut(FinishedRow),
    ) {
        let number = self.first + self.rows.len() as u64;
        // A late statement has an earlier time.
        let before = self.rows.back().map_or(i64::MIN, |held| held.at);
        let at = point.now.0.max(before);
        self.now = self.now.max(at);
        self.weights.row(at);
        self.labels
            .row(number, point, &row.cells, &mut self.resolutions);
        self.rows.push_back(Held {
            row,
            at,
            outcomes: vec![None; self.count].into(),
            open: self.count,
        });
        self.settle(out);
    }

    /// Passes on all rows that are held: the data end.
    pub(super) fn finish(mut self, mut out: impl FnMut(FinishedRow)) {
        for held in &mut self.rows {
            held.open = 0;
        }
        self.now = i64::MAX;
        self.close();
        self.pass_on(i64::MAX, &mut out);
    }

    /// How many rows are held.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    fn settle(&mut self, out: &mut impl FnMut(FinishedRow)) {
        if self.resolutions.is_empty() {
            return;
        }
        for resolution in self.resolutions.drain(..) {
            let held = &mut self.rows[(resolution.row - self.first) as usize];
            held.outcomes[resolution.label] = resolution.outcome;
            held.open -= 1;
        }
        let frontier = self.close();
        self.pass_on(frontier, out);
    }

    /// Closes the rows that have all their labels, as far as all before them have; the time before which all
    /// rows are closed.
    fn close(&mut self) -> i64 {
        while let Some(held) = self.rows.get(self.closed)
            && held.open == 0
        {
            if let Some(Some(outcome)) = held.outcomes.first() {
                self.weights.label(held.at, outcome.end.0.max(held.at));
            }
            self.closed += 1;
        }
        // Without one that is open, rows of this very time may still come.
        let frontier = self.rows.get(self.closed).map_or(self.now, |held| held.at);
        self.weights.pass(frontier);
        frontier
    }

    fn pass_on(&mut self, frontier: i64, out: &mut impl FnMut(FinishedRow)) {
        while self.closed > 0
            && let Some(held) = self.rows.front()
        {
            let end = held.outcomes.first().copied().flatten();
            let end = end.map(|outcome| outcome.end.0.max(held.at));
            if end.is_some_and(|end| end >= frontier) {
                break;
            }
            let weight = end.map_or(1.0, |end| self.weights.mean(held.at, end));
            let Some(held) = self.rows.pop_front() else {
                break;
            };
            (self.first, self.closed) = (self.first + 1, self.closed - 1);
            out(FinishedRow {
                row: held.row,
                outcomes: held.outcomes,
                weight,
            });
        }
        let needed = self.rows.front().map_or(frontier, |held| held.at);
        self.weights.forget(needed.min(frontier));
    }
}
