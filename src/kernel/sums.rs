//! Sums over packed weights, and one step of a recurrent layer for several rows.
//!
//! A gate is `(b + Σ R[k]·h[k]) + (Σ W[k]·x[k])`: two sums, each in ascending k, added last. So either
//! half can be computed earlier, elsewhere or once for many rows, and the gate keeps its bits.

#![allow(
    clippy::needless_range_loop,
    reason = "indices of several arrays of registers at once; iterators would be functions of their own, \
              compiled without the wider registers where they are not inlined"
)]

use std::ops::{Deref, DerefMut};

use super::lanes::Lanes;
use super::math::tanh_parts;
use super::{Isa, Job};

/// Numbers that begin at a cache line.
#[derive(Debug)]
pub struct Aligned {
    cells: Vec<f32>,
    start: usize,
    len: usize,
}

/// Weights of one or more gates of some units, packed: units in panels as wide as a register, within a
/// panel by input, within that by gate. Beside them the number that each sum starts from.
#[derive(Debug)]
pub struct Panels {
    isa: Isa,
    gates: usize,
    units: usize,
    inputs: usize,
    start: Aligned,
    cells: Aligned,
}

/// Rows of numbers: row i begins at `cells[at[i]]`.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    /// The numbers.
    pub cells: &'a [f32],
    /// Where each row begins.
    pub at: &'a [usize],
}

/// One of the two sums of a gate.
#[derive(Clone, Copy, Debug)]
pub enum Half<'a> {
    /// To be computed from the rows.
    Product(&'a Panels, Rows<'a>),
    /// Computed by [`Panels::sums`] before.
    Known(Rows<'a>),
}

/// How gates become a new state. The sums of logistic gates are wanted halved: a power of two, by which
/// weights and biases are multiplied when packed, without a rounding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Gates i, o, f, c. `carry` is c.
    Lstm,
    /// Gates z, r, h with the reset gate on R·h + b, which is why the two sums of h are apart. `carry` is
    /// h.
    Gru,
    /// Gates z, r of a GRU whose reset gate acts on h: gives r ⊙ h, and z to `beside`. `carry` is h and
    /// stays.
    GruGates,
    /// Gate h of such a GRU, its recurrent sum being over r ⊙ h; takes z from `beside`. `carry` is h.
    GruCandidate,
}

/// One step of a layer for several rows.
#[derive(Debug)]
pub struct Step<'a> {
    /// What the gates mean.
    pub cell: Cell,
    /// Units of the layer.
    pub units: usize,
    /// b + Σ R·h.
    pub recurrent: Half<'a>,
    /// Σ W·x.
    pub input: Half<'a>,
    /// What each row carries to its next step; changed in place.
    pub carry: &'a mut [f32],
    /// Where each row's begins.
    pub carry_at: &'a [usize],
    /// One row behind the other, each [`Isa::padded`] wide: see [`Cell`].
    pub beside: &'a mut [f32],
    /// The new outputs, in the same layout.
    pub out: &'a mut [f32],
}

/// y = start + Σ W·x of one row, in four sums over k mod 4, added in pairs: a short chain for few outputs.
#[derive(Debug)]
pub struct Dense<'a> {
    /// One gate.
    pub weights: &'a Panels,
    /// The row.
    pub input: &'a [f32],
    /// [`Isa::padded`] numbers.
    pub out: &'a mut [f32],
}

impl Aligned {
    /// So many zeros.
    #[must_use]
    pub fn zeros(len: usize) -> Self {
        let cells = vec![0.0_f32; len + 15];
        let start = cells.as_ptr().align_offset(64).min(15);
        Self { cells, start, len }
    }
}

impl Deref for Aligned {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.cells[self.start..self.start + self.len]
    }
}

impl DerefMut for Aligned {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.cells[self.start..self.start + self.len]
    }
}

impl Isa {
    /// Units rounded up to whole registers.
    #[must_use]
    pub fn padded(self, units: usize) -> usize {
        units.next_multiple_of(self.lanes())
    }

    /// Steps a layer.
    ///
    /// # Panics
    /// Where rows, weights and places do not fit together.
    #[inline]
    pub fn step(self, step: Step<'_>) {
        step.check(self);
        self.run(step);
    }

