//! Features of one instrument: a small program, run top to bottom at each event, that ends in a row.
//!
//! The program is the [`Plan`], compiled once from the pipeline's `[[feature]]` tables and shared; the
//! state is [`Features`], one per instrument. Formulas, units and warm-ups stand at [`Kind`]. Here
//! prices become floats, and nowhere before. All arithmetic is IEEE or the crate `libm`, so a row has
//! the same bits on every machine.

mod order_flow;
mod plan;
mod quote;
mod spec;

use std::f64::consts::TAU;

use self::plan::{Operation, Step, WindowKind};
pub use self::plan::{Plan, PlanError};
pub use self::quote::Top;
pub use self::spec::{FeatureSpec, Kind, Phase, Unit};
use super::book::Book;
use super::window::{Extreme, Moments, Sums};
use crate::event::{Bar, Sentiment, Trade};
pub use crate::schema::Field;
use crate::signal::average::Average;
use crate::units::Side;

/// What one event changed, as the features see it.
#[derive(Clone, Copy, Debug)]
pub struct Change<'a> {
    /// The event's time; never behind that of the event before.
    pub now: i64,
    /// The trade, if it was one.
    pub trade: Option<&'a Trade>,
    /// The best bid and offer, where both are known.
    pub top: Option<Top>,
    /// Whether this event set `top`.
    pub top_set: bool,
    /// The book.
    pub book: &'a Book,
    /// Whether this event changed the book's levels.
    pub book_set: bool,
    /// The bar, if it was one.
    pub bar: Option<&'a Bar>,
    /// The figure by its number, if it was one.
    pub figure: Option<(u16, f64)>,
}

/// The state of all features of one instrument.
#[derive(Debug)]
pub struct Features {
    windows: Vec<Window>,
    memories: Vec<Memory>,
    values: Vec<f64>,
    fired: Vec<bool>,
    /// What was said of the instrument last, and when.
    said: Option<(i64, Sentiment)>,
    warm: bool,
}

#[derive(Debug)]
enum Window {
    Moments(Moments),
    Extreme(Extreme),
    /// Notional, size and signed size of trades; or one number alone.
    Sums(Sums<1>),
    Trades(Sums<3>),
}

/// What a step remembers between events.
#[derive(Debug, Default)]
struct Memory {
    count: u64,
    last: f64,
    last_time: i64,
    levels: Option<Box<order_flow::Levels>>,
}

