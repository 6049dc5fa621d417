//! What a look at a message's bytes shows: its symbol, its kind, whether it is Kraken's.

use std::borrow::Cow;

use memchr::memmem;

use super::usual::{MessageHead, head};
use crate::decode::text::{elements, members, text_of, value_of};
use crate::decode::venue::Reaction;

/// The symbol that all of the data is about, or that an answer to a request names; none for data about
/// several symbols.
pub(super) fn symbol_of(message: &[u8]) -> Option<Cow<'_, str>> {
    if let Some(symbol) = usual_symbol(message) {
        return Some(Cow::Borrowed(symbol));
    }
    let mut of_answer = None;
    for (key, value) in members(message) {
        if key.is("data") {
            return only_symbol(value.0);
        } else if key.is("result") {
            of_answer = text_of(value.0, "symbol");
        } else if key.is("symbol") {
            of_answer = value.text().filter(|symbol| !symbol.is_empty());
        }
    }
    of_answer
}

/// Whether the data is about several symbols.
pub(super) fn names_several(message: &[u8]) -> bool {
    let data = value_of(message, "data");
    let symbols = data.map(|data| {
        let named = elements(data.0).filter_map(|element| text_of(element.0, "symbol"));
        named.take(2).count()
    });
    symbols == Some(2) && symbol_of(message).is_none()
}

/// The symbol of data as the venue writes it, with one element.
fn usual_symbol(message: &[u8]) -> Option<&str> {
    let mut rest = head(message)?.rest;
    rest.word(b"[{\"symbol\":")?;
    let symbol = rest.text()?;
    let is_only = memmem::find(rest.0, b"\"symbol\"").is_none();
    let symbol = std::str::from_utf8(symbol).ok()?;
    (is_only && !symbol.is_empty()).then_some(symbol)
}

/// The one symbol of all elements.
fn only_symbol(data: &[u8]) -> Option<Cow<'_, str>> {
    let mut elements = elements(data).map(|element| text_of(element.0, "symbol"));
    let symbol = elements.next()??;
    let is_only = elements.all(|other| other.as_deref() == Some(&*symbol));
    is_only.then_some(symbol)
}

/// Only the newest best bid and offer of an instrument matters.
pub(super) fn is_quote(message: &[u8]) -> bool {
    match head(message) {
        Some(MessageHead { channel, .. }) => channel == b"ticker",
        None => text_of(message, "channel").is_some_and(|channel| channel == "ticker"),
    }
}

/// The symbol whose book a message changes.
pub(super) fn book_change_of(message: &[u8]) -> Option<Cow<'_, str>> {
    let is_change = match head(message) {
        Some(MessageHead { channel, kind, .. }) => channel == b"book" && kind == b"update",
        None => text_of(message, "channel")? == "book" && text_of(message, "type")? == "update",
    };
    is_change.then(|| symbol_of(message))?
}

/// A refused subscription is refused for good: the symbol is unknown, or the depth; but for one that came
/// too fast (`Exceeded msg rate`), and for faults of the venue itself (`EService:Unavailable`). The venue
/// announces no end of a connection. Only answers to requests begin with their method or their error; they
/// are short, and so is the state of the market.
pub(super) fn reaction(message: &[u8]) -> Reaction {
    if message.len() > ANSWER_WITHIN {
        return Reaction::None;
    }
    if memmem::find(message, b"error").is_none() {
        return market_state(message);
    }
    let is_of_subscription = text_of(message, "method").is_none_or(|method| method == "subscribe");
    let is_refused = value_of(message, "success").is_some_and(|success| success.0 == b"false");
    let Some(words) = text_of(message, "error") else {
        return Reaction::None;
    };
    let is_passing = IS_PASSING.iter().any(|word| words.contains(word));
    match is_of_subscription && is_refused {
        // All is subscribed to again after a refusal of a part.
        _ if words.contains("Already subscribed") => Reaction::None,
        // The connection itself is too fast: another one takes its place.
        _ if is_refused && words.contains("rate") => Reaction::Fault(words.into_owned()),
        true if is_passing => Reaction::RefusedForNow(words.into_owned()),
        true => Reaction::Rejected(words.into_owned()),
        // What was not subscribed to has no subscription that could be ended.
        false if text_of(message, "method").is_some_and(|method| method == "unsubscribe") => {
            Reaction::None
        }
        false => Reaction::Told(words.into_owned()),
    }
}

/// What is to be said of a market that does not trade as usual.
fn market_state(message: &[u8]) -> Reaction {
    if memmem::find(message, b"\"status\"").is_none() {
        return Reaction::None;
    }
    if text_of(message, "channel").is_none_or(|channel| channel != "status") {
        return Reaction::None;
    }
    let data = value_of(message, "data");
    let first = data.and_then(|data| elements(data.0).next());
    match first.and_then(|state| text_of(state.0, "system")) {
        Some(state) if state != "online" => Reaction::Told(format!("status: {state}")),
        _ => Reaction::None,
    }
}

/// In the words of what would be taken later: a venue that is busy, or has a fault of its own.
const IS_PASSING: [&str; 5] = [
    "EService:",
    "EGeneral:Internal",
    "EGeneral:Temporary",
    "Unavailable",
    "Throttled",
];

/// Bytes of the longest answer to a request.
const ANSWER_WITHIN: usize = 1_024;

/// Whether a message has the marks of Kraken: a channel with a type and data and no number among all of its
/// connection (Coinbase's have one), or the answer to a request.
pub(super) fn recognises(message: &[u8]) -> bool {
    let (mut channel, mut method) = (None, None);
    let (mut has_type, mut has_data) = (false, false);
    let (mut has_outcome, mut has_times) = (false, false);
    for (key, value) in members(message) {
        let is = |name: &str| key.is(name);
        if OF_OTHERS.iter().any(|name| key.is(name)) {
            return false;
        } else if is("channel") {
            channel = value.text();
        } else if is("method") {
            method = value.text();
        } else {
            has_type |= is("type") && value.text().is_some();
            has_data |= is("data");
            has_outcome |= is("success") || is("error");
            has_times |= is("time_in");
        }
        if channel.is_some() && has_type && has_data {
            return true;
        }
    }
    match (channel, method) {
        (Some(channel), _) => CHANNELS.contains(&&*channel),
        (None, Some(method)) => has_outcome || has_times || method == "pong",
        (None, None) => has_outcome && has_times,
    }
}

/// The channels that are read.
const CHANNELS: [&str; 5] = ["book", "trade", "ticker", "status", "heartbeat"];

/// Fields of other venues' messages, some of which have a channel or a method too.
const OF_OTHERS: [&str; 7] = [
    "sequence_num",
    "events",
    "arg",
    "topic",
    "stream",
    "jsonrpc",
    "id",
];
