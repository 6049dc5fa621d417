//! Windows that slide, by our kernels: latency, deferred work and processor time of each row.

use std::hint::black_box;

use hdrhistogram::Histogram;

use super::tape::Tape;
use super::timing::{ProcessorTime, histogram, record};
use super::turns::Turns;
use crate::clock;
use crate::model::slide::request::WindowRequest;
use crate::model::slide::state::SlideStateTable;
use crate::model::slide::{PackedNetwork, SlidingWindows};
use crate::model::strategy::difference;

/// Instruments take rows in random order: for each row a step, and then its deferred steps.
pub(super) struct SlidingRun<'a> {
    network: &'a PackedNetwork,
    windows: SlidingWindows,
    states: SlideStateTable,
    tape: &'a Tape,
    pub(super) turns: Turns,
    /// Scores of the newest row.
    newest: Vec<f64>,
    /// Scores of each window in turn, by the instrument that completes it first.
    pub(super) scores: Vec<f64>,
    /// Largest difference of another instrument's scores from these.
    pub(super) max_rel_diff: f64,
    pub(super) critical: Histogram<u64>,
    pub(super) deferred: Histogram<u64>,
    pub(super) floor: Histogram<u64>,
    pub(super) cpu: ProcessorTime,
}

impl<'a> SlidingRun<'a> {
    pub(super) fn new(
        network: &'a PackedNetwork,
        windows: SlidingWindows,
        tape: &'a Tape,
        instruments: usize,
    ) -> Self {
        Self {
            network,
            windows,
            states: SlideStateTable::new(),
            tape,
            turns: Turns::new(instruments),
            newest: vec![],
            scores: vec![],
            max_rel_diff: 0.0,
            critical: histogram(),
            deferred: histogram(),
            floor: histogram(),
            cpu: ProcessorTime::default(),
        }
    }

    /// Windows scored so far.
    pub(super) fn windows_scored(&self) -> usize {
        self.scores.len() / self.network.outputs()
    }

    /// Takes one row of one instrument, without measuring.
    pub(super) fn tick(&mut self) {
        let (key, row) = self.turns.next();
        let request = self.request(key, row);
        let cells = self.tape.row(row);
        self.windows
            .step(&mut self.states, &[request], cells, &mut self.newest);
        self.windows.run_deferred_work(&mut self.states, || false);
        self.keep(row);
    }

    fn request(&self, key: usize, row: u64) -> WindowRequest {
        let due = self.tape.is_due(row);
        WindowRequest::Row { key, due }
    }

    /// Takes so many rows and times each by itself. In half of the turns the floor is read instead of a
    /// step: right after one another, each would find its weights in the cache.
    pub(super) fn latencies(&mut self, ticks: usize) {
        self.tick();
        for _ in 0..ticks {
            if self.turns.below(2) == 0 {
                let begin = clock::instant();
                black_box(black_box(self.network).read_weights());
                record(&mut self.floor, begin.elapsed());
                self.tick();
                continue;
            }
            let (key, row) = self.turns.next();
            let (request, cells) = (self.request(key, row), self.tape.row(row));
            let begin = clock::instant();
            self.windows
                .step(&mut self.states, &[request], cells, &mut self.newest);
            let scored = clock::instant();
            self.windows.run_deferred_work(&mut self.states, || false);
            let done = clock::instant();
            if self.tape.is_due(row) {
                record(&mut self.critical, scored - begin);
            }
            record(&mut self.deferred, done - scored);
            self.keep(row);
        }
    }

    /// Takes so many rows and measures the processor time of all of them.
    pub(super) fn processor(&mut self, ticks: usize) {
        self.tick();
        let begin = clock::thread_cpu();
        for _ in 0..ticks {
            self.tick();
        }
        self.cpu.add(clock::thread_cpu() - begin, ticks);
    }

    /// Keeps the scores of the instrument that takes a row first; compares those of the others with them.
    fn keep(&mut self, row: u64) {
        if self.newest.is_empty() {
            return;
        }
        let at = self.tape.window_number(row) * self.newest.len();
        match self.scores.get(at..at + self.newest.len()) {
            Some(first) => {
                self.max_rel_diff = self.max_rel_diff.max(difference(&self.newest, first))
            }
            None => self.scores.extend_from_slice(&self.newest),
        }
        self.newest.clear();
    }

    /// Bytes of state per instrument.
    pub(super) fn bytes_per_instrument(&self) -> usize {
        self.windows.bytes_per_key()
    }
}
