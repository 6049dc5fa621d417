//! What a row of an archive says, and its fields as bytes.

use super::cursor::{Cursor, push_codes};
use crate::event::{
    Bar, Depth, Gap, GapReason, Link, Quote, Splice, Trade, TradeIds, TradingStatus,
};
use crate::units::Side;

/// What a row of an archive says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RowBody {
    /// A trade.
    Trade(Trade),
    /// The best bid and offer.
    Quote(Quote),
    /// Changed levels, or a whole book, whose levels lie beside it.
    Depth(Depth),
    /// Prices and volume over a span of time that ended at the row's time.
    Bar(Bar),
    /// Trading is halted, or goes on.
    Status(TradingStatus),
    /// Messages are missing before the row's time.
    Gap(Gap),
    /// A cell cannot be read. The row becomes a dead letter.
    Unreadable(RowFault),
}

/// What is wrong with a cell. The name is one of [`FIELDS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowFault {
    /// It is empty, and must not be.
    Missing(&'static str),
    /// It is no number, or no time where it should be one.
    BadNumber(&'static str),
    /// Its value cannot be meant.
    OutOfRange(&'static str),
    /// It has more digits than are kept exactly.
    TooPrecise(&'static str),
    /// It is of another type.
    WrongType(&'static str),
}

/// The names of the fields of rows.
pub const FIELDS: [&str; 26] = [
    "ts_event",
    "ts_recv",
    "symbol",
    "price",
    "size",
    "side",
    "trade_id",
    "bid_px",
    "bid_sz",
    "ask_px",
    "ask_sz",
    "sequence",
    "first_sequence",
    "snapshot",
    "bids",
    "asks",
    "open",
    "high",
    "low",
    "close",
    "volume",
    "status",
    "action",
    "order_id",
    "row",
    "levels",
];

/// The kinds of row, in the order of [`RowBody`].
const TRADE: u8 = 1;
const QUOTE: u8 = 2;
const DEPTH: u8 = 3;
const BAR: u8 = 4;
const STATUS: u8 = 5;
const UNREADABLE: u8 = 6;
const GAP: u8 = 7;

impl RowBody {
    pub(super) fn kind(&self) -> u8 {
        match self {
            Self::Trade(_) => TRADE,
            Self::Quote(_) => QUOTE,
            Self::Depth(_) => DEPTH,
            Self::Bar(_) => BAR,
            Self::Status(_) => STATUS,
            Self::Gap(_) => GAP,
            Self::Unreadable(_) => UNREADABLE,
        }
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        match self {
            // At once, because most rows are trades.
            Self::Trade(trade) => {
                let mut bytes = [0; 27];
                bytes[..8].copy_from_slice(&trade.price.code().to_le_bytes());
                bytes[8..16].copy_from_slice(&trade.size.code().to_le_bytes());
                bytes[16..24].copy_from_slice(&trade.trade_id.to_le_bytes());
                bytes[24..].copy_from_slice(&trade_flags(trade));
                out.extend_from_slice(&bytes);
            }
            Self::Quote(quote) => {
                push_codes(out, quote.bid_px, quote.bid_sz);
                push_codes(out, quote.ask_px, quote.ask_sz);
                out.extend_from_slice(&quote.sequence.to_le_bytes());
            }
            Self::Depth(depth) => {
                for number in [depth.first, depth.last] {
                    out.extend_from_slice(&number.to_le_bytes());
                }
                for count in [depth.bids, depth.asks] {
                    out.extend_from_slice(&count.to_le_bytes());
                }
                out.extend_from_slice(&depth.keep.to_le_bytes());
                out.extend_from_slice(&depth_flags(depth));
            }
            Self::Bar(bar) => {
                for price in [bar.open, bar.high, bar.low, bar.close] {
                    out.extend_from_slice(&price.code().to_le_bytes());
                }
                out.extend_from_slice(&bar.volume.code().to_le_bytes());
            }
            Self::Status(status) => out.push(u8::from(*status == TradingStatus::Trading)),
            Self::Gap(gap) => {
                let reason = GapReason::ALL
                    .iter()
                    .position(|reason| *reason == gap.reason);
                out.push(reason.unwrap_or_default() as u8);
                out.extend_from_slice(&gap.missing.to_le_bytes());
            }
            Self::Unreadable(fault) => out.extend_from_slice(&fault.encode()),
        }
    }

    pub(super) fn read(kind: u8, rest: &mut Cursor<'_>) -> Option<Self> {
        Some(match kind {
            TRADE => Self::Trade(read_trade(rest)?),
            QUOTE => Self::Quote(Quote {
                bid_px: rest.price()?,
                bid_sz: rest.size()?,
                ask_px: rest.price()?,
                ask_sz: rest.size()?,
                sequence: rest.u64()?,
            }),
            DEPTH => Self::Depth(read_depth(rest)?),
            BAR => Self::Bar(Bar {
                open: rest.price()?,
                high: rest.price()?,
                low: rest.price()?,
                close: rest.price()?,
                volume: rest.size()?,
            }),
            STATUS => Self::Status(match rest.u8()? {
                0 => TradingStatus::Halted,
                1 => TradingStatus::Trading,
                _ => return None,
            }),
            GAP => Self::Gap(Gap {
                reason: *GapReason::ALL.get(usize::from(rest.u8()?))?,
                missing: rest.u64()?,
            }),
            UNREADABLE => Self::Unreadable(RowFault::read(rest.u8()?, rest.u8()?)?),
            _ => return None,
        })
    }
}

fn trade_flags(trade: &Trade) -> [u8; 3] {
    let side = match trade.side {
        None => 0,
        Some(Side::Buy) => 1,
        Some(Side::Sell) => 2,
    };
    let ids = match trade.ids {
        TradeIds::Successive => 0,
        TradeIds::Rising => 1,
        TradeIds::Distinct => 2,
    };
    [side, ids, u8::from(trade.aggregate)]
}

fn read_trade(rest: &mut Cursor<'_>) -> Option<Trade> {
    Some(Trade {
        price: rest.price()?,
        size: rest.size()?,
        trade_id: rest.u64()?,
        side: match rest.u8()? {
            0 => None,
            1 => Some(Side::Buy),
            2 => Some(Side::Sell),
            _ => return None,
        },
        ids: match rest.u8()? {
            0 => TradeIds::Successive,
            1 => TradeIds::Rising,
            2 => TradeIds::Distinct,
            _ => return None,
        },
        aggregate: flag(rest)?,
    })
}

fn depth_flags(depth: &Depth) -> [u8; 3] {
    let snapshot = match depth.snapshot {
        None => 0,
        Some(Splice::ByNumber) => 1,
        Some(Splice::InOrder) => 2,
    };
    let is_chain = depth.link == Link::Chain;
    [snapshot, u8::from(is_chain), u8::from(depth.overlaps)]
}

fn read_depth(rest: &mut Cursor<'_>) -> Option<Depth> {
    Some(Depth {
        first: rest.u64()?,
        last: rest.u64()?,
        bids: rest.u32()?,
        asks: rest.u32()?,
        keep: rest.u16()?,
        snapshot: match rest.u8()? {
            0 => None,
            1 => Some(Splice::ByNumber),
            2 => Some(Splice::InOrder),
            _ => return None,
        },
        link: match flag(rest)? {
            false => Link::Range,
            true => Link::Chain,
        },
        overlaps: flag(rest)?,
        start: 0,
        checksum: None,
    })
}

fn flag(rest: &mut Cursor<'_>) -> Option<bool> {
    match rest.u8()? {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    }
}

impl RowFault {
    /// The field at fault.
    #[must_use]
    pub fn field(self) -> &'static str {
        match self {
            Self::Missing(field)
            | Self::BadNumber(field)
            | Self::OutOfRange(field)
            | Self::TooPrecise(field)
            | Self::WrongType(field) => field,
        }
    }

    fn encode(self) -> [u8; 2] {
        let what = match self {
            Self::Missing(_) => 0,
            Self::BadNumber(_) => 1,
            Self::OutOfRange(_) => 2,
            Self::TooPrecise(_) => 3,
            Self::WrongType(_) => 4,
        };
        let named = |name: &&str| *name == self.field();
        let whole_row = || FIELDS.iter().position(|name| *name == "row");
        let field = FIELDS.iter().position(named).or_else(whole_row);
        [what, field.unwrap_or_default() as u8]
    }

    fn read(what: u8, field: u8) -> Option<Self> {
        let field = *FIELDS.get(usize::from(field))?;
        Some(match what {
            0 => Self::Missing(field),
            1 => Self::BadNumber(field),
            2 => Self::OutOfRange(field),
            3 => Self::TooPrecise(field),
            4 => Self::WrongType(field),
            _ => return None,
        })
    }
}
