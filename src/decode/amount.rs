//! Prices and sizes of a message: what a trade, an order and a side of a quote must have.

use super::error::DecodeError;
use crate::units::{NumberError, Price, Size};

/// The price of something traded or quoted: defined, and above zero.
pub(super) fn price(field: &'static str, text: &[u8]) -> Result<Price, DecodeError> {
    match number(field, Price::parse(text))? {
        Price::UNDEFINED => Err(DecodeError::MissingField(field)),
        price if price <= Price::ZERO => Err(DecodeError::OutOfRange(field)),
        price => Ok(price),
    }
}

/// A size that may be zero: of a level, of a bar.
pub(super) fn size(field: &'static str, text: &[u8]) -> Result<Size, DecodeError> {
    match number(field, Size::parse(text))? {
        Size::UNDEFINED => Err(DecodeError::MissingField(field)),
        size if size < Size::ZERO => Err(DecodeError::OutOfRange(field)),
        size => Ok(size),
    }
}

/// The size of a trade: above zero.
pub(super) fn traded_size(field: &'static str, text: &[u8]) -> Result<Size, DecodeError> {
    match size(field, text)? {
        Size::ZERO => Err(DecodeError::OutOfRange(field)),
        size => Ok(size),
    }
}

/// One side of a quote. A side is empty where its price is undefined or its size zero, and, with
/// `zero_is_empty`, where its price is zero.
pub(super) fn quote_side(
    price: (&'static str, &[u8]),
    size: (&'static str, &[u8]),
    zero_is_empty: bool,
) -> Result<(Price, Size), DecodeError> {
    let price_read = number(price.0, Price::parse(price.1))?;
    let size_read = self::size(size.0, size.1)?;
    match (price_read, size_read) {
        (Price::UNDEFINED, _) => Ok((Price::UNDEFINED, Size::ZERO)),
        (Price::ZERO, _) if zero_is_empty => Ok((Price::UNDEFINED, Size::ZERO)),
        (read, _) if read <= Price::ZERO => Err(DecodeError::OutOfRange(price.0)),
        (_, Size::ZERO) => Ok((Price::UNDEFINED, Size::ZERO)),
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
