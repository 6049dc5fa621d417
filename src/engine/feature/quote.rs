//! Features of the best bid and offer.

use serde::{Deserialize, Serialize};

use super::unit::Unit;
use crate::engine::book::Book;
use crate::event::{Level, Quote};
use crate::units::Price;

/// A best bid and offer of which both sides are known.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TopOfBook {
    bid_px: f64,
    bid_sz: f64,
    ask_px: f64,
    ask_sz: f64,
}

/// The numbers are not inlined: the compiler would move their divisions before the loop over the nodes, and
/// divide what lies in memory where there is no best bid and offer.
impl TopOfBook {
    /// From a quote, unless a side is empty.
    #[must_use]
    pub fn of_quote(quote: &Quote) -> Option<Self> {
        let side = |price, size| (price != Price::UNDEFINED).then_some(Level { price, size });
        Self::of(
            side(quote.bid_px, quote.bid_sz)?,
            side(quote.ask_px, quote.ask_sz)?,
        )
    }

    /// From a book, unless a side is empty.
    #[must_use]
    pub fn of_book(book: &Book) -> Option<Self> {
        Self::of(book.best_bid()?, book.best_ask()?)
    }

    fn of(bid: Level, ask: Level) -> Option<Self> {
        let (bid_px, bid_sz) = (bid.price.to_f64(), bid.size.to_f64());
        let (ask_px, ask_sz) = (ask.price.to_f64(), ask.size.to_f64());
        (bid_sz + ask_sz > 0.0).then_some(Self {
            bid_px,
            bid_sz,
            ask_px,
            ask_sz,
        })
    }

    /// The middle of bid and ask.
    #[must_use]
    #[inline(never)]
    pub fn mid(&self) -> f64 {
        0.5 * (self.bid_px + self.ask_px)
    }

    /// Whether the bid is above the ask. Quotes of several venues may lock, with both at one price.
    #[must_use]
    pub fn is_crossed(&self) -> bool {
        self.bid_px > self.ask_px
    }

    /// Ask minus bid, in price or in basis points of the mid.
    #[inline(never)]
    pub(super) fn spread(&self, unit: Unit) -> f64 {
        let spread = self.ask_px - self.bid_px;
        match unit {
            Unit::Price => spread,
            Unit::BasisPoints => 1e4 * spread / self.mid(),
        }
    }

    /// The mid weighted by the opposite queues, or how far it lies from the mid in basis points.
    #[inline(never)]
    pub(super) fn microprice(&self, unit: Unit) -> f64 {
        let weighted = self.ask_px * self.bid_sz + self.bid_px * self.ask_sz;
        let price = weighted / (self.bid_sz + self.ask_sz);
        match unit {
            Unit::Price => price,
            Unit::BasisPoints => 1e4 * (price - self.mid()) / self.mid(),
        }
    }

    /// (bid − ask) / (bid + ask) of the two best queues.
    #[inline(never)]
    pub(super) fn imbalance(&self) -> f64 {
        (self.bid_sz - self.ask_sz) / (self.bid_sz + self.ask_sz)
    }

    /// The mean quantity of the two best queues.
    #[inline(never)]
    pub(super) fn depth(&self) -> f64 {
        (self.bid_sz + self.ask_sz) / 2.0
    }

    /// What was added to the best bid since `before`, minus what was added to the best ask (Cont, Kukanov,
    /// Stoikov 2014, "The price impact of order book events", equation for e_n).
    #[inline(never)]
    pub(super) fn flow_since(&self, before: &Self) -> f64 {
        let added = |better: bool, same: bool, now: f64, before: f64| match (better, same) {
            (true, _) => now,
            (_, true) => now - before,
            _ => -before,
        };
        let (bid, ask) = (self.bid_px, self.ask_px);
        let bids = added(
            bid > before.bid_px,
            bid == before.bid_px,
            self.bid_sz,
            before.bid_sz,
        );
        let asks = added(
            ask < before.ask_px,
            ask == before.ask_px,
            self.ask_sz,
            before.ask_sz,
        );
        bids - asks
    }
}
