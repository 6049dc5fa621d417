//! One step of a recurrent layer for several rows.
//!
//! A gate is `(b + Σ R[k]·h[k]) + (Σ W[k]·x[k])`: two sums, each in ascending k, added last. So either sum
//! can be computed earlier, or once for many rows, and the gate has the same bits.

#![allow(
    clippy::needless_range_loop,
    reason = "indices of several arrays of registers at once; iterators would be functions of their own, \
              compiled without the wider registers where they are not inlined"
)]

use super::isa::Isa;
use super::lanes::{Job, Lanes};
use super::math::{sigmoid_near_one, tanh_parts};
use super::weights::{InputRows, PackedWeights, TileVisitor, for_each_tile, product};

/// One of the two sums of a gate.
#[derive(Clone, Copy, Debug)]
pub enum GateSum<'a> {
    /// Computed by the step, from the rows.
    Product(&'a PackedWeights, InputRows<'a>),
    /// Computed before, by [`PackedWeights::sums`].
    Precomputed(InputRows<'a>),
}

/// How gates become a new state. Weights and biases of logistic gates are packed halved, which rounds
/// nothing: the kernel computes σ(2x).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepKind {
    /// Gates i, o, f, c. `carry` is the cell state c.
    Lstm,
    /// Gates z, r, h, with the reset gate on R·h + b, so that the two sums of gate h are not added before.
    /// `carry` is h.
    Gru,
    /// Gates z, r of a GRU whose reset gate acts on h: writes r ⊙ h to `out`, and z to `update_gate`.
    /// `carry` is h and does not change.
    GruGates,
    /// Gate h of such a GRU, with the recurrent sum over r ⊙ h; reads z from `update_gate`. `carry` is h.
    GruCandidate,
}

/// One step of a layer for several rows.
#[derive(Debug)]
pub struct LayerStep<'a> {
    /// How its gates become a state.
    pub kind: StepKind,
    /// Units of the layer.
    pub units: usize,
    /// b + Σ R·h.
    pub recurrent: GateSum<'a>,
    /// Σ W·x.
    pub input: GateSum<'a>,
    /// The state that each row carries to its next step; changed in place.
    pub carry: &'a mut [f32],
    /// Where that of each row begins.
    pub carry_at: &'a [usize],
    /// The update gate z of each row, [`Isa::padded`] numbers; see [`StepKind`].
    pub update_gate: &'a mut [f32],
    /// The new outputs, in the same layout.
    pub out: &'a mut [f32],
}

impl Isa {
    /// Steps a layer.
    ///
    /// # Panics
    /// Where rows, weights and places do not fit.
    #[inline]
    pub fn step(self, step: LayerStep<'_>) {
        step.check(self);
        self.run(step);
    }
}

impl LayerStep<'_> {
    #[inline]
    fn check(&self, isa: Isa) {
        let (rows, padded) = (self.carry_at.len(), isa.padded(self.units));
        for half in [&self.recurrent, &self.input] {
            let given = match half {
                GateSum::Product(panels, given) => {
                    assert!(panels.isa == isa && panels.gates == self.kind.gates());
                    assert_eq!(panels.units(), self.units, "weights of other units");
                    given.check(panels.inputs);
                    given
                }
                GateSum::Precomputed(given) => {
                    given.check(self.kind.gates() * padded);
                    given
                }
            };
            assert_eq!(given.at.len(), rows, "as many rows in every part");
        }
        let carry = InputRows {
            cells: self.carry,
            at: self.carry_at,
        };
        carry.check(padded);
        assert_eq!(self.out.len(), rows * padded, "room for the outputs");
        if matches!(self.kind, StepKind::GruGates | StepKind::GruCandidate) {
            assert_eq!(self.update_gate.len(), rows * padded, "room for z");
        }
    }
}

impl StepKind {
    /// Gates that a step of it sums.
    #[must_use]
    pub fn gates(self) -> usize {
        match self {
            Self::Lstm => 4,
            Self::Gru => 3,
            Self::GruGates => 2,
            Self::GruCandidate => 1,
        }
    }
}

/// `MR` rows of one panel: `start + Σ weights[k] · row[k]`, or the sums as they are.
///
/// # Safety
/// `half` was checked for `G` gates of `L` lanes, and has the rows `row..row + MR` and `P` panels from
/// `panel` on.
#[inline(always)]
unsafe fn half<L: Lanes, const G: usize, const MR: usize, const P: usize>(
    half: &GateSum<'_>,
    panel: usize,
    row: usize,
) -> [[[L; G]; P]; MR] {
    match half {
        GateSum::Precomputed(rows) => {
            let mut known = [[[L::splat(0.0); G]; P]; MR];
            for (m, known) in known.iter_mut().enumerate() {
                for (p, known) in known.iter_mut().enumerate() {
                    for (g, known) in known.iter_mut().enumerate() {
                        let place = ((panel + p) * G + g) * L::LANES;
                        // SAFETY: the row has G · padded units numbers.
                        unsafe {
                            let begin = *rows.at.get_unchecked(row + m);
                            *known = L::load(rows.cells.as_ptr().add(begin + place));
                        }
                    }
                }
            }
            known
        }
        // SAFETY: handed on.
        GateSum::Product(panels, rows) => unsafe { product(panels, *rows, panel, row) },
    }
}

/// A step with the number of gates known when compiled.
struct LayerStepOf<'a, const G: usize>(LayerStep<'a>);

