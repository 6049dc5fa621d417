//! Events in, rows out: the state of each instrument up to its features.
//!
//! Keeps the book, the best bid and offer, and the time of each instrument, and says how far a row can
//! be trusted. Depends on the events alone: no clock, no I/O, no order between instruments.

use std::ops::AddAssign;
use std::sync::Arc;

use serde::Serialize;

use crate::book::{Applied, Book};
use crate::event::{Batch, Body, Depth, Event, Gap, GapReason, Quote, Record, Trade};
use crate::feature::{Change, Features, Plan, Top};
use crate::instrument::InstrumentId;
use crate::period::Taken;
use crate::signal::Quality;
use crate::units::{Nanos, Price};

/// When a row is made, and when its inputs count as old.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The kind of event that makes a row.
    pub on: Trigger,
    /// Age of book and quote, in nanoseconds, from which on a row is `stale`.
    pub stale_after: i64,
}

/// The kind of event that makes a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// Each trade.
    Trade,
    /// Each quote.
    Quote,
    /// Each change of the book, as the venue tells it (Binance: every 100 ms).
    Book,
    /// Each record: an application or a statement.
    Record,
}

/// A row's place; its numbers lie in the buffer handed in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RowAt {
    /// Whose row.
    pub instrument: InstrumentId,
    /// Its event's time.
    pub ts_event: Nanos,
    /// How far its inputs can be trusted.
    pub quality: Quality,
    /// The middle of bid and ask then, where both are known.
    pub mid: Option<f64>,
    /// The last price traded, where one is known.
    pub price: Price,
    /// The period that a statement describes.
    pub period: Option<i64>,
}

/// What became of the events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Trades taken.
    pub trades: u64,
    /// Quotes taken.
    pub quotes: u64,
    /// Depth events taken.
    pub depths: u64,
    /// Rows made.
    pub rows: u64,
    /// Events that would have made a row, but a feature had no value yet.
    pub incomplete_rows: u64,
    /// Gaps found or told.
    pub gaps: u64,
    /// Messages known to be missing.
    pub missing: u64,
    /// Trades told twice, and trades told both singly and in aggregate: passed over.
    pub duplicates: u64,
    /// Book updates and quotes older than what is known: passed over.
    pub stale: u64,
    /// Diffs held back until their snapshot came.
    pub waited: u64,
    /// Events whose time lay before that of the event before; they count at the later time.
    pub backwards: u64,
    /// Book changes that left the book crossed.
    pub crossed: u64,
    /// Applications and statements taken.
    pub records: u64,
    /// Fields of them that were missing: the model's graph imputes them.
    pub missing_fields: u64,
    /// Fields of them that the pipeline does not know: passed over.
    pub unknown_fields: u64,
    /// Statements that told a period otherwise than before.
    pub restated: u64,
}

impl AddAssign<&Self> for Counts {
    fn add_assign(&mut self, other: &Self) {
        self.trades += other.trades;
        self.quotes += other.quotes;
        self.depths += other.depths;
        self.rows += other.rows;
        self.incomplete_rows += other.incomplete_rows;
        self.gaps += other.gaps;
        self.missing += other.missing;
        self.duplicates += other.duplicates;
        self.stale += other.stale;
        self.waited += other.waited;
        self.backwards += other.backwards;
        self.crossed += other.crossed;
        self.records += other.records;
        self.missing_fields += other.missing_fields;
        self.unknown_fields += other.unknown_fields;
        self.restated += other.restated;
    }
}

/// The state of all instruments of a shard.
#[derive(Debug)]
pub struct Rows {
    plan: Arc<Plan>,
    rules: Rules,
    keys: Vec<Option<Box<Key>>>,
    counts: Counts,
    wanted: Vec<InstrumentId>,
}

#[derive(Debug)]
struct Key {
    features: Features,
    book: Book,
    book_known: bool,
    top: Option<Top>,
    top_sequence: u64,
    /// Latest event time; `i64::MIN` before the first.
    now: i64,
    /// When book or quote was last told.
    told: i64,
    trade_id: u64,
    price: Price,
    aggregate: Option<bool>,
    /// What happened since the last row.
    marked: Quality,
    received: Nanos,
    silent: bool,
}

/// What an event did to its key.
#[derive(Clone, Copy, Default)]
struct Effect<'a> {
    trade: Option<&'a Trade>,
    top_set: bool,
    book_set: bool,
}

impl Rows {
    /// No instruments yet.
    #[must_use]
    pub fn new(plan: Arc<Plan>, rules: Rules) -> Self {
        Self {
            plan,
            rules,
            keys: vec![],
            counts: Counts::default(),
            wanted: vec![],
        }
    }

