//! Events in, rows out: the part of the engine before the model, for all instruments of a shard.

use std::sync::Arc;

use super::book_repairs::BookRepairs;
use super::cache;
use super::feature::{FeaturePlan, Fired};
use super::gap_log::GapLog;
use super::market_row::MarketRows;
use super::past::RowState;
use super::period::PeriodChange;
use super::row::{EventCounts, Figures, GapRecord, Row, RowRules, SnapshotNeed};
use super::saved::StatesToSave;
use super::state::{EngineState, InstrumentState, InstrumentStates};
use crate::event::{Batch, Body, Event, Gap, Record};
use crate::frame::Origin;
use crate::instrument::InstrumentId;
use crate::label::LabelPoint;
use crate::signal::quality::Quality;
use crate::units::Nanos;

/// Makes rows of events.
#[derive(Debug)]
pub struct RowMaker {
    plan: Arc<FeaturePlan>,
    rules: RowRules,
    state: EngineState,
    counts: EventCounts,
    repairs: BookRepairs,
    gaps: GapLog,
    /// When the last frame was received.
    received: Nanos,
    fired: Fired,
}

impl RowMaker {
    /// A maker without instruments.
    #[must_use]
    pub fn new(plan: Arc<FeaturePlan>, rules: RowRules) -> Self {
        Self {
            plan,
            rules,
            state: EngineState::default(),
            counts: EventCounts::default(),
            repairs: BookRepairs::default(),
            gaps: GapLog::default(),
            received: Nanos::UNDEFINED,
            fired: Fired::default(),
        }
    }

    /// Takes one event of the batch; where it makes a row, writes that to `row` (one cell a column).
    pub fn apply(&mut self, batch: &Batch, event: &Event, row: &mut [f64]) -> Option<Row> {
        self.received = batch.origins[event.frame as usize].ts_recv;
        if event.instrument == InstrumentId::ALL {
            self.apply_to_all(batch, event);
            return None;
        }
        match &event.body {
            Body::Record(record) => Some(self.record(batch, event, record, row)),
            Body::Withdrawn(_) => {
                self.counts.restated += 1;
                None
            }
            Body::FeedGap(gap) => {
                self.count_gap(*gap);
                let origin = batch.origins[event.frame as usize];
                self.feed_gap(event.instrument, *gap, origin, true);
                None
            }
            Body::Tick => None,
            Body::Sentiment(sentiment) => {
                let state = self
                    .state
                    .instruments
                    .state_or_new(event.instrument, &self.plan);
                let added = state.market.add_sentiment(event.ts_event.0, *sentiment);
                self.counts.sentiments += u64::from(added);
                self.counts.stale += u64::from(!added);
                None
            }
            _ => self.market(batch, event, row),
        }
    }

    /// Loads what these events, which come next, will need of their instruments into the caches.
    pub(super) fn load_into_cache(&self, events: &[Event]) {
        cache::load(&self.state.instruments, events);
    }

    /// Takes an event of an instrument's market.
    fn market(&mut self, batch: &Batch, event: &Event, row: &mut [f64]) -> Option<Row> {
        let Self {
            plan,
            rules,
            state,
            counts,
            fired,
            gaps,
            ..
        } = self;
        let EngineState {
            instruments,
            figures,
        } = state;
        let InstrumentState {
            market, features, ..
        } = instruments.state_or_new(event.instrument, plan);
        let origin = batch.origins[event.frame as usize];
        let mut rows = MarketRows {
            plan,
            rules,
            figures,
            counts,
            fired,
        };
        let (made, need) = rows.take(market, features, batch, event, row);
        gaps.take_from(market, event.instrument, origin, counts);
        match need {
            Some(SnapshotNeed::Now) => self.repairs.request(event.instrument),
            Some(SnapshotNeed::Later) => self.repairs.request_later(event.instrument),
            Some(SnapshotNeed::Met) => self.repairs.met(event.instrument),
            None => {}
        }
        made
    }

