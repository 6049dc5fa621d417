//! A field's value, of either encoding, and what it means.
//!
//! Numbers keep their digits: those of JSON as they are written, a float64 of MessagePack those that tell it
//! from its neighbours. A field that is absent, null or of another type is an error that names it.

use super::packed::Packed;
use crate::decode::amount::Written;
use crate::decode::error::{DecodeError, plausible};
use crate::decode::field::Field;
use crate::units::Nanos;

/// A value of a message.
#[derive(Debug)]
pub(super) enum Value<'a> {
    /// Of a text.
    Json(Field<'a>),
    /// Of a binary message.
    Packed(Packed<'a>),
}

impl Default for Value<'_> {
    fn default() -> Self {
        Self::Json(Field::Absent)
    }
}

/// Room for the digits of a number that is not written as a text.
#[derive(Default)]
pub(super) struct Digits {
    float: ryu::Buffer,
    whole: itoa::Buffer,
}

impl<'a> Value<'a> {
    /// Whether the message has the field, null or not.
    pub(super) fn is_present(&self) -> bool {
        match self {
            Self::Json(field) => field.is_present(),
            Self::Packed(_) => true,
        }
    }

    /// Whether there is a value.
    pub(super) fn has_value(&self) -> bool {
        match self {
            Self::Json(field) => field.has_value(),
            Self::Packed(packed) => *packed != Packed::Nil,
        }
    }

    /// Its text.
    pub(super) fn text(&self, name: &'static str) -> Result<&str, DecodeError> {
        match self {
            Self::Json(field) => field.text(name),
            Self::Packed(Packed::Text(text)) => Ok(text),
            Self::Packed(other) => Err(wrong(name, other)),
        }
    }

    /// Its digits.
    pub(super) fn written<'v>(
        &'v self,
        name: &'static str,
        digits: &'v mut Digits,
    ) -> Result<Written<'v>, DecodeError> {
        let bare = |digits: &'v str| {
            Ok(Written {
                digits: digits.as_bytes(),
                is_bare: true,
            })
        };
        match self {
            Self::Json(field) => field.written(name),
            Self::Packed(Packed::Unsigned(number)) => bare(digits.whole.format(*number)),
            Self::Packed(Packed::Negative(number)) => bare(digits.whole.format(*number)),
            Self::Packed(Packed::Float(number)) if number.is_finite() => {
                bare(digits.float.format_finite(*number))
            }
            Self::Packed(Packed::Single(number)) if number.is_finite() => {
                bare(digits.float.format_finite(*number))
            }
            Self::Packed(Packed::Float(_) | Packed::Single(_)) => Err(DecodeError::BadNumber(name)),
            Self::Packed(other) => Err(wrong(name, other)),
        }
    }

    /// A whole number that is not negative.
    pub(super) fn unsigned(&self, name: &'static str) -> Result<u64, DecodeError> {
        match self {
            Self::Json(field) => field.unsigned(name),
            Self::Packed(Packed::Unsigned(number)) => Ok(*number),
            Self::Packed(Packed::Negative(_)) => Err(DecodeError::OutOfRange(name)),
            Self::Packed(Packed::Float(_) | Packed::Single(_)) => Err(DecodeError::BadNumber(name)),
            Self::Packed(other) => Err(wrong(name, other)),
        }
    }

    /// A plausible time: RFC 3339 in a text, the timestamp of MessagePack.
    pub(super) fn time(&self, name: &'static str) -> Result<Nanos, DecodeError> {
        match self {
            Self::Json(field) => field.time(name),
            Self::Packed(Packed::Time { seconds, nanos }) => {
                if *nanos >= 1_000_000_000 {
                    return Err(DecodeError::BadNumber(name));
                }
                let time = i128::from(*seconds) * 1_000_000_000 + i128::from(*nanos);
                let time = i64::try_from(time);
                plausible(
                    name,
                    time.map_err(|_| DecodeError::ImplausibleTime(name, None))?,
                )
            }
            Self::Packed(other) => Err(wrong(name, other)),
        }
    }

    /// A list of texts.
    pub(super) fn texts(&self, name: &'static str) -> Result<Vec<String>, DecodeError> {
        match self {
            Self::Json(field) => {
                let raw = field.needed(name)?.as_raw_str().as_bytes();
                crate::decode::json::parse(raw).map_err(|_| DecodeError::WrongType(name))
            }
            Self::Packed(Packed::List { count, items }) => {
                let mut items = *items;
                let text = |_| match items.value()? {
                    Packed::Text(text) => Ok(text.to_owned()),
                    _ => Err(DecodeError::WrongType(name)),
                };
                (0..*count).map(text).collect()
            }
            Self::Packed(other) => Err(wrong(name, other)),
        }
    }
}

/// Why a value of another type is refused.
fn wrong(name: &'static str, value: &Packed<'_>) -> DecodeError {
    match value {
        Packed::Nil => DecodeError::MissingField(name),
        _ => DecodeError::WrongType(name),
    }
}
