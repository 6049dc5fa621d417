//! JSON pieces that all formats share. Parsing itself is sonic-rs'.

use std::fmt;

use serde::Deserialize;
use serde::de::{IgnoredAny, SeqAccess, Visitor};
use sonic_rs::LazyValue;
use sonic_rs::error::Category;

use super::amount;
use super::error::DecodeError;
use crate::event::{Batch, Level};
use crate::units::Nanos;

/// Reads one JSON value into its wire struct, which may borrow from it.
pub(super) fn parse<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, DecodeError> {
    sonic_rs::from_slice(bytes).map_err(|error| match error.classify() {
        _ if std::str::from_utf8(bytes).is_err() => DecodeError::NotUtf8,
        Category::Eof => DecodeError::Truncated,
        Category::TypeUnmatched | Category::NotFound => DecodeError::WrongShape,
        _ => DecodeError::Malformed,
    })
}

/// Why a message that no venue recognises is refused: it is broken, or of an unknown kind.
pub(super) fn refusal(message: &[u8]) -> DecodeError {
    match parse::<IgnoredAny>(message) {
        Err(error) => error,
        Ok(_) if message.trim_ascii_start().starts_with(b"{") => DecodeError::UnknownType,
        Ok(_) => DecodeError::WrongShape,
    }
}

/// Whether brackets nest no deeper than any message needs. Parsers recurse, and some ten thousand levels
/// overflow a thread's stack. A short text cannot nest so deep, and is not searched.
pub(super) fn is_shallow(bytes: &[u8]) -> bool {
    if bytes.len() <= SHORT {
        return true;
    }
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for &byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => {
                depth += 1;
                if depth > DEEPEST {
                    return false;
                }
            }
            b']' | b'}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    true
}

/// Bytes of the longest text that is not searched.
const SHORT: usize = 2_048;
/// How deep brackets may nest in a longer one.
const DEEPEST: usize = 128;

/// A time since the epoch: neither before it nor the mark of an undefined one.
pub(super) fn time(field: &'static str, nanos: i64) -> Result<Nanos, DecodeError> {
    let is_time = nanos >= 0 && Nanos(nanos) != Nanos::UNDEFINED;
    is_time
        .then_some(Nanos(nanos))
        .ok_or(DecodeError::OutOfRange(field))
}

/// The time of something that has happened, and so is at most a day ahead of the clock that received it: a
/// wrong time would keep a company's time, or that of an instrument's news, ahead until the time comes.
pub(super) fn past_time(
    nanos: i64,
    ts_recv: Option<i64>,
    batch: &mut Batch,
) -> Result<Nanos, DecodeError> {
    let ts = time("ts_event", nanos)?;
    if let Some(origin) = batch.origins.last_mut() {
        if let Some(ts_recv) = ts_recv {
            origin.ts_recv = time("ts_recv", ts_recv)?;
        }
        if ts.since(origin.ts_recv) > AHEAD_NS {
            return Err(DecodeError::OutOfRange("ts_event"));
        }
    }
    Ok(ts)
}

/// How far a sender's time may be ahead, in nanoseconds: a day, for senders that write dates alone.
pub const AHEAD_NS: i64 = 86_400_000_000_000;

/// The text of a decimal, written as a number or as a string.
pub(super) fn decimal<'a>(value: &'a LazyValue<'_>) -> &'a [u8] {
    let raw = value.as_raw_str().as_bytes();
    raw.strip_prefix(b"\"")
        .and_then(|rest| rest.strip_suffix(b"\""))
        .unwrap_or(raw)
}

/// Appends levels to the batch and says how many. Prices above zero, sizes zero or more. A level without a
/// price pads the message, and is none.
pub(super) fn push_levels<'a>(
    batch: &mut Batch,
    levels: impl Iterator<Item = (&'a [u8], &'a [u8])>,
) -> Result<u32, DecodeError> {
    let before = batch.levels.len();
    for (price, size) in levels {
        let price = match amount::price("price", price) {
            Err(DecodeError::MissingField(_)) => continue,
            price => price?,
        };
        let size = amount::size("size", size)?;
        batch.levels.push(Level { price, size });
    }
    Ok((batch.levels.len() - before) as u32)
}

/// `["61737.63", "0.5"]`, of strings; further elements are ignored.
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
