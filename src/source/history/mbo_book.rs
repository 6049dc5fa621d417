//! A book of single orders, and what rests at each price: market by order to market by price.
//!
//! Orders that rested before the first one that is told are unknown. What they add to a level is known where
//! the book began with a snapshot of its levels, and their ends are taken from that; otherwise they count
//! nothing. Prices and sizes are integers in the unit of the archive.

use rustc_hash::FxHashMap;

use crate::event::Level;
use crate::units::{Price, Side, Size};

/// A book of single orders.
#[derive(Debug, Default)]
pub(super) struct MboBook {
    orders: FxHashMap<u64, MboOrder>,
    /// Of each level of the snapshot: what orders that are unknown singly add to it.
    unknown: FxHashMap<(Side, i64), u64>,
    /// Price and size by level, the best last.
    bids: Vec<(i64, u64)>,
    asks: Vec<(i64, u64)>,
    /// The levels that changed since [`MboBook::take_changes`].
    changed: Vec<(Side, i64)>,
    /// Whether all levels before count no more since then.
    is_anew: bool,
    /// Whether it has begun anew once: only then all of its orders are known.
    has_begun: bool,
    /// Whether an order that is unknown changed since then, before the book has begun.
    is_touched: bool,
}

#[derive(Clone, Copy, Debug)]
struct MboOrder {
    side: Side,
    price: i64,
    size: u64,
}

/// What changed in a book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Changes {
    /// How many bid levels.
    pub(super) bids: u32,
    /// How many ask levels, behind the bids.
    pub(super) asks: u32,
    /// Whether these are all levels of a book that began anew.
    pub(super) is_whole: bool,
}

impl MboBook {
    /// Takes all orders away: the book begins anew.
    pub(super) fn clear(&mut self) {
        self.orders.clear();
        self.unknown.clear();
        self.bids.clear();
        self.asks.clear();
        self.changed.clear();
        (self.is_anew, self.has_begun, self.is_touched) = (true, true, false);
    }

    /// Begins anew with levels, best first, whose orders are unknown singly.
    pub(super) fn begin_with(&mut self, bids: &[(i64, u64)], asks: &[(i64, u64)]) {
        self.clear();
        for (side, levels) in [(Side::Buy, bids), (Side::Sell, asks)] {
            for &(price, size) in levels {
                self.change_level(side, price, |_| size);
                self.unknown.insert((side, price), size);
            }
        }
        self.changed.clear();
    }

    /// Lets the next changes be the whole book, where it is known: those before were told to nobody.
    pub(super) fn tell_anew(&mut self) {
        self.is_touched = false;
        self.changed.clear();
        self.is_anew = self.has_begun;
    }

    /// Lets the book not be told whole until it begins anew: changes of it are missing.
    pub(super) fn distrust(&mut self) {
        self.has_begun = false;
    }

    /// Takes the size of an order that is known after all out of what is unknown, where the levels hold it.
    pub(super) fn name(&mut self, id: u64, side: Side, price: i64, size: u64) {
        if let Some(unknown) = self.unknown.get_mut(&(side, price))
            && *unknown >= size
        {
            *unknown -= size;
            self.orders.insert(id, MboOrder { side, price, size });
        }
    }

    /// Adds an order, in the place of one of the same number.
    pub(super) fn add(&mut self, id: u64, side: Side, price: i64, size: u64) {
        let order = MboOrder { side, price, size };
        if let Some(before) = self.orders.insert(id, order) {
            self.change_level(before.side, before.price, |total| {
                total.saturating_sub(before.size)
            });
        }
        self.change_level(side, price, |total| total.saturating_add(size));
    }

    /// Takes so much of an order away, and the order where nothing is left. One that is unknown, which rests
    /// at this price, counts where the book's snapshot held it.
    pub(super) fn reduce(&mut self, id: u64, side: Side, price: i64, size: u64) {
        let Some(order) = self.orders.get_mut(&id) else {
            self.reduce_unknown(side, price, size);
            return;
        };
        let taken = size.min(order.size);
        order.size -= taken;
        let MboOrder { side, price, size } = *order;
        if size == 0 {
            self.orders.remove(&id);
        }
        self.change_level(side, price, |total| total.saturating_sub(taken));
    }

