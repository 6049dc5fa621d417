//! Time, price and size as integers, so that nothing is rounded before a feature is computed.
//!
//! A price becomes a float once, in `engine::feature`; no other file converts.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Nanoseconds since the UNIX epoch, UTC. Signed: the difference of two clocks may be negative.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Nanos(pub i64);

/// Price in 1e-9 of the quote currency; [`Price::UNDEFINED`] where there is none.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Price(pub i64);

/// Quantity in 1e-8 of the base currency (one satoshi, the finest step of the venues read here).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Size(pub i64);

/// The side of the book that an order rests on, or the side that started a trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// Bids; a trade started by a buyer.
    Buy,
    /// Asks; a trade started by a seller.
    Sell,
}

/// Why a decimal could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberError {
    /// Not a decimal number: empty, a letter, `NaN`, two points.
    NotANumber,
    /// A number that the fixed-point form cannot hold.
    OutOfRange,
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

impl Price {
    /// No price: an empty side of the book.
    pub const UNDEFINED: Self = Self(i64::MAX);
    const DECIMALS: u32 = 9;

    /// Reads decimal text, exactly up to nine places and rounded to nearest beyond.
    ///
    /// # Errors
    /// [`NumberError`] when the text is no decimal or exceeds 9.2e9.
    pub fn parse(text: &[u8]) -> Result<Self, NumberError> {
        fixed(text, Self::DECIMALS).map(Self)
    }

    /// The price in units of the quote currency.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }
}

impl Size {
    const DECIMALS: u32 = 8;

    /// Reads decimal text, exactly up to eight places and rounded to nearest beyond.
    ///
    /// # Errors
    /// [`NumberError`] when the text is no decimal or exceeds 9.2e10.
    pub fn parse(text: &[u8]) -> Result<Self, NumberError> {
        fixed(text, Self::DECIMALS).map(Self)
    }

    /// The size in units of the base currency.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        self.0 as f64 / 1e8
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::UNDEFINED {
            f.write_str("-")
        } else {
            decimal(f, self.0, 1_000_000_000, 9)
        }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        decimal(f, self.0, 100_000_000, 8)
    }
}

fn decimal(f: &mut fmt::Formatter<'_>, value: i64, scale: u64, places: usize) -> fmt::Result {
    let sign = if value < 0 { "-" } else { "" };
    let (whole, fraction) = (value.unsigned_abs() / scale, value.unsigned_abs() % scale);
    let digits = format!("{fraction:0places$}");
    let digits = digits.trim_end_matches('0');
    if digits.is_empty() {
        write!(f, "{sign}{whole}")
    } else {
        write!(f, "{sign}{whole}.{digits}")
    }
}

/// Decimal text to an integer in 10^-decimals; JSON's exponents allowed.
fn fixed(text: &[u8], decimals: u32) -> Result<i64, NumberError> {
    let (negative, digits) = match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        _ => (false, text),
    };
    let mut value: i64 = 0;
    let mut places: Option<u32> = None;
    for (at, &byte) in digits.iter().enumerate() {
        match byte {
            b'0'..=b'9' if places.is_some_and(|n| n == decimals) => {
                return long_form(digits, decimals).map(|v| if negative { -v } else { v });
            }
            b'0'..=b'9' => {
                value = value
                    .checked_mul(10)
                    .and_then(|v| v.checked_add(i64::from(byte - b'0')))
                    .ok_or(NumberError::OutOfRange)?;
                places = places.map(|n| n + 1);
            }
            b'.' if places.is_none() && at > 0 && at + 1 < digits.len() => places = Some(0),
            b'e' | b'E' if at > 0 => {
                return long_form(digits, decimals).map(|v| if negative { -v } else { v });
            }
            _ => return Err(NumberError::NotANumber),
        }
    }
    if digits.is_empty() {
        return Err(NumberError::NotANumber);
    }
    let scale = 10_i64.pow(decimals - places.unwrap_or(0));
    let value = value.checked_mul(scale).ok_or(NumberError::OutOfRange)?;
    Ok(if negative { -value } else { value })
}

/// The rare forms: more digits than the fixed point holds, or an exponent. Rounds half away from zero.
fn long_form(digits: &[u8], decimals: u32) -> Result<i64, NumberError> {
    let text = std::str::from_utf8(digits).map_err(|_| NumberError::NotANumber)?;
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((m, e)) => (m, e.parse::<i32>().map_err(|_| NumberError::NotANumber)?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty()
        || !whole
            .bytes()
            .chain(fraction.bytes())
            .all(|b| b.is_ascii_digit())
    {
        return Err(NumberError::NotANumber);
    }
    // Digits that stay: those of the whole part, moved by the exponent, and `decimals` places behind.
    let keep = i64::from(exponent) + whole.len() as i64 + i64::from(decimals);
    let mut value: i64 = 0;
    let mut all = whole.bytes().chain(fraction.bytes());
    for _ in 0..keep.clamp(0, 400) {
        let digit = all.next().map_or(0, |b| i64::from(b - b'0'));
        value = value
            .checked_mul(10)
            .and_then(|v| v.checked_add(digit))
            .ok_or(NumberError::OutOfRange)?;
    }
    let round_up = keep >= 0 && all.next().is_some_and(|b| b >= b'5');
    value
        .checked_add(i64::from(round_up))
        .ok_or(NumberError::OutOfRange)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_exact() {
        for (text, nano) in [
            ("61837.63000000", 61_837_630_000_000),
            ("0.000000001", 1),
            ("-2.5", -2_500_000_000),
            ("7", 7_000_000_000),
            ("1e-05", 10_000),
            ("1.5E3", 1_500_000_000_000),
            ("0.30000000000000004", 300_000_000),
            ("0.0000000005", 1),
            ("1e-400", 0),
        ] {
            assert_eq!(Price::parse(text.as_bytes()), Ok(Price(nano)), "{text}");
        }
        assert_eq!(Size::parse(b"0.00000001"), Ok(Size(1)));
        assert_eq!(Price(61_837_630_000_000).to_f64(), 61_837.63);
    }

    #[test]
    fn text_that_is_not_a_number_is_refused() {
        for text in [
            "", "-", ".", "1.", ".5", "1.2.3", "NaN", "inf", "1e", "1e5e", "0x10", " 1", "1,5",
            "+1",
        ] {
            assert_eq!(
                Price::parse(text.as_bytes()),
                Err(NumberError::NotANumber),
                "{text:?}"
            );
        }
        for text in ["99999999999999999999", "1e300", "9300000000"] {
            assert_eq!(
                Price::parse(text.as_bytes()),
                Err(NumberError::OutOfRange),
                "{text:?}"
            );
        }
    }

    #[test]
    fn numbers_are_displayed_without_trailing_zeros() {
        assert_eq!(Price(1_230_000_000).to_string(), "1.23");
        assert_eq!(Price(-5).to_string(), "-0.000000005");
        assert_eq!(Size(300_000_000).to_string(), "3");
        assert_eq!(Price::UNDEFINED.to_string(), "-");
    }
}
