//! Coinbase's messages to events.
//!
//! Events as the venue writes them are read by `usual`; all that it does not read, and all that is no
//! event, is read here, and what is wrong with a message is found here.

use serde::Deserialize;
use sonic_rs::LazyValue;

use super::output::{BookLevels, NO_TIME, book_side, taker_side};
use super::usual::{self, Usual};
use super::wire::{
    AnyEvent, AnyLevel, AnyMessage, AnyTicker, AnyTrade, EVENT_NAMES, LEVEL_NAMES, NAMES,
    TICKER_NAMES, TRADE_NAMES,
};
use crate::decode::amount;
use crate::decode::decoded::{Decoded, Notice};
use crate::decode::error::DecodeError;
use crate::decode::field::{Field, parse_fields};
use crate::decode::json::parse;
use crate::decode::message_output::MessageOutput;
use crate::decode::venue_time::written_time;
use crate::event::{Level, Trade, TradeIds};
use crate::units::Nanos;

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
        return match any.kind.optional_text("type")? {
            Some("error") => Ok(Decoded::Notice(Notice::VenueError)),
            Some(_) => Err(DecodeError::UnknownType),
            None => Err(DecodeError::MissingField("channel")),
        };
    }
    match any.channel.text("channel")? {
        "heartbeats" => Ok(Decoded::Notice(Notice::Ping)),
        "subscriptions" => Ok(Decoded::Notice(Notice::Ack)),
        "l2_data" => {
            let time = time("timestamp", &any.timestamp)?;
            for_each("events", &any.events, |event| book(event, time, &mut out))?;
            out.finish()
        }
        "market_trades" => {
            for_each("events", &any.events, |event| {
                let any = of_event(event)?;
                is_snapshot(&any)?;
                for_each("trades", &any.trades, |item| trade(item, &mut out))
            })?;
            out.finish_trades()
        }
        "ticker" => {
            let time = time("timestamp", &any.timestamp)?;
            for_each("events", &any.events, |event| {
                let any = of_event(event)?;
                is_snapshot(&any)?;
                for_each("tickers", &any.tickers, |item| ticker(item, time, &mut out))
            })?;
            out.finish()
        }
        // `ticker_batch` has neither bid nor offer.
        _ => Err(DecodeError::UnknownType),
    }
}

fn of_event(event: &[u8]) -> Result<AnyEvent<'_>, DecodeError> {
    nested("events", event, &EVENT_NAMES)
}

fn is_snapshot(any: &AnyEvent<'_>) -> Result<bool, DecodeError> {
    match any.kind.text("type")? {
        "snapshot" => Ok(true),
        "update" => Ok(false),
        _ => Err(DecodeError::OutOfRange("type")),
    }
}

fn book(event: &[u8], of_message: Nanos, out: &mut MessageOutput<'_>) -> Result<(), DecodeError> {
    let any = of_event(event)?;
    let is_snapshot = is_snapshot(&any)?;
    let mut levels = BookLevels::new(out.batch);
    // The newest update is the last one.
    let mut newest = of_message;
    let updates = list("updates", &any.updates)?;
    for (at, update) in updates.iter().enumerate() {
        let update = update.as_raw_str().as_bytes();
        let update: AnyLevel<'_> = nested("updates", update, &LEVEL_NAMES)?;
        let side = book_side(update.side.text("side")?.as_bytes());
        let level = Level {
            price: amount::price("price_level", update.price_level.written("price_level")?)?,
            size: amount::size("new_quantity", update.new_quantity.written("new_quantity")?)?,
        };
        let side = side.ok_or(DecodeError::OutOfRange("side"))?;
        levels.push(side, level, out.batch);
        if at + 1 == updates.len()
            && update.event_time.has_value()
            && update.event_time.text("event_time")? != NO_TIME
        {
            newest = time("event_time", &update.event_time)?;
        }
    }
    let product = any.product_id.symbol("product_id")?;
    levels.finish(product, newest, is_snapshot, out)
}

fn trade(item: &[u8], out: &mut MessageOutput<'_>) -> Result<(), DecodeError> {
    let any: AnyTrade<'_> = nested("trades", item, &TRADE_NAMES)?;
    let side = taker_side(any.side.text("side")?.as_bytes());
    let trade = Trade {
        price: amount::price("price", any.price.written("price")?)?,
        size: amount::traded_size("size", any.size.written("size")?)?,
        trade_id: any.trade_id.unsigned("trade_id")?,
        ids: TradeIds::Rising,
        side: Some(side.ok_or(DecodeError::OutOfRange("side"))?),
        aggregate: false,
    };
    let time = time("time", &any.time)?;
    out.trade(any.product_id.symbol("product_id")?, time, trade)
}

fn ticker(item: &[u8], time: Nanos, out: &mut MessageOutput<'_>) -> Result<(), DecodeError> {
    let any: AnyTicker<'_> = nested("tickers", item, &TICKER_NAMES)?;
    let bid = any.best_bid.written("best_bid")?;
    let bid_size = any.best_bid_quantity.written("best_bid_quantity")?;
    let ask = any.best_ask.written("best_ask")?;
    let ask_size = any.best_ask_quantity.written("best_ask_quantity")?;
    out.quote(
        any.product_id.symbol("product_id")?,
        time,
        amount::quote_side(("best_bid", bid), ("best_bid_quantity", bid_size), true)?,
        amount::quote_side(("best_ask", ask), ("best_ask_quantity", ask_size), true)?,
    )
}

fn time(name: &'static str, field: &Field<'_>) -> Result<Nanos, DecodeError> {
    written_time(name, field.text(name)?)
}

/// Reads each element of the list in the field `name`.
fn for_each(
    name: &'static str,
    field: &Field<'_>,
    mut read: impl FnMut(&[u8]) -> Result<(), DecodeError>,
) -> Result<(), DecodeError> {
    let list = list(name, field)?;
    list.iter()
        .try_for_each(|element| read(element.as_raw_str().as_bytes()))
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
