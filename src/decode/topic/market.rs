//! Trades, quotes, bars and book changes of a topic record.

use super::wire::TopicRecord;
use crate::decode::amount;
use crate::decode::error::DecodeError;
use crate::decode::field::{Field, decimal};
use crate::decode::levels;
use crate::event::{Bar, Batch, Depth, Quote, Splice, Trade};
use crate::units::{Price, Side, Size};

pub(super) fn trade(
    price: &[u8],
    size: &[u8],
    side: &str,
    trade_id: Option<u64>,
) -> Result<Trade, DecodeError> {
    let price = amount::price("price", price)?;
    let size = amount::traded_size("size", size)?;
    let side = match side {
        "buy" => Side::Buy,
        "sell" => Side::Sell,
        _ => return Err(DecodeError::OutOfRange("side")),
    };
    Ok(Trade {
        price,
        size,
        trade_id: trade_id.unwrap_or(0),
        side,
        aggregate: false,
    })
}

/// A trade record in any form.
pub(super) fn any_trade(record: &TopicRecord<'_>) -> Result<Trade, DecodeError> {
    let (price, size) = (record.price.decimal("price")?, record.size.decimal("size")?);
    let side = record.side.text("side")?;
    let trade_id = record.trade_id.number_or_zero("trade_id")?;
    trade(price.as_bytes(), size.as_bytes(), side, Some(trade_id))
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
    let price = |name: &'static str, field: &Field<'_>| {
        amount::price(name, field.decimal(name)?.as_bytes())
    };
    // A venue that sends no volume has not said that nothing was traded.
    let volume = match record.volume.value() {
        Some(volume) => match amount::size("volume", decimal("volume", volume)?.as_bytes()) {
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

/// One side of a quote, which is empty where its price is null.
fn best(price: NamedField<'_, '_>, size: NamedField<'_, '_>) -> Result<(Price, Size), DecodeError> {
    for (name, field) in [price, size] {
        if !field.is_present() {
            return Err(DecodeError::MissingField(name));
        }
    }
    if !price.1.has_value() {
        return Ok((Price::UNDEFINED, Size::ZERO));
    }
    let (price_text, size_text) = (price.1.decimal(price.0)?, size.1.decimal(size.0)?);
    let (price, size) = (
        (price.0, price_text.as_bytes()),
        (size.0, size_text.as_bytes()),
    );
    amount::quote_side(price, size, false)
}

pub(super) fn depth(record: &TopicRecord<'_>, batch: &mut Batch) -> Result<Depth, DecodeError> {
    let last = record.sequence.number_or_zero("sequence")?;
    let first = match record.first_sequence.value() {
        Some(_) => record.first_sequence.unsigned("first_sequence")?,
        None => last,
    };
    if first > last {
        return Err(DecodeError::OutOfRange("first_sequence"));
    }
    let is_whole = match record.snapshot.value() {
        Some(_) => record.snapshot.flag("snapshot")?,
        None => false,
    };
    let start = batch.levels.len() as u32;
    let bids = levels::push_field(batch, "bids", &record.bids)?;
    let asks = levels::push_field(batch, "asks", &record.asks)?;
    Ok(Depth {
        first,
        last,
        start,
        bids,
        asks,
        snapshot: is_whole.then_some(Splice::ByNumber),
    })
}
