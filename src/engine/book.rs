//! One instrument's order book by price level (L2), with its splice and gap rules.
//!
//! A diff covers the updates `first..=last`. Diffs that come before the snapshot wait; the snapshot
//! drops those it already holds, and the first one kept must reach over its number
//! (`first <= snapshot + 1 <= last`). A snapshot that came in the order of the stream ([`Splice::InOrder`])
//! drops all of them; one of a lower number and an earlier time than the book is a copy. Afterwards each diff
//! must follow the one before without a gap in the numbers. Diffs of a feed without numbers (all zero) are
//! applied as they come.
//!
//! A number that is not above those before it is a copy, unless it is below the last one and its own time
//! is later: then the venue has begun to number anew. Diffs wait for a snapshot then; a snapshot replaces
//! a whole book at once. A diff that the snapshot seems to hold is a copy too, unless its time is later and
//! its number below half of the snapshot's. A snapshot without a time of its own may be late instead: it is
//! kept until a diff of new numbers follows it, another diff changes the book, or a newer snapshot comes. So
//! is one that is too old for the diffs that wait, or whose number is more than twice theirs.
//!
//! A feed whose changes name the change before them ([`Link::Chain`]) has numbers that may jump and fall:
//! each change must name the last one applied. The first after a snapshot may name an earlier one, because
//! the snapshot lies between two changes. Where the venue adds a checksum, the book is held against it after
//! the change, and is broken where it differs.
//!
//! Where one connection takes the place of another, the book of the new one is made beside it.
//!
//! Source: Binance, "How to manage a local order book correctly" (`web-socket-streams.md`, July 2026).
//! Levels below the snapshot's depth are unknown until they change. The book fetches no snapshot;
//! [`Book::wants_snapshot`] shows that it needs one.

mod applied;
mod checksum;
mod handover;
mod side;
mod waiting;

use serde::{Deserialize, Serialize};

pub use self::applied::Applied;
use self::side::set;
use self::waiting::{HeldDiff, WaitingDiffs};
use crate::event::{Depth, GapReason, Level, Link, Splice};
use crate::units::Nanos;

/// Price levels of both sides.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Book {
    /// Ascending by price, so that the best bid is last and changes move little memory.
    bids: Vec<Level>,
    /// Descending by price, so that the best ask is last.
    asks: Vec<Level>,
    /// Number of the last update applied.
    last: u64,
    /// Whether no update is missing.
    live: bool,
    /// The own time of the snapshot that the book began with; undefined where it had none.
    snapshot_ts: Nanos,
    /// Diffs that wait for a snapshot.
    waiting: WaitingDiffs,
    /// Number of the last diff, whether it was used or not, and the time of the last diff or snapshot.
    heard: (u64, Nanos),
    /// A snapshot that is older than the book, or than the diffs that wait.
    old_snapshot: Option<Box<HeldDiff>>,
    /// Whether a snapshot has been spliced by its number, and no change has followed it.
    is_fresh: bool,
    /// Levels a side that are kept; 0 for all.
    keep: usize,
    /// The latest own time of what was applied; undefined where nothing had one.
    changed: Nanos,
    /// The book that a new connection brings, until it is ahead of this one.
    arriving: Option<Box<Self>>,
}

impl Default for Book {
    fn default() -> Self {
        Self {
            bids: vec![],
            asks: vec![],
            last: 0,
            live: false,
            snapshot_ts: Nanos::UNDEFINED,
            waiting: WaitingDiffs::default(),
            heard: (0, Nanos::UNDEFINED),
            old_snapshot: None,
            is_fresh: false,
            keep: 0,
            changed: Nanos::UNDEFINED,
            arriving: None,
        }
    }
}

