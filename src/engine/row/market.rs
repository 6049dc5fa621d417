//! The market of one instrument: its book, its best bid and offer, its time, and what an event changes.

use serde::{Deserialize, Serialize};

use super::behind::Behind;
use super::clock_lead::ClockLead;
use super::context::{Figures, FiguresRead, Sentiments};
use super::counts::EventCounts;
use super::effect::{Effect, SnapshotNeed};
use super::halt::Halt;
use super::heard::Heard;
use super::label_price::LabelPrice;
use super::quote_numbers::QuoteNumbers;
use super::suspicion::Suspicions;
use super::trade_numbers::{TradeNumber, TradeNumbers};
use crate::engine::book::{Applied, Book};
use crate::engine::feature::{FeaturePlan, FeatureState, Fired, Inputs, MarketUpdate, TopOfBook};
use crate::event::{Bar, Batch, Depth, GapReason, Sentiment, Splice, Trade};
use crate::signal::quality::Quality;
use crate::units::{Nanos, Price};

/// The market of one instrument.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MarketState {
    /// Latest event time; `i64::MIN` before the first.
    pub(crate) now: i64,
    /// When book or quote last had both sides.
    pub(super) quoted: i64,
    /// When the book last had both sides.
    pub(super) booked: i64,
    /// When its inputs were received last.
    pub(crate) heard: Heard,
    pub(super) trade_numbers: TradeNumbers,
    pub(super) quote_numbers: QuoteNumbers,
    /// Quotes that lie behind the last one.
    pub(super) quotes_behind: Behind,
    /// Changes of the book that lie behind the last one.
    depths_behind: Behind,
    pub(super) clock_lead: ClockLead,
    /// The last price traded.
    pub(crate) price: Price,
    /// The book's update number that `top` is the state of.
    pub(super) top_sequence: u64,
    pub(crate) top: Option<TopOfBook>,
    /// When `top` was set last.
    pub(super) topped: i64,
    /// The own time of what `top` was set by, and whether that was the book.
    pub(super) top_by: (i64, bool),
    /// Whether `top` is of before a gap.
    pub(super) top_broken: bool,
    /// When the last bar ended; `i64::MIN` before the first.
    bar: i64,
    /// When the last event came; `i64::MIN` before the first.
    pub(super) noted: i64,
    /// When the last event came that makes rows; `i64::MIN` before the first.
    pub(super) rowed: i64,
    /// When the last row was made; `i64::MIN` before the first.
    pub(super) completed: i64,
    /// Gaps in book and quotes, and silences, so far.
    pub(super) breaks: u64,
    /// Not saved: a label does not reach over a restart.
    #[serde(skip)]
    pub(crate) label_price: LabelPrice,
    /// Whether the trades used are aggregates: the kind that came first.
    pub(super) aggregate: Option<bool>,
    /// The worst that happened since the last row.
    pub(super) marked: Quality,
    /// A gap that must be passed to the features of the next event.
    pub(super) gap: Option<(Quality, Inputs)>,
    /// Whether ticks have found the instrument silent since its last event.
    pub(crate) silent: bool,
    pub(super) halt: Halt,
    /// Whether its changes have numbers.
    pub(super) book_is_numbered: bool,
    /// Whether the book has ever been whole.
    pub(super) book_known: bool,
    /// Whether the book lost updates since it was last whole.
    pub(super) book_broken: bool,
    /// When it was last told that the book is whole; `i64::MIN` before.
    told: i64,
    /// When an update of the book last showed that nothing was missing; `i64::MIN` before the first.
    pub(super) proved: i64,
    pub(crate) suspicions: Suspicions,
    figures: FiguresRead,
    sentiments: Sentiments,
    pub(super) book: Book,
}

impl Default for MarketState {
    fn default() -> Self {
        Self {
            now: i64::MIN,
            quoted: i64::MIN,
            booked: i64::MIN,
            heard: Heard::default(),
            trade_numbers: TradeNumbers::default(),
            quote_numbers: QuoteNumbers::default(),
            quotes_behind: Behind::default(),
            depths_behind: Behind::default(),
            clock_lead: ClockLead::default(),
            price: Price::UNDEFINED,
            top_sequence: 0,
            top: None,
            topped: i64::MIN,
            top_by: (i64::MIN, false),
            top_broken: false,
            bar: i64::MIN,
            noted: i64::MIN,
            rowed: i64::MIN,
            completed: i64::MIN,
            breaks: 0,
            label_price: LabelPrice::default(),
            aggregate: None,
            marked: Quality::Ok,
            gap: None,
            silent: false,
            halt: Halt::default(),
            book_is_numbered: false,
            book_known: false,
            book_broken: false,
            told: i64::MIN,
            proved: i64::MIN,
            suspicions: Suspicions::default(),
            figures: FiguresRead::default(),
            sentiments: Sentiments::default(),
            book: Book::default(),
        }
    }
}

