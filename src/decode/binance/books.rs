//! Binance's books: changes, partial books, and answers to requests of a whole book.

use super::market::BinanceMarket;
use super::output::Output;
use super::routing::is_partial_book;
use super::wire::{AnyMessage, NAMES, WireDepth, WireSnapshot};
use crate::decode::decoded::Decoded;
use crate::decode::error::DecodeError;
use crate::decode::field::parse_fields;
use crate::decode::json::parse;
use crate::decode::levels::{push_field, push_texts};
use crate::decode::venue_time::venue_time;
use crate::event::{Body, Depth, Link, Splice};
use crate::instrument::InstrumentId;
use crate::units::Nanos;

/// Reads a `depthUpdate`.
pub(super) fn change(
    data: &[u8],
    stream: Option<&str>,
    out: &mut Output<'_>,
) -> Result<Decoded, DecodeError> {
    let Ok(wire) = parse::<WireDepth<'_>>(data) else {
        return any_change(&parse_fields(data, &NAMES)?, stream, out);
    };
    let update = Update {
        first: wire.first,
        last: wire.last,
        previous: wire.previous_final_id,
    };
    out.admit(Some(BinanceMarket::of_change(update.previous.is_some())))?;
    let start = out.batch.levels.len() as u32;
    let bids = push_texts(out.batch, &wire.bids)?;
    let asks = push_texts(out.batch, &wire.asks)?;
    let time = match wire.time {
        Some(time) => venue_time("T", time)?,
        None => venue_time("E", wire.event_time)?,
    };
    let change = update.depth(stream, (start, bids, asks))?;
    push_change(wire.symbol, time, change, out)
}

fn any_change(
    any: &AnyMessage<'_>,
    stream: Option<&str>,
    out: &mut Output<'_>,
) -> Result<Decoded, DecodeError> {
    let previous = any.previous_final_id.value();
    let update = Update {
        first: any.first.unsigned("U")?,
        last: any.update_id.unsigned("u")?,
        previous: previous
            .map(|_| any.previous_final_id.unsigned("pu"))
            .transpose()?,
    };
    out.admit(Some(BinanceMarket::of_change(update.previous.is_some())))?;
    let start = out.batch.levels.len() as u32;
    let bids = push_field(out.batch, "b", &any.bid)?;
    let asks = push_field(out.batch, "a", &any.ask)?;
    let time = match any.trade_time.has_value() {
        true => any.trade_time.venue_time("T")?,
        false => any.event_time.venue_time("E")?,
    };
    let change = update.depth(stream, (start, bids, asks))?;
    push_change(any.symbol.symbol("s")?, time, change, out)
}

/// The numbers of a change of a book.
pub(super) struct Update {
    /// `U`
    pub(super) first: u64,
    /// `u`
    pub(super) last: u64,
    /// `pu`: of futures, the last update of the change before.
    pub(super) previous: Option<u64>,
}

impl Update {
    /// The change with these levels. A partial book of futures is written as a change, and is a whole book.
    pub(super) fn depth(
        &self,
        stream: Option<&str>,
        (start, bids, asks): (u32, u32, u32),
    ) -> Result<Depth, DecodeError> {
        if self.first > self.last {
            return Err(DecodeError::OutOfRange("U"));
        }
        let (first, link) = match self.previous {
            Some(previous) if previous >= self.first => return Err(DecodeError::OutOfRange("pu")),
            Some(previous) => (previous + 1, Link::Chain),
            None => (self.first, Link::Range),
        };
        let kind = stream.and_then(|stream| stream.split_once('@'));
        let is_whole = kind.is_some_and(|(_, kind)| is_partial_book(kind));
        Ok(Depth {
            first: if is_whole { self.last } else { first },
            last: self.last,
            start,
            bids,
            asks,
            snapshot: is_whole.then_some(Splice::InOrder),
            link,
            ..Depth::default()
        })
    }
}

pub(super) fn push_change(
    symbol: &str,
    ts_event: Nanos,
    change: Depth,
    out: &mut Output<'_>,
) -> Result<Decoded, DecodeError> {
    let instrument = out.instrument("s", symbol)?;
    out.batch.push(instrument, ts_event, Body::Depth(change));
    if change.snapshot.is_none() {
        out.updates.note(instrument, change.first, change.last);
    }
    Ok(Decoded::Events)
}

/// A whole book in the stream of a symbol.
pub(super) fn whole(
    data: &[u8],
    any: &AnyMessage<'_>,
    symbol: &str,
    splice: Splice,
    out: &mut Output<'_>,
) -> Result<Decoded, DecodeError> {
    // `!` begins the name of a stream of all symbols, which has no book.
    let symbol = if symbol.starts_with('!') { "" } else { symbol };
    // A book that cannot be read makes nobody known.
    let (ts_event, book) = read_whole(data, any, splice, out)?;
    let instrument = out.instrument("stream", &symbol.to_ascii_uppercase())?;
    out.batch.push(instrument, ts_event, Body::Depth(book));
    Ok(Decoded::Events)
}

/// A whole book of this instrument.
pub(super) fn snapshot(
    data: &[u8],
    any: &AnyMessage<'_>,
    instrument: InstrumentId,
    splice: Splice,
    out: &mut Output<'_>,
) -> Result<Decoded, DecodeError> {
    let (ts_event, book) = read_whole(data, any, splice, out)?;
    out.batch.push(instrument, ts_event, Body::Depth(book));
    Ok(Decoded::Events)
}

/// Reads a whole book and its time.
fn read_whole(
    data: &[u8],
    any: &AnyMessage<'_>,
    splice: Splice,
    out: &mut Output<'_>,
) -> Result<(Nanos, Depth), DecodeError> {
    out.admit(Some(BinanceMarket::of_state(any.trade_time.has_value())))?;
    let start = out.batch.levels.len() as u32;
    let (number, bids, asks) = match parse::<WireSnapshot<'_>>(data) {
        Ok(wire) => {
            let bids = push_texts(out.batch, &wire.bids)?;
            let asks = push_texts(out.batch, &wire.asks)?;
            (wire.last_update_id, bids, asks)
        }
        Err(_) => {
            let number = any.last_update_id.unsigned("lastUpdateId")?;
            let bids = push_field(out.batch, "bids", &any.bids)?;
            let asks = push_field(out.batch, "asks", &any.asks)?;
            (number, bids, asks)
        }
    };
    let body = Depth {
        first: number,
        last: number,
        start,
        bids,
        asks,
        snapshot: Some(splice),
        ..Depth::default()
    };
    // The time of its last update, as changes have it: the book compares the two.
    let time = any.trade_time.value();
    let time = time.map(|_| any.trade_time.venue_time("T")).transpose()?;
    Ok((time.unwrap_or(Nanos::UNDEFINED), body))
}
