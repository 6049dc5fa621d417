//! Binance's messages to events.
//!
//! Raw (`{"e":"trade",…}`) and combined (`{"stream":…,"data":…}`) messages. Times are milliseconds, or
//! microseconds where the connection requested them.

use super::routing::event_type;
use super::wire::{
    Combined, Untyped, WireAggTrade, WireBookTicker, WireDepth, WireSnapshot, WireTrade,
};
use crate::decode::amount;
use crate::decode::decoded::{Decoded, Notice};
use crate::decode::error::DecodeError;
use crate::decode::json::{TextPair, parse, push_levels};
use crate::decode::last_updates::LastUpdates;
use crate::event::{Batch, Body, Depth, Quote, Splice, Trade};
use crate::instrument::{InstrumentId, Instruments};
use crate::units::{Nanos, Side};

/// The venue's name in the names of instruments.
pub(super) const VENUE: &str = "BINANCE";

/// Behind the symbol in the stream name that we give to a fetched snapshot, which names no symbol itself.
pub(super) const SNAPSHOT_STREAM: &str = "@depth_snapshot";

/// Reads one message of the spot market.
pub(super) fn decode(
    bytes: &[u8],
    updates: &mut LastUpdates,
    instruments: &mut Instruments,
    batch: &mut Batch,
) -> Result<Decoded, DecodeError> {
    if bytes.starts_with(b"{\"stream\"") {
        let combined: Combined<'_> = parse(bytes)?;
        let data = combined.data.as_raw_str().as_bytes();
        if let Some(symbol) = combined.stream.strip_suffix(SNAPSHOT_STREAM) {
            let instrument = instruments.intern(&symbol.to_ascii_uppercase(), VENUE)?;
            return snapshot(data, instrument, batch);
        }
        return message(data, updates, instruments, batch);
    }
    message(bytes, updates, instruments, batch)
}

