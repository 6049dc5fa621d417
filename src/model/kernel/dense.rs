//! A dense layer for one row.

use super::isa::Isa;
use super::lanes::{Job, Lanes};
use super::weights::PackedWeights;

/// y = start + Σ W·x of one row, as four sums over k mod 4, added in pairs: four short chains of dependent
/// additions instead of a long one.
#[derive(Debug)]
pub struct DenseStep<'a> {
    /// The weights, of one gate.
    pub weights: &'a PackedWeights,
    /// The input row.
    pub input: &'a [f32],
    /// The outputs, [`Isa::padded`] numbers.
    pub out: &'a mut [f32],
}

impl Isa {
    /// Computes a dense layer for one row.
    ///
    /// # Panics
    /// Where row and weights do not fit together.
    pub fn dense(self, dense: DenseStep<'_>) {
        let weights = dense.weights;
        assert!(weights.isa == self && weights.gates == 1 && dense.input.len() == weights.inputs);
        assert_eq!(dense.out.len(), self.padded(weights.units()));
        self.run(dense);
    }
}

impl Job for DenseStep<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self) {
        let PackedWeights { inputs, .. } = *self.weights;
        for panel in 0..self.weights.units().div_ceil(L::LANES) {
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
