//! What a look at a message's bytes shows: its product, its kind, its number, whether it is Coinbase's.

use std::borrow::Cow;

use memchr::memmem;

use crate::decode::text::{elements, members, text_of, value_of};
use crate::decode::venue::Reaction;

/// The product that all events of a message are about; none for messages about several, or about none.
pub(super) fn symbol_of(message: &[u8]) -> Option<Cow<'_, str>> {
    match usual_symbol(message) {
        Usual::Symbol(symbol) => Some(Cow::Borrowed(symbol)),
        Usual::None => None,
        Usual::Unknown => {
            let mut symbol = None;
            let events = value_of(message, "events")?;
            let is_only = elements(events.0).all(|event| is_of(event.0, &mut symbol));
            symbol.filter(|_| is_only)
        }
    }
}

/// Whether the events of a message are about several products.
pub(super) fn names_several(message: &[u8]) -> bool {
    memmem::find_iter(message, b"\"product_id\"")
        .nth(1)
        .is_some()
        && symbol_of(message).is_none()
}

/// What a search for the field of the product finds.
enum Usual<'m> {
    /// All of the message is about this product.
    Symbol(&'m str),
    /// It names several products, or none.
    None,
    /// The message is not written as the venue writes it.
    Unknown,
}

fn usual_symbol(message: &[u8]) -> Usual<'_> {
    if !message.starts_with(b"{\"channel\":\"") || memchr::memchr(b'\\', message).is_some() {
        return Usual::Unknown;
    }
    let mut symbol: Option<&[u8]> = None;
    let mut rest = message;
    while let Some(at) = memmem::find(rest, b"\"product_id\"") {
        let Some(value) = rest[at..].strip_prefix(b"\"product_id\":\"") else {
            return Usual::Unknown;
        };
        let Some(end) = memchr::memchr(b'"', value) else {
            return Usual::Unknown;
        };
        if *symbol.get_or_insert(&value[..end]) != &value[..end] {
            return Usual::None;
        }
        rest = &value[end..];
    }
    match symbol.map(std::str::from_utf8) {
        Some(Ok("")) | None => Usual::None,
        Some(Ok(symbol)) => Usual::Symbol(symbol),
        Some(Err(_)) => Usual::Unknown,
    }
}

/// Whether an event is about this product alone, which the first one names.
fn is_of<'m>(event: &'m [u8], symbol: &mut Option<Cow<'m, str>>) -> bool {
    members(event).all(|(key, value)| {
        if key.is("product_id") {
            let Some(own) = value.text().filter(|own| !own.is_empty()) else {
                return false;
            };
            return *symbol.get_or_insert_with(|| own.clone()) == own;
        }
        let is_list = key.is("trades") || key.is("tickers");
        !is_list || elements(value.0).all(|item| is_of(item.0, symbol))
    })
}

/// Only the newest best bid and offer of a product matters.
pub(super) fn is_quote(message: &[u8]) -> bool {
    text_of(message, "channel").is_some_and(|channel| channel == "ticker")
}

/// The product whose book a message changes.
pub(super) fn book_change_of(message: &[u8]) -> Option<Cow<'_, str>> {
    if text_of(message, "channel")? != "l2_data" {
        return None;
    }
    let event = elements(value_of(message, "events")?.0).next()?;
    let is_change = text_of(event.0, "type")? == "update";
    is_change.then(|| symbol_of(message))?
}

/// The number of a frame among all of its connection. It stands before the events.
pub(super) fn connection_number(message: &[u8]) -> Option<u64> {
    // The first field finds out faster than a walk that a message is another venue's.
    let rest = message.trim_ascii_start().strip_prefix(b"{")?;
    let first = rest.trim_ascii_start().strip_prefix(b"\"")?;
    if !FIELDS
        .iter()
        .any(|field| first.starts_with(field.as_bytes()))
    {
        return None;
    }
    value_of(message, "sequence_num")?.number()?.parse().ok()
}

/// The fields of a message that has a number, any of which may come first.
const FIELDS: [&str; 5] = [
    "channel",
    "timestamp",
    "sequence_num",
    "client_id",
    "events",
];

/// The venue announces no end of a connection, and needs no account for market data. One that it refuses
/// all the same is refused for good. Errors have a type and no channel, and are short.
pub(super) fn reaction(message: &[u8]) -> Reaction {
    if message.len() > ERROR_WITHIN || !is_error(message) {
        return Reaction::None;
    }
    let words = ["message", "reason"].map(|field| text_of(message, field));
    let words: Vec<Cow<'_, str>> = words.into_iter().flatten().collect();
    let words = words.join(": ");
    let lower = words.to_ascii_lowercase();
    match lower.contains("authenticat") {
        true => Reaction::Fatal(words),
        false if IS_PASSING.iter().any(|word| lower.contains(word)) => {
            Reaction::RefusedForNow(words)
        }
        false => Reaction::Rejected(words),
    }
}

/// In the words, in lower case, of what would be taken later: too many requests, or a fault of the venue.
const IS_PASSING: [&str; 6] = [
    "rate limit",
    "too many",
    "unavailable",
    "internal",
    "timeout",
    "try again",
];

/// Bytes of the longest error.
const ERROR_WITHIN: usize = 1_024;

fn is_error(message: &[u8]) -> bool {
    memmem::find(message, b"error").is_some()
        && text_of(message, "type").is_some_and(|kind| kind == "error")
        && value_of(message, "channel").is_none()
        && value_of(message, "message").is_some()
}

/// Whether a message has the marks of Coinbase: a channel with a number among all of its connection or with
/// events, or an error.
pub(super) fn recognises(message: &[u8]) -> bool {
    let (mut has_channel, mut has_mark) = (false, false);
    for (key, value) in members(message) {
        has_channel |= key.is("channel") && value.text().is_some();
        has_mark |= key.is("sequence_num") || key.is("events");
        if has_channel && has_mark {
            return true;
        }
    }
    message.len() <= ERROR_WITHIN && is_error(message)
}
