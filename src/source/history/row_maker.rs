//! Rows from cells: which column is which field is told by the layout.

use std::sync::Arc;

use super::cell_advice::advice;
use super::cells::{CellFault, RowCells};
use super::known::ZeroPrice;
use super::layout::{Layout, RowFields, SideFrom};
use super::mapping::Role;
use super::naming::{Naming, VenueFrom, whole_name};
use super::row::HistoryRow;
use super::tick_rule::TickRule;
use crate::event::{Bar, Depth, Link, Quote, Splice, Trade, TradeIds};
use crate::frame::packed::{RowBody, RowFault};
use crate::units::{Nanos, Price, Side, Size};

/// Makes rows from cells.
pub(super) struct ArchiveRowMaker {
    layout: Arc<Layout>,
    name: String,
    /// The symbol and the venue of the name.
    named: (String, String),
    ticks: TickRule,
    /// The quote of the row before, where a row may tell of one side alone.
    quoted: Option<Quote>,
    /// `ts_event` and `ts_recv` of the row before.
    before: [Nanos; 2],
}

/// A fault, and the place of the column at fault.
type Fault = (RowFault, usize);

impl ArchiveRowMaker {
    pub(super) fn new(layout: Arc<Layout>) -> Self {
        let name = match &layout.naming {
            Naming::Fixed(name) => name.clone(),
            Naming::Column { .. } => String::new(),
        };
        Self {
            layout,
            name,
            named: (String::new(), String::new()),
            ticks: TickRule::default(),
            quoted: None,
            before: [NEVER; 2],
        }
    }

    /// Makes the row of these cells.
    pub(super) fn fill(&mut self, cells: &impl RowCells, row: &mut HistoryRow) {
        self.find_name(cells);
        if row.instrument != self.name {
            row.instrument.clone_from(&self.name);
        }
        row.levels.clear();
        row.ts_recv = Nanos::UNDEFINED;
        row.ts_event = Nanos::UNDEFINED;
        if let Err((fault, at)) = self.try_fill(cells, row) {
            let role = self.layout.used[at].0;
            let is_time = matches!(role, Role::TsEvent | Role::TsRecv);
            let time = is_time.then(|| cells.time(at).err()).flatten();
            let advice = advice(fault, role, &self.layout, time);
            row.fail_in(&self.layout.columns[at], fault, &cells.shown(at), &advice);
        }
    }

    fn try_fill(&mut self, cells: &impl RowCells, row: &mut HistoryRow) -> Result<(), Fault> {
        let layout = &self.layout;
        if let Some(at) = layout.ts_recv {
            row.ts_recv = match cells.time(at) {
                Ok(time) => in_order(layout, time, &mut self.before[1], || cells.is_of_clock(at)),
                Err(CellFault::Missing) => Nanos::UNDEFINED,
                Err(fault) => return Err((fault.of("ts_recv"), at)),
            };
        }
        let at = layout.ts_event;
        row.ts_event = match cells.time(at) {
            Ok(time) => in_order(layout, time, &mut self.before[0], || cells.is_of_clock(at)),
            // A quote without a time of the venue has the time at which it was received.
            Err(CellFault::Missing) if row.ts_recv != Nanos::UNDEFINED => Nanos::UNDEFINED,
            Err(fault) => return Err((fault.of("ts_event"), at)),
        };
        let fields = layout.fields_of(cells)?;
        row.body = match fields {
            RowFields::Trade { .. } => RowBody::Trade(trade(fields, cells)?),
            RowFields::Quote { zero_price, .. } => {
                let mut quote = quote(fields, cells)?;
                if *zero_price == ZeroPrice::Unchanged {
                    complete(&mut quote, self.quoted);
                    self.quoted = Some(quote);
                }
                RowBody::Quote(quote)
            }
            RowFields::Bar { .. } => RowBody::Bar(bar(fields, cells)?),
            RowFields::Book { .. } => RowBody::Depth(book(fields, cells, row)?),
        };
        if layout.has_tick_rule
            && let RowBody::Trade(trade) = &mut row.body
            && trade.price != Price::UNDEFINED
        {
            trade.side = self.ticks.side(&self.name, trade.price);
        }
        Ok(())
    }

