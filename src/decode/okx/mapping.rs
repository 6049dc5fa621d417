//! OKX's messages to events.
//!
//! A message has the channel and the instrument in `arg`, and a list of trades or books in `data`. Times are
//! milliseconds, as text.

use sonic_rs::LazyValue;

use super::channel::{Channel, ConnectionEvent, SERVICE_UPGRADE};
use super::routing::is_pong;
use super::wire::{AnyItem, AnyMessage, NAMES, WireBook, WirePush, WireTrade};
use crate::decimal::whole;
use crate::decode::amount::{self, Written};
use crate::decode::decoded::{Decoded, Notice};
use crate::decode::error::DecodeError;
use crate::decode::field::{Field, parse_fields};
use crate::decode::json::parse;
use crate::decode::levels::{push_field, push_texts};
use crate::decode::output::Output;
use crate::decode::venue_time::venue_time;
use crate::event::{Body, Checksum, ChecksumForm, Depth, Link, Splice, Trade, TradeIds};
use crate::units::{Nanos, Side};

/// Reads one message.
pub(super) fn decode(bytes: &[u8], out: &mut Output<'_>) -> Result<Decoded, DecodeError> {
    if let Ok(WirePush { arg, action, data }) = parse::<WirePush<'_>>(bytes) {
        let data = data.as_raw_str().as_bytes();
        return push((arg.channel, arg.symbol), action, data, out);
    }
    if is_pong(bytes) {
        return Ok(Decoded::Notice(Notice::Ack));
    }
    let any: AnyMessage<'_> = parse_fields(bytes, &NAMES)?;
    if any.event.has_value() {
        return notice(&any);
    }
    let arg: AnyMessage<'_> = object("arg", any.arg.needed("arg")?)?;
    let channel = arg.channel.text("channel")?;
    if Channel::of(channel).is_none() {
        return Err(DecodeError::UnknownType);
    }
    let symbol = arg.symbol.symbol("instId")?;
    let action = any.action.optional_text("action")?;
    let data = any.data.needed("data")?.as_raw_str().as_bytes();
    push((channel, symbol), action, data, out)
}

/// Messages about the connection.
fn notice(any: &AnyMessage<'_>) -> Result<Decoded, DecodeError> {
    let event = ConnectionEvent::of(any.event.text("event")?).ok_or(DecodeError::UnknownType)?;
    let is_upgrade = any.code.value().is_some() && any.code.decimal("code")? == SERVICE_UPGRADE;
    Ok(Decoded::Notice(match event {
        ConnectionEvent::Notice | ConnectionEvent::Error if is_upgrade => Notice::Shutdown,
        ConnectionEvent::Error | ConnectionEvent::TooManyConnections => Notice::VenueError,
        ConnectionEvent::Answer | ConnectionEvent::Notice => Notice::Ack,
    }))
}

fn push(
    (channel, symbol): (&str, &str),
    action: Option<&str>,
    data: &[u8],
    out: &mut Output<'_>,
) -> Result<Decoded, DecodeError> {
    match Channel::of(channel) {
        Some(Channel::Trades) => trades(data, symbol, out)?,
        Some(Channel::Quote) => each_book(data, out, |book, out| book.push_quote(symbol, out))?,
        Some(book) => {
            let is_whole = match (book, action) {
                (Channel::WholeBook, _) | (_, Some("snapshot")) => true,
                (_, Some("update")) => false,
                (_, Some(_)) => return Err(DecodeError::OutOfRange("action")),
                (_, None) => return Err(DecodeError::MissingField("action")),
            };
            // Five levels are no better than a book that there is.
            let begins = is_whole && book == Channel::Book;
            if !out.stream.is_book(symbol, channel, begins) {
                return Err(DecodeError::UnknownType);
            }
            each_book(data, out, |book, out| book.push(symbol, is_whole, out))?;
            out.stream.note_book(symbol, channel);
        }
        None => return Err(DecodeError::UnknownType),
    }
    Ok(Decoded::Events)
}

fn trades(data: &[u8], symbol: &str, out: &mut Output<'_>) -> Result<(), DecodeError> {
    let before = out.batch.events.len();
    match parse::<Vec<WireTrade<'_>>>(data) {
        Ok(trades) if !trades.is_empty() => {
            for wire in &trades {
                let numbers = (Written::text(wire.price), Written::text(wire.size));
                let number = unsigned("tradeId", wire.trade_id)?;
                let trade = fill(number, numbers, wire.side, wire.count.is_some())?;
                push_trade((wire.symbol, symbol), time(wire.ts)?, trade, out)?;
            }
        }
        _ => each_item(data, |any| {
            let numbers = (any.price.written("px")?, any.size.written("sz")?);
            let number = any.trade_id.unsigned("tradeId")?;
            let is_aggregate = any.count.has_value();
            let trade = fill(number, numbers, any.side.text("side")?, is_aggregate)?;
            let ts = time(any.ts.decimal("ts")?)?;
            push_trade((any.symbol.symbol("instId")?, symbol), ts, trade, out)
        })?,
    }
    // Lists of the venue begin with the newest, where they hold more than one.
    out.batch.events[before..].sort_by_key(|event| match event.body {
        Body::Trade(trade) => trade.trade_id,
        _ => 0,
    });
    Ok(())
}

fn fill(
    trade_id: u64,
    (price, size): (Written<'_>, Written<'_>),
    side: &str,
    aggregate: bool,
) -> Result<Trade, DecodeError> {
    Ok(Trade {
        price: amount::price("px", price)?,
        size: amount::traded_size("sz", size)?,
        trade_id,
        ids: TradeIds::Rising,
        side: match side {
            "buy" => Some(Side::Buy),
            "sell" => Some(Side::Sell),
            _ => return Err(DecodeError::OutOfRange("side")),
        },
        aggregate,
    })
}

