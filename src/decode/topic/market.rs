//! Trades, quotes, bars and book changes of a topic record.

use sonic_rs::LazyValue;

use super::wire::TopicRecord;
use crate::decode::amount;
use crate::decode::error::DecodeError;
use crate::decode::json::{decimal, parse, push_levels};
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

pub(super) fn quote(record: &TopicRecord<'_>) -> Result<Quote, DecodeError> {
    let (bid_px, bid_sz) = best(("bid_px", &record.bid_px), ("bid_sz", &record.bid_sz))?;
    let (ask_px, ask_sz) = best(("ask_px", &record.ask_px), ("ask_sz", &record.ask_sz))?;
    Ok(Quote {
        bid_px,
        bid_sz,
        ask_px,
        ask_sz,
        sequence: record.sequence.unwrap_or(0),
    })
}

pub(super) fn bar(record: &TopicRecord<'_>) -> Result<Bar, DecodeError> {
    let price = |field: &'static str, value: &Option<LazyValue<'_>>| {
        let value = value.as_ref().ok_or(DecodeError::WrongShape)?;
        amount::price(field, decimal(value))
    };
    // A venue that sends no volume has not said that nothing was traded.
    let volume = match &record.volume {
        Some(volume) => match amount::size("volume", decimal(volume)) {
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

/// The name of a field, and its value.
type NamedValue<'r, 'a> = (&'static str, &'r Option<LazyValue<'a>>);

/// One side of a quote; `null` is an empty side.
fn best(price: NamedValue<'_, '_>, size: NamedValue<'_, '_>) -> Result<(Price, Size), DecodeError> {
    let (Some(price_value), Some(size_value)) = (price.1, size.1) else {
        return Ok((Price::UNDEFINED, Size::ZERO));
    };
    let (price, size) = (
        (price.0, decimal(price_value)),
        (size.0, decimal(size_value)),
    );
    amount::quote_side(price, size, false)
}

pub(super) fn depth(
    record: &TopicRecord<'_>,
    bids: &LazyValue<'_>,
    asks: &LazyValue<'_>,
    batch: &mut Batch,
) -> Result<Depth, DecodeError> {
    let last = record.sequence.unwrap_or(0);
    let first = record.first_sequence.unwrap_or(last);
    if first > last {
        return Err(DecodeError::OutOfRange("first_sequence"));
    }
    let start = batch.levels.len() as u32;
    let bids: Vec<(LazyValue<'_>, LazyValue<'_>)> = parse(bids.as_raw_str().as_bytes())?;
    let asks: Vec<(LazyValue<'_>, LazyValue<'_>)> = parse(asks.as_raw_str().as_bytes())?;
    let bids = push_levels(
        batch,
        bids.iter()
            .map(|level| (decimal(&level.0), decimal(&level.1))),
    )?;
    let asks = push_levels(
        batch,
        asks.iter()
            .map(|level| (decimal(&level.0), decimal(&level.1))),
    )?;
    Ok(Depth {
        first,
        last,
        start,
        bids,
        asks,
        snapshot: record
            .snapshot
            .filter(|whole| *whole)
            .map(|_| Splice::ByNumber),
    })
}