impl Features {
    /// Fresh features for one instrument.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        let windows = plan.windows.iter().map(|window| match window.kind {
            WindowKind::Moments => Window::Moments(Moments::new(window.span)),
            WindowKind::Smallest => Window::Extreme(Extreme::smallest(window.span)),
            WindowKind::Largest => Window::Extreme(Extreme::largest(window.span)),
            WindowKind::Sum | WindowKind::Squares | WindowKind::Count => {
                Window::Sums(Sums::new(window.span))
            }
            WindowKind::Trades => Window::Trades(Sums::new(window.span)),
        });
        Self {
            windows: windows.collect(),
            memories: plan.nodes.iter().map(|_| Memory::default()).collect(),
            values: vec![f64::NAN; plan.nodes.len()],
            fired: vec![false; plan.nodes.len()],
            said: None,
            warm: false,
        }
    }

    /// Takes one event.
    pub fn apply(&mut self, plan: &Plan, change: &Change<'_>) {
        self.fired.fill(false);
        for step in &plan.steps {
            match *step {
                Step::Feed { window, input } => self.feed(plan, window, input, change),
                Step::Compute { node } => {
                    if let Some(value) = self.compute(plan, node, change) {
                        self.values[node] = value;
                        self.fired[node] = true;
                    }
                }
            }
        }
    }

    /// Takes what was said of the instrument, and when.
    pub fn tell(&mut self, said: (i64, Sentiment)) {
        self.said = Some(said);
    }

    /// Writes the row at `now`, the time of the event taken last, to `row`; false where a column has no
    /// value yet.
    pub fn row(&mut self, plan: &Plan, now: i64, row: &mut [f64]) -> bool {
        for &node in &plan.aging {
            // Its window has just been fed at `now`, and its value read: neither can have aged since.
            if self.fired[node] {
                continue;
            }
            if let Operation::Windowed { window, kind } = plan.nodes[node].operation {
                self.windows[window].advance(now);
                self.values[node] = self.read(window, kind, now, self.values[node]);
            }
        }
        let mut complete = true;
        for (cell, &node) in row.iter_mut().zip(&plan.columns) {
            *cell = match plan.nodes[node].operation {
                Operation::TimeOfDay(phase) => time_of_day(now, phase),
                Operation::Sentiment => sentiment(self.said, now),
                _ => self.values[node],
            };
            complete &= cell.is_finite();
        }
        complete
    }

    /// Whether every feature has seen enough to mean what its name says; see the warm-ups at [`Kind`].
    /// Once warm, always warm.
    pub fn is_warm(&mut self, plan: &Plan, now: i64) -> bool {
        let enough = |(node, memory): (&plan::Node, &Memory)| memory.count >= node.warm_up;
        self.warm = self.warm
            || self.windows.iter().all(|window| window.is_full(now))
                && plan.nodes.iter().zip(&self.memories).all(enough);
        self.warm
    }

    fn feed(&mut self, plan: &Plan, window: usize, input: Option<usize>, change: &Change<'_>) {
        let value = match input {
            Some(node) if self.fired[node] => self.values[node],
            Some(_) => return,
            None if change.trade.is_none() => return,
            None => 1.0,
        };
        match &mut self.windows[window] {
            Window::Moments(moments) => moments.push(change.now, value),
            Window::Extreme(extreme) => extreme.push(change.now, value),
            Window::Sums(sums) => {
                let squared = plan.windows[window].kind == WindowKind::Squares;
                sums.push(change.now, [if squared { value * value } else { value }]);
            }
            Window::Trades(sums) => {
                if let Some(trade) = change.trade {
                    let (price, size) = (trade.price.to_f64(), trade.size.to_f64());
                    sums.push(change.now, [price * size, size, signed(trade.side, size)]);
                }
            }
        }
    }

    /// The new value of a node, or `None` where this event says nothing about it.
    fn compute(&mut self, plan: &Plan, node: usize, change: &Change<'_>) -> Option<f64> {
        let memory = &mut self.memories[node];
        let input = |at: usize| self.fired[at].then(|| self.values[at]);
        match plan.nodes[node].operation {
            Operation::Price => change.trade.map(|trade| trade.price.to_f64()),
            Operation::Size => change.trade.map(|trade| trade.size.to_f64()),
            Operation::SignedSize => change
                .trade
                .map(|trade| signed(trade.side, trade.size.to_f64())),
            Operation::Mid => change.new_top().map(|top| top.mid()),
            Operation::Spread(unit) => change.new_top().map(|top| top.spread(unit)),
            Operation::Microprice(unit) => change.new_top().map(|top| top.microprice(unit)),
            Operation::QueueImbalance(1) => change.new_top().map(|top| top.imbalance()),
            Operation::QueueImbalance(levels) => change
                .book_set
                .then(|| quote::imbalance(change.book, levels)),
            Operation::OrderFlow(levels) if change.book_set => {
                memory.count += 1;
                memory
                    .levels
                    .get_or_insert_default()
                    .flow(change.book, levels)
            }
            Operation::OrderFlow(_) | Operation::TimeOfDay(_) | Operation::Sentiment => None,
            Operation::Open => change.bar.map(|bar| bar.open.to_f64()),
            Operation::High => change.bar.map(|bar| bar.high.to_f64()),
            Operation::Low => change.bar.map(|bar| bar.low.to_f64()),
            Operation::Close => change.bar.map(|bar| bar.close.to_f64()),
            Operation::Volume => change.bar.map(|bar| bar.volume.to_f64()),
            Operation::Figure(figure) => {
                let told = change.figure.filter(|(told, _)| *told == figure);
                told.map(|(_, value)| value)
            }
            Operation::Relative { of, to } => {
                let (fired, value) = (&self.fired, |at: usize| self.values[at]);
                let changed = fired[of] || fired[to];
                let known = value(of).is_finite() && value(to).is_finite();
                (changed && known).then(|| value(of) / value(to) - 1.0)
            }
            Operation::LogReturn(from) => memory.log_return(input(from)?),
            Operation::InterArrival => memory.since_last(change.trade.map(|_| change.now)?),
            Operation::Ema { from, alpha } => Some(memory.ema(input(from)?, alpha)),
            Operation::DecayingEma { from, half_life } => {
                Some(memory.decaying_ema(input(from)?, change.now, half_life))
            }
            Operation::Windowed { window, kind } => {
                let fed = plan.windows[window]
                    .input
                    .map_or(change.trade.is_some(), |at| self.fired[at]);
                fed.then(|| self.read(window, kind, change.now, self.values[node]))
            }
        }
    }

    /// What a windowed feature says of its window; an empty window says `before` again where zero
    /// would be a lie.
    fn read(&self, window: usize, kind: Kind, now: i64, before: f64) -> f64 {
        match (&self.windows[window], kind) {
            (Window::Moments(moments), Kind::Std) => moments.std(),
            (Window::Moments(moments), _) => moments.mean().unwrap_or(before),
            (Window::Extreme(extreme), _) => extreme.value().unwrap_or(before),
            (Window::Sums(sums), Kind::RealisedVolatility) => sums.sums()[0].max(0.0).sqrt(),
            (Window::Sums(sums), Kind::TradeIntensity) => sums.rate(now),
            (Window::Sums(sums), _) => sums.sums()[0],
            (Window::Trades(sums), Kind::VwapDeviation) => sums.vwap_deviation().unwrap_or(before),
            (Window::Trades(sums), _) => {
                let [_, size, flow] = sums.sums();
                if sums.is_empty() { 0.0 } else { flow / size }
            }
        }
    }
}

