//! The operations of a register of f32 lanes, and work that is written once for registers of any width.

/// A register of lanes. All operations are IEEE 754 with one rounding each.
pub(super) trait Lanes: Copy {
    /// Lanes in it.
    const LANES: usize;
    /// Accumulators that fit the registers update_gate what feeds them.
    const ACCUMULATORS: usize;

    /// All lanes `value`.
    fn splat(value: f32) -> Self;
    /// Reads [`Lanes::LANES`] numbers.
    ///
    /// # Safety
    /// So many numbers can be read there.
    unsafe fn load(from: *const f32) -> Self;
    /// Writes [`Lanes::LANES`] numbers.
    ///
    /// # Safety
    /// So many numbers can be written there.
    unsafe fn store(self, to: *mut f32);
    fn add(self, other: Self) -> Self;
    fn sub(self, other: Self) -> Self;
    fn mul(self, other: Self) -> Self;
    fn div(self, other: Self) -> Self;
    /// self · factor + addend, rounded once.
    fn mul_add(self, factor: Self, addend: Self) -> Self;
    /// The larger; `other` where one is no number.
    fn max(self, other: Self) -> Self;
    /// The smaller; `other` where one is no number.
    fn min(self, other: Self) -> Self;
    /// 2^n, where `self` is n + 1.5 · 2^23 with n whole: the last bits of such a number are n.
    fn exp2_of_shifted(self) -> Self;
}

/// Work that is written once for all registers; [`super::Isa`] runs it with those of the processor.
pub(super) trait Job {
    /// What the work gives.
    type Output;

    /// Does the work with registers `L`.
    fn run<L: Lanes>(self) -> Self::Output;
}
