//! What a look at a message's bytes shows, without parsing: its symbol, its kind, whether it is Binance's.

use memchr::memmem;
use serde::Deserialize;
use sonic_rs::LazyValue;

use crate::decode::json::parse;
use crate::decode::text::text_of;

/// The symbol: of the combined stream's name (`btcusdt@trade`), or the value of `s`.
pub(super) fn symbol_of(message: &[u8]) -> Option<&[u8]> {
    if let Some(stream) = stream_of(message)
        && let Some(at) = memchr::memchr(b'@', stream)
        && stream[0] != b'!'
    {
        return Some(&stream[..at]);
    }
    text_of(message, b"\"s\"")
}

/// Only the newest quote of an instrument matters.
pub(super) fn is_quote(message: &[u8]) -> bool {
    stream_of(message).is_some_and(|stream| memmem::find(stream, b"@bookTicker").is_some())
}

/// The symbol whose depth diff a message of a combined stream is.
pub(super) fn book_change_of(message: &[u8]) -> Option<&[u8]> {
    let stream = stream_of(message)?;
    let at = memchr::memchr(b'@', stream)?;
    is_diff_stream(&stream[at + 1..]).then(|| &stream[..at])
}

/// Whether a stream holds diffs of the book; partial books (`depth20`) are whole and need no snapshot.
pub(super) fn is_diff_stream(stream: &[u8]) -> bool {
    stream == b"depth" || stream.starts_with(b"depth@")
}

/// The notice of a shutdown, bare or as a combined stream's message. It is short, so that long messages need
/// no search.
pub(super) fn is_shutdown(message: &[u8]) -> bool {
    message.len() < 128 && memmem::find(message, b"\"e\":\"serverShutdown\"").is_some()
}

/// The value of `e`, which the venue writes first.
pub(super) fn event_type(message: &[u8]) -> Option<&str> {
    if let Some(rest) = message.strip_prefix(b"{\"e\":\"") {
        return std::str::from_utf8(&rest[..memchr::memchr(b'"', rest)?]).ok();
    }
    // A search over the text finds out faster than a parser that there is no type.
    memmem::find(message, b"\"e\"")?;
    let value = sonic_rs::get(message, ["e"]).ok()?;
    let known = EVENT_TYPES.iter().find(|known| {
        let text = value.as_raw_str().as_bytes();
        text.len() == known.len() + 2 && &text[1..text.len() - 1] == known.as_bytes()
    });
    known.copied().or(Some("another"))
}

/// The event types that are read.
const EVENT_TYPES: [&str; 5] = [
    "trade",
    "aggTrade",
    "bookTicker",
    "depthUpdate",
    "serverShutdown",
];

/// Whether a message has the marks of Binance: an event type, a combined stream, a best bid and offer, a
/// snapshot, or the answer to a request.
pub(super) fn recognises(message: &[u8]) -> bool {
    if message.starts_with(b"{\"stream\":\"") {
        return true;
    }
    if let Some(kind) = event_type(message) {
        return EVENT_TYPES.contains(&kind);
    }
    let Ok(marks) = parse::<Marks<'_>>(message) else {
        return false;
    };
    let quote = marks.update_id.is_some() && marks.symbol.is_some() && marks.bid.is_some();
    // `"result":null` says that a request was accepted; the null is a value that is there.
    let answers = marks.error.is_some() || memmem::find(message, b"\"result\"").is_some();
    let answer = marks.id.is_some() && answers;
    let error = marks.code.is_some() && marks.message.is_some();
    marks.last_update_id.is_some() || quote || answer || error
}

#[derive(Deserialize)]
struct Marks<'a> {
    #[serde(rename = "lastUpdateId", borrow)]
    last_update_id: Option<LazyValue<'a>>,
    #[serde(rename = "u", borrow)]
    update_id: Option<LazyValue<'a>>,
    #[serde(rename = "s", borrow)]
    symbol: Option<LazyValue<'a>>,
    #[serde(rename = "b", borrow)]
    bid: Option<LazyValue<'a>>,
    #[serde(borrow)]
    id: Option<LazyValue<'a>>,
    #[serde(borrow)]
    error: Option<LazyValue<'a>>,
    #[serde(borrow)]
    code: Option<LazyValue<'a>>,
    #[serde(rename = "msg", borrow)]
    message: Option<LazyValue<'a>>,
}

/// The name of a combined stream's message: `btcusdt@bookTicker`.
fn stream_of(message: &[u8]) -> Option<&[u8]> {
    text_of(&message[..message.len().min(STREAM_WITHIN)], b"\"stream\"")
}

/// The venue writes the stream's name first; its longest name is well below this.
const STREAM_WITHIN: usize = 96;
