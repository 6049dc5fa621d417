//! Multi-level order-flow imbalance: what was added to the bids minus what was added to the asks.
//!
//! At each level m, between two states of the book: bids give +q' if the price rose, q' − q if it
//! stayed, −q if it fell; asks the same with the price's sign turned; their difference is the flow of
//! the level (Cont, Kukanov, Stoikov 2014, "The price impact of order book events"; by levels: Xu,
//! Gould, Howison 2018, "Multi-level order-flow imbalance in a limit order book"). Levels are summed.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::engine::book::Book;
use crate::event::Level;
use crate::units::{Price, Size};

/// The best levels as they were at the last book change.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Levels {
    bids: [Option<Level>; Self::MOST],
    asks: [Option<Level>; Self::MOST],
    known: bool,
}

impl Levels {
    /// As many levels as the feature can look at.
    pub(super) const MOST: usize = 20;

    /// The flow on these levels, counted from 0, since the last call, in units of size; `None` at the first.
    pub(super) fn flow(&mut self, book: &Book, levels: Range<usize>) -> Option<f64> {
        let (bids, asks) = (first(book.bids()), first(book.asks()));
        let mut flow = 0.0;
        for m in levels.start..levels.end.min(Self::MOST) {
            flow += added(self.bids[m], bids[m], |now, before| now > before);
            flow -= added(self.asks[m], asks[m], |now, before| now < before);
        }
        (self.bids, self.asks) = (bids, asks);
        std::mem::replace(&mut self.known, true).then_some(flow)
    }
}

fn first(side: impl Iterator<Item = Level>) -> [Option<Level>; Levels::MOST] {
    let mut levels = [None; Levels::MOST];
    for (place, level) in levels.iter_mut().zip(side) {
        *place = Some(level);
    }
    levels
}

/// Quantity added to a queue; `better` compares prices as its side does. No level is an empty queue
/// behind every price.
fn added(before: Option<Level>, now: Option<Level>, better: impl Fn(Price, Price) -> bool) -> f64 {
    let size = |level: Level| Size::to_f64(level.size);
    match (before, now) {
        (None, None) => 0.0,
        (None, Some(now)) => size(now),
        (Some(before), None) => -size(before),
        (Some(before), Some(now)) if now.price == before.price => size(now) - size(before),
        (Some(before), Some(now)) if better(now.price, before.price) => size(now),
        (Some(before), Some(_)) => -size(before),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Depth, Splice};
    use crate::units::Nanos;

    fn level(price: i64, size: i64) -> Level {
        Level {
            price: Price::from_scaled(price, 0).unwrap(),
            size: Size::from_scaled(size, 0).unwrap(),
        }
    }

    fn change(book: &mut Book, snapshot: bool, bids: &[Level], asks: &[Level]) {
        let depth = Depth {
            snapshot: snapshot.then_some(Splice::ByNumber),
            ..Depth::default()
        };
        book.apply(&depth, bids, asks, Nanos::UNDEFINED);
    }

    #[test]
    fn flows_by_hand() {
        let (mut book, mut levels) = (Book::default(), Levels::default());
        change(
            &mut book,
            true,
            &[level(99, 5), level(98, 7)],
            &[level(101, 4), level(102, 6)],
        );
        assert_eq!(levels.flow(&book, 0..1), None, "nothing to compare with");
        change(&mut book, false, &[level(99, 8)], &[]);
        assert_eq!(
            levels.flow(&book, 0..1),
            Some(3.0),
            "three more at the same bid"
        );
        change(&mut book, false, &[level(100, 2)], &[]);
        assert_eq!(
            levels.flow(&book, 0..1),
            Some(2.0),
            "a better bid adds its whole quantity"
        );
        change(&mut book, false, &[level(100, 0)], &[]);
        assert_eq!(
            levels.flow(&book, 0..1),
            Some(-2.0),
            "and takes it away with it"
        );
        change(&mut book, false, &[], &[level(101, 0)]);
        assert_eq!(
            levels.flow(&book, 0..1),
            Some(4.0),
            "a removed ask counts as added to the bids"
        );
    }

    #[test]
    fn deeper_levels_are_added() {
        let (mut book, mut levels) = (Book::default(), Levels::default());
        change(
            &mut book,
            true,
            &[level(99, 5), level(98, 7)],
            &[level(101, 4), level(102, 6)],
        );
        levels.flow(&book, 0..2);
        change(&mut book, false, &[level(98, 9)], &[level(102, 5)]);
        let mut second = levels.clone();
        assert_eq!(second.flow(&book, 1..2), Some(3.0), "of level 2 alone");
        assert_eq!(levels.clone().flow(&book, 0..1), Some(0.0), "of level 1");
        assert_eq!(
            levels.flow(&book, 0..2),
            Some(3.0),
            "two more bid, one less asked, both on level 2"
        );
        change(&mut book, false, &[level(98, 0)], &[]);
        assert_eq!(
            levels.flow(&book, 0..2),
            Some(-9.0),
            "a level without orders"
        );
    }
}
