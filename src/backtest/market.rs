//! What one instrument's recorded market shows: its book, or its last quote.
//!
//! Orders take from it without moving it: what one order took is there again for the next.

use super::quantity::Quantity;
use crate::engine::book::Book;
use crate::event::{Depth, Level, Quote, TradingStatus};
use crate::units::{Nanos, Price, Side, Size};

/// What orders are filled on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FillOn {
    /// The book, level by level.
    #[default]
    Book,
    /// The best bid and offer, up to the quantity that they show.
    Quotes,
    /// The open of the next bar, whole: a bar shows no quantities.
    Bars {
        /// How long before its event a bar begins, in nanoseconds.
        length_ns: i64,
    },
}

/// One instrument's market.
#[derive(Debug, Default)]
pub(super) struct RecordedMarket {
    book: Book,
    quote: Option<Quote>,
    /// The open of a bar, at its beginning alone.
    open: Option<Price>,
    on: FillOn,
    halted: bool,
    /// The time of its last update.
    pub(super) time: Option<i64>,
    /// The middle of the best bid and offer, as last known.
    pub(super) mid: Option<f64>,
}

impl RecordedMarket {
    pub(super) fn new(on: FillOn) -> Self {
        Self {
            on,
            ..Self::default()
        }
    }

    /// Applies a change of the book; `ts` is its own time, or undefined.
    pub(super) fn depth(&mut self, depth: &Depth, levels: (&[Level], &[Level]), ts: Nanos) {
        self.book.apply(depth, levels.0, levels.1, ts);
        self.note_mid();
    }

    /// Applies a quote.
    pub(super) fn quote(&mut self, quote: &Quote) {
        // A quote behind the one before it, by its number, says nothing new.
        let last = self.quote.map_or(0, |last| last.sequence);
        if quote.sequence == 0 || quote.sequence >= last {
            self.quote = Some(*quote);
        }
        self.note_mid();
    }

    /// A bar begins: orders that wait are filled now.
    pub(super) fn open_bar(&mut self, open: Price) {
        self.open = Some(open).filter(|open| *open != Price::UNDEFINED);
        self.mid = self.open.map(Price::to_f64).or(self.mid);
    }

    /// Until the next bar nothing is filled any more.
    pub(super) fn pass_open(&mut self) {
        self.open = None;
    }

    /// A bar ends.
    pub(super) fn close_bar(&mut self, close: Price) {
        if close != Price::UNDEFINED {
            self.mid = Some(close.to_f64());
        }
    }

    /// Whether orders wait for a moment at which they are filled.
    pub(super) fn is_between_bars(&self) -> bool {
        matches!(self.on, FillOn::Bars { .. }) && self.open.is_none()
    }

    /// Distrusts what was before a gap.
    pub(super) fn doubt(&mut self) {
        self.book.freeze();
        self.quote = None;
    }

    pub(super) fn set_status(&mut self, status: TradingStatus) {
        self.halted = status == TradingStatus::Halted;
    }

    /// Whether orders can be filled: nothing is missing or crossed, and trading is not halted. A side may be
    /// empty.
    pub(super) fn is_open(&self) -> bool {
        let is_whole = match self.on {
            FillOn::Book => self.book.is_live(),
            FillOn::Quotes => self.quote.is_some(),
            FillOn::Bars { .. } => return self.open.is_some() && !self.halted,
        };
        let tops = self.best(Side::Buy).zip(self.best(Side::Sell));
        is_whole && !self.halted && tops.is_none_or(|(bid, ask)| bid.price < ask.price)
    }

    /// The best level of the bids or of the asks.
    pub(super) fn best(&self, side: Side) -> Option<Level> {
        match (self.on, side) {
            (FillOn::Book, Side::Buy) => self.book.best_bid(),
            (FillOn::Book, Side::Sell) => self.book.best_ask(),
            (FillOn::Quotes, side) => top_of(self.quote.as_ref()?, side),
            (FillOn::Bars { .. }, _) => None,
        }
    }

    /// What a side shows, from the best level on, until `take` says that it has enough.
    pub(super) fn walk(&self, side: Side, mut take: impl FnMut(Price, Quantity) -> bool) {
        if let FillOn::Bars { .. } = self.on {
            if let Some(open) = self.open {
                let _more = take(open, Quantity::MOST);
            }
            return;
        }
        let mut go_on = |level: Level| take(level.price, Quantity::of(level.size));
        match (self.on, side) {
            (FillOn::Book, Side::Buy) => {
                let _all = self.book.bids().all(&mut go_on);
            }
            (FillOn::Book, Side::Sell) => {
                let _all = self.book.asks().all(&mut go_on);
            }
            (FillOn::Quotes, side) => {
                let _all = self.best(side).into_iter().all(&mut go_on);
            }
            (FillOn::Bars { .. }, _) => {}
        }
    }

    /// The quantity shown at a price; none where it is not known, as behind a quote.
    pub(super) fn shown_at(&self, side: Side, price: Price) -> Option<Quantity> {
        let best = self.best(side)?;
        let is_behind = |of: Price| match side {
            Side::Buy => price < of,
            Side::Sell => price > of,
        };
        if self.on == FillOn::Quotes && is_behind(best.price) {
            return None;
        }
        let mut shown = Quantity::ZERO;
        self.walk(side, |at, quantity| {
            if at == price {
                shown = quantity;
            }
            is_behind(at)
        });
        Some(shown)
    }

    fn note_mid(&mut self) {
        let tops = self.best(Side::Buy).zip(self.best(Side::Sell));
        if let Some((bid, ask)) = tops.filter(|_| self.is_open()) {
            self.mid = Some(f64::midpoint(bid.price.to_f64(), ask.price.to_f64()));
        }
    }
}

/// A side of a quote; none where it is empty.
fn top_of(quote: &Quote, side: Side) -> Option<Level> {
    let (price, size) = match side {
        Side::Buy => (quote.bid_px, quote.bid_sz),
        Side::Sell => (quote.ask_px, quote.ask_sz),
    };
    (price != Price::UNDEFINED && size != Size::ZERO).then_some(Level { price, size })
}
