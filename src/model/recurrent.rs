//! A recurrent network packed for the kernels: one step of all layers for several rows, whole windows,
//! and the dense layers behind. Keeps no state of its own; `slide` does.

use super::ends::{self, Head};
use super::network::{self, Network, Scale};
use crate::kernel::{Aligned, Cell, Half, Isa, Panels, Rows, Step};

/// A network, packed for the instructions of this processor. Shared by all shards.
#[derive(Debug)]
pub struct Recurrent {
    isa: Isa,
    features: usize,
    steps: usize,
    scale: Vec<(Scale, Vec<f32>)>,
    layers: Vec<Layer>,
    head: Head,
    outputs: usize,
}

#[derive(Debug)]
struct Layer {
    cell: Cell,
    units: usize,
    padded: usize,
    /// Where its units begin in a state, and its sums in those known beforehand.
    at: usize,
    known_at: usize,
    input: Panels,
    recurrent: Panels,
    /// Of a GRU whose reset gate acts on h: gate h, which needs the others first.
    candidate: Option<(Panels, Panels)>,
    start_h: Vec<f32>,
    start_c: Vec<f32>,
}

/// Buffers for a step; one a thread.
#[derive(Debug, Default)]
pub struct Scratch {
    out: Vec<f32>,
    before: Vec<f32>,
    beside: Vec<f32>,
    reset: Vec<f32>,
    known: Vec<f32>,
    at: Places,
    dense: [Vec<f32>; 2],
}

/// Where rows begin in the parts of a step.
#[derive(Debug, Default)]
struct Places {
    state: Vec<usize>,
    input: Vec<usize>,
    own: Vec<usize>,
    zero: Vec<usize>,
}