impl Change<'_> {
    fn new_top(&self) -> Option<Top> {
        if self.top_set { self.top } else { None }
    }
}

impl Window {
    fn advance(&mut self, now: i64) {
        match self {
            Self::Moments(moments) => moments.advance(now),
            Self::Extreme(extreme) => extreme.advance(now),
            Self::Sums(sums) => sums.advance(now),
            Self::Trades(sums) => sums.advance(now),
        }
    }

    fn is_full(&self, now: i64) -> bool {
        match self {
            Self::Moments(moments) => moments.is_full(now),
            Self::Extreme(extreme) => extreme.is_full(now),
            Self::Sums(sums) => sums.is_full(now),
            Self::Trades(sums) => sums.is_full(now),
        }
    }
}

impl Memory {
    fn log_return(&mut self, value: f64) -> Option<f64> {
        let before = std::mem::replace(&mut self.last, value);
        self.count += 1;
        (self.count > 1).then(|| libm::log(value / before))
    }

    fn since_last(&mut self, now: i64) -> Option<f64> {
        let before = std::mem::replace(&mut self.last_time, now);
        self.count += 1;
        (self.count > 1).then(|| (now - before) as f64 * 1e-9)
    }

    fn ema(&mut self, value: f64, alpha: f64) -> f64 {
        self.last = if self.count == 0 {
            value
        } else {
            self.last + alpha * (value - self.last)
        };
        self.count += 1;
        self.last
    }

    fn decaying_ema(&mut self, value: f64, now: i64, half_life: i64) -> f64 {
        let age = (now - self.last_time) as f64 / half_life as f64;
        self.last_time = now;
        let alpha = 1.0 - libm::exp(-std::f64::consts::LN_2 * age);
        self.ema(value, alpha)
    }
}

impl Sums<3> {
    /// Last price over the volume-weighted mean price, minus one.
    fn vwap_deviation(&self) -> Option<f64> {
        let ([notional, size, _], last) = (self.sums(), self.last()?);
        Some(last[0] / last[1] * size / notional - 1.0)
    }
}

fn signed(side: Side, size: f64) -> f64 {
    match side {
        Side::Buy => size,
        Side::Sell => -size,
    }
}

/// What was said of an instrument, as it counts at `now`.
fn sentiment(said: Option<(i64, Sentiment)>, now: i64) -> f64 {
    let Some((ts, said)) = said else { return 0.0 };
    let average = Average {
        value: said.average,
        weight: said.weight,
    };
    average.after(now - ts, said.half_life)
}

/// The time of day (UTC) as a point on a circle, so that midnight is near midnight.
fn time_of_day(now: i64, phase: Phase) -> f64 {
    const DAY: i64 = 86_400_000_000_000;
    let angle = TAU * (now.rem_euclid(DAY) as f64 / DAY as f64);
    match phase {
        Phase::Sine => libm::sin(angle),
        Phase::Cosine => libm::cos(angle),
    }
}