    fn reduce_unknown(&mut self, side: Side, price: i64, size: u64) {
        self.is_touched |= !self.has_begun;
        let Some(unknown) = self.unknown.get_mut(&(side, price)) else {
            return;
        };
        let taken = size.min(*unknown);
        *unknown -= taken;
        self.change_level(side, price, |total| total.saturating_sub(taken));
    }

    /// Replaces a side by one level, or by none: as a feed of best prices alone tells it.
    pub(super) fn replace_side(&mut self, side: Side, level: Option<(i64, u64)>) {
        self.orders.retain(|_, order| order.side != side);
        let levels = std::mem::take(self.levels(side));
        self.changed
            .extend(levels.iter().map(|level| (side, level.0)));
        if let Some((price, size)) = level {
            self.change_level(side, price, |_| size);
        }
    }

    /// The best bid.
    pub(super) fn best_bid(&self) -> Option<(i64, u64)> {
        self.bids.last().copied()
    }

    /// The best ask.
    pub(super) fn best_ask(&self) -> Option<(i64, u64)> {
        self.asks.last().copied()
    }

    /// Writes what changed since the last call over `levels`, bids first; a level that is gone has size zero.
    /// Prices are in 10^-places. None where nothing changed; no levels where only what is unknown did.
    pub(super) fn take_changes(&mut self, places: i32, levels: &mut Vec<Level>) -> Option<Changes> {
        let is_touched = std::mem::take(&mut self.is_touched);
        if !self.is_anew && !is_touched && self.changed.is_empty() {
            return None;
        }
        levels.clear();
        let is_whole = std::mem::take(&mut self.is_anew);
        let mut changed = std::mem::take(&mut self.changed);
        let mut counts = [0; 2];
        for (at, side) in [Side::Buy, Side::Sell].into_iter().enumerate() {
            let before = levels.len();
            if is_whole {
                let all = self.side(side).iter().rev();
                levels.extend(all.filter_map(|&(price, size)| level(price, size, places)));
            } else {
                let of_side = changed.iter().filter(|one| one.0 == side);
                levels.extend(
                    of_side
                        .filter_map(|&(_, price)| level(price, self.size_at(side, price), places)),
                );
            }
            counts[at] = (levels.len() - before) as u32;
        }
        changed.clear();
        self.changed = changed;
        let [bids, asks] = counts;
        Some(Changes {
            bids,
            asks,
            is_whole,
        })
    }

    fn side(&self, side: Side) -> &[(i64, u64)] {
        match side {
            Side::Buy => &self.bids,
            Side::Sell => &self.asks,
        }
    }

    fn levels(&mut self, side: Side) -> &mut Vec<(i64, u64)> {
        match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        }
    }

    fn size_at(&self, side: Side, price: i64) -> u64 {
        let levels = self.side(side);
        place(levels, side, price).map_or(0, |at| levels[at].1)
    }

    fn change_level(&mut self, side: Side, price: i64, change: impl Fn(u64) -> u64) {
        if !self.is_anew && !self.changed.contains(&(side, price)) {
            self.changed.push((side, price));
        }
        let levels = self.levels(side);
        match place(levels, side, price) {
            Ok(at) => match change(levels[at].1) {
                0 => {
                    levels.remove(at);
                }
                size => levels[at].1 = size,
            },
            Err(at) => match change(0) {
                0 => {}
                size => levels.insert(at, (price, size)),
            },
        }
    }
}

/// Where a price is, or would be, among levels with the best last.
fn place(levels: &[(i64, u64)], side: Side, price: i64) -> Result<usize, usize> {
    match side {
        Side::Buy => levels.binary_search_by(|level| level.0.cmp(&price)),
        Side::Sell => levels.binary_search_by(|level| price.cmp(&level.0)),
    }
}

