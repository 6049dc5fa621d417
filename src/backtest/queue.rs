//! A limit order's place in the queue of its price.
//!
//! The model is risk-averse: the order stands behind all that its price showed when it was placed. The volume
//! ahead of it shrinks by trades at the price, and is never more than the price shows: what is cancelled
//! counts as cancelled behind the order for as long as that can be. What trades beyond the volume ahead fills
//! the order. It is filled whole when a trade goes through its price, or the other side's best price reaches
//! it.
//!
//! Source: hftbacktest, `RiskAdverseQueueModel` (`hftbacktest/src/backtest/models/queue.rs`) and its
//! exchange with partial fills. The volume is exact here, not rounded to lots.

use super::market::RecordedMarket;
use super::quantity::Quantity;
use super::terms::LimitTerms;
use crate::event::Trade;
use crate::units::{Price, Side};

/// A limit order that rests in the book.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Resting {
    /// The side that it rests on.
    pub(super) side: Side,
    pub(super) price: Price,
    /// What is not filled yet.
    pub(super) left: Quantity,
    /// The volume that is ahead of it.
    ahead: Quantity,
    /// When it is cancelled.
    pub(super) expires: i64,
}

impl Resting {
    /// Places an order at the end of the queue; none where its side of the market is empty, or its queue is
    /// not known.
    pub(super) fn place(
        market: &RecordedMarket,
        side: Side,
        quantity: Quantity,
        terms: &LimitTerms,
        now: i64,
    ) -> Option<Self> {
        let best = market.best(side)?.price;
        let other = market.best(side.opposite());
        let price = beside(best, side, terms)
            .filter(|price| other.is_none_or(|other| exceeds(side, other.price, *price)))
            .unwrap_or(best);
        Some(Self {
            side,
            price,
            left: quantity.abs(),
            ahead: market.shown_at(side, price)?,
            expires: now.saturating_add(terms.cancel_ns),
        })
    }

    /// What a trade fills of it.
    pub(super) fn trade(&mut self, trade: &Trade) -> Quantity {
        // A trade that its own side started took from the other one.
        if trade.side == Some(self.side) {
            return Quantity::ZERO;
        }
        if exceeds(self.side, self.price, trade.price) {
            return self.fill(self.left);
        }
        if trade.price != self.price {
            return Quantity::ZERO;
        }
        let size = Quantity::of(trade.size);
        let beyond = size - self.ahead.min(size);
        self.ahead -= self.ahead.min(size);
        self.fill(beyond)
    }

    /// What the market's new state fills of it; the volume ahead is at most what is shown.
    pub(super) fn update(&mut self, market: &RecordedMarket) -> Quantity {
        if let Some(shown) = market.shown_at(self.side, self.price) {
            self.ahead = self.ahead.min(shown);
        }
        match market.best(self.side.opposite()) {
            Some(other) if !exceeds(self.side, other.price, self.price) => self.fill(self.left),
            _ => Quantity::ZERO,
        }
    }

    fn fill(&mut self, quantity: Quantity) -> Quantity {
        let filled = quantity.min(self.left);
        self.left -= filled;
        filled
    }
}

/// Whether a price is above another for a buyer, below it for a seller.
fn exceeds(side: Side, here: Price, there: Price) -> bool {
    match side {
        Side::Buy => here > there,
        Side::Sell => here < there,
    }
}

/// The price so many ticks behind the best one; none where it is no whole number of ticks.
fn beside(best: Price, side: Side, terms: &LimitTerms) -> Option<Price> {
    if terms.ticks_behind == 0 {
        return Some(best);
    }
    let places = (0..PLACES_MAX).find(|places| terms.tick.scaled(*places).is_some())?;
    let (tick, best) = (terms.tick.scaled(places)?, best.scaled(places)?);
    let away = tick.checked_mul(terms.ticks_behind.into())?;
    let price = match side {
        Side::Buy => best.checked_sub(away)?,
        Side::Sell => best.checked_add(away)?,
    };
    (price > 0).then(|| Price::from_scaled(price, places))?
}

/// No tick has more decimal places.
const PLACES_MAX: i32 = 19;
