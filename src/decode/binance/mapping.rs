//! Binance's messages to events.
//!
//! Raw (`{"e":"trade",…}`) and combined (`{"stream":…,"data":…}`) messages. Times are milliseconds, or
//! microseconds where the connection requested them. Events as the venue writes them are read by `usual`; all
//! that it does not read is read here, and what is wrong with a message is found here.

use serde::de::IgnoredAny;

use super::books;
use super::market::BinanceMarket;
use super::output::Output;
use super::routing::{
    EVENT_TYPES, event_type, is_list_of_others, is_partial_book, is_raw, is_read, lacks_of_combined,
};
use super::usual;
use super::wire::{AnyMessage, Combined, NAMES, WireAggTrade, WireBookTicker, WireTrade};
use crate::decode::amount::{self, Written};
use crate::decode::decoded::{Decoded, Notice};
use crate::decode::error::DecodeError;
use crate::decode::field::parse_fields;
use crate::decode::json::parse;
use crate::decode::venue_time::venue_time;
use crate::event::{Body, Quote, Splice, Trade, TradeIds};
use crate::units::{Nanos, Price, Side, Size};

/// Behind the symbol in the stream name that we give to a fetched snapshot, which names no symbol itself.
pub(super) const SNAPSHOT_STREAM: &str = "@depth_snapshot";

/// Reads one message of the market that is read.
pub(super) fn decode(bytes: &[u8], out: &mut Output<'_>) -> Result<Decoded, DecodeError> {
    let levels = out.batch.levels.len();
    if usual::read(bytes, out).is_some() {
        return Ok(Decoded::Events);
    }
    out.batch.levels.truncate(levels);
    any(bytes, out)
}

/// Reads a message in whatever form.
pub(super) fn any(bytes: &[u8], out: &mut Output<'_>) -> Result<Decoded, DecodeError> {
    if is_raw(bytes) {
        return message(bytes, None, out);
    }
    if bytes.starts_with(b"{\"stream\":\"")
        && let Ok(combined) = parse::<Combined<'_>>(bytes)
    {
        let data = combined.data.as_raw_str().as_bytes();
        return message(data, Some(combined.stream), out)
            .and_then(|decoded| out.of_stream(combined.stream, decoded));
    }
    if is_list_of_others(bytes) {
        return parse::<IgnoredAny>(bytes).and(Err(DecodeError::UnknownType));
    }
    let any: AnyMessage<'_> = parse_fields(bytes, &NAMES)?;
    match any.stream.is_present() {
        true => {
            let stream = any.stream.text("stream")?;
            let data = any.data.needed("data")?.as_raw_str();
            message(data.as_bytes(), Some(stream), out)
                .and_then(|decoded| out.of_stream(stream, decoded))
        }
        false => message(bytes, None, out),
    }
}

/// Reads a message that came bare, or in the stream of this name.
fn message(
    data: &[u8],
    stream: Option<&str>,
    out: &mut Output<'_>,
) -> Result<Decoded, DecodeError> {
    if !data.starts_with(b"{")
        && let Some(stream) = stream
    {
        // A list would be read as the fields in their order. Streams of all symbols send lists:
        // `!miniTicker@arr`.
        return Err(match data.starts_with(b"[") && stream.starts_with('!') {
            true => DecodeError::UnknownType,
            false if data == b"null" => DecodeError::MissingField("data"),
            false => DecodeError::WrongType("data"),
        });
    }
    match event_type(data).as_deref() {
        Some("trade") => trade(data, out),
        Some("aggTrade") => aggregate(data, out),
        Some("bookTicker") => quote(data, out),
        Some("depthUpdate") => books::change(data, stream, out),
        Some("serverShutdown") => Ok(Decoded::Notice(Notice::Shutdown)),
        Some(other) => {
            // Half of a message may still have its type; then it is broken, not unknown.
            parse_fields::<AnyMessage<'_>>(data, &NAMES)?;
            let is_misspelt = EVENT_TYPES
                .iter()
                .any(|known| known.eq_ignore_ascii_case(other));
            Err(match is_misspelt {
                true => DecodeError::OutOfRange("e"),
                false => DecodeError::UnknownType,
            })
        }
        None => without_type(data, stream, out),
    }
}