    /// Takes an event of an instrument's market once more, or at last in its place, from a state of its own.
    /// What `counts` is given is counted; no gap is told of, and no snapshot requested.
    pub(super) fn take_again(
        &mut self,
        state: &mut RowState,
        batch: &Batch,
        event: &Event,
        row: &mut [f64],
        counts: bool,
    ) -> Option<Row> {
        let mut uncounted = EventCounts::default();
        let mut rows = MarketRows {
            plan: &self.plan,
            rules: &self.rules,
            figures: &self.state.figures,
            counts: match counts {
                true => &mut self.counts,
                false => &mut uncounted,
            },
            fired: &mut self.fired,
        };
        let (made, _) = rows.take(&mut state.market, &mut state.features, batch, event, row);
        state.market.suspicions.take_changes().for_each(drop);
        made
    }

    /// A record is a row as it is.
    fn record(&mut self, batch: &Batch, event: &Event, record: &Record, row: &mut [f64]) -> Row {
        let values = batch.values(record);
        row.copy_from_slice(values);
        self.counts.records += 1;
        self.counts.rows += 1;
        self.counts.missing_fields += values.iter().filter(|value| value.is_nan()).count() as u64;
        self.counts.unknown_fields += u64::from(record.unknown);
        self.counts.restated += u64::from(record.revised);
        Row::of_record(event.instrument, event.ts_event, record)
    }

    /// Takes an event that concerns all instruments.
    fn apply_to_all(&mut self, batch: &Batch, event: &Event) {
        match event.body {
            Body::Gap(gap) => self.gap_everywhere(gap, batch.origins[event.frame as usize]),
            Body::Figure(figure) => {
                self.counts.figures += 1;
                self.state.figures.add(event.ts_event.0, figure);
            }
            _ => {}
        }
    }

    fn gap_everywhere(&mut self, gap: Gap, origin: Origin) {
        self.count_gap(gap);
        let is_copy = self.gaps.is_copy(gap.reason, origin.ts_recv);
        let ids: Vec<InstrumentId> = self.state.instruments.ids().collect();
        for instrument in ids {
            self.feed_gap(instrument, gap, origin, !is_copy);
        }
    }

    fn count_gap(&mut self, gap: Gap) {
        self.counts.gaps += 1;
        self.counts.miss(gap.missing);
    }

    /// Tells an instrument of a gap of the feed, if anything is held of it.
    fn feed_gap(&mut self, instrument: InstrumentId, gap: Gap, origin: Origin, is_new: bool) {
        let Some(state) = self.state.instruments.state_mut(instrument) else {
            return;
        };
        let market = &mut state.market;
        if is_new {
            market.doubt(gap);
            self.gaps
                .take_from(market, instrument, origin, &mut self.counts);
        }
        if market.break_by(gap.reason) {
            self.repairs.request(instrument);
        }
    }

    /// Appends the instruments an input of which has fallen silent, or whose book is not whole, as this tick
    /// of the clock is the first to find, and the quality that they have for it; requests snapshots again for
    /// books that wait. `of` is the instrument whose clock it is, or all.
    pub fn tick(&mut self, ts: Nanos, of: InstrumentId, silent: &mut Vec<(InstrumentId, Quality)>) {
        let all = self.state.instruments.iter_mut();
        let told = all.filter(|&(one, _)| of == InstrumentId::ALL || of == one);
        for (instrument, state) in told {
            let market = &mut state.market;
            let waits = market.waits_for_snapshot();
            self.repairs.tick(ts.0, instrument, waits);
            let heard = market.heard.oldest(&self.plan);
            if heard == Nanos::UNDEFINED || market.silent {
                continue;
            }
            let quality = match market.is_broken(&self.plan) {
                true => Quality::Gap,
                false if ts.since(heard) > self.rules.stale_after => Quality::Stale,
                false => continue,
            };
            market.silent = true;
            silent.push((instrument, quality));
        }
    }

    /// Instruments whose features need a book or a quote that is not there, or is of before a gap.
    pub fn waiting(&self) -> impl Iterator<Item = InstrumentId> {
        let instruments = &self.state.instruments;
        let is_waiting = |id: &InstrumentId| {
            let state = instruments.state(*id);
            state.is_some_and(|state| state.market.is_waiting(&self.plan))
        };
        instruments.ids().filter(is_waiting)
    }

    /// The event time up to which the events of all instruments have come, but for those that are late: the
    /// earliest of their latest times, less the lateness allowed. Instruments of which nothing was received
    /// for `idle` nanoseconds are left out. None where none is left.
    #[must_use]
    pub fn watermark(&self, idle: i64) -> Option<Nanos> {
        let markets = self.state.instruments.iter().map(|state| &state.market);
        let active = markets.filter(|market| market.is_active(self.received, idle));
        let earliest = active.map(|market| market.now).min()?;
        Some(Nanos(earliest.saturating_sub(self.rules.lateness)))
    }

