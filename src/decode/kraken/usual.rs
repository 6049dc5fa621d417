//! Events in the form in which Kraken writes them, read in one pass and without copies.
//!
//! Refuses nothing: what it does not read, sound or not, is left to `mapping`, which takes several times
//! as long. Where both read a message they read the same.

use super::output::{BookHead, BookLevels};
use crate::decode::amount;
use crate::decode::message_output::MessageOutput;
use crate::decode::unread::{Unread, once};
use crate::decode::venue_time::utc;
use crate::event::{Level, Trade, TradeIds};
use crate::units::{Nanos, Side};

/// The beginning of a message of a channel, up to its data.
pub(super) struct MessageHead<'a> {
    pub(super) channel: &'a [u8],
    /// `snapshot` or `update`.
    pub(super) kind: &'a [u8],
    pub(super) rest: Unread<'a>,
}

/// Reads the beginning of a message.
pub(super) fn head(bytes: &[u8]) -> Option<MessageHead<'_>> {
    let mut rest = Unread(bytes);
    rest.word(b"{\"channel\":")?;
    let channel = rest.text()?;
    rest.word(b",\"type\":")?;
    let kind = rest.text()?;
    rest.word(b",\"data\":")?;
    Some(MessageHead {
        channel,
        kind,
        rest,
    })
}

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
    let MessageHead {
        channel,
        kind,
        mut rest,
    } = head(bytes)?;
    let is_snapshot = match kind {
        b"snapshot" => true,
        b"update" => false,
        _ => return None,
    };
    match channel {
        b"book" => rest.list(|rest| book(rest, is_snapshot, out)),
        b"trade" => rest.list(|rest| trade(rest, out)),
        b"ticker" => rest.list(|rest| ticker(rest, out)),
        _ => None,
    }?;
    rest.take(b'}')?;
    let usual = match channel {
        b"trade" => Usual::Trades,
        _ => Usual::Others,
    };
    rest.is_empty().then_some(usual)
}

fn book(rest: &mut Unread<'_>, is_snapshot: bool, out: &mut MessageOutput<'_>) -> Option<()> {
    let (mut symbol, mut checksum, mut time) = (None, None, None);
    let (mut bids, mut asks) = (None, None);
    let mut levels = BookLevels::default();
    rest.object(|key, rest| match key {
        b"symbol" => once(&mut symbol, rest.text()?),
        // Bids lie before asks in the batch.
        b"bids" if asks.is_none() => once(&mut bids, side(rest, &mut levels, out)?),
        b"asks" if bids.is_some() => once(&mut asks, side(rest, &mut levels, out)?),
        b"checksum" => once(&mut checksum, u32::try_from(rest.integer()?).ok()?),
        b"timestamp" => once(&mut time, utc(rest.text()?)?),
        b"bids" | b"asks" => None,
        _ => rest.skip_scalar(),
    })?;
    (levels.bids, levels.asks) = (bids?, asks?);
    let head = BookHead {
        symbol: text(symbol?)?,
        time: time.unwrap_or(Nanos::UNDEFINED),
        is_snapshot,
        checksum: checksum?,
    };
    levels.finish(&head, out).ok()
}

/// Reads the levels of a side, and says how many.
fn side(
    rest: &mut Unread<'_>,
    levels: &mut BookLevels,
    out: &mut MessageOutput<'_>,
) -> Option<u32> {
    let before = out.batch.levels.len();
    rest.list(|rest| {
        rest.word(b"{\"price\":")?;
        let price = rest.decimal()?;
        rest.word(b",\"qty\":")?;
        let size = rest.decimal()?;
        rest.take(b'}')?;
        levels.note(price, size);
        out.batch.levels.push(Level {
            price: amount::price("price", price).ok()?,
            size: amount::size("qty", size).ok()?,
        });
        Some(())
    })?;
    Some((out.batch.levels.len() - before) as u32)
}

fn trade(rest: &mut Unread<'_>, out: &mut MessageOutput<'_>) -> Option<()> {
    let (mut symbol, mut side, mut price) = (None, None, None);
    let (mut size, mut number, mut time) = (None, None, None);
    rest.object(|key, rest| match key {
        b"symbol" => once(&mut symbol, rest.text()?),
        b"side" => once(&mut side, rest.text()?),
        b"price" => once(&mut price, rest.decimal()?),
        b"qty" => once(&mut size, rest.decimal()?),
        b"trade_id" => once(&mut number, rest.integer()?),
        b"timestamp" => once(&mut time, utc(rest.text()?)?),
        _ => rest.skip_scalar(),
    })?;
    let trade = Trade {
        price: amount::price("price", price?).ok()?,
        size: amount::traded_size("qty", size?).ok()?,
        trade_id: number?.unsigned_abs(),
        ids: TradeIds::Successive,
        side: match side? {
            b"buy" => Some(Side::Buy),
            b"sell" => Some(Side::Sell),
            _ => return None,
        },
        aggregate: false,
    };
    out.trade(text(symbol?)?, time?, trade).ok()
}

fn ticker(rest: &mut Unread<'_>, out: &mut MessageOutput<'_>) -> Option<()> {
    let (mut symbol, mut time) = (None, None);
    let (mut bid, mut bid_size, mut ask, mut ask_size) = (None, None, None, None);
    rest.object(|key, rest| match key {
        b"symbol" => once(&mut symbol, rest.text()?),
        b"bid" => once(&mut bid, rest.decimal()?),
        b"bid_qty" => once(&mut bid_size, rest.decimal()?),
        b"ask" => once(&mut ask, rest.decimal()?),
        b"ask_qty" => once(&mut ask_size, rest.decimal()?),
        b"timestamp" => once(&mut time, utc(rest.text()?)?),
        _ => rest.skip_scalar(),
    })?;
    let bid = amount::quote_side(("bid", bid?), ("bid_qty", bid_size?), true);
    let ask = amount::quote_side(("ask", ask?), ("ask_qty", ask_size?), true);
    let time = time.unwrap_or(Nanos::UNDEFINED);
    out.quote(text(symbol?)?, time, bid.ok()?, ask.ok()?).ok()
}

fn text(ascii: &[u8]) -> Option<&str> {
    std::str::from_utf8(ascii).ok()
}
