//! Time, price and size as integers, so that nothing is rounded before a feature is computed.
//!
//! A price becomes a float once, in `engine::feature`; no other file converts.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::decimal;
pub use crate::decimal::NumberError;

/// Nanoseconds since the UNIX epoch, UTC. Signed: the difference of two clocks may be negative.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Nanos(pub i64);

/// Price in the quote currency, exact: see [`decimal`]. [`Price::UNDEFINED`] where there is none.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Price(i64);

/// Quantity in the base currency (coins, shares, contracts), exact: see [`decimal`]. [`Size::UNDEFINED`]
/// where there is none.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Size(i64);

/// The side of the book that an order rests on, or the side that started a trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Side {
    /// Bids; a trade started by a buyer.
    Buy,
    /// Asks; a trade started by a seller.
    Sell,
}

impl Side {
    /// The other side.
    #[must_use]
    pub fn opposite(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
        }
    }
}

impl Nanos {
    /// No time: the venue sent none.
    pub const UNDEFINED: Self = Self(i64::MAX);

    /// From milliseconds since the epoch.
    #[must_use]
    pub fn from_millis(millis: i64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }

    /// The nanoseconds from `earlier` to `self`; negative where the clocks disagree.
    #[must_use]
    pub fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// What prices and sizes have in common: both are a decimal of `crate::decimal`.
macro_rules! decimal_unit {
    ($unit:ident, $none:literal, $what:literal) => {
        impl $unit {
            #[doc = $none]
            pub const UNDEFINED: Self = Self(decimal::UNDEFINED);
            /// Zero.
            pub const ZERO: Self = Self(0);

            /// Reads decimal text, and rounds nothing. The largest 64-bit integer, as it is or in 1e-9,
            /// is how other formats write a number that is undefined, also as the nearest float64.
            ///
            /// # Errors
            /// [`NumberError`] where the text is no decimal, is 10¹⁸ or more, or has more digits than are
            /// kept exactly.
            pub fn parse(text: &[u8]) -> Result<Self, NumberError> {
                decimal::parse(text).map(Self)
            }

            /// Reads a number that an encoder may have printed from a float64: one of seventeen digits
            /// loses the last digit where it is more than is kept exactly.
            ///
            /// # Errors
            /// As [`Self::parse`].
            pub fn parse_float(text: &[u8]) -> Result<Self, NumberError> {
                decimal::parse_float(text).map(Self)
            }

            /// The shortest decimal that is nearest to no other float64 than this one.
            ///
            /// # Errors
            /// [`NumberError::NotANumber`] of what is not finite; otherwise as [`Self::parse_float`].
            pub fn from_float(value: f64) -> Result<Self, NumberError> {
                // A decimal of up to fifteen digits is the shortest one of its float; most have few places.
                let scaled = value * 1e8;
                let steps = (scaled + 0.5_f64.copysign(scaled)) as i64;
                if scaled.abs() < 1e15
                    && steps as f64 / 1e8 == value
                    && let Some(exact) = Self::from_scaled(steps, 8)
                {
                    return Ok(exact);
                }
                if !value.is_finite() {
                    return Err(NumberError::NotANumber);
                }
                Self::parse_float(ryu::Buffer::new().format_finite(value).as_bytes())
            }

            /// From an integer in 10^-places: `(6_183_763, 2)` is 61837.63. `None` where it would have to
            /// be rounded.
            #[must_use]
            pub fn from_scaled(value: i64, places: i32) -> Option<Self> {
                decimal::from_scaled(value, places).map(Self)
            }

            /// As an integer in 10^-places. `None` where it would have to be rounded, or does not fit.
            #[must_use]
            pub fn scaled(self, places: i32) -> Option<i64> {
                decimal::scaled(self.0, places).filter(|_| self != Self::UNDEFINED)
            }

            /// The code: see [`decimal`]. Codes compare as their values do.
            #[must_use]
            #[inline]
            pub(crate) fn code(self) -> i64 {
                self.0
            }

            /// The value of a code; `None` where it is the code of no value.
            #[must_use]
            #[inline]
            pub(crate) fn from_code(code: i64) -> Option<Self> {
                decimal::is_code(code).then_some(Self(code))
            }

            #[doc = $what]
            /// NaN where it is undefined.
            #[must_use]
            pub fn to_f64(self) -> f64 {
                if self == Self::UNDEFINED {
                    return f64::NAN;
                }
                decimal::to_f64(self.0)
            }
        }

        impl fmt::Display for $unit {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                if *self == Self::UNDEFINED {
                    f.write_str("-")
                } else {
                    decimal::write(f, self.0)
                }
            }
        }
    };
}

decimal_unit!(
    Price,
    "No price: an empty side of the book.",
    "The price in units of the quote currency, as the nearest float64."
);
decimal_unit!(
    Size,
    "No size: none was sent.",
    "The size in units of the base currency, as the nearest float64."
);

impl Size {
    /// In 10⁻¹⁸, so that sizes can be added; towards zero where it has more places, as only sizes below 10⁻³
    /// may. None where it is undefined.
    #[must_use]
    pub fn attos(self) -> Option<i128> {
        (self != Self::UNDEFINED).then(|| decimal::attos(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_undefined_price_is_no_number() {
        let price = Price::parse(b"9223372036.854775807").unwrap();
        assert_eq!(price, Price::UNDEFINED);
        assert!(price.to_f64().is_nan());
        assert_eq!((price.to_string().as_str(), price.scaled(0)), ("-", None));
    }

    #[test]
    fn sizes_of_every_magnitude_have_one_step_in_common() {
        for (text, attos) in [
            ("0.01", 10_i128.pow(16)),
            ("-1.5", -15 * 10_i128.pow(17)),
            ("146033283519", 146_033_283_519 * 10_i128.pow(18)),
            (
                "123456789012345678",
                123_456_789_012_345_678 * 10_i128.pow(18),
            ),
            ("0.0000000000000000012", 1),
        ] {
            assert_eq!(
                Size::parse(text.as_bytes()).unwrap().attos(),
                Some(attos),
                "{text}"
            );
        }
        assert_eq!(Size::UNDEFINED.attos(), None);
    }
}