impl Book {
    /// Applies a diff or a snapshot; `ts` is its own time, or undefined.
    pub fn apply(&mut self, depth: &Depth, bids: &[Level], asks: &[Level], ts: Nanos) -> Applied {
        if let Some(applied) = self.hand_over(depth, bids, asks, ts) {
            return applied;
        }
        let applied = self.take(depth, bids, asks, ts);
        if applied.has_changed()
            && ts != Nanos::UNDEFINED
            && (self.changed == Nanos::UNDEFINED || ts > self.changed)
        {
            self.changed = ts;
        }
        if let Some(sum) = depth.checksum
            && self.live
            && applied.has_changed()
            && !checksum::is_right(sum, self.bids(), self.asks())
        {
            self.freeze();
            return Applied::Gap {
                reason: GapReason::Checksum,
                missing: 0,
            };
        }
        applied
    }

    fn take(&mut self, depth: &Depth, bids: &[Level], asks: &[Level], ts: Nanos) -> Applied {
        if let Some(splice) = depth.snapshot {
            if splice == Splice::InOrder {
                if self.live && (1..self.last).contains(&depth.last) && is_later(self.changed, ts) {
                    return Applied::Stale;
                }
                self.freeze();
            }
            self.keep = usize::from(depth.keep);
            let applied = self.snapshot(depth.last, bids, asks, ts);
            // One in the stream has its place between two changes, and the next one follows it.
            if splice == Splice::InOrder {
                (self.is_fresh, self.heard) = (false, (depth.last, ts));
            }
            return applied;
        }
        if depth.link == Link::Chain {
            return self.follow(depth, bids, asks, ts);
        }
        if depth.last == 0 && self.last == 0 && self.live {
            self.change(bids, asks);
            return Applied::Changed;
        }
        let (heard, heard_at) = self.heard;
        if depth.last <= heard && depth.last > 0 {
            if depth.last == heard || !is_later(ts, heard_at) {
                return Applied::Stale;
            }
            return self.begin_anew(depth, bids, asks, ts);
        }
        if self.live && self.is_of_new_numbers(depth, ts) {
            return self.begin_anew(depth, bids, asks, ts);
        }
        self.heard = (depth.last, ts);
        if !self.live {
            self.waiting.push(depth, bids, asks);
            return Applied::Waiting;
        }
        if depth.last <= self.last {
            return Applied::Held;
        }
        if depth.first > self.last + 1 {
            let missing = depth.first - self.last - 1;
            self.freeze();
            self.heard = (depth.last, ts);
            self.waiting.push(depth, bids, asks);
            return Applied::Gap {
                reason: GapReason::Sequence,
                missing,
            };
        }
        self.change(bids, asks);
        self.last = depth.last;
        self.old_snapshot = None;
        Applied::Changed
    }

    /// Whether a diff is too far below the book, and later than its snapshot, to be held by it.
    fn is_of_new_numbers(&self, depth: &Depth, ts: Nanos) -> bool {
        is_far_below(depth.last, self.last) && is_later(ts, self.snapshot_ts)
    }

    /// Takes a diff that names the update before it.
    fn follow(&mut self, depth: &Depth, bids: &[Level], asks: &[Level], ts: Nanos) -> Applied {
        let before = depth.first.wrapping_sub(1);
        let (heard, heard_at) = std::mem::replace(&mut self.heard, (depth.last, ts));
        if !self.live {
            // One that is late would put an end to those that wait.
            if depth.last <= heard && heard_at != Nanos::UNDEFINED && !is_later(ts, heard_at) {
                self.heard = (heard, heard_at);
                return Applied::Stale;
            }
            // One that names a change before the last of them is wrong: it would reach over any snapshot.
            let waits = self.waiting.last().unwrap_or(depth.first);
            if (depth.first..depth.last).contains(&waits) && !self.waiting.is_empty() {
                self.waiting.clear();
                return Applied::Waiting;
            }
            self.waiting.push(depth, bids, asks);
            return Applied::Waiting;
        }
        let joins = self.is_fresh && before <= self.last && depth.last > self.last;
        if before == self.last || joins {
            if depth.last == self.last && bids.is_empty() && asks.is_empty() {
                return Applied::Unchanged;
            }
            self.change(bids, asks);
            (self.last, self.is_fresh) = (depth.last, false);
            return Applied::Changed;
        }
        let is_behind = depth.last <= self.last;
        let is_copy = depth.last == self.last || !is_later(ts, heard_at);
        if is_behind && is_copy {
            self.heard = (heard, heard_at);
            return match self.is_fresh && depth.last > heard {
                true => Applied::Held,
                false => Applied::Stale,
            };
        }
        // The snapshot holds what rises up to it.
        if is_behind && self.is_fresh && depth.last > heard && !self.is_of_new_numbers(depth, ts) {
            return Applied::Held;
        }
        self.freeze();
        self.heard = (depth.last, ts);
        self.waiting.push(depth, bids, asks);
        Applied::Gap {
            reason: match is_behind {
                true => GapReason::Renumbered,
                false => GapReason::Sequence,
            },
            missing: 0,
        }
    }

