//! JSON pieces that both formats share. Parsing itself is sonic-rs'.

use std::fmt;

use serde::Deserialize;
use serde::de::{IgnoredAny, SeqAccess, Visitor};
use sonic_rs::LazyValue;
use sonic_rs::error::Category;

use super::{DecodeError, number};
use crate::event::{Batch, Level};
use crate::units::{Price, Size};

/// Reads one JSON value into its wire struct, which may borrow from it.
pub(super) fn parse<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, DecodeError> {
    sonic_rs::from_slice(bytes).map_err(|error| match error.classify() {
        _ if std::str::from_utf8(bytes).is_err() => DecodeError::NotUtf8,
        Category::Eof => DecodeError::Truncated,
        Category::TypeUnmatched | Category::NotFound => DecodeError::WrongShape,
        _ => DecodeError::Malformed,
    })
}

/// The text of a decimal, written as a number or as a string.
pub(super) fn decimal<'a>(value: &'a LazyValue<'_>) -> &'a [u8] {
    let raw = value.as_raw_str().as_bytes();
    raw.strip_prefix(b"\"")
        .and_then(|rest| rest.strip_suffix(b"\""))
        .unwrap_or(raw)
}

/// Appends levels to the batch and says how many. Prices above zero, sizes zero or more.
pub(super) fn push_levels<'a>(
    batch: &mut Batch,
    levels: impl Iterator<Item = (&'a [u8], &'a [u8])>,
) -> Result<u32, DecodeError> {
    let before = batch.levels.len();
    for (price, size) in levels {
        let level = Level {
            price: number("price", Price::parse(price))?,
            size: number("size", Size::parse(size))?,
        };
        if level.price <= Price(0) || level.size < Size(0) {
            return Err(DecodeError::OutOfRange(if level.price <= Price(0) {
                "price"
            } else {
                "size"
            }));
        }
        batch.levels.push(level);
    }
    Ok((batch.levels.len() - before) as u32)
}

/// `["61737.63", "0.5"]`, of strings; further elements are passed over.
#[derive(Clone, Copy, Debug)]
pub(super) struct TextPair<'a>(pub(super) &'a str, pub(super) &'a str);

impl<'de: 'a, 'a> Deserialize<'de> for TextPair<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pair;
        impl<'de> Visitor<'de> for Pair {
            type Value = TextPair<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a pair of price and size as strings")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let missing = |at| serde::de::Error::invalid_length(at, &"two");
                let price = seq.next_element()?.ok_or_else(|| missing(0))?;
                let size = seq.next_element()?.ok_or_else(|| missing(1))?;
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(TextPair(price, size))
            }
        }
        deserializer.deserialize_seq(Pair)
    }
}