/// Messages are spread over shards by the instrument of their channel, so that of a trade must be the same.
fn push_trade(
    (own, of_channel): (&str, &str),
    ts: Nanos,
    trade: Trade,
    out: &mut Output<'_>,
) -> Result<(), DecodeError> {
    if own != of_channel {
        return Err(DecodeError::OutOfRange("instId"));
    }
    out.push(("instId", own), ts, Body::Trade(trade))
}

/// A book, or the changes of one, whose levels are in the batch.
struct BookPush {
    ts: Nanos,
    sequence: Option<u64>,
    before: Option<i64>,
    checksum: Option<i64>,
    start: u32,
    bids: u32,
    asks: u32,
}

impl BookPush {
    fn push_quote(self, symbol: &str, out: &mut Output<'_>) -> Result<(), DecodeError> {
        let quote = out.take_quote(self.start, self.bids);
        out.push(("instId", symbol), self.ts, Body::Quote(quote))
    }

    fn push(self, symbol: &str, is_whole: bool, out: &mut Output<'_>) -> Result<(), DecodeError> {
        let (first, last, link) = match (self.sequence, self.before) {
            (last, _) if is_whole => (
                last.unwrap_or_default(),
                last.unwrap_or_default(),
                Link::Range,
            ),
            (Some(last), Some(before)) => {
                // A snapshot has -1.
                let before = u64::try_from(before);
                let before = before.map_err(|_| DecodeError::OutOfRange("prevSeqId"))?;
                (before + 1, last, Link::Chain)
            }
            // Messages of before 2023 have a checksum alone.
            (None, None) => (0, 0, Link::Range),
            (Some(_), None) => return Err(DecodeError::MissingField("prevSeqId")),
            (None, Some(_)) => return Err(DecodeError::MissingField("seqId")),
        };
        let depth = Depth {
            overlaps: false,
            first,
            last,
            start: self.start,
            bids: self.bids,
            asks: self.asks,
            snapshot: is_whole.then_some(Splice::InOrder),
            link,
            keep: 0,
            checksum: self.checksum.map_or(Ok(None), checksum)?,
        };
        out.push(("instId", symbol), self.ts, Body::Depth(depth))
    }
}

/// The venue writes the 32 bits as a signed number.
fn checksum(value: i64) -> Result<Option<Checksum>, DecodeError> {
    let signed = i32::try_from(value).map_err(|_| DecodeError::OutOfRange("checksum"))?;
    Ok((signed != 0).then_some(Checksum {
        value: signed.cast_unsigned(),
        form: ChecksumForm::Pairs,
    }))
}

/// Reads a list of books, the levels of each into the batch.
fn each_book(
    data: &[u8],
    out: &mut Output<'_>,
    mut take: impl FnMut(BookPush, &mut Output<'_>) -> Result<(), DecodeError>,
) -> Result<(), DecodeError> {
    match parse::<Vec<WireBook<'_>>>(data) {
        Ok(books) if !books.is_empty() => books.iter().try_for_each(|wire| {
            let book = BookPush {
                ts: time(wire.ts)?,
                sequence: wire.sequence,
                before: wire.before,
                checksum: wire.checksum,
                start: out.levels_start(),
                bids: push_texts(out.batch, &wire.bids)?,
                asks: push_texts(out.batch, &wire.asks)?,
            };
            take(book, out)
        }),
        _ => each_item(data, |any| {
            let signed =
                |name, field: &Field<'_>| field.value().map(|_| field.integer(name)).transpose();
            let sequence = any.sequence.value().map(|_| any.sequence.unsigned("seqId"));
            let book = BookPush {
                ts: time(any.ts.decimal("ts")?)?,
                sequence: sequence.transpose()?,
                before: signed("prevSeqId", &any.before)?,
                checksum: signed("checksum", &any.checksum)?,
                start: out.levels_start(),
                bids: push_field(out.batch, "bids", &any.bids)?,
                asks: push_field(out.batch, "asks", &any.asks)?,
            };
            take(book, out)
        }),
    }
}

/// Reads a list of objects, of which there is at least one.
fn each_item(
    data: &[u8],
    mut take: impl FnMut(AnyItem<'_>) -> Result<(), DecodeError>,
) -> Result<(), DecodeError> {
    let items: Vec<LazyValue<'_>> = parse(data).map_err(|_| DecodeError::WrongType("data"))?;
    if items.is_empty() {
        return Err(DecodeError::MissingField("data"));
    }
    items
        .iter()
        .try_for_each(|item| take(object("data", item)?))
}

/// Reads the value of a field, which must be an object.
fn object<'v, T: serde::Deserialize<'v>>(
    name: &'static str,
    value: &'v LazyValue<'_>,
) -> Result<T, DecodeError> {
    let raw = value.as_raw_str().as_bytes();
    match raw.starts_with(b"{") {
        true => parse_fields(raw, &NAMES),
        false => Err(DecodeError::WrongType(name)),
    }
}

fn time(text: &str) -> Result<Nanos, DecodeError> {
    let whole = whole(text).ok_or(DecodeError::BadNumber("ts"))?;
    let time = i64::try_from(whole).map_err(|_| DecodeError::OutOfRange("ts"))?;
    venue_time("ts", time)
}

fn unsigned(name: &'static str, text: &str) -> Result<u64, DecodeError> {
    let whole = whole(text).ok_or(DecodeError::BadNumber(name))?;
    u64::try_from(whole).map_err(|_| DecodeError::OutOfRange(name))
}