    /// Marks the book as broken: updates are missing. The levels stay readable as they were; nothing is held
    /// against the numbers from before.
    pub fn freeze(&mut self) {
        self.live = false;
        self.arriving = None;
        self.waiting.clear();
        self.heard = (0, Nanos::UNDEFINED);
        self.old_snapshot = None;
    }

    /// Whether no update is missing, as far as the venue's numbers show.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.live
    }

    /// Whether diffs wait for a snapshot.
    #[must_use]
    pub fn wants_snapshot(&self) -> bool {
        !self.live && !self.waiting.is_empty()
    }

    /// How many diffs were dropped since the last call, because too many waited, or they had too many levels.
    pub fn take_crowded_out(&mut self) -> u64 {
        self.waiting.take_crowded_out()
    }

    /// Number of the last update applied.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.last
    }

    /// The best bid.
    #[must_use]
    pub fn best_bid(&self) -> Option<Level> {
        self.bids.last().copied()
    }

    /// The best ask.
    #[must_use]
    pub fn best_ask(&self) -> Option<Level> {
        self.asks.last().copied()
    }

    /// Bids from the best down.
    pub fn bids(&self) -> impl Iterator<Item = Level> + Clone {
        self.bids.iter().rev().copied()
    }

    /// Asks from the best up.
    pub fn asks(&self) -> impl Iterator<Item = Level> + Clone {
        self.asks.iter().rev().copied()
    }

    /// Whether the best bid is at or above the best ask, which no sound book is.
    #[must_use]
    pub fn is_crossed(&self) -> bool {
        matches!((self.best_bid(), self.best_ask()), (Some(bid), Some(ask)) if bid.price >= ask.price)
    }

    fn snapshot(&mut self, last: u64, bids: &[Level], asks: &[Level], ts: Nanos) -> Applied {
        let first_waiting = self.waiting.first();
        let old_for_live = self.live && last < self.last;
        let last_waiting = self.waiting.last().unwrap_or(last);
        let newer =
            ts != Nanos::UNDEFINED && (self.heard.1 == Nanos::UNDEFINED || ts > self.heard.1);
        let too_old = first_waiting.is_some_and(|first| last.saturating_add(1) < first)
            || !newer && is_far_below(last_waiting, last);
        if old_for_live && newer {
            self.freeze();
            self.install(last, bids, asks, ts);
            return Applied::Renumbered;
        }
        if old_for_live || too_old {
            self.old_snapshot = Some(Box::new(HeldDiff {
                first: last,
                last,
                bids: bids.into(),
                asks: asks.into(),
            }));
            return if too_old {
                Applied::TooOld
            } else {
                Applied::Stale
            };
        }
        self.install(last, bids, asks, ts);
        let waiting = self.waiting.take();
        let dropped = waiting.iter().take_while(|diff| diff.last <= last).count();
        self.is_fresh = dropped == waiting.len();
        // Each follows the one before it.
        for diff in waiting.iter().skip(dropped) {
            self.change(&diff.bids, &diff.asks);
            self.last = diff.last;
        }
        Applied::Spliced {
            dropped: dropped as u64,
        }
    }

    /// Takes the first diff of new numbers: it follows the snapshot that seemed old, or waits for one.
    fn begin_anew(&mut self, depth: &Depth, bids: &[Level], asks: &[Level], ts: Nanos) -> Applied {
        let snapshot = self.old_snapshot.take();
        self.freeze();
        self.heard = (depth.last, ts);
        let follows = |snapshot: &HeldDiff| {
            let is_of_others = is_far_below(depth.last, snapshot.last);
            depth.first <= snapshot.last.saturating_add(1) && !is_of_others
        };
        let Some(snapshot) = snapshot.filter(|snapshot| follows(snapshot)) else {
            self.waiting.push(depth, bids, asks);
            return Applied::Gap {
                reason: GapReason::Renumbered,
                missing: 0,
            };
        };
        self.install(snapshot.last, &snapshot.bids, &snapshot.asks, ts);
        if depth.last > self.last {
            self.change(bids, asks);
            self.last = depth.last;
        }
        Applied::Renumbered
    }

    /// Replaces the levels by those of a snapshot.
    fn install(&mut self, last: u64, bids: &[Level], asks: &[Level], ts: Nanos) {
        self.bids.clear();
        self.asks.clear();
        self.change(bids, asks);
        self.last = last;
        self.live = true;
        self.old_snapshot = None;
        self.snapshot_ts = ts;
        if ts != Nanos::UNDEFINED {
            self.heard.1 = ts;
        }
    }

    fn change(&mut self, bids: &[Level], asks: &[Level]) {
        for level in bids {
            set(&mut self.bids, *level, |known| {
                known.price.cmp(&level.price)
            });
        }
        for level in asks {
            set(&mut self.asks, *level, |known| {
                level.price.cmp(&known.price)
            });
        }
        if self.keep > 0 {
            for side in [&mut self.bids, &mut self.asks] {
                side.drain(..side.len().saturating_sub(self.keep));
            }
        }
    }
}

