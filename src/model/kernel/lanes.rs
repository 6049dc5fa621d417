//! The operations of a register of f32 lanes, and work that is written once for registers of any width.

/// A register of lanes. All operations are IEEE 754 with one rounding each.
pub(super) trait Lanes: Copy {
    /// Number of lanes.
    const LANES: usize;
    /// Accumulators that fit into the registers, beside the operands of a multiply-add.
    const ACCUMULATORS: usize;

    /// All lanes `value`.
    fn splat(value: f32) -> Self;
    /// Reads [`Lanes::LANES`] numbers.
    ///
    /// # Safety
    /// `from` points to [`Lanes::LANES`] numbers that can be read.
    unsafe fn load(from: *const f32) -> Self;
    /// Writes [`Lanes::LANES`] numbers.
    ///
    /// # Safety
    /// `to` points to [`Lanes::LANES`] numbers that can be written.
    unsafe fn store(self, to: *mut f32);
    fn add(self, other: Self) -> Self;
    fn sub(self, other: Self) -> Self;
    fn mul(self, other: Self) -> Self;
    fn div(self, other: Self) -> Self;
    /// self · factor + addend, rounded once.
    fn mul_add(self, factor: Self, addend: Self) -> Self;
    /// The larger; `other` where either is NaN.
    fn max(self, other: Self) -> Self;
    /// The smaller; `other` where either is NaN.
    fn min(self, other: Self) -> Self;
    /// 2^n for `self` = n + 1.5 · 2^23 with a whole number n, which is in the last bits of such a number.
    fn exp2_of_shifted(self) -> Self;
}

/// Work that is written once for all registers. [`super::Isa`] runs it with those of the processor.
pub(super) trait Job {
    /// The result of the work.
    type Output;

    /// Does the work with registers `L`.
    fn run<L: Lanes>(self) -> Self::Output;
}
