//! One recurrent layer, packed, and the buffers of its steps.

use super::network;
use crate::model::kernel::{GateSum, InputRows, Isa, LayerStep, PackedWeights, StepKind};

/// A layer, packed for the kernels.
#[derive(Debug)]
pub(super) struct PackedLayer {
    pub(super) step_kind: StepKind,
    pub(super) units: usize,
    /// Units, padded to whole registers.
    pub(super) padded: usize,
    /// Where its units begin in a state.
    pub(super) at: usize,
    /// Where its sums begin in the precomputed recurrent sums.
    pub(super) sums_at: usize,
    pub(super) input: PackedWeights,
    pub(super) recurrent: PackedWeights,
    /// For a GRU whose reset gate acts on h: input and recurrent weights of gate h, computed after the
    /// others.
    pub(super) candidate: Option<(PackedWeights, PackedWeights)>,
    pub(super) start_h: Vec<f32>,
    pub(super) start_c: Vec<f32>,
}

/// The operands of a step.
pub(super) struct StepInputs<'a> {
    /// The recurrent sums, where they were precomputed; otherwise they are computed from `h`.
    pub(super) recurrent_sums: Option<InputRows<'a>>,
    pub(super) h: InputRows<'a>,
    /// The input sums, where they were precomputed; otherwise they are computed from `x`.
    pub(super) input_sums: Option<InputRows<'a>>,
    pub(super) x: InputRows<'a>,
}

/// The state and the buffers that a step writes.
pub(super) struct StepBuffers<'a> {
    pub(super) carry: &'a mut [f32],
    pub(super) carry_at: &'a [usize],
    pub(super) own: &'a [usize],
    pub(super) update_gate: &'a mut [f32],
    pub(super) reset: &'a mut [f32],
    pub(super) out: &'a mut [f32],
}

impl PackedLayer {
    pub(super) fn new(
        layer: &network::RecurrentLayer,
        isa: Isa,
        at: usize,
        sums_at: usize,
    ) -> Self {
        let (units, inputs, gates) = (layer.units, layer.inputs, layer.cell.gates());
        // The kernels take logistic gates halved; the tanh gate is the last in both kinds of cells.
        let factor = |gate: usize| if gate + 1 == gates { 1.0 } else { 0.5 };
        let b = |side: usize, gate: usize, unit: usize| {
            factor(gate) * layer.b[(side * gates + gate) * units + unit]
        };
        let w = |gate: usize, unit: usize, k: usize| {
            factor(gate) * layer.w[(gate * units + unit) * inputs + k]
        };
        let r = |gate: usize, unit: usize, k: usize| {
            factor(gate) * layer.r[(gate * units + unit) * units + k]
        };
        let both = |gate, unit| b(0, gate, unit) + b(1, gate, unit);
        let pack = |gates,
                    inputs,
                    weight: &dyn Fn(usize, usize, usize) -> f32,
                    start: &dyn Fn(usize, usize) -> f32| {
            PackedWeights::pack(isa, [gates, units, inputs], weight, start)
        };
        let zero = |_, _| 0.0;
        let (step_kind, input, recurrent, candidate) = match layer.cell {
            network::CellKind::Lstm => (
                StepKind::Lstm,
                pack(4, inputs, &w, &zero),
                pack(4, units, &r, &both),
                None,
            ),
            network::CellKind::Gru { reset_after: true } => {
                // The two sums of gate h are not added: each has its own bias.
                let of_input = |gate, unit| if gate == 2 { b(0, 2, unit) } else { 0.0 };
                let of_h = |gate, unit| {
                    if gate == 2 {
                        b(1, 2, unit)
                    } else {
                        both(gate, unit)
                    }
                };
                (
                    StepKind::Gru,
                    pack(3, inputs, &w, &of_input),
                    pack(3, units, &r, &of_h),
                    None,
                )
            }
            network::CellKind::Gru { reset_after: false } => {
                let candidate = (
                    pack(1, inputs, &|_, unit, k| w(2, unit, k), &zero),
                    pack(1, units, &|_, unit, k| r(2, unit, k), &|_, unit| {
                        both(2, unit)
                    }),
                );
                (
                    StepKind::GruGates,
                    pack(2, inputs, &w, &zero),
                    pack(2, units, &r, &both),
                    Some(candidate),
                )
            }
        };
        let padded = isa.padded(units);
        let (mut start_h, mut start_c) = (vec![0.0; padded], vec![0.0; padded]);
        if let Some((h, c)) = &layer.start {
            start_h[..units].copy_from_slice(h);
            // A GRU carries its output.
            start_c[..units].copy_from_slice(if step_kind == StepKind::Lstm { c } else { h });
        }
        Self {
            step_kind,
            units,
            padded,
            at,
            sums_at,
            input,
            recurrent,
            candidate,
            start_h,
            start_c,
        }
    }