impl Job for LayerStep<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self) {
        let rows = self.carry_at.len();
        let panels = self.units.div_ceil(L::LANES);
        match self.kind {
            StepKind::Lstm => for_each_tile::<L, _, 4>(&mut LayerStepOf::<4>(self), panels, rows),
            StepKind::Gru => for_each_tile::<L, _, 3>(&mut LayerStepOf::<3>(self), panels, rows),
            StepKind::GruGates => {
                for_each_tile::<L, _, 2>(&mut LayerStepOf::<2>(self), panels, rows)
            }
            StepKind::GruCandidate => {
                for_each_tile::<L, _, 1>(&mut LayerStepOf::<1>(self), panels, rows)
            }
        }
    }
}

impl<L: Lanes, const G: usize> TileVisitor<L> for LayerStepOf<'_, G> {
    #[inline(always)]
    fn visit<const MR: usize, const P: usize>(&mut self, panel: usize, row: usize) {
        let step = &mut self.0;
        let padded = step.units.next_multiple_of(L::LANES);
        // SAFETY: `Isa::step` checked both halves; `for_each_tile` stays within panels and rows.
        let (recurrent, input) = unsafe {
            (
                half::<L, G, MR, P>(&step.recurrent, panel, row),
                half::<L, G, MR, P>(&step.input, panel, row),
            )
        };
        // Derive each pointer once; re-borrowing would invalidate the earlier ones.
        let (carry, update_gate, out) = (
            step.carry.as_mut_ptr(),
            step.update_gate.as_mut_ptr(),
            step.out.as_mut_ptr(),
        );
        let mut places = [[TilePlaces::NONE; P]; MR];
        for (m, places) in places.iter_mut().enumerate() {
            for (p, places) in places.iter_mut().enumerate() {
                let unit = (panel + p) * L::LANES;
                let place = (row + m) * padded + unit;
                // SAFETY: carry, update_gate and out have `padded` numbers for each row.
                *places = unsafe {
                    TilePlaces {
                        carry: carry.add(step.carry_at.get_unchecked(row + m) + unit),
                        update_gate: update_gate.wrapping_add(place),
                        out: out.add(place),
                    }
                };
            }
        }
        // SAFETY: the places are those of these rows and panels.
        unsafe { combine(&recurrent, &input, &places) };
    }
}

/// Where the numbers of one panel of one row are.
#[derive(Clone, Copy)]
struct TilePlaces {
    carry: *mut f32,
    update_gate: *mut f32,
    out: *mut f32,
}

impl TilePlaces {
    const NONE: Self = Self {
        carry: std::ptr::null_mut(),
        update_gate: std::ptr::null_mut(),
        out: std::ptr::null_mut(),
    };
}

/// Computes the new state from the gates. A logistic gate is half its sum (see [`StepKind`]), so with
/// tanh = p / q of it, σ = (q + p) / 2q: products of gates become one quotient.
///
/// # Safety
/// The places can be read and written, `L::LANES` numbers each; `update_gate` only for GRUs in two parts.
#[inline(always)]
unsafe fn combine<L: Lanes, const G: usize, const P: usize, const MR: usize>(
    recurrent: &[[[L; G]; P]; MR],
    input: &[[[L; G]; P]; MR],
    places: &[[TilePlaces; P]; MR],
) {
    let zero = L::splat(0.0);
    let (mut open, mut state) = ([[[zero; 2]; P]; MR], [[zero; P]; MR]);
    for m in 0..MR {
        for panel in 0..P {
            let (r, x, at) = (&recurrent[m][panel], &input[m][panel], places[m][panel]);
            let mut gate = *r;
            for g in 0..G {
                gate[g] = r[g].add(x[g]);
            }
            // SAFETY: the caller's.
            let carry = unsafe { L::load(at.carry) };
            state[m][panel] = match G {
                4 => {
                    let ([qi, qo, qc], [pi, po, pc]) = tanh_parts([gate[0], gate[1], gate[3]]);
                    open[m][panel] = [qo.add(qo), qo.add(po)];
                    let gain = qi.add(pi).mul(pc).div(qi.add(qi).mul(qc));
                    // The forget gates of a window are multiplied up: here every rounding counts.
                    sigmoid_near_one(gate[2]).mul_add(carry, gain)
                }
                3 => {
                    let ([q], [p]) = tanh_parts([gate[1]]);
                    let reset = q.add(p).div(q.add(q));
                    let ([q], [p]) = tanh_parts([reset.mul_add(r[2], x[2])]);
                    let new = p.div(q);
                    sigmoid_near_one(gate[0]).mul_add(carry.sub(new), new)
                }
                2 => {
                    let ([q], [p]) = tanh_parts([gate[1]]);
                    open[m][panel][0] = sigmoid_near_one(gate[0]);
                    q.add(p).mul(carry).div(q.add(q))
                }
                _ => {
                    // SAFETY: the caller's.
                    let z = unsafe { L::load(at.update_gate) };
                    let ([q], [p]) = tanh_parts([gate[0]]);
                    let new = p.div(q);
                    z.mul_add(carry.sub(new), new)
                }
            };
        }
    }
    for m in 0..MR {
        // SAFETY: the caller's, for all stores.
        unsafe {
            if G == 4 {
                let (q, p) = tanh_parts(state[m]);
                for i in 0..P {
                    let [divisor, dividend] = open[m][i];
                    state[m][i].store(places[m][i].carry);
                    let out = dividend.mul(p[i]).div(divisor.mul(q[i]));
                    out.store(places[m][i].out);
                }
                continue;
            }
            for i in 0..P {
                state[m][i].store(places[m][i].out);
                if G == 2 {
                    open[m][i][0].store(places[m][i].update_gate);
                } else {
                    state[m][i].store(places[m][i].carry);
                }
            }
        }
    }
}
