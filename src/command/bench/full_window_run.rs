//! Whole windows: by ONNX Runtime, and by our kernels.

use hdrhistogram::Histogram;

use super::tape::Tape;
use super::timing::{ProcessorTime, histogram, record};
use crate::clock;
use crate::model::onnx::Onnx;
use crate::model::slide::PackedNetwork;
use crate::model::slide::recurrent::packed::{PackedRecurrent, RecurrentScratch};
use crate::model::{Model, ModelError};

/// Whole windows by ONNX Runtime.
pub(super) struct FullWindowRun<'a> {
    pub(super) onnx: Onnx,
    pub(super) tape: &'a Tape,
    /// Scores of each window in turn.
    pub(super) scores: Vec<f64>,
    /// Scores of windows that were scored before, to measure with.
    repeated: Vec<f64>,
    pub(super) latency: Histogram<u64>,
    pub(super) cpu: ProcessorTime,
}

impl<'a> FullWindowRun<'a> {
    pub(super) fn new(onnx: Onnx, tape: &'a Tape) -> Self {
        Self {
            onnx,
            tape,
            scores: vec![],
            repeated: vec![],
            latency: histogram(),
            cpu: ProcessorTime::default(),
        }
    }

    /// Windows scored so far.
    pub(super) fn windows(&self) -> usize {
        self.scores.len() / self.onnx.outputs()
    }

    /// Windows whose scores are compared: not those across the border where a file repeats.
    pub(super) fn compared(&self) -> usize {
        let all = if self.tape.from_file {
            self.tape.windows()
        } else {
            usize::MAX
        };
        self.windows().min(all)
    }

    /// Scores the windows up to that of number `until`, then repeats windows until `least` were scored.
    pub(super) fn score_until(&mut self, until: usize, least: usize) -> Result<(), ModelError> {
        let from = self.windows();
        let again = least.saturating_sub(until - from);
        if from == until && again == 0 {
            return Ok(());
        }
        self.repeated.clear();
        self.onnx
            .score(self.tape.window(from), &mut self.repeated)?;
        let begin = clock::thread_cpu();
        for number in from..until {
            let begin = clock::instant();
            self.onnx
                .score(self.tape.window(number), &mut self.scores)?;
            record(&mut self.latency, begin.elapsed());
        }
        for number in (0..until).rev().cycle().take(again) {
            let begin = clock::instant();
            self.onnx
                .score(self.tape.window(number), &mut self.repeated)?;
            record(&mut self.latency, begin.elapsed());
        }
        let taken = clock::thread_cpu() - begin;
        self.cpu.add(taken, until - from + again);
        Ok(())
    }
}

/// Whole windows by our kernels; only recurrent networks have them.
pub(super) struct FreshWindowRun<'a> {
    network: Option<&'a PackedRecurrent>,
    tape: &'a Tape,
    rows: Vec<f32>,
    scratch: RecurrentScratch,
    scores: Vec<f64>,
    pub(super) latency: Histogram<u64>,
}

impl<'a> FreshWindowRun<'a> {
    pub(super) fn new(network: &'a PackedNetwork, tape: &'a Tape) -> Self {
        let network = match network {
            PackedNetwork::Recurrent(network) => Some(&**network),
            PackedNetwork::Convolution(_) => None,
        };
        Self {
            network,
            tape,
            rows: vec![0.0; tape.window(0).len()],
            scratch: RecurrentScratch::default(),
            scores: vec![],
            latency: histogram(),
        }
    }

    /// Scores the windows of these numbers.
    pub(super) fn score(&mut self, numbers: impl Iterator<Item = usize>) {
        self.scores.clear();
        let Some(network) = self.network else { return };
        for number in numbers {
            let begin = clock::instant();
            let features = self.tape.features();
            let rows = self.tape.window(number).chunks_exact(features);
            for (row, scaled) in rows.zip(self.rows.chunks_exact_mut(features)) {
                network.scale(row, scaled);
            }
            network.score_window(&self.rows, &mut self.scratch, &mut self.scores);
            record(&mut self.latency, begin.elapsed());
        }
    }
}
