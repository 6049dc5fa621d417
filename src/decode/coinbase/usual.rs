//! Events in the form in which Coinbase writes them, read in one pass and without copies.
//!
//! Refuses nothing: what it does not read, sound or not, is left to `mapping`, which takes several times
//! as long. Where both read a message they read the same.

use super::output::{BookLevels, NO_TIME, book_side, taker_side};
use crate::decode::amount;
use crate::decode::message_output::MessageOutput;
use crate::decode::unread::{Unread, once};
use crate::decode::venue_time::utc;
use crate::event::{Level, Trade, TradeIds};
use crate::units::Nanos;

/// Which events a message is read as.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Usual {
    /// Trades, in the order of the message.
    Trades,
    /// Others.
    Others,
}

/// Reads a message and adds its events; none where only the general reader can, which then takes back
/// what was added.
pub(super) fn read(bytes: &[u8], out: &mut MessageOutput<'_>) -> Option<Usual> {
    let mut rest = Unread(bytes);
    let (mut channel, mut time, mut events) = (None, None, None);
    rest.object(|key, rest| match key {
        b"channel" => once(&mut channel, rest.text()?),
        b"timestamp" => once(&mut time, utc(rest.text()?)?),
        b"events" => {
            once(&mut events, ())?;
            let (channel, time) = (channel?, time?);
            rest.list(|rest| event(rest, channel, time, out))
        }
        _ => rest.skip_scalar(),
    })?;
    events?;
    let usual = match channel? {
        b"market_trades" => Usual::Trades,
        _ => Usual::Others,
    };
    rest.is_empty().then_some(usual)
}

fn event(
    rest: &mut Unread<'_>,
    channel: &[u8],
    time: Nanos,
    out: &mut MessageOutput<'_>,
) -> Option<()> {
    match channel {
        b"l2_data" => book(rest, time, out),
        b"market_trades" => items(rest, b"trades", |rest| trade(rest, out)),
        b"ticker" => items(rest, b"tickers", |rest| ticker(rest, time, out)),
        _ => None,
    }
}

/// Reads an event that is a list of items of this name.
fn items<'a>(
    rest: &mut Unread<'a>,
    name: &[u8],
    mut read: impl FnMut(&mut Unread<'a>) -> Option<()>,
) -> Option<()> {
    let (mut kind, mut items) = (None, None);
    rest.object(|key, rest| match key {
        b"type" => once(&mut kind, is_snapshot(rest.text()?)?),
        _ if key == name => {
            once(&mut items, ())?;
            rest.list(&mut read)
        }
        _ => rest.skip_scalar(),
    })?;
    kind?;
    items
}

fn book(rest: &mut Unread<'_>, time: Nanos, out: &mut MessageOutput<'_>) -> Option<()> {
    let mut levels = BookLevels::new(out.batch);
    let (mut kind, mut product, mut updates) = (None, None, None);
    // The newest update is the last one.
    let mut newest = None;
    rest.object(|key, rest| match key {
        b"type" => once(&mut kind, is_snapshot(rest.text()?)?),
        b"product_id" => once(&mut product, rest.text()?),
        b"updates" => {
            once(&mut updates, ())?;
            rest.list(|rest| {
                newest = Some(update(rest, &mut levels, out)?);
                Some(())
            })
        }
        _ => rest.skip_scalar(),
    })?;
    updates?;
    let newest = newest.filter(|time| *time != NO_TIME.as_bytes());
    let time = newest.map_or(Some(time), utc)?;
    levels.finish(text(product?)?, time, kind?, out).ok()
}

/// Reads a level; gives its time.
fn update<'a>(
    rest: &mut Unread<'a>,
    levels: &mut BookLevels,
    out: &mut MessageOutput<'_>,
) -> Option<&'a [u8]> {
    rest.word(b"{\"side\":")?;
    let side = book_side(rest.text()?)?;
    rest.word(b",\"event_time\":")?;
    let time = rest.text()?;
    rest.word(b",\"price_level\":")?;
    let price = amount::price("price_level", rest.decimal()?).ok()?;
    rest.word(b",\"new_quantity\":")?;
    let size = amount::size("new_quantity", rest.decimal()?).ok()?;
    rest.take(b'}')?;
    levels.push(side, Level { price, size }, out.batch);
    Some(time)
}

fn trade(rest: &mut Unread<'_>, out: &mut MessageOutput<'_>) -> Option<()> {
    let (mut number, mut product, mut price) = (None, None, None);
    let (mut size, mut side, mut time) = (None, None, None);
    rest.object(|key, rest| match key {
        b"trade_id" => once(&mut number, whole(rest.text()?)?),
        b"product_id" => once(&mut product, rest.text()?),
        b"price" => once(&mut price, rest.decimal()?),
        b"size" => once(&mut size, rest.decimal()?),
        b"side" => once(&mut side, taker_side(rest.text()?)?),
        b"time" => once(&mut time, utc(rest.text()?)?),
        _ => rest.skip_scalar(),
    })?;
    let trade = Trade {
        price: amount::price("price", price?).ok()?,
        size: amount::traded_size("size", size?).ok()?,
        trade_id: number?,
        ids: TradeIds::Rising,
        side: Some(side?),
        aggregate: false,
    };
    out.trade(text(product?)?, time?, trade).ok()
}

fn ticker(rest: &mut Unread<'_>, time: Nanos, out: &mut MessageOutput<'_>) -> Option<()> {
    let mut product = None;
    let (mut bid, mut bid_size, mut ask, mut ask_size) = (None, None, None, None);
    rest.object(|key, rest| match key {
        b"product_id" => once(&mut product, rest.text()?),
        b"best_bid" => once(&mut bid, rest.decimal()?),
        b"best_bid_quantity" => once(&mut bid_size, rest.decimal()?),
        b"best_ask" => once(&mut ask, rest.decimal()?),
        b"best_ask_quantity" => once(&mut ask_size, rest.decimal()?),
        _ => rest.skip_scalar(),
    })?;
    let bid = amount::quote_side(("best_bid", bid?), ("best_bid_quantity", bid_size?), true);
    let ask = amount::quote_side(("best_ask", ask?), ("best_ask_quantity", ask_size?), true);
    out.quote(text(product?)?, time, bid.ok()?, ask.ok()?).ok()
}

fn is_snapshot(kind: &[u8]) -> Option<bool> {
    match kind {
        b"snapshot" => Some(true),
        b"update" => Some(false),
        _ => None,
    }
}

/// A whole number that is written as text.
fn whole(digits: &[u8]) -> Option<u64> {
    let mut rest = Unread(digits);
    let number = rest.integer()?;
    rest.is_empty().then_some(number.unsigned_abs())
}

fn text(ascii: &[u8]) -> Option<&str> {
    std::str::from_utf8(ascii).ok()
}
