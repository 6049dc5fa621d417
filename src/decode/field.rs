//! One field of a message as it came, and what it means: text with its escapes resolved, numbers written as
//! numbers or as text, with or without exponents.
//!
//! A field that is absent, null or of another type is an error that names it.

use std::borrow::Cow;

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};
use sonic_rs::{JsonValueTrait, LazyValue};

use super::error::{DecodeError, plausible};
use super::json::parse;
use super::text::members;
use crate::time::parse_rfc3339;
use crate::units::Nanos;

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
    pub(super) fn decimal(&self, name: &'static str) -> Result<Cow<'_, str>, DecodeError> {
        decimal(name, self.needed(name)?)
    }

    /// A float.
    pub(super) fn float(&self, name: &'static str) -> Result<f64, DecodeError> {
        float(name, self.needed(name)?)
    }

    /// A whole number, also as `5.0` or `1e3`.
    pub(super) fn integer(&self, name: &'static str) -> Result<i64, DecodeError> {
        let whole = whole(&self.decimal(name)?).ok_or(DecodeError::BadNumber(name))?;
        i64::try_from(whole).map_err(|_| DecodeError::OutOfRange(name))
    }

    /// A whole number that is not negative.
    pub(super) fn unsigned(&self, name: &'static str) -> Result<u64, DecodeError> {
        let whole = whole(&self.decimal(name)?).ok_or(DecodeError::BadNumber(name))?;
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
        let written = self.value().and_then(|value| value.as_str());
        match written.and_then(parse_rfc3339) {
            Some(time) => Ok(time.0),
            None => self.integer(name),
        }
    }

    /// The same, plausible.
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
) -> Result<Cow<'v, str>, DecodeError> {
    match value.as_str() {
        Some(text) => Ok(text.into()),
        None if value.is_number() => Ok(value.as_raw_str().into()),
        None => Err(DecodeError::WrongType(name)),
    }
}

/// A finite float, which is written as a number or as text.
pub(super) fn float(name: &'static str, value: &LazyValue<'_>) -> Result<f64, DecodeError> {
    let text = decimal(name, value)?;
    // `inf`, `nan` and `infinity` are floats to Rust, and no numbers to JSON.
    let is_decimal = text
        .bytes()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E'));
    match text.parse::<f64>() {
        Ok(number) if is_decimal && number.is_finite() => Ok(number),
        Ok(_) if is_decimal => Err(DecodeError::OutOfRange(name)),
        _ => Err(DecodeError::BadNumber(name)),
    }
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

/// Encoders write `NaN` and `Infinity`, which are not JSON.
fn no_number(bytes: &[u8], names: &[&'static str]) -> Option<DecodeError> {
    const WORDS: [&[u8]; 4] = [b"NaN", b"Infinity", b"-Infinity", b"-NaN"];
    members(bytes).find_map(|(key, value)| {
        let name = names.iter().find(|name| key.is(name))?;
        WORDS
            .contains(&value.0)
            .then_some(DecodeError::BadNumber(name))
    })
}

/// A whole number, also as `5.0` or `1e3`; none where the text is no number or has a fraction.
fn whole(text: &str) -> Option<i128> {
    if text.starts_with('+') {
        return None;
    }
    if let Ok(whole) = text.parse() {
        return Some(whole);
    }
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (before, after) = match mantissa.split_once('.') {
        Some((_, "")) => return None,
        Some(parts) => parts,
        None => (mantissa, ""),
    };
    let exponent: i64 = exponent.parse().ok()?;
    let digits = [before, after].concat();
    if before.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let kept = digits.trim_end_matches('0');
    if kept.is_empty() {
        return Some(0);
    }
    let zeros = (digits.len() - kept.len()) as i64;
    let scale = exponent
        .checked_add(zeros)?
        .checked_sub(after.len() as i64)?;
    let power = 10_i128.checked_pow(u32::try_from(scale).ok()?)?;
    kept.parse::<i128>()
        .ok()?
        .checked_mul(power)
        .map(|value| sign * value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_number_may_be_written_in_many_ways() {
        for (text, value) in [
            ("7", Some(7)),
            ("-7.00", Some(-7)),
            ("1790000001100000000.0", Some(1_790_000_001_100_000_000)),
            ("1.7900000011e18", Some(1_790_000_001_100_000_000)),
            ("17900E+2", Some(1_790_000)),
            ("1200e-2", Some(12)),
            ("0.0e9", Some(0)),
            ("1.5", None),
            ("1e-1", None),
            ("1e99", None),
            ("1e99999999999999999999", None),
            ("1.", None),
            (".5", None),
            ("+5", None),
            ("noon", None),
            ("", None),
        ] {
            assert_eq!(whole(text), value, "{text}");
        }
    }

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
            (r#"{"price":nan}"#, DecodeError::Malformed),
            (r#"["5"]"#, DecodeError::WrongShape),
            ("7", DecodeError::WrongShape),
        ] {
            let error = parse_fields::<Message<'_>>(message.as_bytes(), &["price"]).unwrap_err();
            assert_eq!(error, expected, "{message}");
        }
        let message: Message<'_> =
            parse_fields(br#"{"pr\u0069ce":"\u0031.5"}"#, &["price"]).unwrap();
        assert_eq!(message.price.decimal("price").as_deref(), Ok("1.5"));
        let message: Message<'_> = parse_fields(br#"{"price":null}"#, &["price"]).unwrap();
        assert_eq!(
            message.price.text("price"),
            Err(DecodeError::MissingField("price"))
        );
        assert!(message.price.is_present());
    }
}