    /// Computes a dense layer for one row.
    ///
    /// # Panics
    /// Where row and weights do not fit together.
    pub fn dense(self, dense: Dense<'_>) {
        let weights = dense.weights;
        assert!(weights.isa == self && weights.gates == 1 && dense.input.len() == weights.inputs);
        assert_eq!(dense.out.len(), self.padded(weights.units));
        self.run(dense);
    }
}

impl Panels {
    /// Packs `weights[gate][unit][input]` and `start[gate][unit]`, each given by a function.
    #[must_use]
    pub fn pack(
        isa: Isa,
        [gates, units, inputs]: [usize; 3],
        weight: impl Fn(usize, usize, usize) -> f32,
        start: impl Fn(usize, usize) -> f32,
    ) -> Self {
        let lanes = isa.lanes();
        let padded = isa.padded(units);
        let mut starts = Aligned::zeros(gates * padded);
        let mut cells = Aligned::zeros(gates * padded * inputs);
        for unit in 0..units {
            let (panel, lane) = (unit / lanes, unit % lanes);
            for gate in 0..gates {
                let place = (panel * gates + gate) * lanes + lane;
                starts[place] = start(gate, unit);
                for input in 0..inputs {
                    let place = ((panel * inputs + input) * gates + gate) * lanes + lane;
                    cells[place] = weight(gate, unit, input);
                }
            }
        }
        Self {
            isa,
            gates,
            units,
            inputs,
            start: starts,
            cells,
        }
    }

    /// Units, without those that fill the last register.
    #[must_use]
    pub fn units(&self) -> usize {
        self.units
    }

    /// Numbers that [`Panels::sums`] gives a row.
    #[must_use]
    pub fn width(&self) -> usize {
        self.gates * self.isa.padded(self.units)
    }

    /// Start + Σ weights · row for each row, written one behind the other in the layout of
    /// [`Half::Known`].
    ///
    /// # Panics
    /// Where rows and weights do not fit together.
    pub fn sums(&self, rows: Rows<'_>, out: &mut [f32]) {
        rows.check(self.inputs);
        assert_eq!(out.len(), self.width() * rows.at.len(), "room for the sums");
        self.isa.run(Sums {
            panels: self,
            rows,
            out,
        });
    }

    /// Reads all weights once and adds them up: the least that a step costs in memory traffic.
    #[must_use]
    pub fn read(&self) -> f32 {
        self.isa.run(Read(self))
    }
}

impl Rows<'_> {
    fn check(&self, width: usize) {
        let last = self.cells.len().checked_sub(width);
        assert!(
            self.at
                .iter()
                .all(|&at| last.is_some_and(|last| at <= last)),
            "a row reaches beyond its cells"
        );
    }
}

impl Step<'_> {
    #[inline]
    fn check(&self, isa: Isa) {
        let (rows, padded) = (self.carry_at.len(), isa.padded(self.units));
        for half in [&self.recurrent, &self.input] {
            let given = match half {
                Half::Product(panels, given) => {
                    assert!(panels.isa == isa && panels.gates == self.cell.gates());
                    assert_eq!(panels.units, self.units, "weights of other units");
                    given.check(panels.inputs);
                    given
                }
                Half::Known(given) => {
                    given.check(self.cell.gates() * padded);
                    given
                }
            };
            assert_eq!(given.at.len(), rows, "as many rows in every part");
        }
        let carry = Rows {
            cells: self.carry,
            at: self.carry_at,
        };
        carry.check(padded);
        assert_eq!(self.out.len(), rows * padded, "room for the outputs");
        if matches!(self.cell, Cell::GruGates | Cell::GruCandidate) {
            assert_eq!(self.beside.len(), rows * padded, "room for z");
        }
    }
}

