//! Trades, quotes, bars and book changes of a topic record.

use super::wire::TopicRecord;
use crate::decode::amount::{self, Written};
use crate::decode::error::DecodeError;
use crate::decode::field::{Field, written};
use crate::decode::levels;
use crate::event::{Bar, Batch, Depth, Quote, Splice, Trade, TradeIds};
use crate::units::{Price, Side, Size};

pub(super) fn trade(
    price: Written<'_>,
    size: Written<'_>,
    side: &[u8],
    trade_id: Option<u64>,
) -> Result<Trade, DecodeError> {
    let price = amount::price("price", price)?;
    let size = amount::traded_size("size", size)?;
    let side = match side {
        b"buy" => Some(Side::Buy),
        b"sell" => Some(Side::Sell),
        b"unknown" => None,
        _ => return Err(DecodeError::OutOfRange("side")),
    };
    Ok(Trade {
        price,
        size,
        trade_id: trade_id.unwrap_or(0),
        side,
        aggregate: false,
        ids: TradeIds::Successive,
    })
}

/// A trade record in any form.
pub(super) fn any_trade(record: &TopicRecord<'_>) -> Result<Trade, DecodeError> {
    let (price, size) = (record.price.written("price")?, record.size.written("size")?);
    let side = record.side.text("side")?;
    let trade_id = record.trade_id.number_or_zero("trade_id")?;
    let ids = match record.trade_ids.optional_text("trade_ids")? {
        None | Some("successive") => TradeIds::Successive,
        Some("rising") => TradeIds::Rising,
        Some("distinct") => TradeIds::Distinct,
        Some(_) => return Err(DecodeError::OutOfRange("trade_ids")),
    };
    let trade = trade(price, size, side.as_bytes(), Some(trade_id))?;
    Ok(Trade { ids, ..trade })
}

pub(super) fn quote(record: &TopicRecord<'_>) -> Result<Quote, DecodeError> {
    let (bid_px, bid_sz) = best(("bid_px", &record.bid_px), ("bid_sz", &record.bid_sz))?;
    let (ask_px, ask_sz) = best(("ask_px", &record.ask_px), ("ask_sz", &record.ask_sz))?;
    Ok(Quote {
        bid_px,
        bid_sz,
        ask_px,
        ask_sz,
        sequence: record.sequence.number_or_zero("sequence")?,
    })
}

pub(super) fn bar(record: &TopicRecord<'_>) -> Result<Bar, DecodeError> {
    let price = |name: &'static str, field: &Field<'_>| amount::price(name, field.written(name)?);
    // A venue that sends no volume has not said that nothing was traded.
    let volume = match record.volume.value() {
        Some(volume) => match amount::size("volume", written("volume", volume)?) {
            Err(DecodeError::MissingField(_)) => Size::UNDEFINED,
            volume => volume?,
        },
        None => Size::UNDEFINED,
    };
    let bar = Bar {
        open: price("open", &record.open)?,
        high: price("high", &record.high)?,
        low: price("low", &record.low)?,
        close: price("close", &record.close)?,
        volume,
    };
    if bar.high < bar.open.max(bar.close) {
        return Err(DecodeError::OutOfRange("high"));
    }
    if bar.low > bar.open.min(bar.close) {
        return Err(DecodeError::OutOfRange("low"));
    }
    Ok(bar)
}

/// The name of a field, and the field.
type NamedField<'r, 'a> = (&'static str, &'r Field<'a>);

/// One side of a quote, which is empty where its price is null or undefined.
fn best(price: NamedField<'_, '_>, size: NamedField<'_, '_>) -> Result<(Price, Size), DecodeError> {
    for (name, field) in [price, size] {
        if !field.is_present() {
            return Err(DecodeError::MissingField(name));
        }
    }
    if !price.1.has_value() {
        return Ok((Price::UNDEFINED, Size::ZERO));
    }
    let price_written = price.1.written(price.0)?;
    if !size.1.has_value() && price_written.is_undefined() {
        return Ok((Price::UNDEFINED, Size::ZERO));
    }
    let size_written = size.1.written(size.0)?;
    amount::quote_side((price.0, price_written), (size.0, size_written), false)
}

pub(super) fn depth(record: &TopicRecord<'_>, batch: &mut Batch) -> Result<Depth, DecodeError> {
    let start = batch.levels.len() as u32;
    let bids = levels::push_field(batch, "bids", &record.bids)?;
    let asks = levels::push_field(batch, "asks", &record.asks)?;
    // Each of them is needed: a snapshot that is read as a change, or one of number 0, freezes the book.
    let is_whole = record.snapshot.flag("snapshot")?;
    let last = record.sequence.unsigned("sequence")?;
    let first = record.first_sequence.unsigned("first_sequence")?;
    if first > last {
        return Err(DecodeError::OutOfRange("first_sequence"));
    }
    Ok(Depth {
        first,
        last,
        start,
        bids,
        asks,
        snapshot: is_whole.then_some(Splice::ByNumber),
        ..Depth::default()
    })
}
