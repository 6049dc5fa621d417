//! Exact quantities of the base currency, which can be added.

use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};

use crate::units::Size;

/// A quantity in 10⁻¹⁸ of the base currency, exact and signed: below zero is sold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quantity(i128);

/// Steps of a quantity in one.
const STEPS_IN_ONE: f64 = 1e18;

impl Quantity {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// More than any order asks for.
    pub(super) const MOST: Self = Self(i128::MAX);

    /// The quantity of a size; nothing where it is undefined.
    #[must_use]
    pub fn of(size: Size) -> Self {
        Self(size.attos().unwrap_or(0))
    }

    /// As a float64.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        self.0 as f64 / STEPS_IN_ONE
    }

    /// Whether it is nothing.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Without its sign.
    #[must_use]
    pub fn abs(self) -> Self {
        Self(self.0.abs())
    }

    /// 1 where it is bought, −1 where it is sold, 0 where it is nothing.
    #[must_use]
    pub fn sign(self) -> i8 {
        self.0.signum() as i8
    }

    /// With this sign.
    #[must_use]
    pub fn towards(self, sign: i8) -> Self {
        Self(self.0.abs() * i128::from(sign))
    }

    /// So many times it.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self(self.0.saturating_mul(i128::from(times)))
    }

    /// A share of it, towards zero in 10⁻¹⁸.
    #[must_use]
    pub fn share(self, share: f64) -> Self {
        Self((self.0 as f64 * share) as i128)
    }

    /// The largest number of whole lots in it.
    #[must_use]
    pub fn in_lots(self, lot: Self) -> Self {
        match lot.0 {
            0 => self,
            lot => Self(self.0 / lot * lot),
        }
    }
}

impl Add for Quantity {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Quantity {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl Neg for Quantity {
    type Output = Self;

    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl AddAssign for Quantity {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl SubAssign for Quantity {
    fn sub_assign(&mut self, other: Self) {
        self.0 -= other.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quantity(text: &str) -> Quantity {
        Quantity::of(Size::parse(text.as_bytes()).unwrap())
    }

    #[test]
    fn tenths_add_up() {
        let sum = (0..10).fold(Quantity::ZERO, |sum, _| sum + quantity("0.1"));
        assert_eq!(sum, quantity("1"));
        assert_eq!(quantity("0.01").to_f64().to_bits(), 0.01_f64.to_bits());
    }

    #[test]
    fn lots_are_whole() {
        let lot = quantity("0.001");
        assert_eq!(quantity("0.0129").in_lots(lot), quantity("0.012"));
        assert_eq!(quantity("0.0009").in_lots(lot), Quantity::ZERO);
        assert_eq!(quantity("0.5").in_lots(Quantity::ZERO), quantity("0.5"));
        assert_eq!(quantity("0.5").share(0.5), quantity("0.25"));
    }
}