impl Cell {
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
    half: &Half<'_>,
    panel: usize,
    row: usize,
) -> [[[L; G]; P]; MR] {
    match half {
        Half::Known(rows) => {
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
        Half::Product(panels, rows) => unsafe { product(panels, *rows, panel, row) },
    }
}

/// # Safety
/// As [`half`].
#[inline(always)]
unsafe fn product<L: Lanes, const G: usize, const MR: usize, const P: usize>(
    panels: &Panels,
    rows: Rows<'_>,
    panel: usize,
    row: usize,
) -> [[[L; G]; P]; MR] {
    let long = panels.inputs * G * L::LANES;
    let mut sums = [[[L::splat(0.0); G]; P]; MR];
    // SAFETY: panel, rows and inputs lie within what was checked; a panel is `long` numbers.
    unsafe {
        let starts = panels.start.as_ptr().add(panel * G * L::LANES);
        for sums in &mut sums {
            for (p, sums) in sums.iter_mut().enumerate() {
                for (g, sum) in sums.iter_mut().enumerate() {
                    *sum = L::load(starts.add((p * G + g) * L::LANES));
                }
            }
        }
        let weights = panels.cells.as_ptr().add(panel * long);
        let mut inputs = [rows.cells.as_ptr(); MR];
        for (m, input) in inputs.iter_mut().enumerate() {
            *input = input.add(*rows.at.get_unchecked(row + m));
        }
        // One row: four products a turn, else a third of the instructions would be the loop's own.
        let turns = if MR == 1 { panels.inputs / 4 } else { 0 };
        for turn in 0..turns {
            for k in 4 * turn..4 * turn + 4 {
                let input = L::splat(*inputs[0].add(k));
                for p in 0..P {
                    for g in 0..G {
                        let weight = L::load(weights.add(p * long + (k * G + g) * L::LANES));
                        sums[0][p][g] = input.mul_add(weight, sums[0][p][g]);
                    }
                }
            }
        }
        for k in 4 * turns..panels.inputs {
            let mut input = [L::splat(0.0); MR];
            for m in 0..MR {
                input[m] = L::splat(*inputs[m].add(k));
            }
            for p in 0..P {
                for g in 0..G {
                    let weight = L::load(weights.add(p * long + (k * G + g) * L::LANES));
                    for m in 0..MR {
                        sums[m][p][g] = input[m].mul_add(weight, sums[m][p][g]);
                    }
                }
            }
        }
    }
    sums
}

/// Walks panels and, within a panel, rows: as many at once as the registers hold. `visit` gets the first
/// row and the panel; its constants say how many rows and panels.
trait Visit<L: Lanes> {
    fn visit<const MR: usize, const P: usize>(&mut self, panel: usize, row: usize);
}

#[inline(always)]
fn walk<L: Lanes, V: Visit<L>, const G: usize>(visit: &mut V, panels: usize, rows: usize) {
    if rows == 1 {
        // Two panels side by side hide the latency of the multiply-add.
        for panel in (0..panels / 2).map(|pair| 2 * pair) {
            visit.visit::<1, 2>(panel, 0);
        }
        if panels % 2 == 1 {
            visit.visit::<1, 1>(panels - 1, 0);
        }
        return;
    }
    let most = (L::ACCUMULATORS / G).min(6);
    let tiles = rows.div_ceil(most);
    for panel in 0..panels {
        for tile in 0..tiles {
            let (row, end) = (tile * rows / tiles, (tile + 1) * rows / tiles);
            match end - row {
                1 => visit.visit::<1, 1>(panel, row),
                2 => visit.visit::<2, 1>(panel, row),
                3 => visit.visit::<3, 1>(panel, row),
                // Only for those with the registers: the others need no code for it.
                4 if L::ACCUMULATORS >= 4 * G => visit.visit::<4, 1>(panel, row),
                5 if L::ACCUMULATORS >= 5 * G => visit.visit::<5, 1>(panel, row),
                _ if L::ACCUMULATORS >= 6 * G => visit.visit::<6, 1>(panel, row),
                _ => unreachable!("no more rows than registers"),
            }
        }
    }
}

struct Sums<'a> {
    panels: &'a Panels,
    rows: Rows<'a>,
    out: &'a mut [f32],
}

/// The same with the number of gates known when compiled.
struct SumsOf<'a, const G: usize>(Sums<'a>);

impl Job for Sums<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self) {
        let (gates, rows) = (self.panels.gates, self.rows.at.len());
        let panels = self.panels.units.div_ceil(L::LANES);
        match gates {
            1 => walk::<L, _, 1>(&mut SumsOf::<1>(self), panels, rows),
            2 => walk::<L, _, 2>(&mut SumsOf::<2>(self), panels, rows),
            3 => walk::<L, _, 3>(&mut SumsOf::<3>(self), panels, rows),
            _ => walk::<L, _, 4>(&mut SumsOf::<4>(self), panels, rows),
        }
    }
}

