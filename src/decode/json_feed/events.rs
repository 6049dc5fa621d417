//! The events of a described feed: the values at its pointers, as prices, sizes, numbers and times.
//!
//! A value that is absent, null, or of another type is an error with its pointer as it is written.

use std::borrow::Cow;

use super::mapping::{
    BookFields, EventMapping, EventTime, Fields, LevelLists, QuoteFields, TimeUnit, TradeFields,
    UpdateNumbers, Whole,
};
use super::pointer::{EventPlace, Pointer, scalar};
use crate::decimal::whole;
use crate::decode::amount::{self, Written};
use crate::decode::error::{DecodeError, plausible};
use crate::decode::levels;
use crate::decode::route::name_hash;
use crate::decode::symbol;
use crate::decode::text::{Raw, elements};
use crate::event::{Batch, Body, Depth, Link, Quote, Splice, Trade, TradeIds};
use crate::instrument::Instruments;
use crate::time::{LikelyUnit, TimeFault, parse_rfc3339};
use crate::units::{Nanos, Price, Side, Size};

/// Appends an event to the batch.
pub(super) fn push(
    venue: &'static str,
    kind: &'static EventMapping,
    place: EventPlace<'_>,
    instruments: &mut Instruments,
    batch: &mut Batch,
) -> Result<(), DecodeError> {
    let ts_event = match &kind.time {
        EventTime::At(pointer, unit) => time(pointer, *unit, place)?,
        EventTime::Before => Nanos::UNDEFINED,
        EventTime::Received => {
            let frame = batch.origins.last();
            frame.map_or(Nanos::UNDEFINED, |frame| frame.ts_recv)
        }
    };
    let body = match &kind.fields {
        Fields::Trade(fields) => Body::Trade(trade(fields, place)?),
        Fields::Quote(fields) => Body::Quote(quote(fields, place)?),
        Fields::Book(fields) => Body::Depth(book(fields, place, batch)?),
    };
    let name = text(&kind.symbol, place)?;
    let instrument = symbol::instrument(instruments, venue, kind.symbol.written(), &name)?;
    batch.push(instrument, ts_event, body);
    Ok(())
}

fn trade(fields: &'static TradeFields, place: EventPlace<'_>) -> Result<Trade, DecodeError> {
    let (price, size) = (number(&fields.price, place)?, number(&fields.size, place)?);
    let side = match &*text(&fields.side, place)? {
        word if word == fields.buy => Side::Buy,
        word if word == fields.sell => Side::Sell,
        _ => return Err(DecodeError::OutOfRange(fields.side.written())),
    };
    let (trade_id, ids) = match &fields.id {
        Some((pointer, TradeIds::Distinct)) => (any_id(pointer, place)?, TradeIds::Distinct),
        Some((pointer, ids)) => (unsigned(pointer, place)?, *ids),
        None => (0, TradeIds::Distinct),
    };
    Ok(Trade {
        price: amount::price(fields.price.written(), price.written())?,
        size: amount::traded_size(fields.size.written(), size.written())?,
        trade_id,
        ids,
        side: Some(side),
        aggregate: false,
    })
}

/// A number, or any other text as a number that hardly another text has; never 0, which is none.
fn any_id(pointer: &'static Pointer, place: EventPlace<'_>) -> Result<u64, DecodeError> {
    let text = text(pointer, place)?;
    let number = whole(&text).and_then(|number| u64::try_from(number).ok());
    Ok(number.unwrap_or_else(|| name_hash(text.as_bytes())).max(1))
}

fn quote(fields: &'static QuoteFields, place: EventPlace<'_>) -> Result<Quote, DecodeError> {
    let (bid_px, bid_sz) = side(&fields.bid, place)?;
    let (ask_px, ask_sz) = side(&fields.ask, place)?;
    let sequence = match &fields.number {
        Some(pointer) => unsigned(pointer, place)?,
        None => 0,
    };
    Ok(Quote {
        bid_px,
        bid_sz,
        ask_px,
        ask_sz,
        sequence,
    })
}

