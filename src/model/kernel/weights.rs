//! Packed weights, and sums over them: each output is one sum, in ascending order of its inputs.

#![allow(
    clippy::needless_range_loop,
    reason = "indices of several arrays of registers at once; iterators would be functions of their own, \
              compiled without the wider registers where they are not inlined"
)]

use super::aligned::Aligned;
use super::isa::Isa;
use super::lanes::{Job, Lanes};

/// Weights of one or more gates for some units, packed into panels of units as wide as a register; within a
/// panel by input, and within an input by gate. With them, the number that each sum starts from.
#[derive(Debug)]
pub struct PackedWeights {
    pub(super) isa: Isa,
    pub(super) gates: usize,
    units: usize,
    pub(super) inputs: usize,
    pub(super) start: Aligned,
    pub(super) cells: Aligned,
}

/// Rows of numbers: row i begins at `cells[at[i]]`.
#[derive(Clone, Copy, Debug)]
pub struct InputRows<'a> {
    /// The numbers.
    pub cells: &'a [f32],
    /// Where each row begins.
    pub at: &'a [usize],
}

impl PackedWeights {
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

    /// Number of units, without padding.
    #[must_use]
    pub fn units(&self) -> usize {
        self.units
    }

    /// Numbers that [`PackedWeights::sums`] gives per row.
    #[must_use]
    pub fn width(&self) -> usize {
        self.gates * self.isa.padded(self.units)
    }

    /// Writes start + Σ weights · row for each row, one after the other, in the layout that
    /// [`super::GateSum::Precomputed`] takes.
    ///
    /// # Panics
    /// Where the rows do not fit the weights.
    pub fn sums(&self, rows: InputRows<'_>, out: &mut [f32]) {
        rows.check(self.inputs);
        assert_eq!(out.len(), self.width() * rows.at.len(), "room for the sums");
        self.isa.run(RowSums {
            panels: self,
            rows,
            out,
        });
    }

    /// Reads all weights once and adds them up: the memory traffic that a step has at least.
    #[must_use]
    pub fn read(&self) -> f32 {
        self.isa.run(Read(self))
    }
}

impl InputRows<'_> {
    pub(super) fn check(&self, width: usize) {
        let last = self.cells.len().checked_sub(width);
        assert!(
            self.at
                .iter()
                .all(|&at| last.is_some_and(|last| at <= last)),
            "a row reaches beyond its cells"
        );
    }
}

/// `MR` rows of `P` panels: start + Σ weights[k] · row[k].
///
/// # Safety
/// The rows were checked against `panels`, which has `G` gates of `L` lanes; there are rows
/// `row..row + MR` and panels `panel..panel + P`.
#[inline(always)]
pub(super) unsafe fn product<L: Lanes, const G: usize, const MR: usize, const P: usize>(
    panels: &PackedWeights,
    rows: InputRows<'_>,
    panel: usize,
    row: usize,
) -> [[[L; G]; P]; MR] {
    let long = panels.inputs * G * L::LANES;
    let mut sums = [[[L::splat(0.0); G]; P]; MR];
    // SAFETY: panel, rows and inputs are within what was checked; a panel has `long` numbers.
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
        // For one row, the loop is unrolled by four: otherwise a third of the instructions would be its own.
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

/// The work on one tile: `MR` rows from `row` on, of `P` panels from `panel` on.
pub(super) trait TileVisitor<L: Lanes> {
    fn visit<const MR: usize, const P: usize>(&mut self, panel: usize, row: usize);
}

/// Visits all tiles, panel by panel, with as many rows at once as the registers hold.
#[inline(always)]
pub(super) fn for_each_tile<L: Lanes, V: TileVisitor<L>, const G: usize>(
    visit: &mut V,
    panels: usize,
    rows: usize,
) {
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
                // Compiled only for registers that hold so many accumulators.
                4 if L::ACCUMULATORS >= 4 * G => visit.visit::<4, 1>(panel, row),
                5 if L::ACCUMULATORS >= 5 * G => visit.visit::<5, 1>(panel, row),
                _ if L::ACCUMULATORS >= 6 * G => visit.visit::<6, 1>(panel, row),
                _ => unreachable!("no more rows than registers"),
            }
        }
    }
}

struct RowSums<'a> {
    panels: &'a PackedWeights,
    rows: InputRows<'a>,
    out: &'a mut [f32],
}

/// The same with the number of gates as a constant.
struct RowSumsOf<'a, const G: usize>(RowSums<'a>);

impl Job for RowSums<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self) {
        let (gates, rows) = (self.panels.gates, self.rows.at.len());
        let panels = self.panels.units.div_ceil(L::LANES);
        match gates {
            1 => for_each_tile::<L, _, 1>(&mut RowSumsOf::<1>(self), panels, rows),
            2 => for_each_tile::<L, _, 2>(&mut RowSumsOf::<2>(self), panels, rows),
            3 => for_each_tile::<L, _, 3>(&mut RowSumsOf::<3>(self), panels, rows),
            _ => for_each_tile::<L, _, 4>(&mut RowSumsOf::<4>(self), panels, rows),
        }
    }
}

impl<L: Lanes, const G: usize> TileVisitor<L> for RowSumsOf<'_, G> {
    #[inline(always)]
    fn visit<const MR: usize, const P: usize>(&mut self, panel: usize, row: usize) {
        let RowSums { panels, rows, out } = &mut self.0;
        // SAFETY: `PackedWeights::sums` checked the rows; `for_each_tile` stays within panels and rows.
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

struct Read<'a>(&'a PackedWeights);

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
