//! Packed frames: rows of archives, checked as records of the topics are.
//!
//! A row and the record with the same content give the same events, or are refused for the same reason.

use std::borrow::Cow;

use super::decoded::Decoded;
use super::error::{DecodeError, plausible};
use crate::event::{Bar, Batch, Body, Depth, Level, Quote, Trade};
use crate::frame::packed::{PackedLevels, PackedRow, RowBody, RowFault, read};
use crate::instrument::{InstrumentId, Instruments, is_name};
use crate::units::{Nanos, Price, Size};

/// Reads one row.
pub(super) fn decode(
    bytes: &[u8],
    instruments: &mut Instruments,
    batch: &mut Batch,
) -> Result<Decoded, DecodeError> {
    let row = read(bytes).ok_or(DecodeError::Malformed)?;
    if let RowBody::Unreadable(fault) = row.body {
        return Err(refusal(fault));
    }
    let ts_event = match row.ts_event {
        Nanos::UNDEFINED if may_lack_time(&row) => Nanos::UNDEFINED,
        Nanos::UNDEFINED => return Err(DecodeError::MissingField("ts_event")),
        ts_event => plausible("ts_event", ts_event.0)?,
    };
    let ts_recv = match row.ts_recv {
        Nanos::UNDEFINED => None,
        ts_recv => Some(plausible("ts_recv", ts_recv.0)?),
    };
    let body = match row.body {
        RowBody::Trade(row) => Body::Trade(trade(row)?),
        RowBody::Quote(row) => Body::Quote(quote(row)?),
        RowBody::Depth(change) => Body::Depth(depth(change, row.levels, batch)?),
        RowBody::Bar(row) => Body::Bar(bar(row)?),
        RowBody::Status(status) => Body::Status(status),
        RowBody::Gap(gap) => Body::Gap(gap),
        RowBody::Unreadable(_) => return Err(DecodeError::Malformed),
    };
    let instrument = instrument(&row, instruments)?;
    batch.received_first(ts_recv);
    batch.push(instrument, ts_event, body);
    Ok(Decoded::Events)
}

/// Whether a row needs no time of its venue: Binance writes none to quotes and snapshots of books, which have
/// the last time of the venue, and their place by when they were received.
fn may_lack_time(row: &PackedRow<'_>) -> bool {
    let is_state = matches!(row.body, RowBody::Quote(_) | RowBody::Depth(_));
    is_state && row.ts_recv != Nanos::UNDEFINED
}

fn refusal(fault: RowFault) -> DecodeError {
    match fault {
        RowFault::Missing(field) => DecodeError::MissingField(field),
        RowFault::BadNumber(field) => DecodeError::BadNumber(field),
        RowFault::OutOfRange(field) => DecodeError::OutOfRange(field),
        RowFault::TooPrecise(field) => DecodeError::TooPrecise(field),
        RowFault::WrongType(field) => DecodeError::WrongType(field),
    }
}

fn instrument(
    row: &PackedRow<'_>,
    instruments: &mut Instruments,
) -> Result<InstrumentId, DecodeError> {
    if let Some(known) = instruments.known(row.instrument, "") {
        return Ok(known);
    }
    let name = std::str::from_utf8(row.instrument).map_err(|_| DecodeError::Malformed)?;
    match is_name(name) {
        true => Ok(instruments.intern(name, "")?),
        false => Err(DecodeError::OutOfRange("symbol")),
    }
}

fn trade(trade: Trade) -> Result<Trade, DecodeError> {
    price("price", trade.price)?;
    match size("size", trade.size)? {
        Size::ZERO => Err(DecodeError::OutOfRange("size")),
        _ => Ok(trade),
    }
}

fn quote(quote: Quote) -> Result<Quote, DecodeError> {
    let (bid_px, bid_sz) = best(("bid_px", quote.bid_px), ("bid_sz", quote.bid_sz))?;
    let (ask_px, ask_sz) = best(("ask_px", quote.ask_px), ("ask_sz", quote.ask_sz))?;
    Ok(Quote {
        bid_px,
        bid_sz,
        ask_px,
        ask_sz,
        ..quote
    })
}

