//! The levels of a book: pairs of price and size.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use sonic_rs::{JsonValueTrait, LazyValue};

use super::amount::{self, Written};
use super::error::DecodeError;
use super::field::{Field, written};
use super::json::parse;
use crate::event::{Batch, Level};
use crate::units::Size;

/// `["61737.63", "0.5"]`; further elements are ignored.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pair<T>(T, T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Pair<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PairVisitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for PairVisitor<T> {
            type Value = Pair<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a pair of price and size")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let missing = |at| serde::de::Error::invalid_length(at, &"two");
                let price = seq.next_element()?.ok_or_else(|| missing(0))?;
                let size = seq.next_element()?.ok_or_else(|| missing(1))?;
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Pair(price, size))
            }
        }
        deserializer.deserialize_seq(PairVisitor(PhantomData))
    }
}

/// Appends levels whose numbers are plain text to the batch and says how many.
pub(super) fn push_texts(batch: &mut Batch, pairs: &[Pair<&str>]) -> Result<u32, DecodeError> {
    let before = batch.levels.len();
    for Pair(price, size) in pairs {
        push(batch, Written::text(price), Written::text(size))?;
    }
    Ok((batch.levels.len() - before) as u32)
}

/// Appends the levels of a field, whose numbers may be numbers or text, to the batch and says how many. A
/// pair of nulls pads the message, and is no level.
pub(super) fn push_field(
    batch: &mut Batch,
    name: &'static str,
    field: &Field<'_>,
) -> Result<u32, DecodeError> {
    let raw = field.needed(name)?.as_raw_str().as_bytes();
    let pairs: Vec<Pair<LazyValue<'_>>> = parse(raw).map_err(|_| DecodeError::WrongType(name))?;
    let before = batch.levels.len();
    for Pair(price, size) in &pairs {
        match (price.is_null(), size.is_null()) {
            (true, true) => {}
            (true, false) => return Err(DecodeError::MissingField("price")),
            (false, true) => return Err(DecodeError::MissingField("size")),
            (false, false) => {
                push(batch, written("price", price)?, written("size", size)?)?;
            }
        }
    }
    Ok((batch.levels.len() - before) as u32)
}

/// Appends a level: of a price above zero, and a size of zero or more. One without a price, or of price and
/// size zero, pads the message, and is none.
pub(super) fn push(
    batch: &mut Batch,
    price: Written<'_>,
    size: Written<'_>,
) -> Result<(), DecodeError> {
    let size_read = amount::size("size", size);
    let price = match amount::price("price", price) {
        Err(DecodeError::MissingField(_)) => return Ok(()),
        Err(DecodeError::OutOfRange(_)) if price.is_zero() && size_read == Ok(Size::ZERO) => {
            return Ok(());
        }
        price => price?,
    };
    let size = size_read?;
    batch.levels.push(Level { price, size });
    Ok(())
}
