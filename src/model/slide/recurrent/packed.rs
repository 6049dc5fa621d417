//! A recurrent network packed for the kernels: one step of all layers for several rows, whole windows, and
//! the dense layers of the head. Keeps no state; `windows` does.

pub use super::layer::RecurrentScratch;
use super::layer::{PackedLayer, StepBuffers, StepInputs};
use super::network::{RecurrentNetwork, ScaleStep};
use crate::model::kernel::{Aligned, InputRows, Isa};
use crate::model::slide::head;
use crate::model::slide::head::Head;

/// A network, packed for the instructions of this processor. Shared by all shards.
#[derive(Debug)]
pub struct PackedRecurrent {
    isa: Isa,
    features: usize,
    steps: usize,
    scale: Vec<(ScaleStep, Vec<f32>)>,
    layers: Vec<PackedLayer>,
    head: Head,
    outputs: usize,
}

/// Windows that lack only their last step. In every list, their numbers lie one after the other.
#[derive(Debug)]
pub struct LastSteps<'a> {
    /// How many.
    pub windows: usize,
    /// The last row of each, scaled.
    pub rows: &'a [f32],
    /// What [`PackedRecurrent::precompute`] gave for each, [`PackedRecurrent::recurrent_sums_len`] numbers.
    pub recurrent_sums: &'a [f32],
    /// What each carries, [`PackedRecurrent::state_len`] numbers; advanced in place.
    pub carry: &'a mut [f32],
    /// Where the new outputs of each go, [`PackedRecurrent::state_len`] numbers, if they are needed.
    pub outputs: Option<&'a mut [f32]>,
}

impl PackedRecurrent {
    /// Packs a network.
    #[must_use]
    pub fn new(network: &RecurrentNetwork, isa: Isa) -> Self {
        let (mut at, mut sums_at) = (0, 0);
        let mut layers = vec![];
        for layer in &network.layers {
            let layer = PackedLayer::new(layer, isa, at, sums_at);
            at += layer.padded;
            sums_at += layer.recurrent.width();
            layers.push(layer);
        }
        Self {
            isa,
            features: network.features,
            steps: network.steps,
            scale: network.scale.clone(),
            head: Head::new(&network.head, isa),
            layers,
            outputs: network.outputs(),
        }
    }

    /// Numbers in a row.
    #[must_use]
    pub fn features(&self) -> usize {
        self.features
    }

    /// Rows in a window.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// Numbers that a window gives.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// The instructions it was packed for.
    #[must_use]
    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// What happens to each feature of a row first.
    #[must_use]
    pub fn scaling(&self) -> &[(ScaleStep, Vec<f32>)] {
        &self.scale
    }

    /// Numbers in the outputs of all layers of one state; the carry has as many.
    #[must_use]
    pub fn state_len(&self) -> usize {
        self.layers.iter().map(|layer| layer.padded).sum()
    }

    /// Numbers in the recurrent sums of all layers of one state.
    #[must_use]
    pub fn recurrent_sums_len(&self) -> usize {
        self.layers
            .iter()
            .map(|layer| layer.recurrent.width())
            .sum()
    }

    /// Units of each layer.
    #[must_use]
    pub(super) fn layer_units(&self) -> Vec<usize> {
        self.layers.iter().map(|layer| layer.units).collect()
    }

    /// Bytes of weights that a step reads, without the input weights of the first layer.
    #[must_use]
    pub fn step_bytes(&self) -> usize {
        let cells = |layer: &PackedLayer| layer.units * layer.step_kind.gates() * 2 * layer.units;
        4 * self.layers.iter().map(cells).sum::<usize>()
    }

    /// Reads the input weights of all layers, which a step reads at least. Returns their sum.
    #[must_use]
    pub fn read_input_weights(&self) -> f32 {
        let read = |layer: &PackedLayer| {
            let candidate = layer.candidate.as_ref().map_or(0.0, |(w, _)| w.read());
            layer.input.read() + candidate
        };
        self.layers.iter().map(read).sum()
    }

    /// Writes a row as the first layer takes it: rounded to f32 and scaled.
    pub fn scale(&self, row: &[f64], scaled: &mut [f32]) {
        head::scale(&self.scale, row, scaled);
    }

    /// Writes the state before the first step to `h` and `carry`, [`Self::state_len`] numbers each.
    pub fn start(&self, h: &mut [f32], carry: &mut [f32]) {
        for layer in &self.layers {
            let range = layer.at..layer.at + layer.padded;
            h[range.clone()].copy_from_slice(&layer.start_h);
            carry[range].copy_from_slice(&layer.start_c);
        }
    }

    /// Computes the input sums of the first layer for one scaled row, the same for all windows, in `scratch`
    /// for [`PackedRecurrent::advance`].
    pub fn project(&self, row: &[f32], scratch: &mut RecurrentScratch) {
        let Some(layer) = self.layers.first() else {
            return;
        };
        let rows = InputRows {
            cells: row,
            at: &[0],
        };
        let width = layer.input.width();
        let more = layer.candidate.as_ref().map_or(0, |(w, _)| w.width());
        scratch.input_sums.resize(width + more, 0.0);
        layer.input.sums(rows, &mut scratch.input_sums[..width]);
        if let Some((candidate, _)) = &layer.candidate {
            candidate.sums(rows, &mut scratch.input_sums[width..]);
        }
    }