/// Spot's `bookTicker`, books, acks and errors carry no `"e"`.
fn without_type(
    data: &[u8],
    stream: Option<&str>,
    out: &mut Output<'_>,
) -> Result<Decoded, DecodeError> {
    // Nearly all are quotes, and nothing else has a quote's fields.
    if let Ok(wire) = parse::<WireBookTicker<'_>>(data) {
        return usual_quote(&wire, out);
    }
    let any: AnyMessage<'_> = parse_fields(data, &NAMES)?;
    let (symbol, kind) = stream
        .and_then(|name| name.split_once('@'))
        .unwrap_or_default();
    if is_partial_book(kind) {
        return books::whole(data, &any, symbol, Splice::InOrder, out);
    }
    if stream == Some(SNAPSHOT_STREAM) {
        // So one is marked that is of no instrument: see `SnapshotOwners`.
        return Err(DecodeError::UnnamedSnapshot);
    }
    if stream.is_some_and(|name| name.ends_with(SNAPSHOT_STREAM)) {
        return books::whole(data, &any, symbol, Splice::ByNumber, out);
    }
    if any.last_update_id.is_present() {
        out.admit(Some(BinanceMarket::of_state(any.trade_time.has_value())))?;
        let last = any.last_update_id.unsigned("lastUpdateId")?;
        let instrument = out
            .instrument_of(last)
            .ok_or(DecodeError::UnnamedSnapshot)?;
        return books::snapshot(data, &any, instrument, Splice::ByNumber, out);
    }
    let is_quote = kind.starts_with("bookTicker") || stream == Some("!bookTicker");
    if is_quote || any.update_id.is_present() && any.symbol.is_present() {
        return any_quote(&any, out);
    }
    if any.code.is_present() || any.error.has_value() {
        return Ok(Decoded::Notice(Notice::VenueError));
    }
    if any.event_type.is_present() || any.symbol.is_present() {
        // It is about an instrument, and does not say what it is.
        return Err(match any.event_type.value() {
            Some(_) => DecodeError::WrongType("e"),
            None => DecodeError::MissingField("e"),
        });
    }
    // An ack is `{"result":null,"id":1}`: the null is a value that is there.
    if any.id.is_present() {
        return Ok(Decoded::Notice(Notice::Ack));
    }
    Err(match stream {
        Some(name) if is_read(name) => DecodeError::MissingField("data"),
        Some(_) => DecodeError::UnknownType,
        None => lacks_of_combined(data).map_or(DecodeError::UnknownType, DecodeError::MissingField),
    })
}

fn trade(data: &[u8], out: &mut Output<'_>) -> Result<Decoded, DecodeError> {
    let Ok(wire) = parse::<WireTrade<'_>>(data) else {
        let any: AnyMessage<'_> = parse_fields(data, &NAMES)?;
        let kind = any.kind.optional_text("X")?;
        out.admit(BinanceMarket::of_trade(
            kind.is_some(),
            any.best_match.has_value(),
        ))?;
        let number = any.trade_id.unsigned("t")?;
        if !is_fill(kind) {
            let time = any.trade_time.venue_time("T")?;
            return push_skipped(any.symbol.symbol("s")?, time, number, out);
        }
        return any_fill(&any, number, false, out);
    };
    out.admit(BinanceMarket::of_trade(
        wire.kind.is_some(),
        wire.best_match.is_some(),
    ))?;
    let time = venue_time("T", wire.trade_time)?;
    if !is_fill(wire.kind) {
        return push_skipped(wire.symbol, time, wire.trade_id, out);
    }
    let numbers = (Written::text(wire.price), Written::text(wire.quantity));
    let body = fill(numbers, wire.trade_id, wire.buyer_is_maker, false)?;
    push_trade(wire.symbol, time, body, out)
}

/// Whether the number of a trade of futures was given to a fill. Others are `NA`, of price and size zero, and
/// what the venue's fund took over at a price of its own: `INSURANCE_FUND`, `ADL`.
fn is_fill(kind: Option<&str>) -> bool {
    kind.is_none_or(|kind| kind == "MARKET")
}

fn aggregate(data: &[u8], out: &mut Output<'_>) -> Result<Decoded, DecodeError> {
    let Ok(wire) = parse::<WireAggTrade<'_>>(data) else {
        let any: AnyMessage<'_> = parse_fields(data, &NAMES)?;
        out.admit(BinanceMarket::of_trade(
            any.first_fill.has_value(),
            any.best_match.has_value(),
        ))?;
        let number = any.ask.unsigned("a")?;
        return any_fill(&any, number, true, out);
    };
    out.admit(BinanceMarket::of_trade(
        wire.first_fill.is_some(),
        wire.best_match.is_some(),
    ))?;
    let numbers = (Written::text(wire.price), Written::text(wire.quantity));
    let body = fill(numbers, wire.aggregate_id, wire.buyer_is_maker, true)?;
    push_trade(wire.symbol, venue_time("T", wire.trade_time)?, body, out)
}