    /// Takes one event of the batch; where it makes a row, writes that to `row` (one cell a column).
    pub fn apply(&mut self, batch: &Batch, event: &Event, row: &mut [f64]) -> Option<RowAt> {
        if event.instrument == InstrumentId::ALL {
            if let Body::Gap(gap) = event.body {
                self.gap_everywhere(gap);
            }
            return None;
        }
        if let Body::Record(record) = &event.body {
            return Some(self.record(batch, event, record, row));
        }
        let key = key(&mut self.keys, &self.plan, event.instrument);
        key.received = batch.origins[event.frame as usize].ts_recv;
        key.silent = false;
        let timed = key.pass_time(event, &mut self.counts);
        let effect = match &event.body {
            Body::Trade(trade) => key.trade(trade, &mut self.counts),
            Body::Quote(quote) => key.quote(quote, &mut self.counts),
            Body::Depth(depth) => {
                let (effect, broken) = key.depth(batch, depth, &mut self.counts);
                if broken {
                    self.wanted.push(event.instrument);
                }
                effect
            }
            Body::Gap(gap) => {
                key.gap(*gap, &mut self.counts);
                Effect::default()
            }
            Body::Record(_) | Body::Tick => Effect::default(),
        };
        if !timed || !effect.any() {
            return None;
        }
        key.apply(&self.plan, &effect);
        if !effect.triggers(self.rules.on, &event.body) {
            return None;
        }
        if !key.features.row(&self.plan, key.now, row) {
            self.counts.incomplete_rows += 1;
            return None;
        }
        self.counts.rows += 1;
        let quality = key.quality(&self.plan, &self.rules);
        key.marked = Quality::Ok;
        let mid = key.top.map(|top| top.mid());
        Some(RowAt {
            instrument: event.instrument,
            ts_event: Nanos(key.now),
            quality,
            mid,
            price: key.price,
            period: None,
        })
    }

    /// A record is a row as it is.
    fn record(&mut self, batch: &Batch, event: &Event, record: &Record, row: &mut [f64]) -> RowAt {
        let values = batch.values(record);
        row.copy_from_slice(values);
        self.counts.records += 1;
        self.counts.rows += 1;
        self.counts.missing_fields += values.iter().filter(|value| value.is_nan()).count() as u64;
        self.counts.unknown_fields += u64::from(record.unknown);
        RowAt {
            instrument: event.instrument,
            ts_event: event.ts_event,
            quality: Quality::Ok,
            mid: None,
            price: Price::UNDEFINED,
            period: record.period,
        }
    }

    /// Counts what became of a statement.
    pub fn note(&mut self, taken: Taken) {
        match taken {
            Taken::New => {}
            Taken::Restated => self.counts.restated += 1,
            Taken::Again => self.counts.duplicates += 1,
            Taken::TooOld => self.counts.stale += 1,
        }
    }

    /// Counts a row that no window could be made of yet, and a time that went backwards.
    pub fn note_window(&mut self, incomplete: bool, backwards: bool) {
        self.counts.incomplete_rows += u64::from(incomplete);
        self.counts.backwards += u64::from(backwards);
    }

    /// Names the instruments that have just fallen silent at this tick of the clock.
    pub fn tick(&mut self, ts: Nanos, silent: &mut Vec<InstrumentId>) {
        for (at, key) in self.keys.iter_mut().enumerate() {
            let Some(key) = key else { continue };
            let heard = key.received != Nanos::UNDEFINED;
            if heard && !key.silent && ts.since(key.received) > self.rules.stale_after {
                key.silent = true;
                silent.push(InstrumentId(at as u32));
            }
        }
    }

    /// The time of an instrument, and the middle of its bid and ask then, once it has had an event with
    /// a time.
    #[must_use]
    pub fn told(&self, instrument: InstrumentId) -> Option<(Nanos, Option<f64>)> {
        let key = self.keys.get(instrument.index())?.as_ref()?;
        (key.now != i64::MIN).then(|| (Nanos(key.now), key.top.map(|top| top.mid())))
    }

    /// The instruments whose book broke and waits for a new snapshot; each named once.
    pub fn take_wanted(&mut self, wanted: &mut Vec<InstrumentId>) {
        wanted.append(&mut self.wanted);
    }

    /// What became of the events so far.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// The features.
    #[must_use]
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    fn gap_everywhere(&mut self, gap: Gap) {
        self.counts.gaps += 1;
        self.counts.missing += gap.missing;
        for key in self.keys.iter_mut().flatten() {
            key.break_by(gap.reason);
        }
    }
}

impl Effect<'_> {
    fn any(&self) -> bool {
        self.trade.is_some() || self.top_set || self.book_set
    }

    fn triggers(&self, on: Trigger, body: &Body) -> bool {
        match on {
            Trigger::Trade => self.trade.is_some(),
            Trigger::Quote => self.top_set && matches!(body, Body::Quote(_)),
            Trigger::Book => self.book_set,
            Trigger::Record => false,
        }
    }
}

fn key<'k>(
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
        }
    }

    /// Moves the key's time on; false while no event has told the time yet. Messages without a venue
    /// time happen at the time known last, so that no feature depends on our own clock.
    fn pass_time(&mut self, event: &Event, counts: &mut Counts) -> bool {
        if event.ts_event != Nanos::UNDEFINED {
            counts.backwards += u64::from(event.ts_event.0 < self.now);
            self.now = self.now.max(event.ts_event.0);
        }
        self.now != i64::MIN
    }

    fn trade<'a>(&mut self, trade: &'a Trade, counts: &mut Counts) -> Effect<'a> {
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

    fn quote(&mut self, quote: &Quote, counts: &mut Counts) -> Effect<'static> {
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
    fn depth(
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

    fn book_told(&mut self, counts: &mut Counts) -> Effect<'static> {
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
            trade: None,
        }
    }

    fn gap(&mut self, gap: Gap, counts: &mut Counts) {
        counts.gaps += 1;
        counts.missing += gap.missing;
        self.break_by(gap.reason);
    }

    fn break_by(&mut self, reason: GapReason) {
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

    fn apply(&mut self, plan: &Plan, effect: &Effect<'_>) {
        let change = Change {
            now: self.now,
            trade: effect.trade,
            top: self.top,
            top_set: effect.top_set,
            book: &self.book,
            book_set: effect.book_set,
        };
        self.features.apply(plan, &change);
    }

    fn quality(&mut self, plan: &Plan, rules: &Rules) -> Quality {
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
