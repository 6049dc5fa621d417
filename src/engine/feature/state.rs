//! The features of one instrument as they are now.

use serde::{Deserialize, Serialize};

use super::depth;
use super::fired::{Fired, NewValue};
use super::hole::Hole;
use super::inputs::Inputs;
use super::memory::{Memory, is_defined};
use super::order_flow::Levels;
use super::plan::FeaturePlan;
use super::program::{Node, Operation, Step};
use super::quote::TopOfBook;
use super::range;
use super::recursion::Recursion;
use super::row_value::{sentiment_at, time_of_day};
use super::update::MarketUpdate;
use super::window_state::{WindowState, signed};
use crate::event::Sentiment;
use crate::signal::quality::Quality;

/// The state of all features of one instrument.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FeatureState {
    /// The value of each node; NaN before its first and while it is undefined.
    values: Box<[f64]>,
    /// Whether a node has ever been undefined: so one without a value has begun.
    lapsed: Box<[bool]>,
    /// Of the nodes that remember something.
    memories: Box<[Memory]>,
    windows: Box<[WindowState]>,
    /// The book's best levels as `order_flow_imbalance` saw them last.
    levels: Vec<Levels>,
    /// Of the nodes that remember more than a memory has room for.
    recursions: Vec<Recursion>,
    /// The sentiment of the instrument's headlines, and its time.
    sentiment: Option<(i64, Sentiment)>,
    /// What a gap left in the windows, until they have turned over.
    hole: Option<Box<Hole>>,
    warm: bool,
}

impl FeatureState {
    /// The features of an instrument before its first event.
    #[must_use]
    pub fn new(plan: &FeaturePlan) -> Self {
        Self {
            values: vec![f64::NAN; plan.nodes.len()].into(),
            lapsed: vec![false; plan.nodes.len()].into(),
            memories: vec![Memory::default(); plan.memories].into(),
            windows: plan.windows.iter().map(WindowState::new).collect(),
            levels: vec![Levels::default(); plan.order_flows],
            recursions: plan
                .recursions
                .iter()
                .copied()
                .map(Recursion::new)
                .collect(),
            sentiment: None,
            hole: None,
            warm: false,
        }
    }

    /// Reads from the cache lines of the state itself: see `engine::cache`.
    pub(crate) fn touch(&self) -> u64 {
        u64::from(self.warm) ^ self.values.len() as u64
    }

    /// Reads from each cache line of the values and the windows.
    pub(crate) fn touch_parts(&self) -> u64 {
        let values = self.values.iter().step_by(8).map(|value| value.to_bits());
        let memories = self.memories.iter().step_by(2).map(|memory| memory.count);
        let windows = self.windows.iter().map(WindowState::received);
        let all = values.chain(memories).chain(windows);
        all.fold(0, |all, some| all ^ some)
    }

    /// Reads from the cache lines that the windows' next values need.
    pub(crate) fn touch_entries(&self) -> u64 {
        let windows = self.windows.iter().map(WindowState::touch);
        windows.fold(0, |all, some| all ^ some)
    }

    /// Takes one event; notes in `fired` which nodes it gave a value.
    pub fn apply(&mut self, plan: &FeaturePlan, update: &MarketUpdate<'_>, fired: &mut Fired) {
        fired.0.resize(plan.nodes.len(), NewValue::None);
        fired.0.fill(NewValue::None);
        for step in &plan.steps {
            match *step {
                Step::Feed { window, input } => self.feed(plan, window, input, update, fired),
                Step::Compute { node } => {
                    if let Some(value) = self.compute(plan, node, update, fired) {
                        fired.0[node] = self.set(node, value);
                    }
                }
            }
        }
        if let Some(hole) = &mut self.hole {
            hole.follow(plan, update, fired, &self.memories, &self.windows);
        }
    }

    /// Takes the sentiment of the instrument's headlines, and its time.
    pub fn set_sentiment(&mut self, sentiment: (i64, Sentiment)) {
        self.sentiment = Some(sentiment);
    }

    /// Notes that something is missing in `inputs` before the event at `now`, which comes next: rows have at
    /// best this quality until no window holds values from before.
    pub fn mark_gap(&mut self, plan: &FeaturePlan, quality: Quality, inputs: Inputs, now: i64) {
        let hole = self.hole.get_or_insert_with(|| Box::new(Hole::new(plan)));
        hole.open(
            plan,
            quality,
            inputs,
            now,
            &self.values,
            &self.memories,
            &self.windows,
        );
    }

    /// Writes the row at `now`, the time of the last event, to `row`; false where a column has no
    /// value. `fired` is that of the last event.
    pub fn row(&mut self, plan: &FeaturePlan, now: i64, row: &mut [f64], fired: &Fired) -> bool {
        for &node in &plan.aging {
            self.age(plan, node, now, fired);
        }
        let mut complete = true;
        for (cell, &node) in row.iter_mut().zip(&plan.columns) {
            *cell = match plan.nodes[node].operation {
                Operation::TimeOfDay(phase, zone) => time_of_day(now, phase, zone),
                Operation::SessionTime(session) => session.passed(now),
                Operation::Sentiment => sentiment_at(self.sentiment, now),
                _ => self.values[node],
            };
            complete &= cell.is_finite();
        }
        complete
    }