fn any_fill(
    any: &AnyMessage<'_>,
    number: u64,
    aggregate: bool,
    out: &mut Output<'_>,
) -> Result<Decoded, DecodeError> {
    let numbers = (any.price.written("p")?, any.quantity.written("q")?);
    let body = fill(numbers, number, any.buyer_is_maker.flag("m")?, aggregate)?;
    push_trade(
        any.symbol.symbol("s")?,
        any.trade_time.venue_time("T")?,
        body,
        out,
    )
}

fn fill(
    (price, quantity): (Written<'_>, Written<'_>),
    trade_id: u64,
    buyer_is_maker: bool,
    aggregate: bool,
) -> Result<Trade, DecodeError> {
    let price = amount::price("p", price)?;
    let size = amount::traded_size("q", quantity)?;
    // The maker rested; the other side started the trade.
    let side = if buyer_is_maker {
        Side::Sell
    } else {
        Side::Buy
    };
    Ok(Trade {
        price,
        size,
        trade_id,
        side: Some(side),
        aggregate,
        ids: TradeIds::Successive,
    })
}

fn push_trade(
    symbol: &str,
    ts_event: Nanos,
    body: Trade,
    out: &mut Output<'_>,
) -> Result<Decoded, DecodeError> {
    let instrument = out.instrument("s", symbol)?;
    out.batch.push(instrument, ts_event, Body::Trade(body));
    Ok(Decoded::Events)
}

fn push_skipped(
    symbol: &str,
    ts_event: Nanos,
    number: u64,
    out: &mut Output<'_>,
) -> Result<Decoded, DecodeError> {
    let instrument = out.instrument("s", symbol)?;
    out.batch
        .push(instrument, ts_event, Body::SkippedTrade(number));
    Ok(Decoded::Events)
}

fn quote(data: &[u8], out: &mut Output<'_>) -> Result<Decoded, DecodeError> {
    match parse::<WireBookTicker<'_>>(data) {
        Ok(wire) => usual_quote(&wire, out),
        Err(_) => any_quote(&parse_fields(data, &NAMES)?, out),
    }
}

fn usual_quote(wire: &WireBookTicker<'_>, out: &mut Output<'_>) -> Result<Decoded, DecodeError> {
    out.admit(Some(BinanceMarket::of_state(wire.time.is_some())))?;
    let [bid, bid_quantity, ask, ask_quantity] =
        [wire.bid, wire.bid_quantity, wire.ask, wire.ask_quantity].map(Written::text);
    let bid = side(("b", bid), ("B", bid_quantity))?;
    let ask = side(("a", ask), ("A", ask_quantity))?;
    let time = wire.time.map(|time| venue_time("T", time)).transpose()?;
    push_quote(wire.symbol, time, (bid, ask, wire.update_id), out)
}

fn any_quote(any: &AnyMessage<'_>, out: &mut Output<'_>) -> Result<Decoded, DecodeError> {
    out.admit(Some(BinanceMarket::of_state(any.trade_time.has_value())))?;
    let number = any.update_id.unsigned("u")?;
    let (bid, bid_quantity) = (any.bid.written("b")?, any.bid_quantity.written("B")?);
    let (ask, ask_quantity) = (any.ask.written("a")?, any.ask_quantity.written("A")?);
    let bid = side(("b", bid), ("B", bid_quantity))?;
    let ask = side(("a", ask), ("A", ask_quantity))?;
    let time = any
        .trade_time
        .value()
        .map(|_| any.trade_time.venue_time("T"));
    push_quote(
        any.symbol.symbol("s")?,
        time.transpose()?,
        (bid, ask, number),
        out,
    )
}

/// The venue writes an empty side as zero.
fn side(
    price: (&'static str, Written<'_>),
    size: (&'static str, Written<'_>),
) -> Result<(Price, Size), DecodeError> {
    amount::quote_side(price, size, true)
}

fn push_quote(
    symbol: &str,
    time: Option<Nanos>,
    (bid, ask, sequence): ((Price, Size), (Price, Size), u64),
    out: &mut Output<'_>,
) -> Result<Decoded, DecodeError> {
    let instrument = out.instrument("s", symbol)?;
    let body = Quote {
        bid_px: bid.0,
        bid_sz: bid.1,
        ask_px: ask.0,
        ask_sz: ask.1,
        sequence,
    };
    let ts_event = time.unwrap_or(Nanos::UNDEFINED);
    out.batch.push(instrument, ts_event, Body::Quote(body));
    Ok(Decoded::Events)
}
