//! e^x, the logistic function and tanh on lanes, as fused polynomials: no platform math library.
//!
//! Gates use one rational function: tanh x = x·P(x²) / Q(x²), and with it σ(2x) = (1 + tanh x) / 2. All
//! coefficients are positive, so nothing cancels: within 4e-7 relative (tanh), 2e-7 absolute (σ). The dense
//! layers of the head, where a small probability matters, use e^x. NaN stays NaN.

use super::isa::Isa;
use super::lanes::{Job, Lanes};

/// Coefficients of P and Q, lowest first. They minimise the largest relative error on |x| ≤ 9, 2.1e-8; found
/// with Lawson's weights on Loeb's linearised fit.
const P: [f32; 5] = [
    1.0,
    0.133_810_25,
    3.495_587_4e-3,
    2.060_907_2e-5,
    1.335_464_8e-8,
];
const Q: [f32; 5] = [
    1.0,
    0.467_143_4,
    2.587_698e-2,
    3.285_633_7e-4,
    7.776_552_6e-7,
];
/// For larger x, tanh x differs from 1 by less than 4e-8.
const FLAT: f32 = 9.0;

/// Divisor and dividend of tanh x: Q(x²) and x·P(x²). Several x are computed together, interleaved, so that
/// none waits for the result of its own last instruction.
#[inline(always)]
pub(super) fn tanh_parts<L: Lanes, const N: usize>(x: [L; N]) -> ([L; N], [L; N]) {
    let (mut x, mut square) = (x, x);
    for i in 0..N {
        x[i] = clamp(x[i], FLAT);
        square[i] = x[i].mul(x[i]);
    }
    let (mut p, mut q) = ([L::splat(P[4]); N], [L::splat(Q[4]); N]);
    for k in (0..4).rev() {
        for i in 0..N {
            p[i] = p[i].mul_add(square[i], L::splat(P[k]));
            q[i] = q[i].mul_add(square[i], L::splat(Q[k]));
        }
    }
    for i in 0..N {
        p[i] = p[i].mul(x[i]);
    }
    (q, p)
}

#[inline(always)]
fn clamp<L: Lanes>(x: L, most: f32) -> L {
    // In this order of operands NaN passes.
    L::splat(most).min(L::splat(-most).max(x))
}

/// Coefficients of r² to r⁷ in e^r − 1, highest first, from Cephes' `expf` (S. L. Moshier, 1992).
const EXP: [f32; 6] = [
    1.987_569_2e-4,
    1.398_2e-3,
    8.333_452e-3,
    4.166_579_6e-2,
    1.666_666_5e-1,
    5.0e-1,
];
/// ln 2 in two parts, the first short enough that n times it is exact.
const LN_2_HIGH: f32 = 0.693_359_4;
const LN_2_LOW: f32 = -2.121_944_4e-4;
/// 1.5 · 2^23. Adding it rounds to a whole number, and moves that to the last bits.
const SHIFT: f32 = 12_582_912.0;

/// e^x = 2^n · e^r with n = round(x / ln 2); x is clamped to ±87.
#[inline(always)]
fn exp<L: Lanes>(x: L) -> L {
    let x = clamp(x, 87.0);
    let shifted = x.mul_add(L::splat(std::f32::consts::LOG2_E), L::splat(SHIFT));
    let n = shifted.sub(L::splat(SHIFT));
    let r = n.mul_add(L::splat(-LN_2_HIGH), x);
    let r = n.mul_add(L::splat(-LN_2_LOW), r);
    let mut p = L::splat(EXP[0]);
    for coefficient in &EXP[1..] {
        p = p.mul_add(r, L::splat(*coefficient));
    }
    let power = shifted.exp2_of_shifted();
    power.mul_add(p.mul_add(r.mul(r), r), power)
}

/// σ(2x), by e^x: exact to the last place near 1, where the forget gate of a long memory is.
#[inline(always)]
pub(super) fn sigmoid_near_one<L: Lanes>(x: L) -> L {
    let one = L::splat(1.0);
    one.div(exp(L::splat(-2.0).mul(x)).add(one))
}

impl Isa {
    /// Softmax in place: e^(x − max) / Σ, summed in ascending order.
    pub fn softmax(self, scores: &mut [f32]) {
        let most = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        for score in scores.iter_mut() {
            *score -= most;
        }
        self.apply(scores, Function::Exp);
        let sum = scores.iter().fold(0.0, |sum, score| sum + score);
        for score in scores {
            *score /= sum;
        }
    }

    /// 1 / (1 + e^−x), in place.
    pub fn sigmoid(self, values: &mut [f32]) {
        self.apply(values, Function::Sigmoid);
    }

    /// tanh x, in place.
    pub fn tanh(self, values: &mut [f32]) {
        self.apply(values, Function::Tanh);
    }

    fn apply(self, values: &mut [f32], kind: Function) {
        self.run(Elementwise { values, kind });
    }
}

/// The function that [`Elementwise`] computes.
#[derive(Clone, Copy)]
enum Function {
    /// e^x
    Exp,
    /// 1 / (1 + e^−x)
    Sigmoid,
    /// tanh x
    Tanh,
}

/// Applies a function to each value, in place.
struct Elementwise<'a> {
    values: &'a mut [f32],
    kind: Function,
}

impl Job for Elementwise<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self) {
        let mut lanes = [0.0_f32; 16];
        for chunk in self.values.chunks_mut(L::LANES) {
            lanes[..chunk.len()].copy_from_slice(chunk);
            // SAFETY: no register has more lanes than the buffer numbers.
            let x = unsafe { L::load(lanes.as_ptr()) };
            let y = match self.kind {
                Function::Exp => exp(x),
                Function::Sigmoid => {
                    let one = L::splat(1.0);
                    one.div(exp(L::splat(0.0).sub(x)).add(one))
                }
                Function::Tanh => {
                    let ([divisor], [dividend]) = tanh_parts([x]);
                    dividend.div(divisor)
                }
            };
            // SAFETY: as above.
            unsafe { y.store(lanes.as_mut_ptr()) };
            chunk.copy_from_slice(&lanes[..chunk.len()]);
        }
    }
}
