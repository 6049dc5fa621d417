//! One instrument: its book, its best bid and offer, its time, and what an event does to them.

use super::context::{Figures, Place, Sentiments};
use super::{Counts, Rules, Trigger};
use crate::engine::book::{Applied, Book};
use crate::engine::feature::{Change, Features, Plan, Top};
use crate::event::{Bar, Batch, Body, Depth, Event, Gap, GapReason, Quote, Trade};
use crate::instrument::InstrumentId;
use crate::signal::quality::Quality;
use crate::units::{Nanos, Price};

#[derive(Debug)]
pub(super) struct Key {
    pub(super) features: Features,
    book: Book,
    book_known: bool,
    pub(super) top: Option<Top>,
    top_sequence: u64,
    /// Latest event time; `i64::MIN` before the first.
    pub(super) now: i64,
    /// When book or quote was last told.
    told: i64,
    trade_id: u64,
    pub(super) price: Price,
    aggregate: Option<bool>,
    /// What happened since the last row.
    pub(super) marked: Quality,
    pub(super) received: Nanos,
    pub(super) silent: bool,
    /// When the last bar ended; `i64::MIN` before the first.
    bar: i64,
    /// How far it has come in the figures.
    pub(super) figures: Place,
    pub(super) sentiments: Sentiments,
}

/// What an event did to its key.
#[derive(Clone, Copy, Default)]
pub(super) struct Effect<'a> {
    trade: Option<&'a Trade>,
    top_set: bool,
    book_set: bool,
    bar: Option<&'a Bar>,
}

impl Effect<'_> {
    pub(super) fn any(&self) -> bool {
        self.trade.is_some() || self.top_set || self.book_set || self.bar.is_some()
    }

    pub(super) fn triggers(&self, on: Trigger, body: &Body) -> bool {
        match on {
            Trigger::Trade => self.trade.is_some(),
            Trigger::Quote => self.top_set && matches!(body, Body::Quote(_)),
            Trigger::Book => self.book_set,
            Trigger::Bar => self.bar.is_some(),
            Trigger::Record => false,
        }
    }
}

pub(super) fn key<'k>(
    keys: &'k mut Vec<Option<Box<Key>>>,
    plan: &Plan,
    instrument: InstrumentId,
) -> &'k mut Key {
    let at = instrument.index();
    if at >= keys.len() {
        keys.resize_with(at + 1, || None);
    }
    keys[at].get_or_insert_with(|| Box::new(Key::new(plan)))
}

impl Key {
    fn new(plan: &Plan) -> Self {
        Self {
            features: Features::new(plan),
            book: Book::default(),
            book_known: false,
            top: None,
            top_sequence: 0,
            now: i64::MIN,
            told: i64::MIN,
            trade_id: 0,
            price: Price::UNDEFINED,
            aggregate: None,
            marked: Quality::Ok,
            received: Nanos::UNDEFINED,
            silent: false,
            bar: i64::MIN,
            figures: Place::default(),
            sentiments: Sentiments::default(),
        }
    }

    /// Moves the key's time on; false while no event has told the time yet. Messages without a venue
    /// time happen at the time known last, so that no feature depends on our own clock.
    pub(super) fn pass_time(&mut self, event: &Event, counts: &mut Counts) -> bool {
        if event.ts_event != Nanos::UNDEFINED {
            counts.backwards += u64::from(event.ts_event.0 < self.now);
            self.now = self.now.max(event.ts_event.0);
        }
        self.now != i64::MIN
    }

