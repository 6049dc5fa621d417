//! One pass over events and signals, in which many terms are tried side by side.

use super::equity::TradedSpan;
use super::lane::{Lane, WaitingInput};
use super::market::FillOn;
use super::rule::Decision;
use super::terms::{FillModel, Terms};
use super::trial::{Keep, Trial, TrialOutcome};
use crate::event::{Bar, Batch, Body, Event};
use crate::instrument::InstrumentId;
use crate::units::Nanos;

/// Terms that are tried on one input.
#[derive(Debug)]
pub struct Backtest {
    on: FillOn,
    lanes: Vec<Lane>,
    trials: Vec<Trial>,
    /// The length of a step of the equity curves, in nanoseconds.
    step_ns: i64,
    span: TradedSpan,
    /// When the curves are sampled next; none before the first update of a market.
    sample_at: Option<i64>,
    /// Whether any order may rest, so that trades matter.
    uses_trades: bool,
    counts: InputCounts,
}

/// What of the input was used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InputCounts {
    /// Signals.
    pub signals: u64,
    /// Signals behind the last update of their market, which were not acted on.
    pub signals_left: u64,
    /// Changes of books.
    pub depths: u64,
    /// Quotes.
    pub quotes: u64,
    /// Bars.
    pub bars: u64,
    /// The times of the first and of the last update of a market.
    pub times: Option<(i64, i64)>,
}

impl Backtest {
    /// A backtest of these terms, whose equity curves have a sample every `step_ns` nanoseconds of the span
    /// in which signals are acted on. Signals outside it must not be given.
    ///
    /// # Panics
    /// Where `step_ns` is not above zero.
    #[must_use]
    pub fn new(on: FillOn, step_ns: i64, span: TradedSpan, terms: Vec<(Terms, Keep)>) -> Self {
        assert!(step_ns > 0, "an equity curve has a step");
        let rests = |(terms, _): &(Terms, Keep)| matches!(terms.fill, FillModel::Limit(_));
        Self {
            on,
            lanes: vec![],
            uses_trades: terms.iter().any(rests),
            trials: terms
                .into_iter()
                .map(|(terms, keep)| Trial::new(terms, keep, step_ns, span.to))
                .collect(),
            step_ns,
            span,
            sample_at: None,
            counts: InputCounts::default(),
        }
    }

    /// Takes the names of the next instruments, in the order of their numbers: terms may differ by them. They
    /// come before the events of those instruments.
    pub fn list(&mut self, names: &[String]) {
        for trial in &mut self.trials {
            names.iter().for_each(|name| trial.list(name));
        }
    }

    /// Takes the events of a step of the engine and the signals that they gave, each in order. An
    /// instrument's signals must not come in a step before that of their events.
    pub fn step(&mut self, batch: &Batch, signals: &[Decision]) {
        for signal in signals {
            let at = self.lane_of(signal.instrument);
            self.counts.signals += 1;
            self.lanes[at].push_signal(*signal);
        }
        for event in &batch.events {
            self.event(batch, event);
        }
    }

    /// Ends the input: orders that are due by the last update of their market are filled; later ones are not,
    /// because the market at their time is not known.
    #[must_use]
    pub fn finish(mut self) -> (Vec<TrialOutcome>, InputCounts) {
        for at in 0..self.lanes.len() {
            if let Some(time) = self.lanes[at].market.time {
                self.settle(at, time, time);
            }
            self.counts.signals_left += self.lanes[at].signals_left();
        }
        if let Some(ts) = self.sample_at {
            for trial in &mut self.trials {
                trial.sample(ts, 0, &self.lanes);
            }
        }
        let Self {
            trials,
            lanes,
            counts,
            ..
        } = self;
        let outcomes = trials.into_iter().map(|trial| trial.finish(&lanes));
        (outcomes.collect(), counts)
    }

    fn event(&mut self, batch: &Batch, event: &Event) {
        if event.instrument == InstrumentId::ALL {
            if matches!(event.body, Body::Gap(_)) {
                self.lanes.iter_mut().for_each(|lane| lane.market.doubt());
            }
            return;
        }
        let at = self.lane_of(event.instrument);
        let lane = &mut self.lanes[at];
        if event.ts_event != Nanos::UNDEFINED {
            lane.heard = lane.heard.max(event.ts_event.0);
        }
        match &event.body {
            Body::Depth(_) => {
                self.counts.depths += 1;
                if self.on == FillOn::Book {
                    self.update(at, batch, event);
                }
            }
            Body::Quote(_) => {
                self.counts.quotes += 1;
                if self.on == FillOn::Quotes {
                    self.update(at, batch, event);
                }
            }
            Body::Bar(bar) => {
                self.counts.bars += 1;
                if let FillOn::Bars { length_ns } = self.on {
                    self.bar(at, bar, length_ns);
                }
            }
            Body::Trade(trade) if self.uses_trades => lane.push_trade(*trade),
            Body::Gap(_) | Body::FeedGap(_) => lane.market.doubt(),
            Body::Status(status) => lane.market.set_status(*status),
            Body::Trade(_)
            | Body::SkippedTrade(_)
            | Body::Figure(_)
            | Body::Sentiment(_)
            | Body::Amendment(_)
            | Body::Record(_)
            | Body::Withdrawn(_)
            | Body::Tick => {}
        }
    }

