//! Bybit's messages to events.
//!
//! A message has its topic and the symbol in `topic`, and a book or a list of trades in `data`. Times are
//! milliseconds.

use serde::Deserialize;
use sonic_rs::LazyValue;

use super::retail_levels::push_retail;
use super::topic::{Topic, TopicKind};
use super::wire::{AnyItem, AnyMessage, NAMES, WireBook, WireTrades};
use crate::decode::amount::{self, Written};
use crate::decode::decoded::{Decoded, Notice};
use crate::decode::error::DecodeError;
use crate::decode::field::parse_fields;
use crate::decode::json::parse;
use crate::decode::levels::{push_field, push_texts};
use crate::decode::output::Output;
use crate::decode::venue_time::venue_time;
use crate::event::{Body, Depth, Gap, GapReason, Level, Quote, Splice, Trade, TradeIds};
use crate::units::{Nanos, Price, Side, Size};

/// Reads one message.
pub(super) fn decode(bytes: &[u8], out: &mut Output<'_>) -> Result<Decoded, DecodeError> {
    if bytes.starts_with(br#"{"topic":"orderbook."#) {
        if let Ok(wire) = parse::<WireBook<'_>>(bytes)
            && let Some(topic) = Topic::of(wire.topic)
            && topic.kind != TopicKind::RetailBook
        {
            return usual_book(topic, &wire, out);
        }
    } else if bytes.starts_with(br#"{"topic":"publicTrade."#)
        && let Ok(wire) = parse::<WireTrades<'_>>(bytes)
        && let Some(topic) = Topic::of(wire.topic)
    {
        return usual_trades(topic, &wire, out);
    }
    let any: AnyMessage<'_> = parse_fields(bytes, &NAMES)?;
    if !any.topic.has_value() {
        return notice(&any);
    }
    let topic = Topic::of(any.topic.text("topic")?).ok_or(DecodeError::UnknownType)?;
    match topic.kind {
        TopicKind::Trades => any_trades(topic, &any, out),
        _ => any_book(topic, &any, out),
    }
}

/// Answers to requests: `{"success":true,"op":"subscribe",…}`, `{"op":"pong",…}`.
fn notice(any: &AnyMessage<'_>) -> Result<Decoded, DecodeError> {
    let is_pong = any.op.optional_text("op")? == Some("pong");
    let success = match any.success.has_value() {
        true => any.success.flag("success")?,
        false if is_pong => true,
        // `{"retCode":10006,"retMsg":"Too many visits!",…}`.
        false if any.code.has_value() => any.code.unsigned("retCode")? == 0,
        false => return Err(DecodeError::UnknownType),
    };
    Ok(Decoded::Notice(match success {
        true => Notice::Ack,
        false => Notice::VenueError,
    }))
}

fn usual_trades(
    topic: Topic<'_>,
    wire: &WireTrades<'_>,
    out: &mut Output<'_>,
) -> Result<Decoded, DecodeError> {
    for trade in &wire.data {
        let numbers = (Written::text(trade.price), Written::text(trade.size));
        let body = fill(trade.trade_id, numbers, trade.side)?;
        let ts = venue_time("T", trade.time)?;
        push(topic, trade.symbol, ts, Body::Trade(body), out)?;
    }
    Ok(Decoded::Events)
}

fn any_trades(
    topic: Topic<'_>,
    any: &AnyMessage<'_>,
    out: &mut Output<'_>,
) -> Result<Decoded, DecodeError> {
    let list = any.data.needed("data")?.as_raw_str().as_bytes();
    let list: Vec<LazyValue<'_>> = parse(list).map_err(|_| DecodeError::WrongType("data"))?;
    for trade in &list {
        let trade: AnyItem<'_> = object(trade)?;
        let numbers = (trade.price.written("p")?, trade.size.written("v")?);
        let body = fill(trade.trade_id.decimal("i")?, numbers, trade.side.text("S")?)?;
        let ts = venue_time("T", trade.time.integer("T")?)?;
        let symbol = trade.symbol.symbol("s")?;
        push(topic, symbol, ts, Body::Trade(body), out)?;
    }
    Ok(Decoded::Events)
}

fn fill(
    id: &str,
    (price, size): (Written<'_>, Written<'_>),
    side: &str,
) -> Result<Trade, DecodeError> {
    Ok(Trade {
        price: amount::price("p", price)?,
        size: amount::traded_size("v", size)?,
        trade_id: trade_id(id),
        ids: TradeIds::Distinct,
        side: match side {
            "Buy" => Some(Side::Buy),
            "Sell" => Some(Side::Sell),
            _ => return Err(DecodeError::OutOfRange("S")),
        },
        aggregate: false,
    })
}

/// The number of a trade of the spot market; of a UUID the hash (FNV-1a). Never 0, which means none.
fn trade_id(text: &str) -> u64 {
    let hash = |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let number = text.parse().ok();
    let id = number.unwrap_or_else(|| text.bytes().fold(0xcbf2_9ce4_8422_2325, hash));
    id.max(1)
}

/// A book, or the changes of one, whose levels are in the batch.
struct BookPush<'m> {
    form: &'m str,
    ts: Nanos,
    symbol: &'m str,
    update: u64,
    start: u32,
    bids: u32,
    asks: u32,
}