impl<L: Lanes, const G: usize> Visit<L> for SumsOf<'_, G> {
    #[inline(always)]
    fn visit<const MR: usize, const P: usize>(&mut self, panel: usize, row: usize) {
        let Sums { panels, rows, out } = &mut self.0;
        // SAFETY: `Panels::sums` checked the rows; `walk` stays within panels and rows.
        let sums = unsafe { product::<L, G, MR, P>(panels, *rows, panel, row) };
        for (m, sums) in sums.iter().enumerate() {
            for (g, sum) in sums.as_flattened().iter().enumerate() {
                let place = (row + m) * panels.width() + (panel * G + g) * L::LANES;
                // SAFETY: `out` has a width for each row.
                unsafe { sum.store(out.as_mut_ptr().add(place)) };
            }
        }
    }
}

/// A step with the number of gates known when compiled.
struct StepOf<'a, const G: usize>(Step<'a>);

impl Job for Step<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self) {
        let rows = self.carry_at.len();
        let panels = self.units.div_ceil(L::LANES);
        match self.cell {
            Cell::Lstm => walk::<L, _, 4>(&mut StepOf::<4>(self), panels, rows),
            Cell::Gru => walk::<L, _, 3>(&mut StepOf::<3>(self), panels, rows),
            Cell::GruGates => walk::<L, _, 2>(&mut StepOf::<2>(self), panels, rows),
            Cell::GruCandidate => walk::<L, _, 1>(&mut StepOf::<1>(self), panels, rows),
        }
    }
}

impl<L: Lanes, const G: usize> Visit<L> for StepOf<'_, G> {
    #[inline(always)]
    fn visit<const MR: usize, const P: usize>(&mut self, panel: usize, row: usize) {
        let step = &mut self.0;
        let padded = step.units.next_multiple_of(L::LANES);
        // SAFETY: `Isa::step` checked both halves; `walk` stays within panels and rows.
        let (recurrent, input) = unsafe {
            (
                half::<L, G, MR, P>(&step.recurrent, panel, row),
                half::<L, G, MR, P>(&step.input, panel, row),
            )
        };
        let mut places = [[Places::NONE; P]; MR];
        for (m, places) in places.iter_mut().enumerate() {
            for (p, places) in places.iter_mut().enumerate() {
                let unit = (panel + p) * L::LANES;
                let place = (row + m) * padded + unit;
                // SAFETY: carry, beside and out have `padded` numbers for each row.
                *places = unsafe {
                    Places {
                        carry: step
                            .carry
                            .as_mut_ptr()
                            .add(step.carry_at.get_unchecked(row + m) + unit),
                        beside: step.beside.as_mut_ptr().wrapping_add(place),
                        out: step.out.as_mut_ptr().add(place),
                    }
                };
            }
        }
        // SAFETY: the places are those of these rows and panels.
        unsafe { combine(&recurrent, &input, &places) };
    }
}

/// Where the numbers of one panel of one row lie.
#[derive(Clone, Copy)]
struct Places {
    carry: *mut f32,
    beside: *mut f32,
    out: *mut f32,
}

impl Places {
    const NONE: Self = Self {
        carry: std::ptr::null_mut(),
        beside: std::ptr::null_mut(),
        out: std::ptr::null_mut(),
    };
}