    /// Applies an update of a market, once all that comes before it is done.
    fn update(&mut self, at: usize, batch: &Batch, event: &Event) {
        let lane = &self.lanes[at];
        let last = lane.market.time.unwrap_or(i64::MIN);
        let time = match (event.ts_event, &event.body) {
            // A snapshot without a time of its own is of no later time than the change before it.
            (Nanos::UNDEFINED, Body::Depth(_)) => lane.market.time.unwrap_or(lane.heard),
            (Nanos::UNDEFINED, _) => lane.heard.max(last),
            (ts, _) => ts.0.max(last),
        };
        if time == i64::MIN {
            // Before any time is known, no signal can be either.
            self.apply(at, batch, event);
            return;
        }
        self.sample_until(at, time);
        self.settle(at, time - 1, time);
        self.apply(at, batch, event);
        let lane = &mut self.lanes[at];
        lane.market.time = Some(time);
        for trial in &mut self.trials {
            if trial.desks[at].watches() {
                let (desk, terms, tally) = trial.parts(at);
                desk.update(time, &lane.market, terms, tally);
            }
        }
        let (first, last) = self.counts.times.unwrap_or((time, time));
        self.counts.times = Some((first.min(time), last.max(time)));
    }

    /// Takes a bar: what waits is filled at its beginning, at its open; its close is known at its end, the
    /// latest time heard.
    fn bar(&mut self, at: usize, bar: &Bar, length_ns: i64) {
        let lane = &self.lanes[at];
        let end = lane.heard;
        if end == i64::MIN {
            return;
        }
        let last = lane.market.time.unwrap_or(i64::MIN);
        let begin = end.saturating_sub(length_ns).max(last).min(end);
        self.sample_until(at, begin);
        self.settle(at, begin, begin);
        let lane = &mut self.lanes[at];
        lane.market.open_bar(bar.open);
        for trial in &mut self.trials {
            if trial.desks[at].watches() {
                let (desk, terms, tally) = trial.parts(at);
                desk.update(begin, &lane.market, terms, tally);
            }
        }
        lane.market.pass_open();
        self.sample_until(at, end);
        self.settle(at, end - 1, end);
        let lane = &mut self.lanes[at];
        lane.market.close_bar(bar.close);
        lane.market.time = Some(end);
        let (first, last) = self.counts.times.unwrap_or((end, end));
        self.counts.times = Some((first.min(end), last.max(end)));
    }

    fn apply(&mut self, at: usize, batch: &Batch, event: &Event) {
        let market = &mut self.lanes[at].market;
        match &event.body {
            Body::Depth(depth) => market.depth(depth, batch.levels(depth), event.ts_event),
            Body::Quote(quote) => market.quote(quote),
            _ => {}
        }
    }

    /// Does all of one instrument up to a time: trades, what is due, signals.
    fn settle(&mut self, at: usize, until: i64, trades_until: i64) {
        let Self { lanes, trials, .. } = self;
        let lane = &mut lanes[at];
        while let Some(next) = lane.pop(until, trades_until) {
            match next {
                WaitingInput::Trade(ts, trade) => {
                    for trial in &mut *trials {
                        trial.advance(at, ts - 1, lane);
                        let (desk, terms, tally) = trial.parts(at);
                        desk.trade(&trade, ts, terms, tally);
                    }
                }
                WaitingInput::Signal(signal) => {
                    for trial in &mut *trials {
                        trial.advance(at, signal.ts, lane);
                        let (desk, terms, tally) = trial.parts(at);
                        desk.signal(&signal, terms, tally);
                    }
                }
            }
        }
        for trial in trials {
            trial.advance(at, until, lane);
        }
    }

    /// Samples the equity curves at all steps before a time, to which an instrument comes now.
    fn sample_until(&mut self, at: usize, time: i64) {
        let step = self.step_ns;
        let mut next = self.sample_at.unwrap_or_else(|| {
            let from = self.span.from.unwrap_or(time);
            (from.div_euclid(step) + 1) * step
        });
        while next < time {
            self.settle(at, next, next);
            let signals = self.lanes[at].next_signal().is_none_or(|ts| ts >= time);
            let is_quiet = signals
                && self
                    .trials
                    .iter()
                    .all(|trial| trial.desks[at].due() >= time);
            let more = match is_quiet {
                true => (time - 1 - next) / step,
                false => 0,
            };
            for trial in &mut self.trials {
                trial.sample(next, more as u64, &self.lanes);
            }
            next += (more + 1) * step;
        }
        self.sample_at = Some(next);
    }

    /// The place of an instrument; made if it has none.
    fn lane_of(&mut self, instrument: InstrumentId) -> usize {
        let at = instrument.index();
        if at >= self.lanes.len() {
            let on = self.on;
            self.lanes.resize_with(at + 1, || Lane::new(on));
            for trial in &mut self.trials {
                trial.desks.resize_with(at + 1, Default::default);
            }
        }
        at
    }
}
