//! What a DBN record says: trades, quotes, bars, trading status, and levels of books.

use std::ffi::c_char;

use dbn::{
    BidAskPair, ConsolidatedBidAskPair, OhlcvMsg, RType, Schema, StatusMsg, UNDEF_ORDER_SIZE,
    UNDEF_PRICE, UNDEF_TIMESTAMP,
};

use crate::event::{Bar, Level, Quote, Trade, TradeIds, TradingStatus};
use crate::source::history::row::{RowBody, RowFault};
use crate::units::{Nanos, Price, Side, Size};

/// Decimal places of prices.
pub(super) const PRICE_PLACES: i32 = 9;

/// A time; undefined where there is none.
pub(super) fn time(ts: u64) -> Nanos {
    // The largest integer is how an undefined one is written.
    i64::try_from(ts).map_or(Nanos::UNDEFINED, Nanos)
}

/// A price in 1e-9.
fn price(field: &'static str, price: i64) -> Result<Price, RowFault> {
    match price {
        UNDEF_PRICE => Ok(Price::UNDEFINED),
        price => Price::from_scaled(price, PRICE_PLACES).ok_or(RowFault::TooPrecise(field)),
    }
}

/// Whether a price of an order is kept exactly.
pub(super) fn is_exact(resting: i64) -> Result<(), RowFault> {
    price("price", resting).map(|_| ())
}

fn size(size: u32) -> Size {
    match size {
        UNDEF_ORDER_SIZE => Size::UNDEFINED,
        size => Size::from_scaled(size.into(), 0).unwrap_or(Size::UNDEFINED),
    }
}

/// The side that started a trade, or on which an order rests; none where it is not told.
pub(super) fn side(side: c_char) -> Option<Side> {
    match side as u8 {
        b'A' => Some(Side::Sell),
        b'B' => Some(Side::Buy),
        _ => None,
    }
}

/// A trade, or why it is none.
pub(super) fn trade(traded: i64, quantity: u32, from: c_char) -> RowBody {
    match price("price", traded) {
        Ok(price) => RowBody::Trade(Trade {
            price,
            size: size(quantity),
            trade_id: 0,
            ids: TradeIds::Successive,
            side: side(from),
            aggregate: false,
        }),
        Err(fault) => RowBody::Unreadable(fault),
    }
}

/// Best bid and offer, or why there are none.
pub(super) fn quote(best: &BidAskPair) -> RowBody {
    let (bid, ask) = ((best.bid_px, best.bid_sz), (best.ask_px, best.ask_sz));
    read_quote(bid, ask).unwrap_or_else(RowBody::Unreadable)
}

/// The same of several venues.
pub(super) fn consolidated_quote(best: &ConsolidatedBidAskPair) -> RowBody {
    let (bid, ask) = ((best.bid_px, best.bid_sz), (best.ask_px, best.ask_sz));
    read_quote(bid, ask).unwrap_or_else(RowBody::Unreadable)
}

fn read_quote(bid: (i64, u32), ask: (i64, u32)) -> Result<RowBody, RowFault> {
    Ok(RowBody::Quote(Quote {
        bid_px: price("bid_px", bid.0)?,
        bid_sz: size(bid.1),
        ask_px: price("ask_px", ask.0)?,
        ask_sz: size(ask.1),
        sequence: 0,
    }))
}

/// Writes the levels of a whole book over `levels`, bids first; how many are bids and asks.
pub(super) fn levels(
    pairs: &[BidAskPair],
    levels: &mut Vec<Level>,
) -> Result<(u32, u32), RowFault> {
    levels.clear();
    for pair in pairs.iter().filter(|pair| pair.bid_px != UNDEF_PRICE) {
        levels.push(Level {
            price: price("bids", pair.bid_px)?,
            size: size(pair.bid_sz),
        });
    }
    let bids = levels.len();
    for pair in pairs.iter().filter(|pair| pair.ask_px != UNDEF_PRICE) {
        levels.push(Level {
            price: price("asks", pair.ask_px)?,
            size: size(pair.ask_sz),
        });
    }
    Ok((bids as u32, (levels.len() - bids) as u32))
}

/// A bar, and the time of its end; none where its length is not known.
pub(super) fn bar(record: &OhlcvMsg) -> Option<(u64, RowBody)> {
    let length = match RType::try_from(record.hd.rtype).ok()? {
        RType::Ohlcv1S => SECOND_NS,
        RType::Ohlcv1M => 60 * SECOND_NS,
        RType::Ohlcv1H => 3_600 * SECOND_NS,
        RType::Ohlcv1D => 86_400 * SECOND_NS,
        _ => return None,
    };
    let end = match record.hd.ts_event {
        UNDEF_TIMESTAMP => UNDEF_TIMESTAMP,
        start => start.saturating_add(length),
    };
    Some((end, read_bar(record).unwrap_or_else(RowBody::Unreadable)))
}

fn read_bar(record: &OhlcvMsg) -> Result<RowBody, RowFault> {
    let volume = i64::try_from(record.volume).ok();
    Ok(RowBody::Bar(Bar {
        open: price("open", record.open)?,
        high: price("high", record.high)?,
        low: price("low", record.low)?,
        close: price("close", record.close)?,
        volume: match volume.and_then(|volume| Size::from_scaled(volume, 0)) {
            Some(volume) => volume,
            None => Size::UNDEFINED,
        },
    }))
}

/// Whether the instrument is traded; none where the record does not say.
pub(super) fn status(record: &StatusMsg) -> Option<TradingStatus> {
    match (record.is_trading as u8, record.action) {
        (b'Y', _) => Some(TradingStatus::Trading),
        (b'N', _) => Some(TradingStatus::Halted),
        // Trading.
        (_, 7) => Some(TradingStatus::Trading),
        // Halt, pause, suspend, close, not available for trading.
        (_, 8 | 9 | 10 | 12 | 15) => Some(TradingStatus::Halted),
        _ => None,
    }
}

/// Why files of a schema are not read; none where they are.
pub(super) fn refusal(schema: Schema) -> Option<String> {
    let lacks = match schema {
        Schema::Definition | Schema::Statistics | Schema::Imbalance => {
            "which hold no trades, quotes, books, bars or trading status"
        }
        Schema::OhlcvEod => "whose bars do not say when they end",
        _ => return None,
    };
    Some(format!(
        "it holds records of Databento's schema `{schema}`, {lacks}: get another schema, such as trades, mbp-1, \
         mbp-10, mbo, bbo-1s or ohlcv-1m"
    ))
}

const SECOND_NS: u64 = 1_000_000_000;
