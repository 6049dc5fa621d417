//! A handover: the book that a new connection brings takes the place of the one that is known, once it is
//! ahead of it.
//!
//! Two connections bring the same book, and for a while both were open. What the new one brought meanwhile is
//! a whole book and the changes behind it, and most of it is older than what the old one brought. It makes a
//! book of its own that nobody sees. With the first change that is ahead of the book that is known it takes
//! its place, in one step.

use super::{Applied, Book};
use crate::event::{Depth, Level, Splice};
use crate::units::Nanos;

impl Book {
    /// Takes a change or a snapshot for the book that a new connection brings; none where no handover is
    /// under way.
    pub(super) fn hand_over(
        &mut self,
        depth: &Depth,
        bids: &[Level],
        asks: &[Level],
        ts: Nanos,
    ) -> Option<Applied> {
        if depth.overlaps && depth.snapshot == Some(Splice::InOrder) && self.live {
            self.arriving = Some(Box::default());
        }
        let mut arriving = self.arriving.take()?;
        let applied = arriving.apply(depth, bids, asks, ts);
        if !arriving.live {
            // The old connection brings nothing more.
            *self = *arriving;
            return Some(applied);
        }
        if self.is_ahead_of(&arriving, depth, ts) {
            self.arriving = Some(arriving);
            return Some(Applied::Held);
        }
        *self = *arriving;
        Some(Applied::Spliced { dropped: 0 })
    }

    /// Whether this book is as new as the one that a new connection brings, which has just taken `depth`. The
    /// numbers say so, or else the times; without either it is, as long as connections overlap.
    fn is_ahead_of(&self, arriving: &Self, depth: &Depth, ts: Nanos) -> bool {
        let later = match ts == Nanos::UNDEFINED || self.changed == Nanos::UNDEFINED {
            true => None,
            false => Some(ts.since(self.changed)),
        };
        if self.last > 0 && arriving.last > 0 {
            // A venue that has begun to number anew meanwhile is told by its time.
            let is_anew = later.map_or(!depth.overlaps, |later| later > RENUMBERED_AFTER_NS);
            return arriving.last <= self.last && !is_anew;
        }
        match later {
            Some(later) => later < 0 || later == 0 && depth.overlaps,
            None => depth.overlaps,
        }
    }
}

/// A change that is so much later than the book is of new numbers where its number is lower.
const RENUMBERED_AFTER_NS: i64 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Link;
    use crate::units::{Price, Size};

    fn at(millis: i64) -> Nanos {
        Nanos(1_000_000_000_000 + millis * 1_000_000)
    }

    fn bid(size: i64) -> [Level; 1] {
        let price = Price::from_scaled(99, 0).unwrap();
        let size = Size::from_scaled(size, 0).unwrap();
        [Level { price, size }]
    }

    /// A snapshot or a change, which overlaps or does not; number `last` follows the one before it.
    fn depth(last: u64, is_whole: bool, overlaps: bool, link: Link) -> Depth {
        Depth {
            first: last,
            last,
            snapshot: is_whole.then_some(Splice::InOrder),
            link,
            overlaps,
            ..Depth::default()
        }
    }

    /// Applies number and size to a book: the size of the best bid shows how new it is.
    fn apply(book: &mut Book, depth: &Depth, size: i64, ts: Nanos) -> (Applied, Option<Level>) {
        let applied = book.apply(depth, &bid(size), &[], ts);
        (applied, book.best_bid())
    }

    const SPLICED: Applied = Applied::Spliced { dropped: 0 };

    /// A book that the old connection has brought up to 13.
    fn known(link: Link) -> Book {
        let mut book = Book::default();
        for number in 10..=13 {
            let change = depth(number, number == 10, false, link);
            let size = number.cast_signed();
            apply(&mut book, &change, size, at(size));
        }
        assert_eq!(book.best_bid(), Some(bid(13)[0]));
        book
    }

    #[test]
    fn a_book_of_numbers_never_steps_back() {
        for link in [Link::Range, Link::Chain] {
            let mut book = known(link);
            for number in 11..=13 {
                let change = depth(number, number == 11, true, link);
                let size = number.cast_signed();
                let (applied, best) = apply(&mut book, &change, size, at(size));
                assert_eq!(applied, Applied::Held, "{number}");
                assert_eq!(best, Some(bid(13)[0]), "{number}");
            }
            // Whether it overlaps or not: the times of two connections may differ a little.
            for (number, overlaps) in [(14, true), (15, false)] {
                let change = depth(number, false, overlaps, link);
                let (applied, best) = apply(&mut book, &change, number.cast_signed(), at(0));
                let expected = if overlaps { SPLICED } else { Applied::Changed };
                assert_eq!(
                    (applied, best),
                    (expected, Some(bid(number.cast_signed())[0]))
                );
            }
        }
    }

    #[test]
    fn without_numbers_the_times_tell() {
        let mut book = known(Link::Range);
        book.last = 0;
        for (millis, is_whole) in [(11, true), (12, false), (13, false)] {
            let change = depth(0, is_whole, true, Link::Range);
            let (applied, best) = apply(&mut book, &change, millis, at(millis));
            assert_eq!((applied, best), (Applied::Held, Some(bid(13)[0])));
        }
        let change = depth(0, false, false, Link::Range);
        let (applied, best) = apply(&mut book, &change, 14, at(14));
        assert_eq!((applied, best), (SPLICED, Some(bid(14)[0])));
    }

    #[test]
    fn without_numbers_and_times_it_ends_with_the_overlap() {
        let mut book = Book::default();
        let none = Nanos::UNDEFINED;
        apply(&mut book, &depth(0, true, false, Link::Range), 7, none);
        for is_whole in [true, false] {
            let change = depth(0, is_whole, true, Link::Range);
            let (applied, best) = apply(&mut book, &change, 6, none);
            assert_eq!((applied, best), (Applied::Held, Some(bid(7)[0])));
        }
        let change = depth(0, false, false, Link::Range);
        let (applied, best) = apply(&mut book, &change, 8, none);
        assert_eq!((applied, best), (SPLICED, Some(bid(8)[0])));
    }

    #[test]
    fn a_venue_that_numbers_anew_on_the_new_connection_is_followed() {
        let mut book = known(Link::Chain);
        let begin = depth(1, true, true, Link::Chain);
        assert_eq!(apply(&mut book, &begin, 20, at(14)).0, Applied::Held);
        let change = depth(2, false, false, Link::Chain);
        let (applied, best) = apply(&mut book, &change, 21, at(1_014));
        assert_eq!((applied, best), (SPLICED, Some(bid(21)[0])));
    }

    #[test]
    fn what_is_missing_on_the_new_connection_breaks_the_book() {
        let mut book = known(Link::Chain);
        apply(&mut book, &depth(12, true, true, Link::Chain), 12, at(12));
        let (applied, _) = apply(&mut book, &depth(15, false, true, Link::Chain), 15, at(15));
        assert!(matches!(applied, Applied::Gap { .. }), "{applied:?}");
        assert!(!book.is_live() && book.wants_snapshot());
    }

    #[test]
    fn a_gap_ends_a_handover() {
        let mut book = known(Link::Range);
        apply(&mut book, &depth(12, true, true, Link::Range), 12, at(12));
        book.freeze();
        let begin = depth(3, true, false, Link::Range);
        let (applied, best) = apply(&mut book, &begin, 30, at(30));
        assert_eq!((applied, best), (SPLICED, Some(bid(30)[0])));
    }
}