/// Gates to new state. A logistic gate holds half its sum (see [`Cell`]), so that with tanh = p / q of it
/// σ = (q + p) / 2q: products of gates become one quotient.
///
/// # Safety
/// The places can be read and written, `L::LANES` numbers each; `beside` only for GRUs in two parts.
#[inline(always)]
unsafe fn combine<L: Lanes, const G: usize, const P: usize, const MR: usize>(
    recurrent: &[[[L; G]; P]; MR],
    input: &[[[L; G]; P]; MR],
    places: &[[Places; P]; MR],
) {
    let zero = L::splat(0.0);
    let (mut open, mut state) = ([[[zero; 2]; P]; MR], [[zero; P]; MR]);
    for m in 0..MR {
        for p in 0..P {
            let (r, x, at) = (&recurrent[m][p], &input[m][p], places[m][p]);
            let mut gate = *r;
            for g in 0..G {
                gate[g] = r[g].add(x[g]);
            }
            // SAFETY: the caller's.
            let carry = unsafe { L::load(at.carry) };
            state[m][p] = match G {
                4 => {
                    let ([qi, qo, qf, qc], [pi, po, pf, pc]) =
                        tanh_parts([gate[0], gate[1], gate[2], gate[3]]);
                    open[m][p] = [qo.add(qo), qo.add(po)];
                    // σ(f)·c + σ(i)·tanh(g) over one divisor.
                    let divisor = qi.mul(qc);
                    let gain = qi.add(pi).mul(pc).mul(qf);
                    let sum = qf.add(pf).mul(carry).mul_add(divisor, gain);
                    sum.div(divisor.mul(qf.add(qf)))
                }
                3 => {
                    let ([qz, qr], [pz, pr]) = tanh_parts([gate[0], gate[1]]);
                    let reset = qr.add(pr).div(qr.add(qr));
                    let ([q], [p]) = tanh_parts([reset.mul_add(r[2], x[2])]);
                    // (1 − σ(z))·n + σ(z)·h over one divisor.
                    let sum = qz.sub(pz).mul_add(p, qz.add(pz).mul(carry).mul(q));
                    sum.div(qz.add(qz).mul(q))
                }
                2 => {
                    let ([qz, qr], [pz, pr]) = tanh_parts([gate[0], gate[1]]);
                    open[m][p][0] = qz.add(pz).div(qz.add(qz));
                    qr.add(pr).mul(carry).div(qr.add(qr))
                }
                _ => {
                    // SAFETY: the caller's.
                    let z = unsafe { L::load(at.beside) };
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
                    open[m][i][0].store(places[m][i].beside);
                } else {
                    state[m][i].store(places[m][i].carry);
                }
            }
        }
    }
}

impl Job for Dense<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self) {
        let Panels { inputs, .. } = *self.weights;
        for panel in 0..self.weights.units.div_ceil(L::LANES) {
            let mut sums = [L::splat(0.0); 4];
            // SAFETY: `Isa::dense` checked the row, and a panel has `inputs` times `L::LANES` numbers.
            unsafe {
                sums[0] = L::load(self.weights.start.as_ptr().add(panel * L::LANES));
                let weights = self.weights.cells.as_ptr().add(panel * inputs * L::LANES);
                for four in 0..inputs / 4 {
                    for (k, sum) in (4 * four..).zip(&mut sums) {
                        let weight = L::load(weights.add(k * L::LANES));
                        *sum = L::splat(*self.input.as_ptr().add(k)).mul_add(weight, *sum);
                    }
                }
                for (k, sum) in (inputs / 4 * 4..inputs).zip(&mut sums) {
                    let weight = L::load(weights.add(k * L::LANES));
                    *sum = L::splat(*self.input.as_ptr().add(k)).mul_add(weight, *sum);
                }
                let sum = sums[0].add(sums[1]).add(sums[2].add(sums[3]));
                sum.store(self.out.as_mut_ptr().add(panel * L::LANES));
            }
        }
    }
}

struct Read<'a>(&'a Panels);

impl Job for Read<'_> {
    type Output = f32;

    #[inline(always)]
    fn run<L: Lanes>(self) -> f32 {
        let cells = &self.0.cells;
        let mut sums = [L::splat(0.0); 8];
        let chunks = cells.chunks_exact(8 * L::LANES);
        let rest: f32 = chunks.remainder().iter().sum();
        for chunk in chunks {
            for (i, sum) in sums.iter_mut().enumerate() {
                // SAFETY: a chunk has eight registers.
                *sum = sum.add(unsafe { L::load(chunk.as_ptr().add(i * L::LANES)) });
            }
        }
        let mut lanes = [0.0_f32; 16];
        let sum = sums[1..].iter().fold(sums[0], |a, b| a.add(*b));
        // SAFETY: no register has more lanes than the buffer numbers.
        unsafe { sum.store(lanes.as_mut_ptr()) };
        rest + lanes.iter().sum::<f32>()
    }
}