    /// Makes the instrument's name, if it is another one than that of the row before.
    fn find_name(&mut self, cells: &impl RowCells) {
        let Naming::Column { symbol, venue } = &self.layout.naming else {
            return;
        };
        let symbol = trimmed(cells.text(*symbol));
        let venue = match venue {
            VenueFrom::Nothing => "",
            VenueFrom::Fixed(venue) => venue,
            VenueFrom::Column(at) => trimmed(cells.text(*at)),
        };
        if self.named.0 == symbol && self.named.1 == venue && !self.name.is_empty() {
            return;
        }
        symbol.clone_into(&mut self.named.0);
        venue.clone_into(&mut self.named.1);
        self.name = whole_name(symbol, &venue.to_uppercase());
    }
}

/// A name without the blanks around it, of which nearly none has any.
#[inline]
fn trimmed(name: &str) -> &str {
    match name.as_bytes() {
        [first, .., last] if first.is_ascii_graphic() && last.is_ascii_graphic() => name,
        _ => name.trim(),
    }
}

/// Before all rows.
const NEVER: Nanos = Nanos(i64::MIN);

/// A time as it follows that of the row before: what a clock shows twice may be the second time.
fn in_order(
    layout: &Layout,
    time: Nanos,
    before: &mut Nanos,
    is_of_clock: impl FnOnce() -> bool,
) -> Nanos {
    let is_behind = layout.times.zone.is_some() && time < *before;
    let time = match is_behind && is_of_clock() {
        true => layout.times.after(time, *before),
        false => time,
    };
    *before = time;
    time
}

fn price(cells: &impl RowCells, at: usize, field: &'static str) -> Result<Price, Fault> {
    cells.price(at).map_err(|fault| (fault.of(field), at))
}

fn size(cells: &impl RowCells, at: usize, field: &'static str) -> Result<Size, Fault> {
    cells.size(at).map_err(|fault| (fault.of(field), at))
}

fn number(cells: &impl RowCells, at: Option<usize>, field: &'static str) -> Result<u64, Fault> {
    let Some(at) = at else { return Ok(0) };
    let number = cells.number(at).map_err(|fault| (fault.of(field), at))?;
    Ok(number.unwrap_or(0))
}

fn trade(fields: &RowFields, cells: &impl RowCells) -> Result<Trade, Fault> {
    let RowFields::Trade {
        price: price_at,
        size: size_at,
        side,
        trade_id,
        has_text_ids,
        ids,
        ids_at,
        aggregate,
        aggregate_at,
    } = *fields
    else {
        unreachable!("the caller has looked")
    };
    let is_aggregate = match aggregate_at {
        Some(at) => cells.flag(at).map_err(|fault| (fault.of("row"), at))?,
        None => None,
    };
    let ids = match ids_at.map(|at| (at, cells.text(at))) {
        None | Some((_, "")) => ids,
        Some((_, "successive")) => TradeIds::Successive,
        Some((_, "rising")) => TradeIds::Rising,
        Some((_, "distinct")) => TradeIds::Distinct,
        Some((at, _)) => return Err((RowFault::OutOfRange("trade_id"), at)),
    };
    Ok(Trade {
        price: price(cells, price_at, "price")?,
        size: size(cells, size_at, "size")?,
        trade_id: match number(cells, trade_id, "trade_id") {
            Err(_) if has_text_ids => 0,
            number => number?,
        },
        ids,
        side: side_from(side, cells)?,
        aggregate: is_aggregate.unwrap_or(aggregate),
    })
}

fn side_from(side: SideFrom, cells: &impl RowCells) -> Result<Option<Side>, Fault> {
    match side {
        SideFrom::Nothing => Ok(None),
        SideFrom::Taker(at) => cells.side(at).map_err(|fault| (fault.of("side"), at)),
        SideFrom::BuyerIsMaker(at) => match cells.flag(at) {
            Ok(Some(true)) => Ok(Some(Side::Sell)),
            Ok(Some(false)) => Ok(Some(Side::Buy)),
            Ok(None) => Err((RowFault::Missing("side"), at)),
            Err(fault) => Err((fault.of("side"), at)),
        },
    }
}

