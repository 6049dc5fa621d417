//! Kraken's messages to events.
//!
//! Events as the venue writes them are read by `usual`; all that it does not read, and all that is no
//! event, is read here, and what is wrong with a message is found here.

use serde::Deserialize;
use sonic_rs::LazyValue;

use super::output::{BookHead, BookLevels};
use super::usual::{self, Usual};
use super::wire::{
    AnyBook, AnyLevel, AnyMessage, AnyResult, AnyStatus, AnyTicker, AnyTrade, BOOK_NAMES,
    LEVEL_NAMES, NAMES, RESULT_NAMES, STATUS_NAMES, TICKER_NAMES, TRADE_NAMES,
};
use crate::decode::amount;
use crate::decode::decoded::{Decoded, Notice};
use crate::decode::error::DecodeError;
use crate::decode::field::{Field, parse_fields};
use crate::decode::json::parse;
use crate::decode::message_output::MessageOutput;
use crate::decode::venue_time::written_time;
use crate::event::{Level, Trade, TradeIds};
use crate::units::{Nanos, Side};

/// Reads one message.
pub(super) fn decode(bytes: &[u8], mut out: MessageOutput<'_>) -> Result<Decoded, DecodeError> {
    match usual::read(bytes, &mut out) {
        Some(Usual::Trades) => out.finish_trades(),
        Some(Usual::Others) => out.finish(),
        None => {
            out.take_back();
            any(bytes, out)
        }
    }
}

/// Reads a message in whatever form.
pub(super) fn any(bytes: &[u8], mut out: MessageOutput<'_>) -> Result<Decoded, DecodeError> {
    let any: AnyMessage<'_> = parse_fields(bytes, &NAMES)?;
    if !any.channel.is_present() {
        return answer(&any, &mut out);
    }
    match any.channel.text("channel")? {
        "heartbeat" => Ok(Decoded::Notice(Notice::Ping)),
        "status" => status(&any),
        "book" => {
            let is_snapshot = is_snapshot(&any)?;
            for_each(&any.data, |data| book(data, is_snapshot, &mut out))?;
            out.finish()
        }
        "trade" => {
            is_snapshot(&any)?;
            for_each(&any.data, |data| trade(data, &mut out))?;
            out.finish_trades()
        }
        "ticker" => {
            is_snapshot(&any)?;
            for_each(&any.data, |data| ticker(data, &mut out))?;
            out.finish()
        }
        _ => Err(DecodeError::UnknownType),
    }
}

/// Reads what the venue says about a request: `{"method":"subscribe","result":{…},"success":true}`.
fn answer(any: &AnyMessage<'_>, out: &mut MessageOutput<'_>) -> Result<Decoded, DecodeError> {
    let method = any.method.optional_text("method")?;
    if any.error.has_value() || any.success.has_value() && !any.success.flag("success")? {
        return Ok(Decoded::Notice(Notice::VenueError));
    }
    match method {
        Some("pong") => {}
        Some("subscribe") if any.success.has_value() => {
            if let Some(result) = any.result.value() {
                note_depth(result.as_raw_str().as_bytes(), out)?;
            }
        }
        Some(_) if any.success.has_value() => {}
        Some(_) | None => return Err(DecodeError::UnknownType),
    }
    Ok(Decoded::Notice(Notice::Ack))
}

/// Notes how many levels a side the venue keeps up to date from now on.
fn note_depth(result: &[u8], out: &mut MessageOutput<'_>) -> Result<(), DecodeError> {
    let result: AnyResult<'_> = nested("result", result, &RESULT_NAMES)?;
    if result.channel.optional_text("channel")? == Some("book") && result.depth.has_value() {
        let depth = result.depth.unsigned("depth")?;
        let depth = u16::try_from(depth).map_err(|_| DecodeError::OutOfRange("depth"))?;
        let symbol = result.symbol.symbol("symbol")?;
        out.stream.note_depth(symbol, depth);
    }
    Ok(())
}

/// Whether the venue trades as usual: `online`, or `maintenance`, `cancel_only`, `post_only`.
fn status(any: &AnyMessage<'_>) -> Result<Decoded, DecodeError> {
    let mut is_online = true;
    for_each(&any.data, |data| {
        let status: AnyStatus<'_> = nested("data", data, &STATUS_NAMES)?;
        is_online &= status.system.text("system")? == "online";
        Ok(())
    })?;
    Ok(Decoded::Notice(match is_online {
        true => Notice::Ack,
        false => Notice::VenueError,
    }))
}