    /// Whether every feature has seen enough to mean what its name says; see the warm-ups at
    /// [`super::FeatureKind`]. Once warm, always warm.
    pub fn is_warm(&mut self, plan: &FeaturePlan, now: i64) -> bool {
        let enough =
            |node: &Node| node.warm_up == 0 || self.memories[node.memory].count >= node.warm_up;
        self.warm = self.warm
            || self.windows.iter().all(|window| window.is_full(now))
                && plan.nodes.iter().all(enough);
        self.warm
    }

    /// The quality that a gap leaves to the row at `now`: that of the gap while a column is computed from
    /// values on both sides of it.
    pub fn gap_quality(&mut self, plan: &FeaturePlan, now: i64) -> Quality {
        let Some(hole) = &mut self.hole else {
            return Quality::Ok;
        };
        if hole.is_over(plan, now, &self.windows) {
            self.hole = None;
            return Quality::Ok;
        }
        hole.quality_of_row(plan)
    }

    fn set(&mut self, node: usize, value: f64) -> NewValue {
        if is_defined(value) {
            self.values[node] = value;
            return NewValue::Defined;
        }
        (self.values[node], self.lapsed[node]) = (f64::NAN, true);
        NewValue::Undefined
    }

    /// Whether a node has had a value, or has been undefined.
    fn has_begun(&self, node: usize) -> bool {
        !self.values[node].is_nan() || self.lapsed[node]
    }

    fn feed(
        &mut self,
        plan: &FeaturePlan,
        window: usize,
        input: Option<usize>,
        update: &MarketUpdate<'_>,
        fired: &Fired,
    ) {
        let value = match input {
            Some(node) => match fired.0[node] {
                NewValue::None => return,
                NewValue::Undefined => return self.windows[window].push_undefined(update.now),
                NewValue::Defined => self.values[node],
            },
            None if update.trade.is_none() => return,
            None => 1.0,
        };
        let kind = plan.windows[window].kind;
        let second = match plan.windows[window].second {
            None => 0.0,
            Some(second) if !self.has_begun(second) => return,
            Some(second) => {
                if plan.aging.contains(&second) {
                    self.age_up_to(plan, second, update.now, fired);
                }
                self.values[second]
            }
        };
        if second.is_nan() {
            return self.windows[window].push_undefined(update.now);
        }
        self.windows[window].push(kind, update.now, (value, second), update.trade);
    }

    /// Brings a node that changes as time passes to `now`; those that it is computed from come before it.
    fn age(&mut self, plan: &FeaturePlan, node: usize, now: i64, fired: &Fired) {
        // The event itself has brought it there.
        if fired.0[node] != NewValue::None {
            return;
        }
        let value = match plan.nodes[node].operation {
            Operation::Windowed { window, kind, ddof } => {
                self.windows[window].advance(now);
                self.windows[window].value(kind, ddof, now)
            }
            Operation::Ratio { of, to, less_one } => {
                less(self.values[of] / self.values[to], less_one)
            }
            _ => return,
        };
        if is_defined(value) || self.has_begun(node) {
            self.set(node, value);
        }
    }

