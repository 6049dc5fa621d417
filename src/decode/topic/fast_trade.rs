//! Trade records as encoders write them, read in one pass: known fields, each once, no escapes.
//!
//! Refuses nothing. A record of another shape, sound or not, is left to the general parser, which takes
//! several times as long. Where both read a record they read the same (tests of `topic`).

use crate::decode::amount::Written;
use crate::decode::unread::{Unread, once};

/// The fields of a trade record; numbers as text where they become fixed-point.
#[derive(Debug, Default, PartialEq)]
pub(super) struct FastTrade<'a> {
    pub(super) ts_event: i64,
    pub(super) ts_recv: Option<i64>,
    /// Of ASCII.
    pub(super) symbol: &'a [u8],
    pub(super) price: Written<'a>,
    pub(super) size: Written<'a>,
    pub(super) side: &'a [u8],
    pub(super) trade_id: Option<u64>,
}

/// Reads a trade record; none where only the general parser can.
pub(super) fn read(bytes: &[u8]) -> Option<FastTrade<'_>> {
    let mut rest = Unread(bytes);
    let mut trade = FastTrade::default();
    let mut ts_event = None;
    rest.take(b'{')?;
    loop {
        let field = field(&mut rest)?;
        rest.skip_blank();
        match field {
            TradeField::TsEvent => once(&mut ts_event, rest.integer()?)?,
            TradeField::TsRecv => once(&mut trade.ts_recv, rest.integer()?)?,
            TradeField::Symbol if trade.symbol.is_empty() => trade.symbol = rest.text()?,
            TradeField::Price if trade.price.digits.is_empty() => trade.price = rest.decimal()?,
            TradeField::Size if trade.size.digits.is_empty() => trade.size = rest.decimal()?,
            TradeField::Side if trade.side.is_empty() => trade.side = rest.text()?,
            TradeField::TradeId => once(&mut trade.trade_id, rest.integer()?.unsigned_abs())?,
            TradeField::Symbol | TradeField::Price | TradeField::Size | TradeField::Side => {
                return None;
            }
        }
        if rest.take(b',').is_none() {
            break;
        }
        rest.skip_blank();
    }
    rest.take(b'}')?;
    trade.ts_event = ts_event?;
    let whole = [
        trade.symbol,
        trade.price.digits,
        trade.size.digits,
        trade.side,
    ];
    (rest.is_empty() && whole.iter().all(|field| !field.is_empty())).then_some(trade)
}

/// A field of a trade record.
#[derive(Clone, Copy)]
enum TradeField {
    TsEvent,
    TsRecv,
    Symbol,
    Price,
    Size,
    Side,
    TradeId,
}

/// A key and the colon behind it.
fn field(rest: &mut Unread<'_>) -> Option<TradeField> {
    let behind = |name: &[u8]| rest.0.strip_prefix(name);
    // Names are compared whole, few for each first letter.
    let (field, behind_it) = match rest.0.get(1)? {
        b't' => {
            let event = behind(b"\"ts_event\":").map(|rest| (TradeField::TsEvent, rest));
            let recv = || behind(b"\"ts_recv\":").map(|rest| (TradeField::TsRecv, rest));
            let id = || behind(b"\"trade_id\":").map(|rest| (TradeField::TradeId, rest));
            event.or_else(recv).or_else(id)?
        }
        b's' => {
            let symbol = behind(b"\"symbol\":").map(|rest| (TradeField::Symbol, rest));
            let size = || behind(b"\"size\":").map(|rest| (TradeField::Size, rest));
            let side = || behind(b"\"side\":").map(|rest| (TradeField::Side, rest));
            symbol.or_else(size).or_else(side)?
        }
        b'p' => (TradeField::Price, behind(b"\"price\":")?),
        b'i' => (TradeField::Symbol, behind(b"\"instrument\":")?),
        _ => return None,
    };
    rest.0 = behind_it;
    Some(field)
}