fn is_snapshot(any: &AnyMessage<'_>) -> Result<bool, DecodeError> {
    match any.kind.text("type")? {
        "snapshot" => Ok(true),
        "update" => Ok(false),
        _ => Err(DecodeError::OutOfRange("type")),
    }
}

/// Reads each element of the data.
fn for_each(
    data: &Field<'_>,
    mut read: impl FnMut(&[u8]) -> Result<(), DecodeError>,
) -> Result<(), DecodeError> {
    let list = list("data", data)?;
    list.iter()
        .try_for_each(|element| read(element.as_raw_str().as_bytes()))
}

fn book(data: &[u8], is_snapshot: bool, out: &mut MessageOutput<'_>) -> Result<(), DecodeError> {
    let any: AnyBook<'_> = nested("data", data, &BOOK_NAMES)?;
    let mut levels = BookLevels::default();
    levels.bids = side("bids", &any.bids, &mut levels, out)?;
    levels.asks = side("asks", &any.asks, &mut levels, out)?;
    let checksum = any.checksum.unsigned("checksum")?;
    let head = BookHead {
        symbol: any.symbol.symbol("symbol")?,
        time: optional_time(&any.timestamp)?,
        is_snapshot,
        checksum: u32::try_from(checksum).map_err(|_| DecodeError::OutOfRange("checksum"))?,
    };
    levels.finish(&head, out)
}

fn side(
    name: &'static str,
    field: &Field<'_>,
    levels: &mut BookLevels,
    out: &mut MessageOutput<'_>,
) -> Result<u32, DecodeError> {
    let list = list(name, field)?;
    for level in &list {
        let level: AnyLevel<'_> = nested(name, level.as_raw_str().as_bytes(), &LEVEL_NAMES)?;
        let (price, size) = (level.price.written("price")?, level.qty.written("qty")?);
        levels.note(price, size);
        out.batch.levels.push(Level {
            price: amount::price("price", price)?,
            size: amount::size("qty", size)?,
        });
    }
    Ok(list.len() as u32)
}

fn trade(data: &[u8], out: &mut MessageOutput<'_>) -> Result<(), DecodeError> {
    let any: AnyTrade<'_> = nested("data", data, &TRADE_NAMES)?;
    let trade = Trade {
        price: amount::price("price", any.price.written("price")?)?,
        size: amount::traded_size("qty", any.qty.written("qty")?)?,
        trade_id: any.trade_id.unsigned("trade_id")?,
        ids: TradeIds::Successive,
        side: match any.side.text("side")? {
            "buy" => Some(Side::Buy),
            "sell" => Some(Side::Sell),
            _ => return Err(DecodeError::OutOfRange("side")),
        },
        aggregate: false,
    };
    let time = written_time("timestamp", any.timestamp.text("timestamp")?)?;
    out.trade(any.symbol.symbol("symbol")?, time, trade)
}

fn ticker(data: &[u8], out: &mut MessageOutput<'_>) -> Result<(), DecodeError> {
    let any: AnyTicker<'_> = nested("data", data, &TICKER_NAMES)?;
    let bid = (
        ("bid", any.bid.written("bid")?),
        ("bid_qty", any.bid_qty.written("bid_qty")?),
    );
    let ask = (
        ("ask", any.ask.written("ask")?),
        ("ask_qty", any.ask_qty.written("ask_qty")?),
    );
    let time = optional_time(&any.timestamp)?;
    out.quote(
        any.symbol.symbol("symbol")?,
        time,
        amount::quote_side(bid.0, bid.1, true)?,
        amount::quote_side(ask.0, ask.1, true)?,
    )
}

/// Tickers and snapshots of earlier years carry no time.
fn optional_time(field: &Field<'_>) -> Result<Nanos, DecodeError> {
    match field.optional_text("timestamp")? {
        Some(text) => written_time("timestamp", text),
        None => Ok(Nanos::UNDEFINED),
    }
}

/// The elements of a list.
fn list<'f>(name: &'static str, field: &'f Field<'_>) -> Result<Vec<LazyValue<'f>>, DecodeError> {
    let raw = field.needed(name)?.as_raw_str();
    parse(raw.as_bytes()).map_err(|_| DecodeError::WrongType(name))
}

/// Reads an object in the field `name`.
fn nested<'a, T: Deserialize<'a>>(
    name: &'static str,
    object: &'a [u8],
    names: &[&'static str],
) -> Result<T, DecodeError> {
    parse_fields(object, names).map_err(|error| match error {
        DecodeError::WrongShape => DecodeError::WrongType(name),
        _ => error,
    })
}
