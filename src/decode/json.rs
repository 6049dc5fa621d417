//! Parsing, which is sonic-rs', and why a text cannot be parsed.

use serde::Deserialize;
use serde::de::IgnoredAny;
use sonic_rs::error::Category;

use super::error::DecodeError;

/// Reads one JSON value into its wire struct, which may borrow from it.
pub(super) fn parse<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, DecodeError> {
    // The parser looks for text that is not UTF-8 after it has handed it out as text.
    let text = std::str::from_utf8(bytes).map_err(|_| DecodeError::NotUtf8)?;
    sonic_rs::from_str(text).map_err(|error| match error.classify() {
        Category::Eof => DecodeError::Truncated,
        Category::TypeUnmatched | Category::NotFound => DecodeError::WrongShape,
        _ => DecodeError::Malformed,
    })
}

/// Why a message that nobody recognises is refused: it is broken, or of an unknown kind.
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
