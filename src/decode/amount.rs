//! Prices and sizes of a message: what a trade, an order and a side of a quote must have.

use super::error::DecodeError;
use crate::units::{NumberError, Price, Size};

/// A number as a message has it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Written<'a> {
    /// Its digits, with sign, point and exponent.
    pub(super) digits: &'a [u8],
    /// Whether it is a bare number, which an encoder may have printed from a float. Text has the digits that
    /// its producer chose, and is never rounded.
    pub(super) is_bare: bool,
}

impl<'a> Written<'a> {
    /// A number that is written as text.
    pub(super) fn text(digits: &'a str) -> Self {
        Self {
            digits: digits.as_bytes(),
            is_bare: false,
        }
    }

    fn price(self) -> Result<Price, NumberError> {
        match self.is_bare {
            true => Price::parse_float(self.digits),
            false => Price::parse(self.digits),
        }
    }

    fn size(self) -> Result<Size, NumberError> {
        match self.is_bare {
            true => Size::parse_float(self.digits),
            false => Size::parse(self.digits),
        }
    }

    /// Whether it stands for a price that there is not.
    pub(super) fn is_undefined(self) -> bool {
        self.price() == Ok(Price::UNDEFINED)
    }

    /// Whether it is a price of zero.
    pub(super) fn is_zero(self) -> bool {
        self.price() == Ok(Price::ZERO)
    }
}

/// The price of something traded or quoted: defined, and above zero.
pub(super) fn price(field: &'static str, written: Written<'_>) -> Result<Price, DecodeError> {
    match number(field, written.price())? {
        Price::UNDEFINED => Err(DecodeError::MissingField(field)),
        price if price <= Price::ZERO => Err(DecodeError::OutOfRange(field)),
        price => Ok(price),
    }
}

/// A size that may be zero: of a level, of a bar.
pub(super) fn size(field: &'static str, written: Written<'_>) -> Result<Size, DecodeError> {
    match number(field, written.size())? {
        Size::UNDEFINED => Err(DecodeError::MissingField(field)),
        size if size < Size::ZERO => Err(DecodeError::OutOfRange(field)),
        size => Ok(size),
    }
}

/// The size of a trade: above zero.
pub(super) fn traded_size(field: &'static str, written: Written<'_>) -> Result<Size, DecodeError> {
    match size(field, written)? {
        Size::ZERO => Err(DecodeError::OutOfRange(field)),
        size => Ok(size),
    }
}

/// One side of a quote. A side is empty where its price is undefined or its size zero, and, with
/// `zero_is_empty`, where its price is zero.
pub(super) fn quote_side(
    price: (&'static str, Written<'_>),
    size: (&'static str, Written<'_>),
    zero_is_empty: bool,
) -> Result<(Price, Size), DecodeError> {
    let price_read = number(price.0, price.1.price())?;
    let size_read = self::size(size.0, size.1)?;
    match (price_read, size_read) {
        (Price::UNDEFINED, _) | (_, Size::ZERO) => Ok((Price::UNDEFINED, Size::ZERO)),
        (Price::ZERO, _) if zero_is_empty => Ok((Price::UNDEFINED, Size::ZERO)),
        (read, _) if read <= Price::ZERO => Err(DecodeError::OutOfRange(price.0)),
        side => Ok(side),
    }
}

/// Names the field of a number that could not be read.
fn number<T>(field: &'static str, parsed: Result<T, NumberError>) -> Result<T, DecodeError> {
    parsed.map_err(|error| match error {
        NumberError::NotANumber => DecodeError::BadNumber(field),
        NumberError::OutOfRange => DecodeError::OutOfRange(field),
        NumberError::TooPrecise => DecodeError::TooPrecise(field),
    })
}