fn message(
    data: &[u8],
    updates: &mut LastUpdates,
    instruments: &mut Instruments,
    batch: &mut Batch,
) -> Result<Decoded, DecodeError> {
    let Some(kind) = event_type(data) else {
        return without_type(data, updates, instruments, batch);
    };
    match kind {
        "trade" => trade(parse::<WireTrade<'_>>(data)?, instruments, batch),
        "aggTrade" => aggregate(parse::<WireAggTrade<'_>>(data)?, instruments, batch),
        "bookTicker" => quote(parse::<WireBookTicker<'_>>(data)?, instruments, batch),
        "depthUpdate" => depth(parse::<WireDepth<'_>>(data)?, updates, instruments, batch),
        "serverShutdown" => Ok(Decoded::Notice(Notice::Shutdown)),
        // Half of a message may still have its type; then it is broken, not unknown.
        _ => parse::<serde::de::IgnoredAny>(data).and(Err(DecodeError::UnknownType)),
    }
}

/// Spot's `bookTicker`, REST snapshots, acks and errors carry no `"e"`.
fn without_type(
    data: &[u8],
    updates: &mut LastUpdates,
    instruments: &mut Instruments,
    batch: &mut Batch,
) -> Result<Decoded, DecodeError> {
    // Nearly all are quotes, and nothing else has a quote's fields.
    if let Ok(wire) = parse::<WireBookTicker<'_>>(data) {
        return quote(wire, instruments, batch);
    }
    let fields: Untyped<'_> = parse(data)?;
    if let Some(last) = fields.last_update_id {
        let instrument = updates
            .instrument_near(last)
            .ok_or(DecodeError::UnnamedSnapshot)?;
        return snapshot(data, instrument, batch);
    }
    if fields.symbol.is_some() {
        return quote(parse::<WireBookTicker<'_>>(data)?, instruments, batch);
    }
    if fields.code.is_some() || fields.error.is_some() {
        return Ok(Decoded::Notice(Notice::VenueError));
    }
    // An ack is `{"result":null,"id":1}`: the null is a value that is there.
    if fields.id.is_some() {
        return Ok(Decoded::Notice(Notice::Ack));
    }
    Err(DecodeError::UnknownType)
}

fn trade(
    wire: WireTrade<'_>,
    instruments: &mut Instruments,
    batch: &mut Batch,
) -> Result<Decoded, DecodeError> {
    let instrument = instruments.intern(wire.symbol, VENUE)?;
    let body = fill(
        wire.price,
        wire.quantity,
        wire.trade_id,
        wire.buyer_is_maker,
        false,
    )?;
    batch.push(instrument, venue_time(wire.trade_time)?, Body::Trade(body));
    Ok(Decoded::Events)
}

fn aggregate(
    wire: WireAggTrade<'_>,
    instruments: &mut Instruments,
    batch: &mut Batch,
) -> Result<Decoded, DecodeError> {
    let instrument = instruments.intern(wire.symbol, VENUE)?;
    let body = fill(
        wire.price,
        wire.quantity,
        wire.aggregate_id,
        wire.buyer_is_maker,
        true,
    )?;
    batch.push(instrument, venue_time(wire.trade_time)?, Body::Trade(body));
    Ok(Decoded::Events)
}

fn fill(
    price: &str,
    quantity: &str,
    trade_id: u64,
    buyer_is_maker: bool,
    aggregate: bool,
) -> Result<Trade, DecodeError> {
    let price = amount::price("p", price.as_bytes())?;
    let size = amount::traded_size("q", quantity.as_bytes())?;
    // The maker rested; the other side started the trade.
    let side = if buyer_is_maker {
        Side::Sell
    } else {
        Side::Buy
    };
    Ok(Trade {
        price,
        size,
        trade_id,
        side,
        aggregate,
    })
}

fn quote(
    wire: WireBookTicker<'_>,
    instruments: &mut Instruments,
    batch: &mut Batch,
) -> Result<Decoded, DecodeError> {
    let instrument = instruments.intern(wire.symbol, VENUE)?;
    // The venue writes an empty side as zero.
    let side = |price: (_, &str), size: (_, &str)| {
        let (price, size) = ((price.0, price.1.as_bytes()), (size.0, size.1.as_bytes()));
        amount::quote_side(price, size, true)
    };
    let (bid_px, bid_sz) = side(("b", wire.bid), ("B", wire.bid_quantity))?;
    let (ask_px, ask_sz) = side(("a", wire.ask), ("A", wire.ask_quantity))?;
    let body = Quote {
        bid_px,
        bid_sz,
        ask_px,
        ask_sz,
        sequence: wire.update_id,
    };
    // Spot sends no time here; futures do, in `T`.
    let ts_event = wire.time.map_or(Ok(Nanos::UNDEFINED), venue_time)?;
    batch.push(instrument, ts_event, Body::Quote(body));
    Ok(Decoded::Events)
}

fn depth(
    wire: WireDepth<'_>,
    updates: &mut LastUpdates,
    instruments: &mut Instruments,
    batch: &mut Batch,
) -> Result<Decoded, DecodeError> {
    if wire.previous_final_id.is_some() {
        return Err(DecodeError::FuturesDepth);
    }
    if wire.first > wire.last {
        return Err(DecodeError::OutOfRange("U"));
    }
    let instrument = instruments.intern(wire.symbol, VENUE)?;
    let start = batch.levels.len() as u32;
    let bids = push_levels(batch, texts(&wire.bids))?;
    let asks = push_levels(batch, texts(&wire.asks))?;
    let body = Depth {
        first: wire.first,
        last: wire.last,
        start,
        bids,
        asks,
        snapshot: None,
    };
    batch.push(instrument, venue_time(wire.event_time)?, Body::Depth(body));
    updates.note(instrument, wire.last);
    Ok(Decoded::Events)
}

fn snapshot(
    data: &[u8],
    instrument: InstrumentId,
    batch: &mut Batch,
) -> Result<Decoded, DecodeError> {
    let wire: WireSnapshot<'_> = parse(data)?;
    let start = batch.levels.len() as u32;
    let bids = push_levels(batch, texts(&wire.bids))?;
    let asks = push_levels(batch, texts(&wire.asks))?;
    let (first, last) = (wire.last_update_id, wire.last_update_id);
    let body = Depth {
        first,
        last,
        start,
        bids,
        asks,
        snapshot: Some(Splice::ByNumber),
    };
    batch.push(instrument, Nanos::UNDEFINED, Body::Depth(body));
    Ok(Decoded::Events)
}

fn texts<'a>(pairs: &'a [TextPair<'a>]) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
    pairs
        .iter()
        .map(|pair| (pair.0.as_bytes(), pair.1.as_bytes()))
}

/// Milliseconds until the year 5138, microseconds from 1973 on.
fn venue_time(time: i64) -> Result<Nanos, DecodeError> {
    let scale = if time < 100_000_000_000_000 {
        1_000_000
    } else {
        1_000
    };
    match time.checked_mul(scale) {
        Some(nanos) if time >= 0 => Ok(Nanos(nanos)),
        _ => Err(DecodeError::OutOfRange("T")),
    }
}
