//! What a look at a message's bytes shows: its messages one by one, its symbol, its type, the venue's errors.

use std::borrow::Cow;

use super::packed::{Packed, Reader, list_of_one};
use crate::decimal::whole;
use crate::decode::text::{first_object, objects, value_of};
use crate::decode::venue::Reaction;
use crate::frame::binary::is_binary;

/// The messages of a list of several, each as a list of its own; none where there is one, or where the list
/// is broken: then it is refused as it is.
pub(super) fn split(message: &[u8]) -> Vec<Vec<u8>> {
    if !recognises(message) {
        return vec![];
    }
    match is_binary(message) {
        true => split_packed(message).unwrap_or_default(),
        false => match objects(message) {
            Some(objects) if objects.len() > 1 => {
                let list = |object: &&[u8]| [b"[", *object, b"]"].concat();
                objects.iter().map(list).collect()
            }
            _ => vec![],
        },
    }
}

fn split_packed(message: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut reader = Reader(message);
    let count = reader.list().ok().filter(|&count| count > 1)?;
    let mut messages = vec![];
    for _ in 0..count {
        let before = reader.0;
        reader.skip(1).ok()?;
        messages.push(list_of_one(&before[..before.len() - reader.0.len()]));
    }
    reader.0.is_empty().then_some(messages)
}

/// Whether a message is a list of which the first element has a type, as all of the venue's are.
pub(super) fn recognises(message: &[u8]) -> bool {
    text_of(message, "T").is_some()
}

/// The symbol of a message that is one alone. A news item has several, and names them otherwise.
pub(super) fn symbol_of(message: &[u8]) -> Option<Cow<'_, str>> {
    text_of(message, "S").filter(|symbol| !symbol.is_empty() && is_one(message))
}

/// Only the newest quote of an instrument matters.
pub(super) fn is_quote(message: &[u8]) -> bool {
    text_of(message, "T").is_some_and(|kind| kind == "q") && is_one(message)
}

/// What the connection must do about an error of the venue; errors come alone and are short.
pub(super) fn reaction(message: &[u8]) -> Reaction {
    let is_error =
        message.len() <= ERROR_WITHIN && text_of(message, "T").is_some_and(|kind| kind == "error");
    if !is_error {
        return Reaction::None;
    }
    let said = text_of(message, "msg").unwrap_or_default();
    let code = number_of(message, "code");
    let words = match code {
        Some(code) => format!("{code}: {said}"),
        None => said.into_owned(),
    };
    match code {
        // Not authenticated, wrong credentials, no subscription to the feed, no right to it.
        Some(401 | 402 | 408 | 409 | 411) => Reaction::Fatal(words),
        // Bad syntax, too many symbols, a stream that the feed does not have.
        Some(400 | 405 | 410) => Reaction::Rejected(words),
        // Authenticated before: nothing is lost.
        Some(403) => Reaction::None,
        // No authentication in time, too many connections, a client that is too slow, what is not known.
        _ => Reaction::Fault(words),
    }
}

/// Bytes of the longest error.
const ERROR_WITHIN: usize = 1_024;

/// Whether a list has one element.
fn is_one(message: &[u8]) -> bool {
    match is_binary(message) {
        true => Reader(message).list() == Ok(1),
        false => first_object(message).is_some_and(|(_, behind)| behind.starts_with(b"]")),
    }
}

/// The text of a field of the first message.
fn text_of<'m>(message: &'m [u8], key: &str) -> Option<Cow<'m, str>> {
    if !is_binary(message) {
        return value_of(first_of(message)?, key)?.text();
    }
    match packed_of(message, key)? {
        Packed::Text(text) => Some(Cow::Borrowed(text)),
        _ => None,
    }
}

fn number_of(message: &[u8], key: &str) -> Option<u64> {
    if !is_binary(message) {
        let number = value_of(first_of(message)?, key)?.number()?;
        return u64::try_from(whole(&number)?).ok();
    }
    match packed_of(message, key)? {
        Packed::Unsigned(number) => Some(number),
        _ => None,
    }
}

/// The list from its first object on.
fn first_of(message: &[u8]) -> Option<&[u8]> {
    message.trim_ascii_start().strip_prefix(b"[")
}

/// The value of a field of the first message.
fn packed_of<'m>(message: &'m [u8], key: &str) -> Option<Packed<'m>> {
    let mut reader = Reader(message);
    reader.list().ok().filter(|&count| count > 0)?;
    for _ in 0..reader.map().ok()? {
        let name = reader.key().ok()?;
        let value = reader.value().ok()?;
        if name == key {
            return Some(value);
        }
    }
    None
}