    #[inline]
    pub(super) fn step(&self, isa: Isa, parts: &StepInputs<'_>, buffers: StepBuffers<'_>) {
        let (kind, units) = (self.step_kind, self.units);
        let StepBuffers {
            carry,
            carry_at,
            own,
            update_gate,
            reset,
            out,
        } = buffers;
        let recurrent = parts.recurrent_sums.map_or(
            GateSum::Product(&self.recurrent, parts.h),
            GateSum::Precomputed,
        );
        let input = parts
            .input_sums
            .map_or(GateSum::Product(&self.input, parts.x), GateSum::Precomputed);
        let first = LayerStep {
            kind,
            units,
            recurrent,
            input,
            carry: &mut *carry,
            carry_at,
            update_gate: &mut *update_gate,
            out: &mut *reset,
        };
        let Some((candidate, candidate_h)) = &self.candidate else {
            return isa.step(LayerStep { out, ..first });
        };
        isa.step(first);
        let reset = InputRows {
            cells: reset,
            at: own,
        };
        let input = match parts.input_sums {
            None => GateSum::Product(candidate, parts.x),
            Some(rows) => GateSum::Precomputed(InputRows {
                cells: &rows.cells[self.input.width()..],
                at: rows.at,
            }),
        };
        isa.step(LayerStep {
            kind: StepKind::GruCandidate,
            units,
            recurrent: GateSum::Product(candidate_h, reset),
            input,
            carry,
            carry_at,
            update_gate,
            out,
        });
    }
}

/// Buffers for a step; one per thread.
#[derive(Debug, Default)]
pub struct RecurrentScratch {
    pub(super) out: Vec<f32>,
    pub(super) before: Vec<f32>,
    pub(super) update_gate: Vec<f32>,
    pub(super) reset: Vec<f32>,
    /// The input sums of one row.
    pub(super) input_sums: Vec<f32>,
    pub(super) at: RowStarts,
    pub(super) dense: [Vec<f32>; 2],
}

/// Where the rows of a step begin in its operands.
#[derive(Debug, Default)]
pub(super) struct RowStarts {
    pub(super) state: Vec<usize>,
    pub(super) input: Vec<usize>,
    pub(super) own: Vec<usize>,
    pub(super) zero: Vec<usize>,
}

impl RecurrentScratch {
    /// Sizes the buffers to advance states.
    pub(super) fn prepare_advance(
        &mut self,
        layer: &PackedLayer,
        places: &[usize],
        inputs: Option<usize>,
    ) {
        let at = &mut self.at;
        at.state.clear();
        at.state.extend(places.iter().map(|place| place + layer.at));
        at.zero.clear();
        at.zero.resize(places.len(), 0);
        at.input.clear();
        at.input
            .extend((0..places.len()).map(|row| row * inputs.unwrap_or(0)));
        self.resize(layer, places.len());
    }

    /// Sizes the buffers for last steps.
    pub(super) fn prepare_last_steps(
        &mut self,
        layer: &PackedLayer,
        windows: usize,
        state: usize,
        inputs: usize,
        recurrent_sums: usize,
    ) {
        let at = &mut self.at;
        let every = |list: &mut Vec<usize>, begin: usize, width: usize| {
            list.clear();
            list.extend((0..windows).map(|row| begin + row * width));
        };
        every(&mut at.state, layer.at, state);
        every(&mut at.zero, 0, recurrent_sums);
        every(&mut at.input, 0, inputs);
        self.resize(layer, windows);
    }

    fn resize(&mut self, layer: &PackedLayer, rows: usize) {
        let cells = rows * layer.padded;
        self.out.resize(cells, 0.0);
        if layer.candidate.is_some() {
            self.update_gate.resize(cells, 0.0);
            self.reset.resize(cells, 0.0);
            self.at.own.clear();
            self.at.own.extend((0..rows).map(|row| row * layer.padded));
        }
    }
}
