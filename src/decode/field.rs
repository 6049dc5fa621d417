//! One field of a message as it came, and what it means: text with its escapes resolved, numbers written as
//! numbers or as text, with or without exponents.
//!
//! A field that is absent, null or of another type is an error that names it.

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};
use sonic_rs::{JsonValueTrait, LazyValue};

use super::amount::Written;
use super::error::{DecodeError, plausible};
use super::json::parse;
use super::text::{Raw, members};
use super::venue_time::venue_time;
use crate::decimal::{self, whole};
use crate::time::{TimeFault, parse_nanos};
use crate::units::{Nanos, NumberError};

/// A field of a message.
#[derive(Debug, Default)]
pub(super) enum Field<'a> {
    /// The message does not have it.
    #[default]
    Absent,
    /// It is null.
    Null,
    /// It has this value.
    Value(LazyValue<'a>),
}

impl<'de: 'a, 'a> Deserialize<'de> for Field<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = LazyValue::deserialize(deserializer)?;
        Ok(if value.is_null() {
            Self::Null
        } else {
            Self::Value(value)
        })
    }
}

impl<'a> Field<'a> {
    /// Whether the message has the field, null or not.
    pub(super) fn is_present(&self) -> bool {
        !matches!(self, Self::Absent)
    }

    /// The value, where there is one.
    pub(super) fn value(&self) -> Option<&LazyValue<'a>> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Null => None,
        }
    }

    /// Whether there is a value.
    pub(super) fn has_value(&self) -> bool {
        self.value().is_some()
    }

    /// The value, which the message must have.
    pub(super) fn needed(&self, name: &'static str) -> Result<&LazyValue<'a>, DecodeError> {
        self.value().ok_or(DecodeError::MissingField(name))
    }

    /// Its text.
    pub(super) fn text(&self, name: &'static str) -> Result<&str, DecodeError> {
        let value = self.needed(name)?;
        value.as_str().ok_or(DecodeError::WrongType(name))
    }

    /// Its text, where it has a value.
    pub(super) fn optional_text(&self, name: &'static str) -> Result<Option<&str>, DecodeError> {
        self.value().map(|_| self.text(name)).transpose()
    }

    /// The name of an instrument: not empty.
    pub(super) fn symbol(&self, name: &'static str) -> Result<&str, DecodeError> {
        match self.text(name)? {
            "" => Err(DecodeError::OutOfRange(name)),
            symbol => Ok(symbol),
        }
    }

    /// The digits of a number, as they are written.
    pub(super) fn decimal(&self, name: &'static str) -> Result<&str, DecodeError> {
        decimal(name, self.needed(name)?)
    }

    /// The same, and whether the number is bare.
    pub(super) fn written(&self, name: &'static str) -> Result<Written<'_>, DecodeError> {
        written(name, self.needed(name)?)
    }

    /// A float.
    pub(super) fn float(&self, name: &'static str) -> Result<f64, DecodeError> {
        float(name, self.needed(name)?)
    }

    /// A whole number, also as `5.0` or `1e3`.
    pub(super) fn integer(&self, name: &'static str) -> Result<i64, DecodeError> {
        let whole = whole(self.decimal(name)?).ok_or(DecodeError::BadNumber(name))?;
        i64::try_from(whole).map_err(|_| DecodeError::OutOfRange(name))
    }

    /// A whole number that is not negative.
    pub(super) fn unsigned(&self, name: &'static str) -> Result<u64, DecodeError> {
        let whole = whole(self.decimal(name)?).ok_or(DecodeError::BadNumber(name))?;
        u64::try_from(whole).map_err(|_| DecodeError::OutOfRange(name))
    }

    /// The same; zero where there is no value.
    pub(super) fn number_or_zero(&self, name: &'static str) -> Result<u64, DecodeError> {
        self.value().map_or(Ok(0), |_| self.unsigned(name))
    }

    /// True or false.
    pub(super) fn flag(&self, name: &'static str) -> Result<bool, DecodeError> {
        let value = self.needed(name)?;
        value.as_bool().ok_or(DecodeError::WrongType(name))
    }

    /// Nanoseconds since the epoch, or RFC 3339, which need not be plausible.
    pub(super) fn nanos(&self, name: &'static str) -> Result<i64, DecodeError> {
        parse_nanos(self.decimal(name)?).map_err(|fault| match fault {
            TimeFault::OtherYear => DecodeError::ImplausibleTime(name, None),
            TimeFault::TooLarge => DecodeError::OutOfRange(name),
            TimeFault::Fraction(Some(unit)) => DecodeError::ImplausibleTime(name, Some(unit)),
            TimeFault::Fraction(None) | TimeFault::NotATime => DecodeError::BadNumber(name),
        })
    }

    /// Milliseconds or microseconds since the epoch, as venues write them.
    pub(super) fn venue_time(&self, name: &'static str) -> Result<Nanos, DecodeError> {
        venue_time(name, self.integer(name)?)
    }

    /// The same in nanoseconds, plausible.
    pub(super) fn time(&self, name: &'static str) -> Result<Nanos, DecodeError> {
        plausible(name, self.nanos(name)?)
    }

    /// The same, where there is a value.
    pub(super) fn optional_time(&self, name: &'static str) -> Result<Option<Nanos>, DecodeError> {
        self.value().map(|_| self.time(name)).transpose()
    }
}

/// The digits of a number, which is written as a number or as text.
pub(super) fn decimal<'v>(
    name: &'static str,
    value: &'v LazyValue<'_>,
) -> Result<&'v str, DecodeError> {
    match value.as_str() {
        Some(text) => Ok(text),
        None if value.is_number() => Ok(value.as_raw_str()),
        None => Err(DecodeError::WrongType(name)),
    }
}

