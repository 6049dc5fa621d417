//! Events in the form in which Binance writes them, read in one pass and without copies.
//!
//! Refuses nothing: what it does not read, sound or not, is left to `mapping`, which takes several times
//! as long. Where both read a message they read the same.

use super::books::{Update, push_change};
use super::market::BinanceMarket;
use super::output::Output;
use crate::decode::amount::{self, Written};
use crate::decode::unread::{Unread, once};
use crate::decode::venue_time::venue_time;
use crate::event::{Body, Depth, Level, Quote, Trade, TradeIds};
use crate::units::{Nanos, Side};

/// An event that is read, and not yet added.
struct Usual<'a> {
    symbol: &'a [u8],
    time: Nanos,
    body: UsualBody,
}

enum UsualBody {
    Event(Body),
    Change(Depth),
}

/// Reads a message and adds its event; none where only the general reader can, which then takes back the
/// levels.
pub(super) fn read(bytes: &[u8], out: &mut Output<'_>) -> Option<()> {
    let mut rest = Unread(bytes);
    let usual = match rest.word(b"{\"stream\":") {
        Some(()) => {
            let stream = rest.text()?;
            rest.word(b",\"data\":")?;
            let usual = event(&mut rest, Some(stream), out)?;
            rest.take(b'}')?;
            usual.is_of(stream).then_some(usual)?
        }
        None => event(&mut rest, None, out)?,
    };
    if !rest.is_empty() {
        return None;
    }
    let symbol = text(usual.symbol)?;
    match usual.body {
        UsualBody::Event(body) => {
            let instrument = out.instrument("s", symbol).ok()?;
            out.batch.push(instrument, usual.time, body);
        }
        UsualBody::Change(change) => {
            push_change(symbol, usual.time, change, out).ok()?;
        }
    }
    Some(())
}

impl Usual<'_> {
    /// Whether it may come in the stream of this name; streams of all symbols name none.
    fn is_of(&self, stream: &[u8]) -> bool {
        let symbol = memchr::memchr(b'@', stream).map(|at| &stream[..at]);
        symbol.is_none_or(|symbol| symbol.eq_ignore_ascii_case(self.symbol))
    }
}

fn event<'a>(
    rest: &mut Unread<'a>,
    stream: Option<&[u8]>,
    out: &mut Output<'_>,
) -> Option<Usual<'a>> {
    let message = rest.0;
    if message.starts_with(b"{\"u\":") || message.starts_with(b"{\"e\":\"bookTicker\"") {
        quote(rest, out)
    } else if message.starts_with(b"{\"e\":\"trade\"") {
        trade(rest, out)
    } else if message.starts_with(b"{\"e\":\"depthUpdate\"") {
        change(rest, stream, out)
    } else {
        None
    }
}

fn trade<'a>(rest: &mut Unread<'a>, out: &Output<'_>) -> Option<Usual<'a>> {
    let (mut kind, mut symbol, mut number, mut price) = (None, None, None, None);
    let (mut size, mut time, mut is_maker) = (None, None, None);
    let (mut mark, mut best_match) = (None, None);
    rest.object(|key, rest| match key {
        b"e" => once(&mut kind, rest.text()?),
        b"s" => once(&mut symbol, rest.text()?),
        b"t" => once(&mut number, rest.integer()?),
        b"p" => once(&mut price, rest.decimal()?),
        b"q" => once(&mut size, rest.decimal()?),
        b"T" => once(&mut time, rest.integer()?),
        b"m" => once(&mut is_maker, flag(rest)?),
        // Other numbers are of no fill.
        b"X" => once(&mut mark, rest.word(b"\"MARKET\"")?),
        b"M" => once(&mut best_match, flag(rest)?),
        _ => rest.skip_scalar(),
    })?;
    let shown = BinanceMarket::of_trade(mark.is_some(), best_match.is_some());
    out.admit(shown).ok()?;
    let trade = Trade {
        price: amount::price("p", price?).ok()?,
        size: amount::traded_size("q", size?).ok()?,
        trade_id: number?.unsigned_abs(),
        ids: TradeIds::Successive,
        // The maker rested; the other side started the trade.
        side: Some(if is_maker? { Side::Sell } else { Side::Buy }),
        aggregate: false,
    };
    Some(Usual {
        symbol: symbol?,
        time: venue_time("T", time?).ok()?,
        body: UsualBody::Event(Body::Trade(trade)),
    })
}