/// A side of a quote. Null stands for no orders.
fn side(
    (price, size): &'static (Pointer, Pointer),
    place: EventPlace<'_>,
) -> Result<(Price, Size), DecodeError> {
    let is_null = |pointer: &Pointer| pointer.find(place).is_some_and(|raw| raw.0 == b"null");
    if is_null(price) || is_null(size) {
        return Ok((Price::UNDEFINED, Size::ZERO));
    }
    let (price_read, size_read) = (number(price, place)?, number(size, place)?);
    amount::quote_side(
        (price.written(), price_read.written()),
        (size.written(), size_read.written()),
        true,
    )
}

fn book(
    fields: &'static BookFields,
    place: EventPlace<'_>,
    batch: &mut Batch,
) -> Result<Depth, DecodeError> {
    let is_whole = fields.is_whole(place);
    let start = batch.levels.len() as u32;
    let (bids, asks) = match &fields.levels {
        LevelLists::BySide { bids, asks } => {
            let every = |_: EventPlace<'_>| Ok(true);
            (
                push_levels(fields, (bids, place), every, batch)?,
                push_levels(fields, (asks, place), every, batch)?,
            )
        }
        LevelLists::Mixed {
            list,
            side,
            bid,
            ask,
        } => {
            let is_of = |own: &'static str, other: &'static str| {
                move |level: EventPlace<'_>| match &*text(side, level)? {
                    word if word == own => Ok(true),
                    word if word == other => Ok(false),
                    _ => Err(DecodeError::OutOfRange(side.written())),
                }
            };
            (
                push_levels(fields, (list, place), is_of(bid, ask), batch)?,
                push_levels(fields, (list, place), is_of(ask, bid), batch)?,
            )
        }
    };
    let mut depth = Depth {
        start,
        bids,
        asks,
        snapshot: is_whole.then_some(Splice::InOrder),
        keep: if is_whole { fields.keep } else { 0 },
        ..Depth::default()
    };
    fields.numbers.set(&mut depth, place)?;
    Ok(depth)
}

impl BookFields {
    /// Whether this is a whole book.
    pub(super) fn is_whole(&self, place: EventPlace<'_>) -> bool {
        match &self.whole {
            Whole::Always => true,
            Whole::When(condition) => condition.holds(place),
        }
    }
}

impl UpdateNumbers {
    /// Writes the numbers of a book into it.
    fn set(&'static self, depth: &mut Depth, place: EventPlace<'_>) -> Result<(), DecodeError> {
        let (first, last) = match self {
            Self::None => return Ok(()),
            Self::Successive(first, last) => (first.as_ref(), last),
            Self::Chained(_, last) => (None, last),
        };
        depth.last = unsigned(last, place)?;
        depth.first = depth.last;
        if depth.snapshot.is_some() {
            return Ok(());
        }
        if let Self::Chained(previous, _) = self {
            let first = unsigned(previous, place)?.checked_add(1);
            depth.first = first.ok_or(DecodeError::OutOfRange(previous.written()))?;
            depth.link = Link::Chain;
        }
        if let Some(first) = first {
            depth.first = unsigned(first, place)?;
            if depth.first > depth.last {
                return Err(DecodeError::OutOfRange(first.written()));
            }
        }
        Ok(())
    }
}

