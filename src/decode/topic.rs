//! Foretick's own JSON topics: `md.trades.v1`, `md.quotes.v1`, `md.book.v1`, `md.bars.v1`,
//! `macro.figures.v1` and `signals.sentiment.v1` (see `schemas/`).
//!
//! The fields of a record show its kind, so that one topic may carry everything about an instrument in
//! order. Unknown fields are ignored, as the schemas promise.

mod context;
mod fast_trade;
mod market;
#[cfg(test)]
mod tests;
mod wire;

use self::fast_trade::FastTrade;
use self::wire::TopicRecord;
use super::decoded::Decoded;
use super::error::DecodeError;
use super::json::{decimal, parse};
use crate::event::{Batch, Body};
use crate::instrument::{InstrumentId, Instruments};
use crate::units::Nanos;

/// Reads one record.
pub(super) fn decode(
    bytes: &[u8],
    figures: &[String],
    instruments: &mut Instruments,
    batch: &mut Batch,
) -> Result<Decoded, DecodeError> {
    match fast_trade::read(bytes) {
        Some(record) => decode_trade(&record, instruments, batch),
        None => decode_any(&parse(bytes)?, figures, instruments, batch),
    }
}

fn decode_trade(
    record: &FastTrade<'_>,
    instruments: &mut Instruments,
    batch: &mut Batch,
) -> Result<Decoded, DecodeError> {
    let trade = market::trade(record.price, record.size, record.side, record.trade_id)?;
    let instrument = instruments.intern(record.symbol, "")?;
    push(
        batch,
        record.ts_recv,
        instrument,
        record.ts_event,
        Body::Trade(trade),
    );
    Ok(Decoded::Events)
}

fn decode_any(
    record: &TopicRecord<'_>,
    figures: &[String],
    instruments: &mut Instruments,
    batch: &mut Batch,
) -> Result<Decoded, DecodeError> {
    // A figure or a sentiment at the mark of an undefined time would never take effect.
    let timeless = record.figure.is_some() || record.sentiment.is_some();
    if record.ts_event < 0 || timeless && record.ts_event == i64::MAX {
        return Err(DecodeError::OutOfRange("ts_event"));
    }
    if let Some(name) = record.figure {
        let figure = context::figure(name, record, figures)?;
        push(
            batch,
            record.ts_recv,
            InstrumentId::ALL,
            record.ts_event,
            Body::Figure(figure),
        );
        return Ok(Decoded::Events);
    }
    let symbol = record.symbol.ok_or(DecodeError::WrongShape)?;
    let body = match record {
        TopicRecord {
            sentiment: Some(average),
            ..
        } => Body::Sentiment(context::sentiment(average)?),
        TopicRecord { close: Some(_), .. } => Body::Bar(market::bar(record)?),
        TopicRecord {
            price: Some(price),
            size: Some(size),
            side: Some(side),
            ..
        } => Body::Trade(market::trade(
            decimal(price),
            decimal(size),
            side,
            record.trade_id,
        )?),
        TopicRecord {
            bids: Some(bids),
            asks: Some(asks),
            ..
        } => Body::Depth(market::depth(record, bids, asks, batch)?),
        TopicRecord { bid_px, ask_px, .. } if bid_px.is_some() || ask_px.is_some() => {
            Body::Quote(market::quote(record)?)
        }
        TopicRecord { price: Some(_), .. } | TopicRecord { bids: Some(_), .. } => {
            return Err(DecodeError::WrongShape);
        }
        _ => return Err(DecodeError::UnknownType),
    };
    let instrument = instruments.intern(symbol, "")?;
    push(batch, record.ts_recv, instrument, record.ts_event, body);
    Ok(Decoded::Events)
}

/// Appends the event. A receive time in the record stands for that of its frame.
fn push(
    batch: &mut Batch,
    ts_recv: Option<i64>,
    instrument: InstrumentId,
    ts_event: i64,
    body: Body,
) {
    if let (Some(ts_recv), Some(origin)) = (ts_recv, batch.origins.last_mut()) {
        origin.ts_recv = Nanos(ts_recv);
    }
    batch.push(instrument, Nanos(ts_event), body);
}