/// Whether an update has a number too far below that of a snapshot to be held by it.
fn is_far_below(update: u64, snapshot: u64) -> bool {
    update > 0 && update < snapshot / 2
}

/// Whether the time is known and after the other, which may be unknown.
fn is_later(ts: Nanos, before: Nanos) -> bool {
    ts != Nanos::UNDEFINED && before != Nanos::UNDEFINED && ts > before
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{Price, Size};

    fn level(price: i64, size: i64) -> Level {
        Level {
            price: Price::from_scaled(price, 0).unwrap(),
            size: Size::from_scaled(size, 0).unwrap(),
        }
    }

    fn diff(first: u64, last: u64) -> Depth {
        Depth {
            first,
            last,
            ..Depth::default()
        }
    }

    fn whole(last: u64) -> Depth {
        Depth {
            first: last,
            last,
            snapshot: Some(Splice::ByNumber),
            ..Depth::default()
        }
    }

    fn live_at(last: u64) -> Book {
        let mut book = Book::default();
        book.apply(
            &whole(last),
            &[level(99, 1), level(98, 2)],
            &[level(101, 1), level(102, 5)],
            Nanos::UNDEFINED,
        );
        book
    }

    #[test]
    fn an_old_copy_of_a_whole_book_does_not_replace_a_newer_one() {
        let mut book = Book::default();
        let whole = |number: u64| Depth {
            last: number,
            snapshot: Some(Splice::InOrder),
            ..Depth::default()
        };
        let mut apply = |number: u64, ts: i64| {
            let bid = [level(number.cast_signed(), 1)];
            book.apply(&whole(number), &bid, &[], Nanos(ts));
            book.best_bid().map(|bid| bid.price)
        };
        let price = |price: i64| Price::from_scaled(price, 0);
        assert_eq!(apply(10, 1_000), price(10));
        assert_eq!(apply(12, 1_200), price(12));
        assert_eq!(apply(11, 1_100), price(12), "late, or a copy");
        // Numbers that begin anew.
        assert_eq!(apply(1, 1_300), price(1));
    }

    #[test]
    fn levels_come_change_and_go() {
        let mut book = live_at(10);
        let applied = book.apply(
            &diff(11, 12),
            &[level(100, 7), level(99, 0), level(50, 0)],
            &[level(101, 3)],
            Nanos::UNDEFINED,
        );
        assert_eq!(applied, Applied::Changed);
        assert_eq!(
            book.bids().collect::<Vec<_>>(),
            [level(100, 7), level(98, 2)]
        );
        assert_eq!(
            book.asks().collect::<Vec<_>>(),
            [level(101, 3), level(102, 5)]
        );
        assert!(!book.is_crossed());
        book.apply(&diff(13, 13), &[level(101, 1)], &[], Nanos::UNDEFINED);
        assert!(book.is_crossed());
    }

    #[test]
    fn diffs_wait_for_the_snapshot_and_are_joined_to_it() {
        let mut book = Book::default();
        for (first, last) in [(5, 7), (8, 9), (10, 12), (13, 13)] {
            let applied = book.apply(
                &diff(first, last),
                &[level(90 + last as i64, 1)],
                &[],
                Nanos::UNDEFINED,
            );
            assert_eq!(applied, Applied::Waiting);
        }
        assert!(book.wants_snapshot());
        assert_eq!(
            book.apply(&whole(3), &[], &[], Nanos::UNDEFINED),
            Applied::TooOld
        );
        assert_eq!(
            book.apply(&whole(10), &[], &[], Nanos::UNDEFINED),
            Applied::Spliced { dropped: 2 }
        );
        assert_eq!((book.sequence(), book.is_live()), (13, true));
        assert_eq!(book.bids().count(), 2, "of the two newer diffs only");
    }

    #[test]
    fn a_gap_freezes_the_book_until_a_snapshot() {
        let mut book = live_at(10);
        assert_eq!(
            book.apply(&diff(13, 14), &[level(100, 1)], &[], Nanos::UNDEFINED),
            Applied::Gap {
                reason: GapReason::Sequence,
                missing: 2
            }
        );
        assert!(!book.is_live() && book.wants_snapshot());
        assert_eq!(book.best_bid(), Some(level(99, 1)), "as it was");
        assert_eq!(
            book.apply(&diff(15, 15), &[], &[], Nanos::UNDEFINED),
            Applied::Waiting
        );
        assert_eq!(
            book.apply(&whole(14), &[level(97, 1)], &[], Nanos::UNDEFINED),
            Applied::Spliced { dropped: 1 }
        );
        assert_eq!((book.sequence(), book.best_bid()), (15, Some(level(97, 1))));
    }

    #[test]
    fn a_gap_among_the_waiting_starts_the_wait_anew() {
        let mut book = Book::default();
        book.apply(&diff(5, 7), &[], &[], Nanos::UNDEFINED);
        book.apply(&diff(9, 9), &[], &[], Nanos::UNDEFINED);
        assert_eq!(
            book.apply(&whole(6), &[], &[], Nanos::UNDEFINED),
            Applied::TooOld
        );
        assert_eq!(
            book.apply(&whole(8), &[], &[], Nanos::UNDEFINED),
            Applied::Spliced { dropped: 0 }
        );
    }

    #[test]
    fn a_snapshot_in_the_stream_begins_the_numbers_anew() {
        let mut book = live_at(10);
        book.apply(&diff(13, 14), &[], &[], Nanos::UNDEFINED);
        let restart = Depth {
            snapshot: Some(Splice::InOrder),
            ..whole(1)
        };
        let applied = book.apply(&restart, &[level(97, 1)], &[], Nanos::UNDEFINED);
        assert_eq!(applied, Applied::Spliced { dropped: 0 });
        assert_eq!((book.sequence(), book.best_bid()), (1, Some(level(97, 1))));
        assert_eq!(
            book.apply(&diff(2, 2), &[], &[], Nanos::UNDEFINED),
            Applied::Changed
        );
        let applied = book.apply(&restart, &[level(96, 1)], &[], Nanos::UNDEFINED);
        assert_eq!(
            applied,
            Applied::Spliced { dropped: 0 },
            "of a live book too"
        );
    }

    #[test]
    fn an_outdated_diff_changes_nothing() {
        let mut book = live_at(10);
        assert_eq!(
            book.apply(&diff(8, 10), &[level(100, 1)], &[], Nanos::UNDEFINED),
            Applied::Held
        );
        assert_eq!(
            book.apply(&whole(9), &[level(100, 1)], &[], Nanos::UNDEFINED),
            Applied::Stale
        );
        assert_eq!(book.best_bid(), Some(level(99, 1)));
        assert_eq!(
            book.apply(&diff(10, 11), &[level(100, 1)], &[], Nanos::UNDEFINED),
            Applied::Changed,
            "overlap is fine"
        );
    }

    #[test]
    fn a_feed_without_numbers_is_taken_as_it_comes() {
        let mut book = live_at(0);
        assert_eq!(
            book.apply(&diff(0, 0), &[level(100, 1)], &[], Nanos::UNDEFINED),
            Applied::Changed
        );
    }

    /// A change that follows update `before` and is update `last`.
    fn linked(before: u64, last: u64) -> Depth {
        Depth {
            link: Link::Chain,
            ..diff(before + 1, last)
        }
    }

    #[test]
    fn linked_changes_name_the_one_before_them() {
        let mut book = Book::default();
        let mut take = |depth: &Depth, second: i64| {
            let ts = Nanos(second * 1_000_000_000);
            book.apply(depth, &[level(100 + second, 1)], &[], ts)
        };
        let begin = Depth {
            snapshot: Some(Splice::InOrder),
            ..whole(50)
        };
        let spliced = Applied::Spliced { dropped: 0 };
        assert_eq!(take(&begin, 1), spliced);
        assert_eq!(take(&linked(50, 64), 2), Applied::Changed, "numbers jump");
        assert_eq!(take(&linked(50, 64), 2), Applied::Stale, "a copy");
        assert_eq!(take(&linked(64, 3), 3), Applied::Changed, "and fall");
        let lost = |reason| Applied::Gap { reason, missing: 0 };
        assert_eq!(take(&linked(4, 9), 4), lost(GapReason::Sequence));
        assert_eq!(take(&linked(9, 11), 5), Applied::Waiting);
        let spliced_one = Applied::Spliced { dropped: 1 };
        assert_eq!(take(&whole(10), 6), spliced_one, "between two changes");
        assert_eq!(take(&linked(11, 12), 7), Applied::Changed);
        assert_eq!(take(&linked(1, 2), 8), lost(GapReason::Renumbered));
        assert_eq!(take(&begin, 9), spliced);
        let none = book.apply(&linked(50, 50), &[], &[], Nanos(10_000_000_000));
        assert_eq!(none, Applied::Unchanged);
    }

    #[test]
    fn the_first_linked_change_after_a_snapshot_may_reach_over_it() {
        for before in [60, 70] {
            let mut book = live_at(70);
            let applied = book.apply(&linked(before, 75), &[], &[], Nanos::UNDEFINED);
            assert_eq!(applied, Applied::Changed, "{before}");
        }
        let mut book = live_at(70);
        let held = book.apply(&linked(60, 65), &[], &[], Nanos::UNDEFINED);
        assert_eq!(held, Applied::Held, "the snapshot has it");
    }

    #[test]
    fn numbers_that_fall_right_behind_a_snapshot_are_new_ones() {
        let second = |count: i64| Nanos(count * 1_000_000_000);
        let renumbered = Applied::Gap {
            reason: GapReason::Renumbered,
            missing: 0,
        };
        let in_order = |last| Depth {
            snapshot: Some(Splice::InOrder),
            ..whole(last)
        };
        // In the stream a snapshot is followed by the next change, whatever links the two.
        for change in [diff(61, 61), linked(60, 61)] {
            let mut book = Book::default();
            book.apply(&in_order(70), &[], &[], second(1));
            let copy = book.apply(&change, &[], &[], second(1));
            assert_eq!(copy, Applied::Stale);
            let applied = book.apply(&change, &[], &[], second(2));
            assert_eq!(applied, renumbered, "{change:?}");
        }
        // One beside it may be ahead of the changes, which rise up to it.
        let mut book = Book::default();
        book.apply(&linked(50, 60), &[], &[], second(1));
        book.apply(&whole(90), &[], &[], second(1));
        let caught_up = book.apply(&linked(60, 65), &[], &[], second(2));
        assert_eq!(caught_up, Applied::Held, "the snapshot has it");
        let fallen = book.apply(&linked(55, 58), &[], &[], second(3));
        assert_eq!(fallen, renumbered);
    }

    #[test]
    fn a_late_linked_change_does_not_end_the_wait_of_those_before() {
        let second = |count: i64| Nanos(count * 1_000_000_000);
        let mut book = Book::default();
        let mut take = |depth: &Depth, ts| book.apply(depth, &[level(ts, 1)], &[], second(ts));
        assert_eq!(take(&linked(50, 60), 2), Applied::Waiting);
        assert_eq!(take(&linked(60, 70), 3), Applied::Waiting);
        assert_eq!(take(&linked(40, 50), 1), Applied::Stale, "it is late");
        assert_eq!(take(&whole(50), 1), Applied::Spliced { dropped: 0 });
        assert_eq!(book.sequence(), 70, "and behind it those that waited");
        // Numbers that fall later are new ones, and wait.
        let mut book = Book::default();
        book.apply(&linked(50, 60), &[], &[], second(2));
        let fallen = book.apply(&linked(2, 3), &[], &[], second(3));
        assert_eq!(fallen, Applied::Waiting);
        let spliced = book.apply(&whole(2), &[], &[], second(3));
        assert_eq!(
            (spliced, book.sequence()),
            (Applied::Spliced { dropped: 0 }, 3)
        );
    }

    #[test]
    fn a_linked_change_that_waits_reaches_over_no_other() {
        let mut book = Book::default();
        for change in [linked(50, 60), linked(60, 70), linked(10, 80)] {
            book.apply(&change, &[], &[], Nanos::UNDEFINED);
        }
        book.apply(&linked(80, 90), &[], &[], Nanos::UNDEFINED);
        let applied = book.apply(&whole(55), &[], &[], Nanos::UNDEFINED);
        assert_eq!(
            applied,
            Applied::TooOld,
            "60 and 70 are not to be had any more"
        );
    }

    #[test]
    fn a_snapshot_far_above_the_changes_is_of_other_numbers() {
        let second = |count: i64| Nanos(count * 1_000_000_000);
        // The venue has begun anew while the snapshot was on its way.
        let mut book = Book::default();
        book.apply(&diff(901, 903), &[], &[], second(1));
        book.apply(&diff(301, 303), &[], &[], second(2));
        let late = book.apply(&whole(905), &[], &[], Nanos::UNDEFINED);
        assert_eq!(late, Applied::TooOld);
        assert!(book.wants_snapshot());
        let spliced = book.apply(&whole(302), &[], &[], Nanos::UNDEFINED);
        assert_eq!(spliced, Applied::Spliced { dropped: 0 });
        // Twice anew: one that is kept is of the numbers between.
        let kept = book.apply(&whole(200), &[], &[], Nanos::UNDEFINED);
        assert_eq!(kept, Applied::Stale);
        let anew = book.apply(&diff(51, 52), &[], &[], second(3));
        let renumbered = Applied::Gap {
            reason: GapReason::Renumbered,
            missing: 0,
        };
        assert_eq!(anew, renumbered);
    }

    #[test]
    fn a_book_is_cut_off_where_the_venue_names_no_end() {
        let mut book = Book::default();
        let begin = Depth {
            snapshot: Some(Splice::InOrder),
            keep: 2,
            ..Depth::default()
        };
        let (bids, asks) = ([level(99, 1), level(98, 1)], [level(101, 1)]);
        book.apply(&begin, &bids, &asks, Nanos::UNDEFINED);
        book.apply(&diff(0, 0), &[level(100, 1)], &[], Nanos::UNDEFINED);
        let kept: Vec<Level> = book.bids().collect();
        assert_eq!(kept, [level(100, 1), level(99, 1)]);
    }
}