/// One side of a quote, which is empty where its price is undefined or its size zero.
fn best(
    (price_field, price): (&'static str, Price),
    (size_field, written): (&'static str, Size),
) -> Result<(Price, Size), DecodeError> {
    if price == Price::UNDEFINED {
        return Ok((Price::UNDEFINED, Size::ZERO));
    }
    match size(size_field, written)? {
        Size::ZERO => Ok((Price::UNDEFINED, Size::ZERO)),
        _ if price <= Price::ZERO => Err(DecodeError::OutOfRange(price_field)),
        size => Ok((price, size)),
    }
}

fn bar(bar: Bar) -> Result<Bar, DecodeError> {
    for (field, of_bar) in [
        ("open", bar.open),
        ("high", bar.high),
        ("low", bar.low),
        ("close", bar.close),
    ] {
        price(field, of_bar)?;
    }
    if bar.volume < Size::ZERO {
        return Err(DecodeError::OutOfRange("volume"));
    }
    if bar.high < bar.open.max(bar.close) {
        return Err(DecodeError::OutOfRange("high"));
    }
    if bar.low > bar.open.min(bar.close) {
        return Err(DecodeError::OutOfRange("low"));
    }
    Ok(bar)
}

/// A book change, whose levels are appended to the batch.
fn depth(
    mut depth: Depth,
    levels: PackedLevels<'_>,
    batch: &mut Batch,
) -> Result<Depth, DecodeError> {
    let start = batch.levels.len();
    let bids = depth.bids as usize;
    let mut kept = [0, 0];
    for (at, level) in levels.iter().enumerate() {
        let level = level.ok_or(DecodeError::Malformed)?;
        if is_level(level)? {
            batch.levels.push(level);
            kept[usize::from(at >= bids)] += 1;
        }
    }
    if depth.first > depth.last {
        return Err(DecodeError::OutOfRange("first_sequence"));
    }
    depth.start = start as u32;
    [depth.bids, depth.asks] = kept;
    Ok(depth)
}

/// Whether a level is one: one without a price, or of price and size zero, pads the row.
fn is_level(level: Level) -> Result<bool, DecodeError> {
    let is_padding =
        level.price == Price::UNDEFINED || level.price == Price::ZERO && level.size == Size::ZERO;
    if !is_padding {
        price("price", level.price)?;
        size("size", level.size)?;
    }
    Ok(!is_padding)
}

/// A price that is defined and above zero.
fn price(field: &'static str, price: Price) -> Result<Price, DecodeError> {
    match price {
        Price::UNDEFINED => Err(DecodeError::MissingField(field)),
        price if price <= Price::ZERO => Err(DecodeError::OutOfRange(field)),
        price => Ok(price),
    }
}

/// A size that is defined and not below zero.
fn size(field: &'static str, size: Size) -> Result<Size, DecodeError> {
    match size {
        Size::UNDEFINED => Err(DecodeError::MissingField(field)),
        size if size < Size::ZERO => Err(DecodeError::OutOfRange(field)),
        size => Ok(size),
    }
}

/// A frame as a dead letter may show it: a row as text, anything else as it is.
#[must_use]
pub(super) fn redacted(bytes: &[u8]) -> Cow<'_, [u8]> {
    match shown(bytes) {
        Some(text) => Cow::Owned(text.into_bytes()),
        None => Cow::Borrowed(bytes),
    }
}

/// A row as text, for people: what stands in an unreadable cell, and where, or the fields of the row.
fn shown(bytes: &[u8]) -> Option<String> {
    let row = read(bytes)?;
    let what = match row.body {
        RowBody::Unreadable(_) => row.cell.to_owned(),
        RowBody::Trade(trade) => format!("price {}, size {}", trade.price, trade.size),
        RowBody::Quote(quote) => format!(
            "bid_px {}, bid_sz {}, ask_px {}, ask_sz {}",
            quote.bid_px, quote.bid_sz, quote.ask_px, quote.ask_sz
        ),
        RowBody::Bar(bar) => format!(
            "open {}, high {}, low {}, close {}, volume {}",
            bar.open, bar.high, bar.low, bar.close, bar.volume
        ),
        RowBody::Depth(depth) => {
            let level = |level: Option<Level>| match level {
                Some(level) => format!("{} x {}", level.price, level.size),
                None => "no level".to_owned(),
            };
            let levels: Vec<String> = row.levels.iter().map(level).collect();
            format!(
                "sequence {}, {} bids and then asks: {}",
                depth.last,
                depth.bids,
                levels.join(", ")
            )
        }
        RowBody::Status(status) => format!("{status:?}"),
        RowBody::Gap(gap) => format!("a gap ({}), {} missing", gap.reason.word(), gap.missing),
    };
    let time = match row.ts_event {
        Nanos::UNDEFINED => serde_json::Value::Null,
        nanos => nanos.0.into(),
    };
    let shown = serde_json::json!({
        "ts_event": time,
        "symbol": String::from_utf8_lossy(row.instrument),
        "row": what,
    });
    Some(shown.to_string())
}

#[cfg(test)]
mod tests;