/// Appends the levels of a list that are of one side, and says how many. A list that is absent is empty.
fn push_levels(
    fields: &'static BookFields,
    (list, place): (&'static Pointer, EventPlace<'_>),
    is_of_side: impl Fn(EventPlace<'_>) -> Result<bool, DecodeError>,
    batch: &mut Batch,
) -> Result<u32, DecodeError> {
    let before = batch.levels.len();
    let raw = match list.find(place) {
        None => return Ok(0),
        Some(raw) if raw.0 == b"null" => return Ok(0),
        Some(raw) if !raw.0.starts_with(b"[") => {
            return Err(DecodeError::WrongType(list.written()));
        }
        Some(raw) => raw,
    };
    for event in elements(raw.0) {
        let level = EventPlace { event, ..place };
        if !is_of_side(level)? {
            continue;
        }
        let price = number(&fields.level_price, level)?;
        if fields.level_gone.holds(level) {
            let gone = Written {
                digits: b"0",
                is_bare: false,
            };
            levels::push(batch, price.written(), gone)?;
            continue;
        }
        let size = number(&fields.level_size, level)?;
        levels::push(batch, price.written(), size.written())?;
    }
    Ok((batch.levels.len() - before) as u32)
}

/// The digits of a number.
struct Digits<'m> {
    text: Cow<'m, str>,
    is_bare: bool,
}

impl Digits<'_> {
    fn written(&self) -> Written<'_> {
        Written {
            digits: self.text.as_bytes(),
            is_bare: self.is_bare,
        }
    }
}

fn number<'m>(pointer: &'static Pointer, place: EventPlace<'m>) -> Result<Digits<'m>, DecodeError> {
    let raw = value(pointer, place)?;
    let is_text = raw.0.starts_with(b"\"");
    if !is_text && !raw.0.starts_with(b"-") && !raw.0[0].is_ascii_digit() {
        return Err(DecodeError::WrongType(pointer.written()));
    }
    Ok(Digits {
        text: text(pointer, place)?,
        is_bare: !is_text,
    })
}

/// A whole number that is not negative.
fn unsigned(pointer: &'static Pointer, place: EventPlace<'_>) -> Result<u64, DecodeError> {
    let digits = number(pointer, place)?;
    let whole = whole(&digits.text).ok_or(DecodeError::BadNumber(pointer.written()))?;
    u64::try_from(whole).map_err(|_| DecodeError::OutOfRange(pointer.written()))
}

fn time(
    pointer: &'static Pointer,
    unit: TimeUnit,
    place: EventPlace<'_>,
) -> Result<Nanos, DecodeError> {
    let field = pointer.written();
    let text = text(pointer, place)?;
    let power = match unit {
        TimeUnit::Scaled(power) => power,
        TimeUnit::Rfc3339 => {
            let time = parse_rfc3339(&text).map_err(|fault| match (fault, likely_unit(&text)) {
                (TimeFault::OtherYear, _) => DecodeError::ImplausibleTime(field, None),
                (_, None) => DecodeError::BadNumber(field),
                (_, unit) => DecodeError::ImplausibleTime(field, unit),
            })?;
            return plausible(field, time.0);
        }
    };
    let nanos = match text.contains(['e', 'E']) {
        false => whole(&format!("{text}e{power}")),
        true => whole(&text).and_then(|whole| whole.checked_mul(10_i128.pow(power.into()))),
    };
    let nanos = nanos.ok_or(DecodeError::BadNumber(field))?;
    let nanos = i64::try_from(nanos).ok();
    let time = nanos.and_then(|nanos| Nanos::plausible(nanos).ok());
    time.ok_or_else(|| DecodeError::ImplausibleTime(field, likely_unit(&text)))
}

/// The unit in which a number is a time.
fn likely_unit(text: &str) -> Option<LikelyUnit> {
    let whole_part = text.split_once('.').map_or(text, |(whole, _)| whole);
    whole_part.parse().ok().and_then(LikelyUnit::of)
}

/// A text, or a number or word as it is written.
fn text<'m>(pointer: &'static Pointer, place: EventPlace<'m>) -> Result<Cow<'m, str>, DecodeError> {
    let raw = value(pointer, place)?;
    scalar(raw).ok_or(DecodeError::WrongType(pointer.written()))
}

fn value<'m>(pointer: &'static Pointer, place: EventPlace<'m>) -> Result<Raw<'m>, DecodeError> {
    let raw = pointer.find(place).filter(|raw| raw.0 != b"null");
    raw.ok_or(DecodeError::MissingField(pointer.written()))
}
