//! What a look at a message's bytes shows: its symbol, its kind, whether it is Binance's. Only a message that
//! neither its beginning nor its type tells is parsed.

use std::borrow::Cow;

use memchr::memmem;

use super::market::BinanceMarket;
use super::wire::{AnyMessage, NAMES};
use crate::decimal::whole;
use crate::decode::field::parse_fields;
use crate::decode::text::{members, text_of, value_of};
use crate::decode::venue::BookUpdates;

/// The symbol: of the combined stream's name (`btcusdt@trade`), or the value of `s`.
pub(super) fn symbol_of(message: &[u8]) -> Option<Cow<'_, str>> {
    let (mut symbol, mut data) = (None, None);
    for (key, value) in members(message) {
        if key.is("stream") {
            match value.text().and_then(symbol_of_stream) {
                Some(symbol) => return Some(symbol),
                None => continue,
            }
        }
        if key.is("data") {
            data = Some(value.0);
        } else if key.is("s") {
            symbol = value.text().filter(|symbol| !symbol.is_empty());
            // A raw message has no stream's name behind its symbol.
            if is_raw(message) {
                break;
            }
        }
    }
    symbol.or_else(|| text_of(data?, "s"))
}

/// The symbol in a stream's name; streams of all symbols have none.
fn symbol_of_stream(stream: Cow<'_, str>) -> Option<Cow<'_, str>> {
    let at = stream.find('@').filter(|_| !stream.starts_with('!'))?;
    Some(match stream {
        Cow::Borrowed(stream) => Cow::Borrowed(&stream[..at]),
        Cow::Owned(mut stream) => {
            stream.truncate(at);
            Cow::Owned(stream)
        }
    })
}

/// Only the newest quote of an instrument matters.
pub(super) fn is_quote(message: &[u8]) -> bool {
    stream_of(message).is_some_and(|stream| stream.contains("@bookTicker"))
}

/// The symbol whose depth diff a message of a combined stream is.
pub(super) fn book_change_of(message: &[u8]) -> Option<Cow<'_, str>> {
    let stream = stream_of(message)?;
    let (_, kind) = stream.split_once('@')?;
    is_diff_stream(kind).then(|| symbol_of_stream(stream))?
}

/// The updates that a depth diff of this market covers: of futures, all that follow the change before it.
pub(super) fn updates_of(market: BinanceMarket, message: &[u8]) -> Option<BookUpdates<'_>> {
    let data = match message.strip_prefix(b"{\"stream\":\"") {
        // Most messages are told by the name of their stream.
        Some(name) => {
            let name = &name[..memchr::memchr(b'"', name)?];
            let kind = &name[memchr::memchr(b'@', name)? + 1..];
            kind.starts_with(b"depth").then_some(())?;
            value_of(message, "data")?.0
        }
        None if message.starts_with(b"{\"e\":\"depthUpdate\"") => message,
        None if is_raw(message) || message.starts_with(b"{\"ts_event\"") => return None,
        None => value_of(message, "data").map_or(message, |data| data.0),
    };
    if event_type(data)? != "depthUpdate" {
        return None;
    }
    let (mut symbol, mut first, mut last, mut previous) = (None, None, None, None);
    for (key, value) in members(data) {
        let number = || u64::try_from(whole(&value.number()?)?).ok();
        if key.is("s") {
            symbol = value.text();
        } else if key.is("U") {
            first = number();
        } else if key.is("u") {
            last = number();
        } else if key.is("pu") && value.0 != b"null" {
            previous = Some(number()?);
        }
    }
    if BinanceMarket::of_change(previous.is_some()) != market {
        return None;
    }
    Some(BookUpdates {
        symbol: symbol.filter(|symbol| !symbol.is_empty())?,
        first: previous.map_or(first, |previous| previous.checked_add(1))?,
        last: last?,
    })
}

/// The number of a snapshot that came as the venue's REST interface answers, without a stream's name.
pub(super) fn unnamed_snapshot(message: &[u8]) -> Option<u64> {
    let has = |name: &str| value_of(message, name).is_some();
    if has("stream") || has("e") || has("s") {
        return None;
    }
    let number = value_of(message, "lastUpdateId")?.number()?;
    u64::try_from(whole(&number)?).ok()
}

/// Whether a stream holds diffs of the book; partial books (`depth20`) are whole and need no snapshot.
pub(super) fn is_diff_stream(stream: &str) -> bool {
    stream == "depth" || stream.starts_with("depth@")
}

/// Whether a stream holds the best levels of the book, whole each time: `depth5`, `depth20@100ms`.
pub(super) fn is_partial_book(stream: &str) -> bool {
    let kind = stream.split_once('@').map_or(stream, |(kind, _)| kind);
    let levels = kind.strip_prefix("depth");
    levels.is_some_and(|levels| !levels.is_empty() && levels.bytes().all(|b| b.is_ascii_digit()))
}

/// The notice of a shutdown, bare or as a combined stream's message. It is short, so that long messages need
/// no search.
pub(super) fn is_shutdown(message: &[u8]) -> bool {
    if message.len() > SHUTDOWN_WITHIN || memmem::find(message, b"serverShutdown").is_none() {
        return false;
    }
    let data = value_of(message, "data").map_or(message, |data| data.0);
    event_type(data).is_some_and(|kind| kind == "serverShutdown")
}