fn level(price: i64, size: u64, places: i32) -> Option<Level> {
    Some(Level {
        price: Price::from_scaled(price, places)?,
        size: Size::from_scaled(i64::try_from(size).ok()?, 0)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(book: &mut MboBook) -> (Vec<(String, String)>, Option<Changes>) {
        let mut levels = vec![];
        let changes = book.take_changes(2, &mut levels);
        let text = |level: &Level| (level.price.to_string(), level.size.to_string());
        (levels.iter().map(text).collect(), changes)
    }

    fn pairs(levels: &[(&str, &str)]) -> Vec<(String, String)> {
        let owned = |level: &(&str, &str)| (level.0.to_owned(), level.1.to_owned());
        levels.iter().map(owned).collect()
    }

    #[test]
    fn orders_add_up_to_levels() {
        let mut book = MboBook::default();
        book.clear();
        book.add(1, Side::Buy, 9_950, 3);
        book.add(2, Side::Buy, 9_950, 4);
        book.add(3, Side::Buy, 9_960, 1);
        book.add(4, Side::Sell, 9_970, 5);
        let (levels, told) = changes(&mut book);
        assert_eq!(
            levels,
            pairs(&[("99.6", "1"), ("99.5", "7"), ("99.7", "5")])
        );
        let whole = Changes {
            bids: 2,
            asks: 1,
            is_whole: true,
        };
        assert_eq!(told, Some(whole));
        assert_eq!(changes(&mut book).1, None, "nothing changed since");
        book.tell_anew();
        assert_eq!(changes(&mut book), (levels, told));
        book.distrust();
        book.tell_anew();
        assert_eq!(changes(&mut book).1, None, "changes are missing");
        book.reduce(1, Side::Buy, 9_950, 2);
        book.reduce(3, Side::Buy, 9_960, 1);
        book.add(2, Side::Buy, 9_940, 4);
        book.reduce(9, Side::Buy, 9_940, 4);
        let (levels, told) = changes(&mut book);
        assert_eq!(
            levels,
            pairs(&[("99.5", "1"), ("99.6", "0"), ("99.4", "4")])
        );
        assert_eq!(
            told.map(|told| (told.bids, told.is_whole)),
            Some((3, false))
        );
        assert_eq!(book.best_bid(), Some((9_950, 1)));
        assert_eq!(book.best_ask(), Some((9_970, 5)));
    }

    #[test]
    fn orders_of_before_count_where_a_snapshot_held_them() {
        let mut book = MboBook::default();
        book.begin_with(&[(100, 10)], &[(101, 7)]);
        book.name(1, Side::Buy, 100, 4);
        // Of the seven that rest unknown at 101, and no more than those.
        book.reduce(77, Side::Sell, 101, 5);
        book.add(2, Side::Sell, 101, 3);
        book.reduce(78, Side::Sell, 101, 9);
        assert_eq!(book.best_ask(), Some((101, 3)));
        book.reduce(1, Side::Buy, 100, 4);
        assert_eq!(book.best_bid(), Some((100, 6)));
        // Without one they count nothing.
        let mut book = MboBook::default();
        book.add(1, Side::Buy, 100, 4);
        book.reduce(77, Side::Buy, 100, 2);
        assert_eq!(book.best_bid(), Some((100, 4)));
        assert_eq!(changes(&mut book).0, pairs(&[("1", "4")]));
        book.reduce(77, Side::Buy, 100, 2);
        let nothing = Changes {
            bids: 0,
            asks: 0,
            is_whole: false,
        };
        assert_eq!(changes(&mut book), (vec![], Some(nothing)));
        book.clear();
        changes(&mut book);
        book.reduce(77, Side::Buy, 100, 2);
        assert_eq!(changes(&mut book).1, None, "no order of before is left");
    }

    #[test]
    fn a_side_can_be_replaced() {
        let mut book = MboBook::default();
        book.clear();
        book.add(0, Side::Buy, 100, 4);
        book.add(1, Side::Sell, 105, 2);
        changes(&mut book);
        book.replace_side(Side::Buy, Some((101, 9)));
        let (levels, _) = changes(&mut book);
        assert_eq!(levels, pairs(&[("1", "0"), ("1.01", "9")]));
        book.replace_side(Side::Sell, None);
        assert_eq!((book.best_bid(), book.best_ask()), (Some((101, 9)), None));
    }
}