fn quote<'a>(rest: &mut Unread<'a>, out: &Output<'_>) -> Option<Usual<'a>> {
    let (mut kind, mut symbol, mut number, mut time) = (None, None, None, None);
    let (mut bid, mut bid_size, mut ask, mut ask_size) = (None, None, None, None);
    rest.object(|key, rest| match key {
        b"e" => once(&mut kind, rest.text()?),
        b"s" => once(&mut symbol, rest.text()?),
        b"u" => once(&mut number, rest.integer()?),
        b"b" => once(&mut bid, rest.decimal()?),
        b"B" => once(&mut bid_size, rest.decimal()?),
        b"a" => once(&mut ask, rest.decimal()?),
        b"A" => once(&mut ask_size, rest.decimal()?),
        b"T" => once(&mut time, rest.integer()?),
        _ => rest.skip_scalar(),
    })?;
    // Without a type, or of that of the beginning.
    kind.is_none_or(|kind| kind == b"bookTicker")
        .then_some(())?;
    let shown = BinanceMarket::of_state(time.is_some());
    out.admit(Some(shown)).ok()?;
    let (bid_px, bid_sz) = amount::quote_side(("b", bid?), ("B", bid_size?), true).ok()?;
    let (ask_px, ask_sz) = amount::quote_side(("a", ask?), ("A", ask_size?), true).ok()?;
    let quote = Quote {
        bid_px,
        bid_sz,
        ask_px,
        ask_sz,
        sequence: number?.unsigned_abs(),
    };
    let time = match time {
        Some(time) => venue_time("T", time).ok()?,
        None => Nanos::UNDEFINED,
    };
    Some(Usual {
        symbol: symbol?,
        time,
        body: UsualBody::Event(Body::Quote(quote)),
    })
}

fn change<'a>(
    rest: &mut Unread<'a>,
    stream: Option<&[u8]>,
    out: &mut Output<'_>,
) -> Option<Usual<'a>> {
    let start = out.batch.levels.len();
    let (mut kind, mut symbol, mut first, mut last) = (None, None, None, None);
    let (mut previous, mut event_time, mut time) = (None, None, None);
    let (mut bids, mut asks) = (None, None);
    rest.object(|key, rest| match key {
        b"e" => once(&mut kind, rest.text()?),
        b"s" => once(&mut symbol, rest.text()?),
        b"U" => once(&mut first, rest.integer()?),
        b"u" => once(&mut last, rest.integer()?),
        b"pu" => once(&mut previous, rest.integer()?),
        b"E" => once(&mut event_time, rest.integer()?),
        b"T" => once(&mut time, rest.integer()?),
        // Bids lie before asks in the batch.
        b"b" if asks.is_none() => once(&mut bids, side(rest, out)?),
        b"a" if bids.is_some() => once(&mut asks, side(rest, out)?),
        b"a" | b"b" => None,
        _ => rest.skip_scalar(),
    })?;
    let update = Update {
        first: first?.unsigned_abs(),
        last: last?.unsigned_abs(),
        previous: previous.map(i64::unsigned_abs),
    };
    let shown = BinanceMarket::of_change(update.previous.is_some());
    out.admit(Some(shown)).ok()?;
    let stream = stream.map(text);
    let stream = match stream {
        Some(stream) => Some(stream?),
        None => None,
    };
    let levels = (start as u32, bids?, asks?);
    let event_time = event_time?;
    Some(Usual {
        symbol: symbol?,
        time: venue_time("T", time.unwrap_or(event_time)).ok()?,
        body: UsualBody::Change(update.depth(stream, levels).ok()?),
    })
}

/// Reads the levels of a side, and says how many.
fn side(rest: &mut Unread<'_>, out: &mut Output<'_>) -> Option<u32> {
    let before = out.batch.levels.len();
    rest.list(|rest| {
        rest.take(b'[')?;
        let price = quoted(rest)?;
        rest.take(b',')?;
        let size = quoted(rest)?;
        rest.take(b']')?;
        out.batch.levels.push(Level {
            price: amount::price("price", price).ok()?,
            size: amount::size("size", size).ok()?,
        });
        Some(())
    })?;
    Some((out.batch.levels.len() - before) as u32)
}

fn quoted<'a>(rest: &mut Unread<'a>) -> Option<Written<'a>> {
    rest.text().map(|digits| Written {
        digits,
        is_bare: false,
    })
}

fn flag(rest: &mut Unread<'_>) -> Option<bool> {
    match rest.word(b"true") {
        Some(()) => Some(true),
        None => rest.word(b"false").map(|()| false),
    }
}

fn text(ascii: &[u8]) -> Option<&str> {
    std::str::from_utf8(ascii).ok()
}