    /// The new value of a node, not finite where it is undefined; `None` where this event does not
    /// concern it.
    fn compute(
        &mut self,
        plan: &FeaturePlan,
        node: usize,
        update: &MarketUpdate<'_>,
        fired: &Fired,
    ) -> Option<f64> {
        let Node {
            operation, memory, ..
        } = plan.nodes[node];
        let values = &self.values;
        // NaN where the input is undefined.
        let input = |at: usize| (fired.0[at] != NewValue::None).then(|| values[at]);
        let trade = update.trade;
        match operation {
            Operation::Price => trade.map(|trade| trade.price.to_f64()),
            Operation::Size => trade.map(|trade| trade.size.to_f64()),
            Operation::SignedSize => trade.map(|trade| {
                let size = trade.size.to_f64();
                trade.side.map_or(f64::NAN, |side| signed(side, size))
            }),
            Operation::Mid => update.of_top(TopOfBook::mid),
            Operation::Spread(unit) => update.of_top(|top| top.spread(unit)),
            Operation::Microprice(unit) => update.of_top(|top| top.microprice(unit)),
            Operation::QueueImbalance(1) => update.of_top(TopOfBook::imbalance),
            Operation::QueueImbalance(levels) => update
                .book_set
                .then(|| depth::imbalance(update.book, levels)),
            Operation::Depth(1) => update.of_top(TopOfBook::depth),
            Operation::Depth(levels) => update.book_set.then(|| depth::mean(update.book, levels)),
            Operation::DepthSlope(levels, unit) => update
                .book_set
                .then(|| depth::slope(update.book, levels, unit)),
            Operation::OrderFlow { first, end, slot } if update.book_set => {
                self.memories[memory].count += 1;
                self.levels[slot].flow(update.book, first.into()..end.into())
            }
            Operation::QuoteFlow(slot) if update.top_set => {
                self.memories[memory].count += 1;
                self.recursions[slot].flow(update.top)
            }
            Operation::OrderFlow { .. } | Operation::QuoteFlow(_) | Operation::SessionTime(_) => {
                None
            }
            Operation::TimeOfDay(..) | Operation::Sentiment => None,
            Operation::Ratio { of, to, less_one } => {
                let ratio = self.ratio(plan, of, to, update.now, fired)?;
                Some(less(ratio, less_one))
            }
            Operation::AsOf { of, to } => {
                input(to)?;
                if plan.aging.contains(&of) {
                    self.age_up_to(plan, of, update.now, fired);
                }
                self.has_begun(of).then(|| self.values[of])
            }
            Operation::Open => update.bar.map(|bar| bar.open.to_f64()),
            Operation::High => update.bar.map(|bar| bar.high.to_f64()),
            Operation::Low => update.bar.map(|bar| bar.low.to_f64()),
            Operation::Close => update.bar.map(|bar| bar.close.to_f64()),
            Operation::Volume => update.bar.map(|bar| bar.volume.to_f64()),
            Operation::Figure(figure) => {
                let own = update.figure.filter(|(number, _)| *number == figure);
                own.map(|(_, value)| value)
            }
            Operation::LogReturn(from) => self.memories[memory].log_return(input(from)?),
            Operation::InterArrival => self.memories[memory].since_last(trade.map(|_| update.now)?),
            Operation::BarVariance(estimator) => {
                update.bar.map(|bar| range::variance(bar, estimator))
            }
            Operation::TrueRange { periods, slot } => {
                let bar = update.bar?;
                self.memories[memory].count += 1;
                self.recursions[slot as usize].true_range(bar, periods)
            }
            Operation::Strength {
                from,
                periods,
                slot,
            } => {
                let value = input(from)?;
                self.memories[memory].count += 1;
                self.recursions[slot as usize].strength(value, periods)
            }
            Operation::Ema { from, alpha } => Some(self.memories[memory].ema(input(from)?, alpha)),
            Operation::DecayingEma { from, half_life } => {
                let memory = &mut self.memories[memory];
                Some(memory.decaying_ema(input(from)?, update.now, half_life))
            }
            Operation::NewSession { from, session } => {
                input(from)?;
                let before = self.memories[memory].last_time(update.now)?;
                Some(f64::from(u8::from(!session.is_same(before, update.now))))
            }
            Operation::WithinSession {
                window,
                kind,
                session,
            } => {
                input(plan.windows[window].input?)?;
                let window = &self.windows[window];
                if !window.has_begun(update.now) {
                    return None;
                }
                let (oldest, newest) = window.times()?;
                if !session.is_same(oldest, newest) {
                    // No value, and none that a window would hold.
                    (self.values[node], self.lapsed[node]) = (f64::NAN, true);
                    return None;
                }
                Some(window.value(kind, 0, update.now))
            }
            Operation::Windowed { window, kind, ddof } => match plan.windows[window].input {
                Some(from) if fired.0[from] == NewValue::None => None,
                None if trade.is_none() => None,
                _ => {
                    let window = &self.windows[window];
                    let has_begun = window.has_begun(update.now);
                    has_begun.then(|| window.value(kind, ddof, update.now))
                }
            },
        }
    }

    /// Brings nodes to `now` up to this one, which may be computed from others that age and come before it.
    fn age_up_to(&mut self, plan: &FeaturePlan, last: usize, now: i64, fired: &Fired) {
        for &node in plan.aging.iter().filter(|node| **node <= last) {
            self.age(plan, node, now, fired);
        }
    }

    /// `of` / `to`, where the event gave one of them a value; both as of the event.
    fn ratio(
        &mut self,
        plan: &FeaturePlan,
        of: usize,
        to: usize,
        now: i64,
        fired: &Fired,
    ) -> Option<f64> {
        let new = |at: usize| fired.0[at] != NewValue::None;
        if !new(of) && !new(to) {
            return None;
        }
        if !self.has_begun(of) || !self.has_begun(to) {
            return None;
        }
        if plan.aging.contains(&of) || plan.aging.contains(&to) {
            self.age_up_to(plan, of.max(to), now, fired);
        }
        Some(self.values[of] / self.values[to])
    }
}

/// A ratio, or how far it is from one.
fn less(ratio: f64, less_one: bool) -> f64 {
    match less_one {
        true => ratio - 1.0,
        false => ratio,
    }
}
