//! Vector arithmetic of the recurrent layers: the same bits on every processor.
//!
//! Every output is one sum of fused multiply-adds in one order, `start + Σ weight[k] · input[k]` with k
//! ascending; activations are polynomials of our own (`math`). A lane is an output: how many lanes a
//! register has, how many rows share a pass, and which processor it is change no bit. All `unsafe` of the
//! crate is below this module; its calls check lengths and places first. Knows no model and no window.

#![allow(unsafe_code)]

mod aligned;
mod dense;
mod lanes;
mod math;
mod panels;
mod step;

pub use self::aligned::Aligned;
pub use self::dense::Dense;
pub use self::panels::{Panels, Rows};
pub use self::step::{Cell, Half, Step};

use self::lanes::Lanes;
use self::math::Squash;

/// The instructions to compute with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isa {
    /// Plain Rust: any processor. The twin that the others are held against.
    Scalar,
    /// 8 lanes: AVX2 and FMA.
    Avx2,
    /// 16 lanes: AVX-512F.
    Avx512,
}

/// Work that is written once for all lanes.
trait Job {
    type Output;
    fn run<L: Lanes>(self) -> Self::Output;
}

impl Isa {
    /// What this processor can do, slowest first.
    #[must_use]
    pub fn available() -> Vec<Self> {
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        {
            let mut all = vec![Self::Scalar];
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                all.push(Self::Avx2);
                if is_x86_feature_detected!("avx512f") {
                    all.push(Self::Avx512);
                }
            }
            all
        }
        #[cfg(not(all(target_arch = "x86_64", not(miri))))]
        vec![Self::Scalar]
    }

    /// The fastest that this processor can do.
    #[must_use]
    pub fn best() -> Self {
        Self::available().pop().unwrap_or(Self::Scalar)
    }

    /// Lanes in a register: the width of a panel.
    #[must_use]
    pub fn lanes(self) -> usize {
        match self {
            Self::Scalar | Self::Avx2 => 8,
            Self::Avx512 => 16,
        }
    }

    /// Units rounded up to whole registers.
    #[must_use]
    pub fn padded(self, units: usize) -> usize {
        units.next_multiple_of(self.lanes())
    }

    /// Its name: `scalar`, `avx2`, `avx512`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        }
    }

    /// Softmax in place: e^(x − max) / Σ, the sum in order.
    pub fn softmax(self, scores: &mut [f32]) {
        let most = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        for score in scores.iter_mut() {
            *score -= most;
        }
        self.squash(scores, Squash::Exp);
        let sum = scores.iter().fold(0.0, |sum, score| sum + score);
        for score in scores {
            *score /= sum;
        }
    }

    /// 1 / (1 + e^−x), in place.
    pub fn sigmoid(self, values: &mut [f32]) {
        self.squash(values, Squash::Sigmoid);
    }

    /// tanh x, in place.
    pub fn tanh(self, values: &mut [f32]) {
        self.squash(values, Squash::Tanh);
    }

    fn squash(self, values: &mut [f32], kind: Squash) {
        self.run(math::Elementwise { values, kind });
    }

    fn run<J: Job>(self, job: J) -> J::Output {
        match self {
            Self::Scalar => job.run::<lanes::Plain>(),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => lanes::with_avx2(job),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => lanes::with_avx512(job),
            #[cfg(not(target_arch = "x86_64"))]
            Self::Avx2 | Self::Avx512 => job.run::<lanes::Plain>(),
        }
    }
}

#[cfg(test)]
mod tests;