/// Bytes of the longest notice of a shutdown.
const SHUTDOWN_WITHIN: usize = 256;

/// The words of an error: `{"code":2,"msg":"Invalid request: …"}`, or the same below `error`. It is short, and
/// events begin with their type or their stream.
pub(super) fn error_words(message: &[u8]) -> Option<String> {
    let is_other = message.starts_with(b"{\"e\":") || message.starts_with(b"{\"stream\":");
    if is_other || message.len() > ERROR_WITHIN || memmem::find(message, b"\"code\"").is_none() {
        return None;
    }
    let error = value_of(message, "error").map_or(message, |error| error.0);
    let code = value_of(error, "code")?;
    let words = text_of(error, "msg").unwrap_or_default();
    Some(format!("{}: {words}", String::from_utf8_lossy(code.0)))
}

/// Bytes of the longest error.
const ERROR_WITHIN: usize = 1_024;

/// The value of `e`, which the venue writes first.
pub(super) fn event_type(message: &[u8]) -> Option<Cow<'_, str>> {
    if let Some(rest) = message.strip_prefix(b"{\"e\":\"") {
        let kind = &rest[..memchr::memchr(b'"', rest)?];
        if memchr::memchr(b'\\', kind).is_none() {
            return std::str::from_utf8(kind).ok().map(Cow::Borrowed);
        }
    }
    text_of(message, "e")
}

/// The event types that are read.
pub(super) const EVENT_TYPES: [&str; 5] = [
    "trade",
    "aggTrade",
    "bookTicker",
    "depthUpdate",
    "serverShutdown",
];

/// Whether a message has the marks of Binance, and none of another of its markets.
pub(super) fn recognises(market: BinanceMarket, message: &[u8]) -> bool {
    is_of_binance(message) && BinanceMarket::shown_by(message).is_none_or(|shown| shown == market)
}

/// Whether a message has the marks of Binance: an event type, a combined stream, a best bid and offer, a
/// snapshot, the answer to a request, fields of an event without its type, or a list of events.
fn is_of_binance(message: &[u8]) -> bool {
    if message.starts_with(b"{\"stream\":\"") {
        return true;
    }
    if let Some(kind) = event_type(message) {
        return EVENT_TYPES
            .iter()
            .any(|known| known.eq_ignore_ascii_case(&kind));
    }
    if is_list_of_others(message) {
        return true;
    }
    let Ok(marks) = parse_fields::<AnyMessage<'_>>(message, &NAMES) else {
        return false;
    };
    let combined = marks.stream.is_present() && marks.data.is_present();
    let quote = marks.update_id.is_present() && marks.symbol.is_present() && marks.bid.is_present();
    let of_event = marks.symbol.is_present()
        && [&marks.quantity, &marks.trade_time, &marks.first]
            .iter()
            .any(|field| field.is_present());
    let answer = marks.id.is_present() && (marks.error.is_present() || marks.result.is_present());
    // OKX has both beside an event.
    let error = marks.code.is_present()
        && marks.message.is_present()
        && value_of(message, "event").is_none();
    let snapshot = marks.last_update_id.is_present();
    combined
        || snapshot
        || quote
        || of_event
        || answer
        || error
        || lacks_of_combined(message).is_some()
}

/// Which of its two fields a combined stream's message lacks, whether it is absent or spelt in another case;
/// none where the other one does not show a stream or an event that is read.
pub(super) fn lacks_of_combined(message: &[u8]) -> Option<&'static str> {
    let (mut is_shown, mut has_stream, mut has_data) = (false, false, false);
    for (key, value) in members(message) {
        let Some(name) = key.text() else {
            continue;
        };
        if name.eq_ignore_ascii_case("stream") {
            has_stream |= name == "stream";
            is_shown |= value.text().is_some_and(|stream| is_read(&stream));
        } else if name.eq_ignore_ascii_case("data") {
            has_data |= name == "data";
            is_shown |= event_type(value.0).is_some_and(|kind| EVENT_TYPES.contains(&&*kind));
        }
    }
    match (has_stream, has_data) {
        (false, _) if is_shown => Some("stream"),
        (true, false) if is_shown => Some("data"),
        _ => None,
    }
}

/// Whether the messages of a stream of this name are read.
pub(super) fn is_read(stream: &str) -> bool {
    let (_, kind) = stream.split_once('@').unwrap_or_default();
    matches!(kind, "trade" | "aggTrade" | "bookTicker")
        || is_diff_stream(kind)
        || is_partial_book(kind)
        || stream == "!bookTicker"
}

/// Whether a message is a list of events of types that are not read, as streams of all symbols send.
pub(super) fn is_list_of_others(message: &[u8]) -> bool {
    let Some(list) = message.trim_ascii_start().strip_prefix(b"[") else {
        return false;
    };
    let kind = event_type(list.trim_ascii_start());
    kind.is_some_and(|kind| {
        !EVENT_TYPES
            .iter()
            .any(|known| known.eq_ignore_ascii_case(&kind))
    })
}

/// Whether a message begins as one that is no combined stream's.
pub(super) fn is_raw(message: &[u8]) -> bool {
    message.starts_with(b"{\"e\":\"") || message.starts_with(b"{\"u\":")
}

/// The name of a combined stream's message: `btcusdt@bookTicker`.
fn stream_of(message: &[u8]) -> Option<Cow<'_, str>> {
    text_of(message, "stream")
}