fn usual_book(
    topic: Topic<'_>,
    wire: &WireBook<'_>,
    out: &mut Output<'_>,
) -> Result<Decoded, DecodeError> {
    let book = BookPush {
        form: wire.form,
        ts: match wire.cts {
            Some(cts) => venue_time("cts", cts)?,
            None => venue_time("ts", wire.ts)?,
        },
        symbol: wire.data.symbol,
        update: wire.data.update,
        start: out.levels_start(),
        bids: push_texts(out.batch, &wire.data.bids)?,
        asks: push_texts(out.batch, &wire.data.asks)?,
    };
    push_book(topic, &book, out)
}

fn any_book(
    topic: Topic<'_>,
    any: &AnyMessage<'_>,
    out: &mut Output<'_>,
) -> Result<Decoded, DecodeError> {
    let data: AnyItem<'_> = object(any.data.needed("data")?)?;
    let levels = match topic.kind {
        TopicKind::RetailBook => push_retail,
        _ => push_field,
    };
    let book = BookPush {
        form: any.form.text("type")?,
        ts: match any.cts.has_value() {
            true => venue_time("cts", any.cts.integer("cts")?)?,
            false => venue_time("ts", any.ts.integer("ts")?)?,
        },
        symbol: data.symbol.symbol("s")?,
        update: data.update.unsigned("u")?,
        start: out.levels_start(),
        bids: levels(out.batch, "b", &data.bids)?,
        asks: levels(out.batch, "a", &data.asks)?,
    };
    push_book(topic, &book, out)
}

fn push_book(
    topic: Topic<'_>,
    book: &BookPush<'_>,
    out: &mut Output<'_>,
) -> Result<Decoded, DecodeError> {
    let is_whole = match book.form {
        "snapshot" => true,
        // So begins a book after a restart of the service, whatever it is called.
        "delta" => book.update == 1,
        _ => return Err(DecodeError::OutOfRange("type")),
    };
    let body = match topic.kind {
        TopicKind::Quote if is_whole => Body::Quote(out.take_quote(book.start, book.bids)),
        TopicKind::Quote => changed_quote(book, out)?,
        _ if !out.stream.is_book(topic.symbol, topic.stream, is_whole) => {
            return Err(DecodeError::UnknownType);
        }
        kind => Body::Depth(Depth {
            first: book.update,
            last: book.update,
            start: book.start,
            bids: book.bids,
            asks: book.asks,
            snapshot: is_whole.then_some(Splice::InOrder),
            keep: if is_whole { kind.levels() } else { 0 },
            ..Depth::default()
        }),
    };
    push(topic, book.symbol, book.ts, body, out)?;
    match body {
        Body::Quote(quote) => out.stream.note_quote(topic.symbol, book.update, quote),
        Body::Gap(_) => {}
        _ => out.stream.note_book(topic.symbol, topic.stream),
    }
    Ok(Decoded::Events)
}

/// Until 2025 the derivatives markets sent the changes of a quote. The first that does not follow the last
/// quote is a gap; those behind it say too little until there is a whole one.
fn changed_quote(book: &BookPush<'_>, out: &mut Output<'_>) -> Result<Body, DecodeError> {
    let before = out
        .stream
        .quote_of(book.symbol, book.update.wrapping_sub(1));
    let Some(before) = before else {
        let missing = out.stream.lose_quote(book.symbol, book.update);
        out.batch.levels.truncate(book.start as usize);
        return Ok(Body::Gap(Gap {
            reason: GapReason::Sequence,
            missing: missing.ok_or(DecodeError::UnknownType)?,
        }));
    };
    let changes = &out.batch.levels[book.start as usize..];
    let (bids, asks) = changes.split_at(book.bids as usize);
    let (bid_px, bid_sz) = changed_side((before.bid_px, before.bid_sz), bids);
    let (ask_px, ask_sz) = changed_side((before.ask_px, before.ask_sz), asks);
    out.batch.levels.truncate(book.start as usize);
    Ok(Body::Quote(Quote {
        bid_px,
        bid_sz,
        ask_px,
        ask_sz,
        sequence: 0,
    }))
}

/// There is one level a side: a new one replaces it, and only its own end leaves none.
fn changed_side(before: (Price, Size), changes: &[Level]) -> (Price, Size) {
    changes.iter().fold(before, |side, change| {
        match (change.size, change.price == side.0) {
            (Size::ZERO, true) => (Price::UNDEFINED, Size::ZERO),
            (Size::ZERO, false) => side,
            (size, _) => (change.price, size),
        }
    })
}

/// Messages are spread over shards by the symbol of their topic, so that of an event must be the same.
fn push(
    topic: Topic<'_>,
    symbol: &str,
    ts: Nanos,
    body: Body,
    out: &mut Output<'_>,
) -> Result<(), DecodeError> {
    match symbol == topic.symbol {
        true => out.push(("s", symbol), ts, body),
        false => Err(DecodeError::OutOfRange("s")),
    }
}

/// Reads an object in `data`.
fn object<'v, T: Deserialize<'v>>(value: &'v LazyValue<'_>) -> Result<T, DecodeError> {
    let raw = value.as_raw_str().as_bytes();
    match raw.starts_with(b"{") {
        true => parse_fields(raw, &NAMES),
        false => Err(DecodeError::WrongType("data")),
    }
}