    pub(super) fn trade<'a>(&mut self, trade: &'a Trade, counts: &mut Counts) -> Effect<'a> {
        // Whichever of single and aggregate trades comes first is taken; the other says it again.
        let known = *self.aggregate.get_or_insert(trade.aggregate) == trade.aggregate;
        let numbered = trade.trade_id > 0 && self.trade_id > 0;
        if !known || (numbered && trade.trade_id <= self.trade_id) {
            counts.duplicates += 1;
            return Effect::default();
        }
        if numbered && trade.trade_id > self.trade_id + 1 {
            counts.gaps += 1;
            counts.missing += trade.trade_id - self.trade_id - 1;
            self.marked = self.marked.max(Quality::Gap);
        }
        counts.trades += 1;
        self.trade_id = trade.trade_id;
        self.price = trade.price;
        Effect {
            trade: Some(trade),
            ..Effect::default()
        }
    }

    pub(super) fn quote(&mut self, quote: &Quote, counts: &mut Counts) -> Effect<'static> {
        if quote.sequence > 0 && quote.sequence < self.top_sequence {
            counts.stale += 1;
            return Effect::default();
        }
        counts.quotes += 1;
        self.top_sequence = quote.sequence;
        self.top = Top::of_quote(quote);
        self.told = self.now;
        Effect {
            top_set: self.top.is_some(),
            ..Effect::default()
        }
    }

    /// Also says whether the book has just found that it needs a new snapshot.
    pub(super) fn depth(
        &mut self,
        batch: &Batch,
        depth: &Depth,
        counts: &mut Counts,
    ) -> (Effect<'static>, bool) {
        let (bids, asks) = batch.levels(depth);
        match self.book.apply(depth, bids, asks) {
            Applied::Changed | Applied::Spliced { .. } => {
                counts.depths += 1;
                (self.book_told(counts), false)
            }
            Applied::Waiting => {
                counts.waited += 1;
                (Effect::default(), false)
            }
            Applied::Stale => {
                counts.stale += 1;
                (Effect::default(), false)
            }
            Applied::TooOld => {
                self.marked = self.marked.max(Quality::Gap);
                (Effect::default(), true)
            }
            Applied::Gap { missing } => {
                counts.gaps += 1;
                counts.missing += missing;
                self.marked = self.marked.max(Quality::Gap);
                (Effect::default(), true)
            }
        }
    }

    pub(super) fn book_told(&mut self, counts: &mut Counts) -> Effect<'static> {
        self.book_known = true;
        self.told = self.now;
        counts.crossed += u64::from(self.book.is_crossed());
        // A quote may be ahead of the book: Binance tells quotes at once and the book every 100 ms.
        let sequence = self.book.sequence();
        let top_set = sequence >= self.top_sequence;
        if top_set {
            self.top_sequence = sequence;
            self.top = Top::of_book(&self.book);
        }
        Effect {
            top_set: top_set && self.top.is_some(),
            book_set: true,
            ..Effect::default()
        }
    }

    pub(super) fn bar<'a>(&mut self, bar: &'a Bar, counts: &mut Counts) -> Effect<'a> {
        if self.now <= self.bar {
            counts.duplicates += 1;
            return Effect::default();
        }
        counts.bars += 1;
        self.bar = self.now;
        self.price = bar.close;
        Effect {
            bar: Some(bar),
            ..Effect::default()
        }
    }

    /// Takes figures and sentiment up to the time of the event that comes now; `before` is that of the one
    /// before. What is of later times waits, whenever it arrived. Says how many figures came too late.
    pub(super) fn learn(&mut self, plan: &Plan, figures: &Figures, before: i64) -> u64 {
        if self.now == i64::MIN {
            return 0;
        }
        let (features, top, book) = (&mut self.features, self.top, &self.book);
        let stale = figures.since(&mut self.figures, self.now, |told| {
            let change = Change {
                now: told.ts.max(before),
                trade: None,
                top,
                top_set: false,
                book,
                book_set: false,
                bar: None,
                figure: Some((told.figure, told.value)),
            };
            features.apply(plan, &change);
        });
        if let Some(told) = self.sentiments.until(self.now) {
            self.features.tell(told);
        }
        stale
    }

    pub(super) fn gap(&mut self, gap: Gap, counts: &mut Counts) {
        counts.gaps += 1;
        counts.missing += gap.missing;
        self.break_by(gap.reason);
    }

    pub(super) fn break_by(&mut self, reason: GapReason) {
        let quality = match reason {
            // The book finds out by its numbering what an overflow dropped.
            GapReason::Overflow => Quality::Degraded,
            GapReason::Sequence | GapReason::Reconnect => {
                self.book.freeze();
                Quality::Gap
            }
        };
        self.marked = self.marked.max(quality);
    }

    pub(super) fn apply(&mut self, plan: &Plan, effect: &Effect<'_>) {
        let change = Change {
            now: self.now,
            trade: effect.trade,
            top: self.top,
            top_set: effect.top_set,
            book: &self.book,
            book_set: effect.book_set,
            bar: effect.bar,
            figure: None,
        };
        self.features.apply(plan, &change);
    }

    pub(super) fn quality(&mut self, plan: &Plan, rules: &Rules) -> Quality {
        let mut quality = self.marked;
        if !self.features.is_warm(plan, self.now) {
            quality = quality.max(Quality::Warming);
        }
        let looks = plan.uses_book() || plan.uses_top();
        if looks && self.now.saturating_sub(self.told) > rules.stale_after {
            quality = quality.max(Quality::Stale);
        }
        if looks && self.book_known && self.book.is_crossed() {
            quality = quality.max(Quality::Crossed);
        }
        if plan.uses_book() && self.book_known && !self.book.is_live() {
            quality = Quality::Gap;
        }
        quality
    }
}
