//! Alpaca's messages as they come: a list of objects in JSON or of maps in MessagePack, with the same fields.
//!
//! Source: the venue's pages on real-time stock data and real-time news of 2026. The type `T` and the symbol
//! `S` say what the others mean: `i` is the number of a trade, `c` its conditions or the close of a bar.

use std::fmt;

use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use sonic_rs::LazyValue;

use super::packed::Reader;
use super::value::Value;
use crate::decode::error::DecodeError;
use crate::decode::field::{no_number, parse_fields};
use crate::decode::json::parse;
use crate::decode::text::objects;
use crate::frame::binary::is_binary;

/// The fields that are read, each by its name in messages.
macro_rules! keys {
    ($($key:ident = $name:literal),* $(,)?) => {
        /// A field that is read.
        #[derive(Clone, Copy, Debug)]
        pub(super) enum Key {
            $($key),*
        }

        impl Key {
            const NAMES: &'static [&'static str] = &[$($name),*];

            fn of(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$key),)*
                    _ => None,
                }
            }
        }
    };
}

keys! {
    Type = "T",
    Symbol = "S",
    Time = "t",
    // Of a trade, its correction (`o…`: as it was) and its cancellation.
    Id = "i",
    OriginalId = "oi",
    Exchange = "x",
    Tape = "z",
    Price = "p",
    Size = "s",
    // Of a quote.
    BidPrice = "bp",
    BidSize = "bs",
    AskPrice = "ap",
    AskSize = "as",
    // Of a bar.
    Open = "o",
    High = "h",
    Low = "l",
    Close = "c",
    Volume = "v",
    // Of a trading status.
    StatusCode = "sc",
    // Of a news item.
    ItemId = "id",
    Headline = "headline",
    Created = "created_at",
    Updated = "updated_at",
    Symbols = "symbols",
}

impl Key {
    /// Its name in messages and errors.
    pub(super) fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }
}

/// One message, with the fields that are read.
#[derive(Debug)]
pub(super) struct StockMessage<'a>([Value<'a>; Key::NAMES.len()]);

impl<'a> StockMessage<'a> {
    /// A field's value.
    pub(super) fn at(&self, key: Key) -> &Value<'a> {
        &self.0[key as usize]
    }

    /// A field's text.
    pub(super) fn text(&self, key: Key) -> Result<&str, DecodeError> {
        self.at(key).text(key.name())
    }

    fn empty() -> Self {
        Self(std::array::from_fn(|_| Value::default()))
    }

    /// Reads a map of MessagePack.
    fn packed(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let mut message = Self::empty();
        for _ in 0..reader.map()? {
            let key = Key::of(reader.key()?);
            let value = reader.value()?;
            let Some(key) = key else {
                continue;
            };
            let slot = &mut message.0[key as usize];
            if slot.is_present() {
                return Err(DecodeError::RepeatedField(key.name()));
            }
            *slot = Value::Packed(value);
        }
        Ok(message)
    }
}

/// Hands each message of a list to `take`, in order.
///
/// # Errors
/// [`DecodeError`] where the list or one of its messages cannot be read, or of `take`.
pub(super) fn each(
    bytes: &[u8],
    mut take: impl FnMut(&StockMessage<'_>) -> Result<(), DecodeError>,
) -> Result<(), DecodeError> {
    if is_binary(bytes) {
        let mut reader = Reader(bytes);
        for _ in 0..reader.list()? {
            take(&StockMessage::packed(&mut reader)?)?;
        }
        return match reader.0.is_empty() {
            true => Ok(()),
            false => Err(DecodeError::Malformed),
        };
    }
    if !bytes.trim_ascii_start().starts_with(b"[") {
        return Err(DecodeError::WrongShape);
    }
    let list: Vec<LazyValue<'_>> = parse(bytes).map_err(|error| match error {
        DecodeError::Malformed => named(bytes).unwrap_or(error),
        _ => error,
    })?;
    for object in &list {
        take(&parse_fields(object.as_raw_str().as_bytes(), Key::NAMES)?)?;
    }
    Ok(())
}

/// The field at fault where a list is no JSON because of a number that is none.
fn named(list: &[u8]) -> Option<DecodeError> {
    let objects = objects(list)?;
    objects
        .into_iter()
        .find_map(|object| no_number(object, Key::NAMES))
}

impl<'de: 'a, 'a> Deserialize<'de> for StockMessage<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfMap;
        impl<'de> Visitor<'de> for OfMap {
            type Value = StockMessage<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(
                self,
                mut map: M,
            ) -> Result<StockMessage<'de>, M::Error> {
                let mut message = StockMessage::empty();
                while let Some(ReadKey(key)) = map.next_key()? {
                    let value = map.next_value()?;
                    let Some(key) = key else {
                        continue;
                    };
                    let slot = &mut message.0[key as usize];
                    if slot.is_present() {
                        return Err(M::Error::duplicate_field(key.name()));
                    }
                    *slot = Value::Json(value);
                }
                Ok(message)
            }
        }
        deserializer.deserialize_map(OfMap)
    }
}

/// A key, where it is one that is read.
struct ReadKey(Option<Key>);

impl<'de> Deserialize<'de> for ReadKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfText;
        impl Visitor<'_> for OfText {
            type Value = ReadKey;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<ReadKey, E> {
                Ok(ReadKey(Key::of(name)))
            }
        }
        deserializer.deserialize_identifier(OfText)
    }
}