fn quote(fields: &RowFields, cells: &impl RowCells) -> Result<Quote, Fault> {
    let RowFields::Quote {
        bid: (bid_px, bid_sz),
        ask: (ask_px, ask_sz),
        sequence,
        zero_price,
    } = *fields
    else {
        unreachable!("the caller has looked")
    };
    let side = |px: usize, sz: usize, names: [&'static str; 2]| {
        let (price, size) = (price(cells, px, names[0])?, size(cells, sz, names[1])?);
        Ok(
            match zero_price != ZeroPrice::Price && price == Price::ZERO {
                true => (Price::UNDEFINED, Size::ZERO),
                false => (price, size),
            },
        )
    };
    let (bid_px, bid_sz) = side(bid_px, bid_sz, ["bid_px", "bid_sz"])?;
    let (ask_px, ask_sz) = side(ask_px, ask_sz, ["ask_px", "ask_sz"])?;
    Ok(Quote {
        bid_px,
        bid_sz,
        ask_px,
        ask_sz,
        sequence: number(cells, sequence, "sequence")?,
    })
}

/// Gives a quote the side that it does not tell of, as it was before.
fn complete(quote: &mut Quote, before: Option<Quote>) {
    let Some(before) = before else { return };
    if quote.bid_px == Price::UNDEFINED {
        (quote.bid_px, quote.bid_sz) = (before.bid_px, before.bid_sz);
    }
    if quote.ask_px == Price::UNDEFINED {
        (quote.ask_px, quote.ask_sz) = (before.ask_px, before.ask_sz);
    }
}

fn bar(fields: &RowFields, cells: &impl RowCells) -> Result<Bar, Fault> {
    let RowFields::Bar {
        prices: [open, high, low, close],
        volume,
    } = *fields
    else {
        unreachable!("the caller has looked")
    };
    Ok(Bar {
        open: price(cells, open, "open")?,
        high: price(cells, high, "high")?,
        low: price(cells, low, "low")?,
        close: price(cells, close, "close")?,
        volume: match volume {
            Some(at) => size(cells, at, "volume")?,
            None => Size::UNDEFINED,
        },
    })
}

fn book(fields: &RowFields, cells: &impl RowCells, row: &mut HistoryRow) -> Result<Depth, Fault> {
    let RowFields::Book {
        first,
        last,
        snapshot,
        bids,
        asks,
        splice,
        link,
        keep,
    } = *fields
    else {
        unreachable!("the caller has looked")
    };
    let needed = |at: usize, field: &'static str| match cells.number(at) {
        Ok(Some(number)) => Ok(number),
        Ok(None) => Err((RowFault::Missing(field), at)),
        Err(fault) => Err((fault.of(field), at)),
    };
    let is_whole = match cells.flag(snapshot) {
        Ok(Some(flag)) => flag,
        Ok(None) => return Err((RowFault::Missing("snapshot"), snapshot)),
        Err(fault) => return Err((fault.of("snapshot"), snapshot)),
    };
    let is = |at: Option<usize>, word: &str| at.is_some_and(|at| cells.text(at) == word);
    let mut levels = |at: usize, field: &'static str| {
        let pushed = cells.levels(at, &mut row.levels);
        pushed.map_err(|fault| (fault.of(field), at))
    };
    Ok(Depth {
        first: needed(first, "first_sequence")?,
        last: needed(last, "sequence")?,
        bids: levels(bids, "bids")?,
        asks: levels(asks, "asks")?,
        snapshot: is_whole.then_some(match is(splice, "in_order") {
            true => Splice::InOrder,
            false => Splice::ByNumber,
        }),
        link: match is(link, "chain") {
            true => Link::Chain,
            false => Link::Range,
        },
        keep: u16::try_from(number(cells, keep, "levels")?).unwrap_or(u16::MAX),
        ..Depth::default()
    })
}