    /// Counts what a statement changed.
    pub(super) fn count_period(&mut self, change: PeriodChange) {
        match change {
            PeriodChange::New => {}
            PeriodChange::Restated => self.counts.restated += 1,
            PeriodChange::Unchanged => self.counts.duplicates += 1,
            PeriodChange::TooOld => self.counts.stale += 1,
        }
    }

    /// Counts a row that no window could be made of yet, and a time that went backwards.
    pub(super) fn count_window(&mut self, incomplete: bool, backwards: bool) {
        self.counts.incomplete_rows += u64::from(incomplete);
        self.counts.backwards += u64::from(backwards);
    }

    /// What labels are made of, once an instrument has had an event with a time.
    #[must_use]
    pub fn label_point(&self, instrument: InstrumentId) -> Option<LabelPoint> {
        let market = &self.state.instruments.state(instrument)?.market;
        (market.now != i64::MIN).then(|| LabelPoint {
            now: Nanos(market.now),
            mid: market.label_mid(self.rules.max_gap),
            price: market
                .label_price
                .price(market.price, market.now, self.rules.max_gap),
            breaks: market.breaks(),
            trade_breaks: market.label_price.breaks(),
        })
    }

    /// Appends the instruments whose book needs a new snapshot now. A book that still waits is appended
    /// again at later ticks.
    pub fn take_snapshot_requests(&mut self, requests: &mut Vec<InstrumentId>) {
        self.repairs.take(requests);
    }

    /// Appends the instruments whose book has become whole, or has got a snapshot that it did not need.
    pub fn take_whole_books(&mut self, whole: &mut Vec<InstrumentId>) {
        self.repairs.take_met(whole);
    }

    /// Appends the gaps that were found and that have ended since the last call, in the order of their
    /// events.
    pub fn take_gaps(&mut self, gaps: &mut Vec<GapRecord>) {
        self.gaps.take(gaps);
    }

    /// Counters of the events so far.
    #[must_use]
    pub fn counts(&self) -> &EventCounts {
        &self.counts
    }

    /// The same, to count what the engine does beyond rows.
    pub(super) fn counts_mut(&mut self) -> &mut EventCounts {
        &mut self.counts
    }

    /// The features.
    #[must_use]
    pub fn plan(&self) -> &Arc<FeaturePlan> {
        &self.plan
    }

    /// All that the instruments hold.
    #[must_use]
    pub fn state(&self) -> &EngineState {
        &self.state
    }

    /// Goes on from a state.
    pub(super) fn restore(&mut self, state: EngineState) {
        self.state = state;
    }

    /// The states of these instruments that have one, to be saved.
    pub(super) fn states<'a>(
        &'a self,
        instruments: &[(InstrumentId, &'a str)],
        figures: bool,
    ) -> StatesToSave<'a> {
        let held =
            |&(id, name): &(InstrumentId, &'a str)| Some((name, self.state.instruments.state(id)?));
        StatesToSave {
            instruments: instruments.iter().filter_map(held).collect(),
            figures: figures.then_some(&self.state.figures),
            items: None,
        }
    }

    /// The shared figures go on from a state.
    pub(super) fn restore_figures(&mut self, figures: Figures) {
        self.state.figures = figures;
    }

    /// An instrument goes on from a state that was saved. A book that waits needs its snapshot from us now.
    pub(super) fn adopt(&mut self, instrument: InstrumentId, state: Box<InstrumentState>) {
        if state.market.waits_for_snapshot() {
            self.repairs.request(instrument);
        }
        self.state.instruments.adopt(instrument, state);
    }

    /// Forgets an instrument.
    pub(super) fn evict(&mut self, instrument: InstrumentId) {
        self.repairs.met(instrument);
        self.state.instruments.evict(instrument);
    }

    pub(super) fn instruments_mut(&mut self) -> &mut InstrumentStates {
        &mut self.state.instruments
    }

    /// The state of an instrument, made if it has none yet.
    pub(super) fn instrument(&mut self, instrument: InstrumentId) -> &mut InstrumentState {
        self.state.instruments.state_or_new(instrument, &self.plan)
    }
}
