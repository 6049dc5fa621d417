//! Foretick's own JSON topics: `md.trades.v1`, `md.quotes.v1`, `md.book.v1`, `md.bars.v1`,
//! `macro.figures.v1` and `signals.sentiment.v1` (see `schemas/`).
//!
//! The fields of a record show its kind, so that one topic may carry everything about an instrument in
//! order. Unknown fields are ignored, as the schemas promise; one that is a field of ours in another case is
//! not: `Volume` means `volume`.

mod context;
mod fast_trade;
mod market;
#[cfg(test)]
mod tests;
mod wire;

use self::fast_trade::FastTrade;
use self::wire::{Kind, NAMES, TopicRecord};
use super::decoded::Decoded;
use super::error::{DecodeError, plausible};
use super::field::parse_fields;
use super::text::members;
use crate::event::{Batch, Body};
use crate::instrument::{InstrumentId, Instruments, is_name};

/// Reads one record.
pub(super) fn decode(
    bytes: &[u8],
    figures: &[String],
    instruments: &mut Instruments,
    batch: &mut Batch,
) -> Result<Decoded, DecodeError> {
    match fast_trade::read(bytes) {
        Some(record) => match decode_trade(&record, instruments, batch) {
            // The general parser knows which of two fields has the name.
            Err(DecodeError::OutOfRange("symbol")) => {
                decode_any(bytes, figures, instruments, batch)
            }
            decoded => decoded,
        },
        None => decode_any(bytes, figures, instruments, batch),
    }
}

/// Whether an object without `ts_event` has another field of our records, in whatever case.
pub(super) fn is_likely_ours(bytes: &[u8]) -> bool {
    misspelt(bytes).is_some()
}

fn decode_trade(
    record: &FastTrade<'_>,
    instruments: &mut Instruments,
    batch: &mut Batch,
) -> Result<Decoded, DecodeError> {
    let ts_event = plausible("ts_event", record.ts_event)?;
    let ts_recv = match record.ts_recv {
        Some(ts_recv) => Some(plausible("ts_recv", ts_recv)?),
        None => None,
    };
    let trade = market::trade(record.price, record.size, record.side, record.trade_id)?;
    let instrument = match instruments.known(record.symbol, "") {
        Some(known) => known,
        None => new_instrument(
            "symbol",
            &String::from_utf8_lossy(record.symbol),
            instruments,
        )?,
    };
    batch.received_first(ts_recv);
    batch.push(instrument, ts_event, Body::Trade(trade));
    Ok(Decoded::Events)
}

fn decode_any(
    bytes: &[u8],
    figures: &[String],
    instruments: &mut Instruments,
    batch: &mut Batch,
) -> Result<Decoded, DecodeError> {
    let record: TopicRecord<'_> = parse_fields(bytes, &NAMES)?;
    let kind = record.kind().ok_or_else(|| of_no_kind(bytes))?;
    let ts_event = record.ts_event.time("ts_event")?;
    let ts_recv = record.ts_recv.optional_time("ts_recv")?;
    if let Some(name) = record.misspelt_of(kind) {
        return Err(DecodeError::MissingField(name));
    }
    let symbol = match kind {
        Kind::Figure => "",
        _ => record.instrument()?,
    };
    let body = match kind {
        Kind::Figure => Body::Figure(context::figure(&record, figures)?),
        Kind::Sentiment => Body::Sentiment(context::sentiment(&record)?),
        Kind::Bar => Body::Bar(market::bar(&record)?),
        Kind::Trade => Body::Trade(market::any_trade(&record)?),
        Kind::Book => Body::Depth(market::depth(&record, batch)?),
        Kind::Quote => Body::Quote(market::quote(&record)?),
    };
    let instrument = match kind {
        Kind::Figure => InstrumentId::ALL,
        _ => match instruments.known(symbol.as_bytes(), "") {
            Some(known) => known,
            None => new_instrument(record.instrument_field(), symbol, instruments)?,
        },
    };
    batch.received_first(ts_recv);
    batch.push(instrument, ts_event, body);
    Ok(Decoded::Events)
}

/// The number of an instrument that is not known yet, whose name stands in this field.
fn new_instrument(
    field: &'static str,
    symbol: &str,
    instruments: &mut Instruments,
) -> Result<InstrumentId, DecodeError> {
    match is_name(symbol) {
        true => Ok(instruments.intern(symbol, "")?),
        false => Err(DecodeError::OutOfRange(field)),
    }
}

/// What is wrong with a record that has no field of any kind: it is of another topic, or its fields are
/// spelt in another case, or all of them are missing.
fn of_no_kind(bytes: &[u8]) -> DecodeError {
    let is_other = |name: &&str| members(bytes).any(|(key, _)| key.is(name));
    if OTHER_TOPICS.iter().any(is_other) {
        return DecodeError::UnknownType;
    }
    let known = ["ts_event", "symbol", "instrument", "ts_recv"];
    match misspelt(bytes).filter(|name| !known.contains(name)) {
        Some(name) => DecodeError::MissingField(name),
        None => DecodeError::MissingField(NAMES[0]),
    }
}

/// The first of our fields that a record has, in whatever case.
fn misspelt(bytes: &[u8]) -> Option<&'static str> {
    let is_spelt = |name: &str| {
        members(bytes).any(|(key, _)| key.text().is_some_and(|key| key.eq_ignore_ascii_case(name)))
    };
    NAMES.iter().copied().find(|name| is_spelt(name))
}

/// Fields that records of our other topics have.
const OTHER_TOPICS: [&str; 6] = [
    "applicant",
    "obligor",
    "headline",
    "score",
    "action",
    "schema",
];