impl MarketState {
    /// Reads from the cache lines that the next event needs.
    pub(crate) fn touch(&self) -> u64 {
        let flags = u64::from(self.silent) ^ u64::from(self.book_known);
        self.now as u64
            ^ self.trade_numbers.last()
            ^ self.top_sequence
            ^ flags
            ^ self.book.sequence()
    }

    /// Moves the time on; false before the first event with a time. Messages without a venue time happen at
    /// the latest time known, so that no feature depends on our own clock.
    pub(crate) fn pass_time(&mut self, ts: Nanos, counts: &mut EventCounts) -> bool {
        if ts != Nanos::UNDEFINED {
            counts.backwards += u64::from(ts.0 < self.now);
            self.now = self.now.max(ts.0);
        }
        self.now != i64::MIN
    }

    /// Takes a trade; `ts` is its own time, or undefined.
    pub(crate) fn trade<'a>(
        &mut self,
        trade: &'a Trade,
        ts: Nanos,
        received: Nanos,
        counts: &mut EventCounts,
    ) -> Effect<'a> {
        // A feed may send trades both singly and in aggregate: the kind that came first is used.
        let same_kind = *self.aggregate.get_or_insert(trade.aggregate) == trade.aggregate;
        let before = self.trade_numbers.ts();
        let number = match same_kind {
            true => self.trade_numbers.take(trade, ts, received),
            false => TradeNumber::Copy,
        };
        if !self.follow_number(number, before, counts) {
            return Effect::default();
        }
        counts.trades += 1;
        self.end_gap_by_trade();
        self.halt.note_trade();
        self.price = trade.price;
        self.label_price.set(self.now);
        Effect {
            trade: Some(trade),
            ..Effect::default()
        }
    }

    /// Applies a book change or a snapshot, with its own time or none; also returns when the book needs a new
    /// snapshot, if it does.
    pub(crate) fn depth(
        &mut self,
        batch: &Batch,
        depth: &Depth,
        ts: Nanos,
        received: Nanos,
        counts: &mut EventCounts,
    ) -> (Effect<'static>, Option<SnapshotNeed>) {
        let (bids, asks) = batch.levels(depth);
        if depth.snapshot == Some(Splice::InOrder) && !depth.overlaps {
            // The venue begins its numbers anew; the book is not behind the last quote.
            self.forget_quote_numbers();
        }
        self.book_is_numbered = depth.last > 0;
        let (was_live, sequence) = (self.book.is_live(), self.book.sequence());
        let applied = self.book.apply(depth, bids, asks, ts);
        if matches!(applied, Applied::Spliced { .. }) && self.book.sequence() < sequence {
            self.forget_quote_numbers();
        }
        // Whoever asked for a snapshot of a book that is whole is told too; a feed of whole books tells
        // seldom.
        let is_told = depth.overlaps
            || depth.snapshot == Some(Splice::ByNumber)
            || self.now.saturating_sub(self.told) >= TOLD_EVERY_NS;
        let is_repaired = self.book.is_live() && (!was_live || depth.snapshot.is_some() && is_told);
        if is_repaired {
            self.told = self.now;
        }
        let met = is_repaired.then_some(SnapshotNeed::Met);
        if applied != Applied::Stale {
            self.depths_behind.end();
        }
        match applied {
            Applied::Changed | Applied::Spliced { .. } => {
                counts.depths += 1;
                (self.book_changed(ts, counts), met)
            }
            Applied::Renumbered => {
                counts.depths += 1;
                counts.gaps += 1;
                counts.renumbered += 1;
                self.doubt_book(GapReason::Renumbered, 0);
                self.break_book();
                (self.book_changed(ts, counts), met)
            }
            Applied::Waiting => {
                counts.waited += 1;
                counts.crowded_out += self.book.take_crowded_out();
                (Effect::default(), None)
            }
            // So many copies are none: the venue's numbers and its clock have gone back.
            Applied::Stale
                if depth.snapshot != Some(Splice::ByNumber)
                    && self.depths_behind.is_sustained(depth.last, received) =>
            {
                counts.gaps += 1;
                counts.renumbered += 1;
                self.doubt_book(GapReason::Renumbered, 0);
                self.book.freeze();
                self.break_book();
                (Effect::default(), Some(SnapshotNeed::Now))
            }
            Applied::Stale | Applied::Held => {
                counts.stale += 1;
                (Effect::default(), met)
            }
            Applied::TooOld => {
                counts.old_snapshots += 1;
                self.break_book();
                (Effect::default(), Some(SnapshotNeed::Later))
            }
            Applied::Unchanged => {
                self.note_book();
                (Effect::default(), None)
            }
            Applied::Gap { reason, missing } => {
                counts.gaps += 1;
                counts.miss(missing);
                counts.renumbered += u64::from(reason == GapReason::Renumbered);
                self.doubt_book(reason, missing);
                self.break_book();
                (Effect::default(), Some(SnapshotNeed::Now))
            }
        }
    }

    fn book_changed(&mut self, ts: Nanos, counts: &mut EventCounts) -> Effect<'static> {
        self.book_known = true;
        if std::mem::take(&mut self.book_broken) {
            // The gap ends here, not where it was found.
            self.note_gap(Quality::Gap, Inputs::QUOTES);
        }
        self.note_book();
        self.quotes_behind.end();
        self.suspicions.end_market(self.latest());
        counts.crossed += u64::from(self.book.is_crossed());
        // A quote may be ahead of the book: Binance sends quotes at once and the book every 100 ms.
        // Where their numbers cannot be compared, their times are.
        let sequence = self.book.sequence();
        let top_set = match sequence == 0 || self.top_sequence == 0 {
            true => self.top_broken || ts == Nanos::UNDEFINED || ts.0 >= self.top_by.0,
            false => sequence >= self.top_sequence,
        };
        if top_set {
            self.top_sequence = sequence;
            self.set_top(TopOfBook::of_book(&self.book), ts, true);
        }
        Effect {
            top_set,
            book_set: true,
            ..Effect::default()
        }
    }

    /// The book is as it should be now.
    fn note_book(&mut self) {
        self.proved = self.now;
        if self.book.best_bid().is_some() && self.book.best_ask().is_some() {
            (self.quoted, self.booked) = (self.now, self.now);
        }
    }

    pub(crate) fn bar<'a>(&mut self, bar: &'a Bar, counts: &mut EventCounts) -> Effect<'a> {
        if self.now <= self.bar {
            counts.duplicates += 1;
            return Effect::default();
        }
        counts.bars += 1;
        self.end_gap_by_trade();
        self.bar = self.now;
        self.price = bar.close;
        self.label_price.set(self.now);
        Effect {
            bar: Some(bar),
            ..Effect::default()
        }
    }

    /// Queues an average of sentiment until its time; false where it came too late.
    pub(crate) fn add_sentiment(&mut self, ts: i64, sentiment: Sentiment) -> bool {
        self.sentiments.add(ts, sentiment)
    }

    /// Takes the figures and the sentiment up to the time of the event that comes now; `before` is the time
    /// of the event before it. Those of later times wait, whenever they arrived. Returns how many figures
    /// came too late.
    pub(crate) fn read_context(
        &mut self,
        plan: &FeaturePlan,
        features: &mut FeatureState,
        figures: &Figures,
        before: i64,
        fired: &mut Fired,
    ) -> u64 {
        if self.now == i64::MIN {
            return 0;
        }
        let (top, book) = (self.top, &self.book);
        let stale = figures.since(&mut self.figures, self.now, |figure| {
            let update = MarketUpdate {
                now: figure.ts.max(before),
                trade: None,
                top,
                top_set: false,
                book,
                book_set: false,
                bar: None,
                figure: Some((figure.figure, figure.value)),
            };
            features.apply(plan, &update, fired);
        });
        if let Some(sentiment) = self.sentiments.until(self.now) {
            features.set_sentiment(sentiment);
        }
        stale
    }

    /// Whether changes of the book wait for a snapshot.
    pub(crate) fn waits_for_snapshot(&self) -> bool {
        self.book.wants_snapshot()
    }

    /// Hands the event's changes to the features.
    pub(crate) fn apply(
        &mut self,
        plan: &FeaturePlan,
        features: &mut FeatureState,
        effect: &Effect<'_>,
        fired: &mut Fired,
    ) {
        if let Some((quality, inputs)) = self.gap.take() {
            features.mark_gap(plan, quality, inputs, self.now);
        }
        let update = MarketUpdate {
            now: self.now,
            trade: effect.trade,
            top: self.top,
            top_set: effect.top_set,
            book: &self.book,
            book_set: effect.book_set,
            bar: effect.bar,
            figure: None,
        };
        features.apply(plan, &update, fired);
    }
}

/// The shortest time between two reports that a book is whole which has been so all the while.
const TOLD_EVERY_NS: i64 = 1_000_000_000;
