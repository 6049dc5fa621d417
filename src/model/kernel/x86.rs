//! Registers of lanes on x86-64: AVX2 and AVX-512. Only the instructions.

use std::arch::x86_64::*;

use super::lanes::{Job, Lanes};
use super::plain::ONE;

/// Lanes of a vector register. Only the two functions below name these types, and they run only on
/// processors that have the instructions.
macro_rules! lanes {
    ($name:ident, $register:ty, $lanes:literal, $accumulators:literal, $splat:ident, $load:ident,
     $store:ident, $add:ident, $sub:ident, $mul:ident, $div:ident, $fma:ident, $max:ident, $min:ident,
     $to_bits:ident, $shift:ident, $add_bits:ident, $splat_bits:ident, $from_bits:ident) => {
        #[derive(Clone, Copy)]
        pub(super) struct $name($register);

        // SAFETY, for every block here: the instructions exist, because a register of this type is made
        // only within `with_avx2` and `with_avx512`, which assert them.
        #[allow(clippy::undocumented_unsafe_blocks)]
        impl Lanes for $name {
            const LANES: usize = $lanes;
            const ACCUMULATORS: usize = $accumulators;

            #[inline(always)]
            fn splat(value: f32) -> Self {
                Self(unsafe { $splat(value) })
            }

            #[inline(always)]
            unsafe fn load(from: *const f32) -> Self {
                Self(unsafe { $load(from) })
            }

            #[inline(always)]
            unsafe fn store(self, to: *mut f32) {
                unsafe { $store(to, self.0) }
            }

            #[inline(always)]
            fn add(self, other: Self) -> Self {
                Self(unsafe { $add(self.0, other.0) })
            }

            #[inline(always)]
            fn sub(self, other: Self) -> Self {
                Self(unsafe { $sub(self.0, other.0) })
            }

            #[inline(always)]
            fn mul(self, other: Self) -> Self {
                Self(unsafe { $mul(self.0, other.0) })
            }

            #[inline(always)]
            fn div(self, other: Self) -> Self {
                Self(unsafe { $div(self.0, other.0) })
            }

            #[inline(always)]
            fn mul_add(self, factor: Self, addend: Self) -> Self {
                Self(unsafe { $fma(self.0, factor.0, addend.0) })
            }

            #[inline(always)]
            fn max(self, other: Self) -> Self {
                Self(unsafe { $max(self.0, other.0) })
            }

            #[inline(always)]
            fn min(self, other: Self) -> Self {
                Self(unsafe { $min(self.0, other.0) })
            }

            #[inline(always)]
            fn exp2_of_shifted(self) -> Self {
                Self(unsafe {
                    let n = $shift::<23>($to_bits(self.0));
                    $from_bits($add_bits(n, $splat_bits(ONE as i32)))
                })
            }
        }
    };
}

lanes!(
    Avx2,
    __m256,
    8,
    12,
    _mm256_set1_ps,
    _mm256_loadu_ps,
    _mm256_storeu_ps,
    _mm256_add_ps,
    _mm256_sub_ps,
    _mm256_mul_ps,
    _mm256_div_ps,
    _mm256_fmadd_ps,
    _mm256_max_ps,
    _mm256_min_ps,
    _mm256_castps_si256,
    _mm256_slli_epi32,
    _mm256_add_epi32,
    _mm256_set1_epi32,
    _mm256_castsi256_ps
);
lanes!(
    Avx512,
    __m512,
    16,
    24,
    _mm512_set1_ps,
    _mm512_loadu_ps,
    _mm512_storeu_ps,
    _mm512_add_ps,
    _mm512_sub_ps,
    _mm512_mul_ps,
    _mm512_div_ps,
    _mm512_fmadd_ps,
    _mm512_max_ps,
    _mm512_min_ps,
    _mm512_castps_si512,
    _mm512_slli_epi32,
    _mm512_add_epi32,
    _mm512_set1_epi32,
    _mm512_castsi512_ps
);

/// Runs a job with 8 lanes.
pub(super) fn with_avx2<J: Job>(job: J) -> J::Output {
    #[target_feature(enable = "avx2,fma")]
    fn inner<J: Job>(job: J) -> J::Output {
        job.run::<Avx2>()
    }
    assert!(is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"));
    // SAFETY: asserted in the line before.
    unsafe { inner(job) }
}

/// Runs a job with 16 lanes.
pub(super) fn with_avx512<J: Job>(job: J) -> J::Output {
    #[target_feature(enable = "avx512f")]
    fn inner<J: Job>(job: J) -> J::Output {
        job.run::<Avx512>()
    }
    assert!(is_x86_feature_detected!("avx512f"));
    // SAFETY: asserted in the line before.
    unsafe { inner(job) }
}
