//! One instrument's limit order book: single orders in price-time priority, and the matching.
//!
//! Counts in ticks and steps; numbers no updates and publishes none, which `market` does.

use std::collections::btree_map::{BTreeMap, Entry};
use std::collections::vec_deque::VecDeque;

use rustc_hash::FxHashMap;

use crate::units::Side;

/// Number of an order, rising with its arrival.
pub(super) type OrderId = u64;

/// A price and how much rests there, in ticks and steps.
pub(super) type TickLevel = (i64, i64);

/// The orders of both sides.
#[derive(Clone, Debug, Default)]
pub(super) struct OrderBook {
    bids: BTreeMap<i64, Queue>,
    asks: BTreeMap<i64, Queue>,
    /// Every resting order, in no particular sequence, so that one can be drawn by index.
    orders: Vec<Order>,
    /// The index of each order in `orders`.
    indices: FxHashMap<OrderId, usize>,
    last_id: OrderId,
}

/// A resting order: its side and price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) id: OrderId,
    pub(super) side: Side,
    pub(super) ticks: i64,
}

/// The orders at one price, the oldest in front.
#[derive(Clone, Debug, Default)]
struct Queue {
    steps: i64,
    waiting: VecDeque<RestingOrder>,
}

#[derive(Clone, Copy, Debug)]
struct RestingOrder {
    id: OrderId,
    steps: i64,
}

impl OrderBook {
    /// Rests an order behind those at its price. It must not cross the other side.
    pub(super) fn rest(&mut self, side: Side, ticks: i64, steps: i64) {
        debug_assert!(steps > 0);
        debug_assert!(
            self.best(opposite(side))
                .is_none_or(|(other, _)| match side {
                    Side::Buy => ticks < other,
                    Side::Sell => ticks > other,
                })
        );
        self.last_id += 1;
        let id = self.last_id;
        let queue = self.side_mut(side).entry(ticks).or_default();
        queue.steps += steps;
        queue.waiting.push_back(RestingOrder { id, steps });
        self.indices.insert(id, self.orders.len());
        self.orders.push(Order { id, side, ticks });
    }

    /// Takes an order off the book and returns it; `None` if it is gone already.
    pub(super) fn cancel(&mut self, id: OrderId) -> Option<Order> {
        let order = self.remove(id)?;
        if let Entry::Occupied(mut level) = self.side_mut(order.side).entry(order.ticks) {
            let queue = level.get_mut();
            // Ids rise with arrival, so a queue is sorted by them.
            if let Ok(at) = queue.waiting.binary_search_by_key(&id, |w| w.id) {
                queue.steps -= queue.waiting.remove(at).map_or(0, |w| w.steps);
            }
            if queue.waiting.is_empty() {
                level.remove();
            }
        }
        Some(order)
    }

    /// Fills the oldest order at the best price of `side` with at most `steps`; returns the price and the
    /// quantity filled.
    pub(super) fn fill(&mut self, side: Side, steps: i64) -> Option<TickLevel> {
        let (ticks, _) = self.best(side)?;
        let queue = self.side_mut(side).get_mut(&ticks)?;
        let front = queue.waiting.front_mut()?;
        let filled = front.steps.min(steps);
        front.steps -= filled;
        queue.steps -= filled;
        if front.steps == 0 {
            let done = front.id;
            queue.waiting.pop_front();
            if queue.waiting.is_empty() {
                self.side_mut(side).remove(&ticks);
            }
            self.remove(done);
        }
        Some((ticks, filled))
    }

    /// Best price of a side and the quantity there.
    pub(super) fn best(&self, side: Side) -> Option<TickLevel> {
        let level = match side {
            Side::Buy => self.bids.last_key_value(),
            Side::Sell => self.asks.first_key_value(),
        };
        level.map(|(&ticks, queue)| (ticks, queue.steps))
    }

