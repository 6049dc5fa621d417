//! Alpaca's messages to events: trades, their corrections and cancellations, quotes, bars, trading status.

use super::output::Output;
use super::value::Digits;
use super::wire::{Key, StockMessage, each};
use crate::decode::amount;
use crate::decode::decoded::{Decoded, Notice};
use crate::decode::error::DecodeError;
use crate::event::{Amendment, AmendmentKind, Bar, Body, Quote, Trade, TradeIds, TradingStatus};
use crate::units::{Nanos, Price, Size};

/// Reads a message. Of a list of several, those are passed over that are not used.
pub(super) fn decode(bytes: &[u8], out: &mut Output<'_>) -> Result<Decoded, DecodeError> {
    let (mut is_used, mut other) = (false, Err(DecodeError::WrongShape));
    each(bytes, |message| {
        match one(message, out) {
            Ok(Decoded::Events) => is_used = true,
            Err(error) if error.unreadable() => return Err(error),
            answer => other = answer,
        }
        Ok(())
    })?;
    match is_used {
        true => Ok(Decoded::Events),
        false => other,
    }
}

fn one(message: &StockMessage<'_>, out: &mut Output<'_>) -> Result<Decoded, DecodeError> {
    let (time, body) = match message.text(Key::Type)? {
        "t" => (Key::Time, trade(message)?),
        "q" => (Key::Time, quote(message)?),
        "c" => (
            Key::Time,
            amendment(message, AmendmentKind::Correction, Key::OriginalId)?,
        ),
        "x" => (
            Key::Time,
            amendment(message, AmendmentKind::Cancel, Key::Id)?,
        ),
        "s" => (Key::Time, status(message)?),
        "b" | "u" => return bar(message, out),
        "success" | "subscription" => return Ok(Decoded::Notice(Notice::Ack)),
        "error" => return Ok(Decoded::Notice(Notice::VenueError)),
        _ => return Err(DecodeError::UnknownType),
    };
    let ts_event = message.at(time).time(time.name())?;
    push(message, ts_event, body, out)
}

fn push(
    message: &StockMessage<'_>,
    ts_event: Nanos,
    body: Body,
    out: &mut Output<'_>,
) -> Result<Decoded, DecodeError> {
    let instrument = out.instrument(Key::Symbol.name(), message.text(Key::Symbol)?)?;
    out.batch.push(instrument, ts_event, body);
    Ok(Decoded::Events)
}

/// The venue does not say who started a trade.
fn trade(message: &StockMessage<'_>) -> Result<Body, DecodeError> {
    Ok(Body::Trade(Trade {
        price: price(message, Key::Price)?,
        size: size(message, Key::Size, amount::traded_size)?,
        trade_id: trade_id(message, Key::Id)?,
        ids: TradeIds::Distinct,
        side: None,
        aggregate: false,
    }))
}

/// A number of a trade that no other trade of its instrument has. The venue's own is unique only for an
/// exchange and a tape, so that all three are mixed to 64 bits.
fn trade_id(message: &StockMessage<'_>, key: Key) -> Result<u64, DecodeError> {
    let number = message.at(key).unsigned(key.name())?;
    let mut mixed = mix(number);
    for part in [Key::Exchange, Key::Tape] {
        let value = message.at(part);
        let text = if value.has_value() {
            value.text(part.name())?
        } else {
            ""
        };
        for byte in text.bytes().chain([0]) {
            mixed = mix(mixed ^ u64::from(byte));
        }
    }
    // 0 stands for no number.
    Ok(mixed.max(1))
}

/// Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014): each bit depends on all.
fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The venue writes an empty side as zero.
fn quote(message: &StockMessage<'_>) -> Result<Body, DecodeError> {
    let side = |price: Key, size: Key| {
        let (mut of_price, mut of_size) = (Digits::default(), Digits::default());
        let price = (
            price.name(),
            message.at(price).written(price.name(), &mut of_price)?,
        );
        let size = (
            size.name(),
            message.at(size).written(size.name(), &mut of_size)?,
        );
        amount::quote_side(price, size, true)
    };
    let (bid_px, bid_sz) = side(Key::BidPrice, Key::BidSize)?;
    let (ask_px, ask_sz) = side(Key::AskPrice, Key::AskSize)?;
    Ok(Body::Quote(Quote {
        bid_px,
        bid_sz,
        ask_px,
        ask_sz,
        sequence: 0,
    }))
}

fn amendment(
    message: &StockMessage<'_>,
    kind: AmendmentKind,
    id: Key,
) -> Result<Body, DecodeError> {
    let trade_id = trade_id(message, id)?;
    Ok(Body::Amendment(Amendment { kind, trade_id }))
}

/// The status that a code stands for. The codes of tapes A and B are figures and those of C and O letters, so
/// that the tape need not be known. Other codes (imbalances, price indications, short sale restrictions) are
/// about a market whose status stays as it is.
fn status(message: &StockMessage<'_>) -> Result<Body, DecodeError> {
    let status = match message.text(Key::StatusCode)? {
        // Opening delay, halt, no resumption; halt, pause after a swing of the price, quotes without trades.
        "1" | "2" | "4" | "H" | "P" | "Q" => TradingStatus::Halted,
        "3" | "T" => TradingStatus::Trading,
        _ => return Err(DecodeError::UnknownType),
    };
    Ok(Body::Status(status))
}

/// A bar of a minute, or the same once more with late trades in it. The venue names the beginning.
fn bar(message: &StockMessage<'_>, out: &mut Output<'_>) -> Result<Decoded, DecodeError> {
    let body = Bar {
        open: price(message, Key::Open)?,
        high: price(message, Key::High)?,
        low: price(message, Key::Low)?,
        close: price(message, Key::Close)?,
        volume: size(message, Key::Volume, amount::size)?,
    };
    let began = message.at(Key::Time).time(Key::Time.name())?;
    push(message, Nanos(began.0 + MINUTE_NS), Body::Bar(body), out)
}

fn price(message: &StockMessage<'_>, key: Key) -> Result<Price, DecodeError> {
    let mut digits = Digits::default();
    amount::price(
        key.name(),
        message.at(key).written(key.name(), &mut digits)?,
    )
}

fn size(
    message: &StockMessage<'_>,
    key: Key,
    read: fn(&'static str, amount::Written<'_>) -> Result<Size, DecodeError>,
) -> Result<Size, DecodeError> {
    let mut digits = Digits::default();
    read(
        key.name(),
        message.at(key).written(key.name(), &mut digits)?,
    )
}

const MINUTE_NS: i64 = 60_000_000_000;