    /// Advances several states by the row that was given to [`Self::project`]. The numbers of state `i`
    /// begin at `places[i]`, in `h` and in `carry`.
    pub fn advance(
        &self,
        places: &[usize],
        h: &mut [f32],
        carry: &mut [f32],
        scratch: &mut RecurrentScratch,
    ) {
        for (number, layer) in self.layers.iter().enumerate() {
            let inputs = number
                .checked_sub(1)
                .map(|before| self.layers[before].padded);
            scratch.prepare_advance(layer, places, inputs);
            let RecurrentScratch {
                out,
                before,
                update_gate,
                reset,
                input_sums,
                at,
                ..
            } = scratch;
            let parts = StepInputs {
                recurrent_sums: None,
                h: InputRows {
                    cells: h,
                    at: &at.state,
                },
                input_sums: inputs.is_none().then_some(InputRows {
                    cells: input_sums,
                    at: &at.zero,
                }),
                x: InputRows {
                    cells: before,
                    at: &at.input,
                },
            };
            let buffers = StepBuffers {
                carry: &mut *carry,
                carry_at: &at.state,
                own: &at.own,
                update_gate,
                reset,
                out,
            };
            layer.step(self.isa, &parts, buffers);
            for (out, at) in out.chunks_exact(layer.padded).zip(&at.state) {
                h[*at..*at + layer.padded].copy_from_slice(out);
            }
            std::mem::swap(&mut scratch.out, &mut scratch.before);
        }
    }

    /// Computes b + Σ R·h of all layers of one state: the part of its next step that does not depend on the
    /// row.
    pub fn precompute(&self, h: &[f32], sums: &mut [f32]) {
        for layer in &self.layers {
            let width = layer.recurrent.width();
            let rows = InputRows {
                cells: h,
                at: &[layer.at],
            };
            layer
                .recurrent
                .sums(rows, &mut sums[layer.sums_at..layer.sums_at + width]);
        }
    }

    /// Computes the last steps of some windows together. Appends the scores of each.
    pub fn complete(
        &self,
        last: LastSteps<'_>,
        scratch: &mut RecurrentScratch,
        scores: &mut Vec<f64>,
    ) {
        let LastSteps {
            windows,
            rows,
            recurrent_sums,
            carry,
            mut outputs,
        } = last;
        let (state, sums) = (self.state_len(), self.recurrent_sums_len());
        for (number, layer) in self.layers.iter().enumerate() {
            let inputs = number
                .checked_sub(1)
                .map_or(self.features, |before| self.layers[before].padded);
            scratch.prepare_last_steps(layer, windows, state, inputs, sums);
            let RecurrentScratch {
                out,
                before,
                update_gate,
                reset,
                at,
                ..
            } = scratch;
            let parts = StepInputs {
                recurrent_sums: Some(InputRows {
                    cells: &recurrent_sums[layer.sums_at..],
                    at: &at.zero,
                }),
                h: InputRows {
                    cells: &[],
                    at: &[],
                },
                input_sums: None,
                x: InputRows {
                    cells: if number == 0 { rows } else { before },
                    at: &at.input,
                },
            };
            let buffers = StepBuffers {
                carry: &mut *carry,
                carry_at: &at.state,
                own: &at.own,
                update_gate,
                reset,
                out,
            };
            layer.step(self.isa, &parts, buffers);
            if let Some(outputs) = outputs.as_deref_mut() {
                for (out, at) in out.chunks_exact(layer.padded).zip(&at.state) {
                    outputs[*at..*at + layer.padded].copy_from_slice(out);
                }
            }
            std::mem::swap(&mut scratch.out, &mut scratch.before);
        }
        let last = std::mem::take(&mut scratch.before);
        let padded = self.layers.last().map_or(1, |layer| layer.padded);
        for h in last.chunks_exact(padded).take(windows) {
            self.head(h, &mut scratch.dense, scores);
        }
        scratch.before = last;
    }

    /// Scores one whole window of scaled rows, step by step, with the same bits: the reference of the tests,
    /// and for windows that are not in flight.
    pub fn score_window(
        &self,
        rows: &[f32],
        scratch: &mut RecurrentScratch,
        scores: &mut Vec<f64>,
    ) {
        let (mut h, mut carry) = (
            Aligned::zeros(self.state_len()),
            Aligned::zeros(self.state_len()),
        );
        let mut recurrent_sums = Aligned::zeros(self.recurrent_sums_len());
        self.start(&mut h, &mut carry);
        let (before, last) = rows.split_at(rows.len() - self.features);
        for row in before.chunks_exact(self.features) {
            self.project(row, scratch);
            self.advance(&[0], &mut h, &mut carry, scratch);
        }
        self.precompute(&h, &mut recurrent_sums);
        let last = LastSteps {
            windows: 1,
            rows: last,
            recurrent_sums: &recurrent_sums,
            carry: &mut carry,
            outputs: None,
        };
        self.complete(last, scratch, scores);
    }

    /// Appends the scores of a state, from its outputs.
    pub fn score_outputs(&self, h: &[f32], scratch: &mut RecurrentScratch, scores: &mut Vec<f64>) {
        if let Some(layer) = self.layers.last() {
            self.head(&h[layer.at..], &mut scratch.dense, scores);
        }
    }

    fn head(&self, h: &[f32], room: &mut [Vec<f32>; 2], scores: &mut Vec<f64>) {
        let units = self.layers.last().map_or(0, |layer| layer.units);
        self.head.score(&h[..units], room, scores);
    }
}