    /// The youngest order at the best price of a side.
    pub(super) fn youngest(&self, side: Side) -> Option<Order> {
        let (ticks, _) = self.best(side)?;
        let id = self.side(side).get(&ticks)?.waiting.back()?.id;
        Some(Order { id, side, ticks })
    }

    /// Quantity resting at a price; zero where there is no level.
    pub(super) fn steps_at(&self, side: Side, ticks: i64) -> i64 {
        self.side(side).get(&ticks).map_or(0, |queue| queue.steps)
    }

    /// The best `limit` levels of a side, best first.
    pub(super) fn levels(&self, side: Side, limit: usize) -> Vec<TickLevel> {
        let level = |(&ticks, queue): (&i64, &Queue)| (ticks, queue.steps);
        match side {
            Side::Buy => self.bids.iter().rev().take(limit).map(level).collect(),
            Side::Sell => self.asks.iter().take(limit).map(level).collect(),
        }
    }

    /// How many price levels a side has.
    pub(super) fn depth(&self, side: Side) -> usize {
        self.side(side).len()
    }

    /// All resting orders, in no particular sequence, which is the same for the same history.
    pub(super) fn orders(&self) -> &[Order] {
        &self.orders
    }

    fn remove(&mut self, id: OrderId) -> Option<Order> {
        let index = self.indices.remove(&id)?;
        let order = self.orders.swap_remove(index);
        if let Some(moved) = self.orders.get(index) {
            self.indices.insert(moved.id, index);
        }
        Some(order)
    }

    fn side(&self, side: Side) -> &BTreeMap<i64, Queue> {
        match side {
            Side::Buy => &self.bids,
            Side::Sell => &self.asks,
        }
    }

    fn side_mut(&mut self, side: Side) -> &mut BTreeMap<i64, Queue> {
        match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        }
    }
}

/// The side that an order of `side` trades against.
pub(super) fn opposite(side: Side) -> Side {
    match side {
        Side::Buy => Side::Sell,
        Side::Sell => Side::Buy,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn book() -> OrderBook {
        let mut book = OrderBook::default();
        for (side, ticks, steps) in [
            (Side::Buy, 99, 5),
            (Side::Sell, 101, 3),
            (Side::Sell, 101, 4),
            (Side::Sell, 103, 9),
        ] {
            book.rest(side, ticks, steps);
        }
        book
    }

    #[test]
    fn fills_go_by_price_and_then_by_time() {
        let mut book = book();
        assert_eq!(book.fill(Side::Sell, 2), Some((101, 2)));
        assert_eq!(
            book.fill(Side::Sell, 9),
            Some((101, 1)),
            "the rest of the oldest"
        );
        assert_eq!(book.fill(Side::Sell, 9), Some((101, 4)));
        assert_eq!(book.fill(Side::Sell, 4), Some((103, 4)));
        assert_eq!(book.best(Side::Sell), Some((103, 5)));
        assert_eq!(book.orders().len(), 2);
    }

    #[test]
    fn a_cancel_takes_one_order_and_keeps_the_queue() {
        let mut book = book();
        let young = book.youngest(Side::Sell).unwrap().id;
        assert_eq!(book.cancel(young).map(|o| o.ticks), Some(101));
        assert_eq!(book.cancel(young), None);
        assert_eq!(book.best(Side::Sell), Some((101, 3)));
        let only_bid = book.youngest(Side::Buy).unwrap().id;
        book.cancel(only_bid);
        assert_eq!((book.best(Side::Buy), book.depth(Side::Buy)), (None, 0));
        assert_eq!(book.fill(Side::Buy, 1), None);
    }

    #[test]
    fn levels_run_from_the_best_outwards() {
        let mut book = book();
        book.rest(Side::Buy, 97, 1);
        assert_eq!(book.levels(Side::Buy, 9), [(99, 5), (97, 1)]);
        assert_eq!(book.levels(Side::Sell, 1), [(101, 7)]);
        assert_eq!(book.steps_at(Side::Sell, 102), 0);
    }
}
