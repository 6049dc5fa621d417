//! An instrument's rebuilt book against the venue's own best bid and offer, and against its checksums.
//!
//! The book after a depth update numbered u must equal the last quote numbered u or below, which is known
//! once a quote above u has come. What waits for its counterpart is bounded: the oldest is not compared.

use std::collections::VecDeque;

use super::report::{Comparison, Sequence};
use crate::engine::book::{Applied, Book};
use crate::event::{Depth, GapReason, Level, Quote, Splice};
use crate::units::{Nanos, Price, Size};

/// The book of an instrument, and what it is compared with.
#[derive(Default)]
pub(super) struct BookCheck {
    book: Book,
    quotes: VecDeque<Quote>,
    tops: VecDeque<Top>,
    /// The numbers of its updates.
    pub(super) sequence: Sequence,
}

/// The best bid and offer of the book after an update.
struct Top {
    sequence: u64,
    bid: Option<Level>,
    ask: Option<Level>,
}

impl BookCheck {
    /// Distrusts what was before a gap.
    pub(super) fn gap(&mut self) {
        self.book.freeze();
        self.forget();
    }

    /// Whether the best bid is at or above the best ask.
    pub(super) fn is_crossed(&self) -> bool {
        self.book.is_crossed()
    }

    /// Takes a quote, and compares what can be compared now.
    pub(super) fn quote(&mut self, quote: Quote, compared: &mut Comparison) {
        if quote.sequence == 0 {
            return;
        }
        let before = self.quotes.back();
        if before.is_some_and(|before| quote.sequence < before.sequence) {
            // Numbers that begin anew are not compared with those from before.
            self.forget();
        }
        self.quotes.push_back(quote);
        self.compare(compared);
        // Without changes of a book there is nothing to compare.
        let has_book = self.sequence.last.is_some();
        let most = if has_book {
            WAITING_MAX
        } else {
            BEFORE_BOOK_MAX
        };
        let surplus = self.quotes.len().saturating_sub(most);
        self.quotes.drain(..surplus);
    }

    /// Takes a change of the book or a whole one; counts whether its checksum is right, and compares what can
    /// be compared now.
    pub(super) fn depth(
        &mut self,
        depth: &Depth,
        (bids, asks): (&[Level], &[Level]),
        ts: Nanos,
        checksums: &mut Comparison,
        compared: &mut Comparison,
    ) -> Applied {
        let is_in_stream = depth.snapshot != Some(Splice::ByNumber);
        let applied = self.book.apply(depth, bids, asks, ts);
        if is_in_stream && depth.last > 0 && !matches!(applied, Applied::Stale | Applied::Held) {
            self.sequence.take(depth.first, depth.last);
        }
        let is_held_against_sum = match applied {
            Applied::Changed | Applied::Spliced { .. } | Applied::Renumbered => true,
            Applied::Gap { reason, .. } => reason == GapReason::Checksum,
            Applied::Waiting
            | Applied::Stale
            | Applied::Held
            | Applied::TooOld
            | Applied::Unchanged => false,
        };
        if depth.checksum.is_some() && is_held_against_sum {
            checksums.count(!matches!(applied, Applied::Gap { .. }));
        }
        match applied {
            Applied::Gap { missing, .. } => {
                self.sequence.missing = self.sequence.missing.saturating_add(missing);
                self.forget();
            }
            Applied::Renumbered => self.forget(),
            _ => {}
        }
        // A snapshot counts with the diff that was joined to it, if one was.
        let sequence = self.book.sequence();
        let is_new = self.book.is_live() && is_held_against_sum && sequence > 0;
        if is_new && (sequence > depth.last || depth.snapshot.is_none()) {
            if self.tops.len() == WAITING_MAX {
                self.tops.pop_front();
            }
            self.tops.push_back(Top {
                sequence,
                bid: self.book.best_bid(),
                ask: self.book.best_ask(),
            });
            self.compare(compared);
        }
        applied
    }

    /// Compares no quote with the book as it was.
    fn forget(&mut self) {
        self.quotes.clear();
        self.tops.clear();
    }

    /// Compares the tops of the book for which the venue's own quote is now known.
    fn compare(&mut self, compared: &mut Comparison) {
        while let (Some(top), Some(newest)) = (self.tops.front(), self.quotes.back()) {
            if newest.sequence <= top.sequence {
                return;
            }
            let is_older = |quote: &&Quote| quote.sequence <= top.sequence;
            let older = self.quotes.iter().take_while(is_older).count();
            if let Some(quoted) = older.checked_sub(1).and_then(|at| self.quotes.get(at)) {
                compared.count(
                    side(top.bid) == (quoted.bid_px, quoted.bid_sz)
                        && side(top.ask) == (quoted.ask_px, quoted.ask_sz),
                );
                self.quotes.drain(..older - 1);
            }
            self.tops.pop_front();
        }
    }
}

/// Price and size of a side, as a quote has them.
fn side(level: Option<Level>) -> (Price, Size) {
    level.map_or((Price::UNDEFINED, Size::ZERO), |level| {
        (level.price, level.size)
    })
}

/// Quotes or tops of a book that wait for their counterpart at most: those of a second of a busy market.
const WAITING_MAX: usize = 1_024;
/// Quotes that are kept before the first change of the book.
const BEFORE_BOOK_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_for_a_counterpart_is_bounded() {
        let (mut check, mut sums, mut equal) = Default::default();
        let _: (&BookCheck, &Comparison, &Comparison) = (&check, &sums, &equal);
        for sequence in 0..5_000 {
            let quote = Quote {
                bid_px: Price::UNDEFINED,
                bid_sz: Size::ZERO,
                ask_px: Price::UNDEFINED,
                ask_sz: Size::ZERO,
                sequence,
            };
            check.quote(quote, &mut equal);
        }
        assert_eq!(check.quotes.len(), BEFORE_BOOK_MAX);
        for last in 10_000..15_000 {
            let snapshot = (last == 10_000).then_some(Splice::InOrder);
            let depth = Depth {
                first: last,
                last,
                snapshot,
                ..Depth::default()
            };
            let levels: (&[Level], &[Level]) = (&[], &[]);
            check.depth(&depth, levels, Nanos::UNDEFINED, &mut sums, &mut equal);
        }
        assert_eq!(check.tops.len(), WAITING_MAX);
        assert_eq!((sums.compared, equal.compared), (0, 0));
        let numbers = (check.sequence.first, check.sequence.last);
        assert_eq!(numbers, (Some(10_000), Some(14_999)));
    }
}