impl Recurrent {
    /// Packs a network.
    #[must_use]
    pub fn new(network: &Network, isa: Isa) -> Self {
        let (mut at, mut known_at) = (0, 0);
        let mut layers = vec![];
        for layer in &network.layers {
            let layer = Layer::new(layer, isa, at, known_at);
            at += layer.padded;
            known_at += layer.recurrent.width();
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

    /// Numbers in the outputs of all layers, and again in what they carry.
    #[must_use]
    pub fn state(&self) -> usize {
        self.layers.iter().map(|layer| layer.padded).sum()
    }

    /// Numbers in the recurrent sums of all layers.
    #[must_use]
    pub fn known(&self) -> usize {
        self.layers
            .iter()
            .map(|layer| layer.recurrent.width())
            .sum()
    }

    /// Bytes of weights that a step reads beside those of the first layer's input.
    #[must_use]
    pub fn step_bytes(&self) -> usize {
        let cells = |layer: &Layer| layer.units * layer.cell.gates() * 2 * layer.units;
        4 * self.layers.iter().map(cells).sum::<usize>()
    }

    /// Reads the input weights of all layers: the floor under a step.
    #[must_use]
    pub fn read_input_weights(&self) -> f32 {
        let read = |layer: &Layer| {
            let candidate = layer.candidate.as_ref().map_or(0.0, |(w, _)| w.read());
            layer.input.read() + candidate
        };
        self.layers.iter().map(read).sum()
    }

    /// A row as the first layer takes it: rounded to f32 and scaled.
    pub fn scale(&self, row: &[f64], scaled: &mut [f32]) {
        ends::scale(&self.scale, row, scaled);
    }

    /// The state before the first step, written to `h` and `carry` ([`Recurrent::state`] numbers each).
    pub fn start(&self, h: &mut [f32], carry: &mut [f32]) {
        for layer in &self.layers {
            let range = layer.at..layer.at + layer.padded;
            h[range.clone()].copy_from_slice(&layer.start_h);
            carry[range].copy_from_slice(&layer.start_c);
        }
    }

    /// The first layer's input sums of one scaled row, the same for all windows; kept in `scratch` for
    /// [`Recurrent::advance`].
    pub fn project(&self, row: &[f32], scratch: &mut Scratch) {
        let Some(layer) = self.layers.first() else {
            return;
        };
        let rows = Rows {
            cells: row,
            at: &[0],
        };
        let width = layer.input.width();
        let more = layer.candidate.as_ref().map_or(0, |(w, _)| w.width());
        scratch.known.resize(width + more, 0.0);
        layer.input.sums(rows, &mut scratch.known[..width]);
        if let Some((candidate, _)) = &layer.candidate {
            candidate.sums(rows, &mut scratch.known[width..]);
        }
    }

    /// Moves several states on by the row given to [`Recurrent::project`]. State `i` has its numbers from
    /// `places[i]` on, in `h` and in `carry`.
    pub fn advance(
        &self,
        places: &[usize],
        h: &mut [f32],
        carry: &mut [f32],
        scratch: &mut Scratch,
    ) {
        for (number, layer) in self.layers.iter().enumerate() {
            let inputs = number
                .checked_sub(1)
                .map(|before| self.layers[before].padded);
            scratch.prepare(layer, places, inputs);
            let Scratch {
                out,
                before,
                beside,
                reset,
                known,
                at,
                ..
            } = scratch;
            let parts = Parts {
                known: None,
                h: Rows {
                    cells: h,
                    at: &at.state,
                },
                projected: inputs.is_none().then_some(Rows {
                    cells: known,
                    at: &at.zero,
                }),
                x: Rows {
                    cells: before,
                    at: &at.input,
                },
            };
            let room = Room {
                carry: &mut *carry,
                carry_at: &at.state,
                own: &at.own,
                beside,
                reset,
                out,
            };
            layer.step(self.isa, &parts, room);
            for (out, at) in out.chunks_exact(layer.padded).zip(&at.state) {
                h[*at..*at + layer.padded].copy_from_slice(out);
            }
            std::mem::swap(&mut scratch.out, &mut scratch.before);
        }
    }

    /// b + Σ R·h of all layers of one state: what its next step needs that does not depend on the row.
    pub fn foresee(&self, h: &[f32], known: &mut [f32]) {
        for layer in &self.layers {
            let width = layer.recurrent.width();
            let rows = Rows {
                cells: h,
                at: &[layer.at],
            };
            layer
                .recurrent
                .sums(rows, &mut known[layer.known_at..layer.known_at + width]);
        }
    }

    /// The last step of several windows, each by a row of its own, from sums known beforehand. Window `i`
    /// has its numbers from `i · known()` on in `known`, from `i · state()` on in `carry`, its row from
    /// `i · features()` on in `rows`. Appends the scores of each; with `keep`, also stores the new
    /// outputs there, from `i · state()` on.
    pub fn complete(
        &self,
        windows: usize,
        rows: &[f32],
        known: &[f32],
        carry: &mut [f32],
        mut keep: Option<&mut [f32]>,
        scratch: &mut Scratch,
        scores: &mut Vec<f64>,
    ) {
        let (state, sums) = (self.state(), self.known());
        for (number, layer) in self.layers.iter().enumerate() {
            let inputs = number
                .checked_sub(1)
                .map_or(self.features, |before| self.layers[before].padded);
            scratch.lay_out(layer, windows, state, inputs, sums);
            let Scratch {
                out,
                before,
                beside,
                reset,
                at,
                ..
            } = scratch;
            let parts = Parts {
                known: Some(Rows {
                    cells: &known[layer.known_at..],
                    at: &at.zero,
                }),
                h: Rows {
                    cells: &[],
                    at: &[],
                },
                projected: None,
                x: Rows {
                    cells: if number == 0 { rows } else { before },
                    at: &at.input,
                },
            };
            let room = Room {
                carry: &mut *carry,
                carry_at: &at.state,
                own: &at.own,
                beside,
                reset,
                out,
            };
            layer.step(self.isa, &parts, room);
            if let Some(keep) = keep.as_deref_mut() {
                for (out, at) in out.chunks_exact(layer.padded).zip(&at.state) {
                    keep[*at..*at + layer.padded].copy_from_slice(out);
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

    /// Scores one whole window of scaled rows, step by step: the slow twin, and the way for windows that
    /// are not in flight. The same bits.
    pub fn window(&self, rows: &[f32], scratch: &mut Scratch, scores: &mut Vec<f64>) {
        let (mut h, mut carry) = (Aligned::zeros(self.state()), Aligned::zeros(self.state()));
        let mut known = Aligned::zeros(self.known());
        self.start(&mut h, &mut carry);
        let (before, last) = rows.split_at(rows.len() - self.features);
        for row in before.chunks_exact(self.features) {
            self.project(row, scratch);
            self.advance(&[0], &mut h, &mut carry, scratch);
        }
        self.foresee(&h, &mut known);
        self.complete(1, last, &known, &mut carry, None, scratch, scores);
    }

    /// The scores of a state as it is.
    pub fn last(&self, h: &[f32], scratch: &mut Scratch, scores: &mut Vec<f64>) {
        if let Some(layer) = self.layers.last() {
            self.head(&h[layer.at..], &mut scratch.dense, scores);
        }
    }

    fn head(&self, h: &[f32], room: &mut [Vec<f32>; 2], scores: &mut Vec<f64>) {
        let units = self.layers.last().map_or(0, |layer| layer.units);
        self.head.score(&h[..units], room, scores);
    }
}

/// What the gates of a step are summed from: the known sums where given, else from h and x.
struct Parts<'a> {
    known: Option<Rows<'a>>,
    h: Rows<'a>,
    projected: Option<Rows<'a>>,
    x: Rows<'a>,
}

/// Where a step works.
struct Room<'a> {
    carry: &'a mut [f32],
    carry_at: &'a [usize],
    own: &'a [usize],
    beside: &'a mut [f32],
    reset: &'a mut [f32],
    out: &'a mut [f32],
}

impl Layer {
    fn new(layer: &network::Layer, isa: Isa, at: usize, known_at: usize) -> Self {
        let (units, inputs, gates) = (layer.units, layer.inputs, layer.cell.gates());
        // The kernels take logistic gates halved; the tanh gate is the last of either kind of cell.
        let share = |gate: usize| if gate + 1 == gates { 1.0 } else { 0.5 };
        let b = |side: usize, gate: usize, unit: usize| {
            share(gate) * layer.b[(side * gates + gate) * units + unit]
        };
        let w = |gate: usize, unit: usize, k: usize| {
            share(gate) * layer.w[(gate * units + unit) * inputs + k]
        };
        let r = |gate: usize, unit: usize, k: usize| {
            share(gate) * layer.r[(gate * units + unit) * units + k]
        };
        let both = |gate, unit| b(0, gate, unit) + b(1, gate, unit);
        let pack = |gates,
                    inputs,
                    weight: &dyn Fn(usize, usize, usize) -> f32,
                    start: &dyn Fn(usize, usize) -> f32| {
            Panels::pack(isa, [gates, units, inputs], weight, start)
        };
        let zero = |_, _| 0.0;
        let (cell, input, recurrent, candidate) = match layer.cell {
            network::Cell::Lstm => (
                Cell::Lstm,
                pack(4, inputs, &w, &zero),
                pack(4, units, &r, &both),
                None,
            ),
            network::Cell::Gru { reset_after: true } => {
                // The two sums of gate h are not added but apart: each has its own bias.
                let of_input = |gate, unit| if gate == 2 { b(0, 2, unit) } else { 0.0 };
                let of_h = |gate, unit| {
                    if gate == 2 {
                        b(1, 2, unit)
                    } else {
                        both(gate, unit)
                    }
                };
                (
                    Cell::Gru,
                    pack(3, inputs, &w, &of_input),
                    pack(3, units, &r, &of_h),
                    None,
                )
            }
            network::Cell::Gru { reset_after: false } => {
                let candidate = (
                    pack(1, inputs, &|_, unit, k| w(2, unit, k), &zero),
                    pack(1, units, &|_, unit, k| r(2, unit, k), &|_, unit| {
                        both(2, unit)
                    }),
                );
                (
                    Cell::GruGates,
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
            start_c[..units].copy_from_slice(if cell == Cell::Lstm { c } else { h });
        }
        Self {
            cell,
            units,
            padded,
            at,
            known_at,
            input,
            recurrent,
            candidate,
            start_h,
            start_c,
        }
    }

    fn step(&self, isa: Isa, parts: &Parts<'_>, room: Room<'_>) {
        let (cell, units) = (self.cell, self.units);
        let Room {
            carry,
            carry_at,
            own,
            beside,
            reset,
            out,
        } = room;
        let recurrent = parts
            .known
            .map_or(Half::Product(&self.recurrent, parts.h), Half::Known);
        let input = parts
            .projected
            .map_or(Half::Product(&self.input, parts.x), Half::Known);
        let first = Step {
            cell,
            units,
            recurrent,
            input,
            carry: &mut *carry,
            carry_at,
            beside: &mut *beside,
            out: &mut *reset,
        };
        let Some((candidate, candidate_h)) = &self.candidate else {
            return isa.step(Step { out, ..first });
        };
        isa.step(first);
        let reset = Rows {
            cells: reset,
            at: own,
        };
        let input = match parts.projected {
            None => Half::Product(candidate, parts.x),
            Some(rows) => Half::Known(Rows {
                cells: &rows.cells[self.input.width()..],
                at: rows.at,
            }),
        };
        isa.step(Step {
            cell: Cell::GruCandidate,
            units,
            recurrent: Half::Product(candidate_h, reset),
            input,
            carry,
            carry_at,
            beside,
            out,
        });
    }
}

impl Scratch {
    /// Buffers and places for moving states on.
    fn prepare(&mut self, layer: &Layer, places: &[usize], inputs: Option<usize>) {
        let at = &mut self.at;
        at.state.clear();
        at.state.extend(places.iter().map(|place| place + layer.at));
        at.zero.clear();
        at.zero.resize(places.len(), 0);
        at.input.clear();
        at.input
            .extend((0..places.len()).map(|row| row * inputs.unwrap_or(0)));
        self.room(layer, places.len());
    }

    /// Buffers and places for last steps.
    fn lay_out(
        &mut self,
        layer: &Layer,
        windows: usize,
        state: usize,
        inputs: usize,
        known: usize,
    ) {
        let at = &mut self.at;
        let every = |list: &mut Vec<usize>, begin: usize, width: usize| {
            list.clear();
            list.extend((0..windows).map(|row| begin + row * width));
        };
        every(&mut at.state, layer.at, state);
        every(&mut at.zero, 0, known);
        every(&mut at.input, 0, inputs);
        self.room(layer, windows);
    }

    fn room(&mut self, layer: &Layer, rows: usize) {
        let cells = rows * layer.padded;
        self.out.resize(cells, 0.0);
        if layer.candidate.is_some() {
            self.beside.resize(cells, 0.0);
            self.reset.resize(cells, 0.0);
            self.at.own.clear();
            self.at.own.extend((0..rows).map(|row| row * layer.padded));
        }
    }
}
