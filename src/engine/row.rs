//! Events in, rows out: the state of each instrument up to its features.
//!
//! Keeps the book, the best bid and offer, and the time of each instrument, and says how far a row can
//! be trusted. Depends on the events alone: no clock, no I/O, no order between instruments.

mod context;
mod counts;
mod market;

use std::sync::Arc;

use self::context::Figures;
pub use self::counts::Counts;
use self::market::{Effect, Key, key};
use super::feature::Plan;
use super::period::Taken;
use crate::event::{Batch, Body, Event, Gap, Record};
use crate::instrument::InstrumentId;
use crate::signal::quality::Quality;
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
    /// Each bar.
    Bar,
    /// Each record: an application, a statement or a headline.
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
    /// The item that a headline is of.
    pub item: Option<u64>,
}

impl RowAt {
    /// A row that is about no market, period or item.
    #[must_use]
    pub fn bare(instrument: InstrumentId, ts_event: Nanos, quality: Quality) -> Self {
        Self {
            instrument,
            ts_event,
            quality,
            mid: None,
            price: Price::UNDEFINED,
            period: None,
            item: None,
        }
    }
}

/// The state of all instruments of a shard.
#[derive(Debug)]
pub struct Rows {
    plan: Arc<Plan>,
    rules: Rules,
    keys: Vec<Option<Box<Key>>>,
    figures: Figures,
    counts: Counts,
    wanted: Vec<InstrumentId>,
}

impl Rows {
    /// No instruments yet.
    #[must_use]
    pub fn new(plan: Arc<Plan>, rules: Rules) -> Self {
        Self {
            plan,
            rules,
            keys: vec![],
            figures: Figures::default(),
            counts: Counts::default(),
            wanted: vec![],
        }
    }

    /// Takes one event of the batch; where it makes a row, writes that to `row` (one cell a column).
    pub fn apply(&mut self, batch: &Batch, event: &Event, row: &mut [f64]) -> Option<RowAt> {
        if event.instrument == InstrumentId::ALL {
            match event.body {
                Body::Gap(gap) => self.gap_everywhere(gap),
                Body::Figure(figure) => {
                    self.counts.figures += 1;
                    self.figures.take(event.ts_event.0, figure);
                }
                _ => {}
            }
            return None;
        }
        if let Body::Record(record) = &event.body {
            return Some(self.record(batch, event, record, row));
        }
        if let Body::Withdrawn(_) = event.body {
            self.counts.restated += 1;
            return None;
        }
        let key = key(&mut self.keys, &self.plan, event.instrument);
        if let Body::Sentiment(sentiment) = event.body {
            let taken = key.sentiments.take(event.ts_event.0, sentiment);
            self.counts.sentiments += u64::from(taken);
            self.counts.stale += u64::from(!taken);
            return None;
        }
        key.received = batch.origins[event.frame as usize].ts_recv;
        key.silent = false;
        let before = key.now;
        let timed = key.pass_time(event, &mut self.counts);
        self.counts.stale += key.learn(&self.plan, &self.figures, before);
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
            Body::Bar(bar) => key.bar(bar, &mut self.counts),
            Body::Record(_)
            | Body::Withdrawn(_)
            | Body::Figure(_)
            | Body::Sentiment(_)
            | Body::Tick => Effect::default(),
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
            item: None,
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
        self.counts.restated += u64::from(record.revised);
        let quality = if record.degraded {
            Quality::Degraded
        } else {
            Quality::Ok
        };
        RowAt {
            period: record.period,
            item: record.item,
            ..RowAt::bare(event.instrument, event.ts_event, quality)
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
