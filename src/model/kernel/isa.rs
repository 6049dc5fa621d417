//! The instruction sets that the kernels are compiled for, and the choice of one for this processor.

use super::lanes::Job;
use super::plain::Plain;
#[cfg(target_arch = "x86_64")]
use super::x86;

/// The instructions to compute with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isa {
    /// Plain Rust, for any processor. The tests compare the others with it.
    Scalar,
    /// 8 lanes: AVX2 and FMA.
    Avx2,
    /// 16 lanes: AVX-512F.
    Avx512,
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

    /// Runs work with the registers of these instructions.
    pub(super) fn run<J: Job>(self, job: J) -> J::Output {
        match self {
            Self::Scalar => job.run::<Plain>(),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => x86::with_avx2(job),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => x86::with_avx512(job),
            #[cfg(not(target_arch = "x86_64"))]
            Self::Avx2 | Self::Avx512 => job.run::<Plain>(),
        }
    }
}