/// The same, and whether the number is bare.
pub(super) fn written<'v>(
    name: &'static str,
    value: &'v LazyValue<'_>,
) -> Result<Written<'v>, DecodeError> {
    Ok(Written {
        digits: decimal(name, value)?.as_bytes(),
        is_bare: value.is_number(),
    })
}

/// A finite float, which is written as a number or as text.
pub(super) fn float(name: &'static str, value: &LazyValue<'_>) -> Result<f64, DecodeError> {
    decimal::float(decimal(name, value)?).map_err(|error| match error {
        NumberError::NotANumber => DecodeError::BadNumber(name),
        NumberError::OutOfRange | NumberError::TooPrecise => DecodeError::OutOfRange(name),
    })
}

/// Reads a message into a struct whose fields are all [`Field`]s, and says of one that cannot be read which
/// of these fields, named `names`, is at fault.
pub(super) fn parse_fields<'a, T: Deserialize<'a>>(
    bytes: &'a [u8],
    names: &[&'static str],
) -> Result<T, DecodeError> {
    if !bytes.trim_ascii_start().starts_with(b"{") {
        // A list would be read as the fields in their order.
        return parse::<IgnoredAny>(bytes).and(Err(DecodeError::WrongShape));
    }
    parse(bytes).map_err(|error| match error {
        DecodeError::WrongShape => repeated(bytes, names),
        DecodeError::Malformed => no_number(bytes, names).unwrap_or(error),
        _ => error,
    })
}

/// Fields hold anything, so an object that is JSON and cannot be read has a field twice.
fn repeated(bytes: &[u8], names: &[&'static str]) -> DecodeError {
    let stands = |name: &str| members(bytes).filter(|(key, _)| key.is(name)).count();
    let repeated = names.iter().find(|name| stands(name) > 1);
    repeated.map_or(DecodeError::WrongShape, |name| {
        DecodeError::RepeatedField(name)
    })
}

/// Encoders write `NaN` and `Infinity`, which are not JSON. The field of these names that is one, or else the
/// one that holds one in an object or a list.
pub(super) fn no_number(object: &[u8], names: &[&'static str]) -> Option<DecodeError> {
    members(object).find_map(|(key, value)| {
        let own = names.iter().find(|name| key.is(name));
        let own = || own.map(|name| DecodeError::BadNumber(name));
        match value.0.first()? {
            b'{' | b'[' if !holds_no_number(value) => None,
            b'{' => no_number(value.0, names).or_else(own),
            b'[' => own(),
            _ if is_no_number(value.0) => own(),
            _ => None,
        }
    })
}

/// Whether a word is how some encoder writes what is no number.
fn is_no_number(word: &[u8]) -> bool {
    let word = word.strip_prefix(b"-").unwrap_or(word);
    let is = |other: &str| word.eq_ignore_ascii_case(other.as_bytes());
    is("nan") || is("inf") || is("infinity")
}

/// Whether such a word stands somewhere in an object or a list, outside its texts.
fn holds_no_number(nested: Raw<'_>) -> bool {
    let mut quoted = false;
    let mut escaped = false;
    let is_end = |&byte: &u8| {
        quoted = match byte {
            _ if escaped => quoted,
            b'"' => !quoted,
            _ => quoted,
        };
        escaped = quoted && byte == b'\\' && !escaped;
        !quoted
            && (matches!(byte, b',' | b':' | b'[' | b']' | b'{' | b'}')
                || byte.is_ascii_whitespace())
    };
    nested.0.split(is_end).any(is_no_number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_that_cannot_be_read_is_named() {
        #[derive(Debug, serde::Deserialize)]
        struct Message<'a> {
            #[serde(default, borrow)]
            price: Field<'a>,
        }
        for (message, expected) in [
            (
                r#"{"price":1,"pr\u0069ce":2}"#,
                DecodeError::RepeatedField("price"),
            ),
            (r#"{"x":1,"price":NaN}"#, DecodeError::BadNumber("price")),
            (r#"{"price":-Infinity}"#, DecodeError::BadNumber("price")),
            (r#"{"price":nan}"#, DecodeError::BadNumber("price")),
            (r#"{"price":-inf}"#, DecodeError::BadNumber("price")),
            (r#"{"x":{"price":NaN}}"#, DecodeError::BadNumber("price")),
            (
                r#"{"price":[["\"",1],[NaN,1]]}"#,
                DecodeError::BadNumber("price"),
            ),
            (
                r#"{"price":{"x":Infinity}}"#,
                DecodeError::BadNumber("price"),
            ),
            (r#"{"price":["NaN",x]}"#, DecodeError::Malformed),
            (r#"{"price":nano}"#, DecodeError::Malformed),
            (r#"["5"]"#, DecodeError::WrongShape),
            ("7", DecodeError::WrongShape),
        ] {
            let error = parse_fields::<Message<'_>>(message.as_bytes(), &["price"]).unwrap_err();
            assert_eq!(error, expected, "{message}");
        }
        let message: Message<'_> =
            parse_fields(br#"{"pr\u0069ce":"\u0031.5"}"#, &["price"]).unwrap();
        assert_eq!(message.price.decimal("price"), Ok("1.5"));
        let message: Message<'_> = parse_fields(br#"{"price":null}"#, &["price"]).unwrap();
        assert_eq!(
            message.price.text("price"),
            Err(DecodeError::MissingField("price"))
        );
        assert!(message.price.is_present());
    }
}
