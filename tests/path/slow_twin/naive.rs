//! The slow twin: computes each row from the whole history of one instrument, by the documented formulas.
//!
//! Shares no window, book or sum with the engine; takes decoded events only. Slow on purpose.

use std::collections::BTreeMap;
use std::ops::Range;

use foretick::engine::feature::{FeatureKind, FeatureSpec, FlowSource, Phase, Unit};
use foretick::engine::row::RowTrigger;
use foretick::event::{Batch, Body, Depth, Event, Level, Quote};
use foretick::units::{Nanos, Price, Side};

/// All events of an instrument, in order.
pub(super) struct Naive {
    specs: Vec<FeatureSpec>,
    trigger: RowTrigger,
    history: Vec<Moment>,
    book: Book,
    now: Option<i64>,
    /// Sequence number of the book or quote that set the best bid and offer.
    top_sequence: u64,
    trade_id: u64,
    /// Whether this feed's trades are aggregates: the kind that came first counts.
    aggregate: Option<bool>,
}

/// What one event did.
struct Moment {
    now: i64,
    /// Price, size, and whether a buyer started it.
    trade: Option<(f64, f64, bool)>,
    /// Bid, its size, ask, its size: where this event set them.
    top: Option<[f64; 4]>,
    /// The best levels, bids and asks, where this event changed the book.
    levels: Option<Sides>,
}

/// A number that changes at some events: index into the history, value.
type Series = Vec<(usize, f64)>;

const DAY: i64 = 86_400_000_000_000;
/// The clock of Tokyo, which has no summer time, is so far ahead of UTC.
const IN_TOKYO: i64 = 9 * 3_600_000_000_000;

/// Levels of a book, bids first, each side from the best on: price and size.
type Sides = [Vec<(f64, f64)>; 2];

#[derive(Default)]
struct Book {
    bids: BTreeMap<Price, f64>,
    asks: BTreeMap<Price, f64>,
    last: u64,
    live: bool,
    waiting: Vec<(Depth, Vec<Level>, Vec<Level>)>,
}

impl Naive {
    pub(super) fn new(specs: &[FeatureSpec], trigger: RowTrigger) -> Self {
        Self {
            specs: specs.to_vec(),
            trigger,
            history: vec![],
            book: Book::default(),
            now: None,
            top_sequence: 0,
            trade_id: 0,
            aggregate: None,
        }
    }

    /// Takes an event; returns whether it makes a row, provided that every number has a value.
    pub(super) fn see(&mut self, batch: &Batch, event: &Event) -> bool {
        if event.ts_event != Nanos::UNDEFINED {
            self.now = Some(
                self.now
                    .map_or(event.ts_event.0, |now| now.max(event.ts_event.0)),
            );
        }
        let (mut trade, mut top, mut levels) = (None, None, None);
        match &event.body {
            Body::Trade(traded)
                if *self.aggregate.get_or_insert(traded.aggregate) == traded.aggregate
                    && traded.trade_id > self.trade_id =>
            {
                self.trade_id = traded.trade_id;
                let bought = traded.side == Some(Side::Buy);
                trade = Some((traded.price.to_f64(), traded.size.to_f64(), bought));
            }
            Body::Quote(quote) if quote.sequence >= self.top_sequence => {
                self.top_sequence = quote.sequence;
                top = top_of(quote);
            }
            Body::Depth(depth) => {
                let (bids, asks) = batch.levels(depth);
                if self.book.take(*depth, bids, asks) {
                    levels = Some(self.book.best(20));
                    // Quotes arrive at once, the book every 100 ms: the newer of the two sets the top.
                    if self.book.last >= self.top_sequence {
                        self.top_sequence = self.book.last;
                        top = self.book.top();
                    }
                }
            }
            _ => {}
        }
        let happened = trade.is_some() || top.is_some() || levels.is_some();
        let (Some(now), true) = (self.now, happened) else {
            return false;
        };
        let row = match self.trigger {
            RowTrigger::Trade => trade.is_some(),
            RowTrigger::Quote => top.is_some() && matches!(event.body, Body::Quote(_)),
            RowTrigger::Book => levels.is_some(),
            RowTrigger::Bar | RowTrigger::Record => false,
        };
        let moment = Moment {
            now,
            trade,
            top,
            levels,
        };
        self.history.push(moment);
        row
    }

    /// The row at the last event.
    pub(super) fn row(&self) -> Vec<f64> {
        let visible = self.specs.iter().filter(|spec| !spec.hidden);
        visible.map(|spec| self.value(spec)).collect()
    }

    fn now(&self) -> i64 {
        self.history.last().map_or(0, |moment| moment.now)
    }

    /// The value of a feature at the last event.
    fn value(&self, spec: &FeatureSpec) -> f64 {
        match spec.kind {
            FeatureKind::SessionTime => {
                // From 9:00 to 15:30 in Tokyo, which is midnight in UTC.
                self.now().rem_euclid(DAY) as f64 / (6.5 * 3_600e9)
            }
            FeatureKind::TimeOfDay => {
                let now = spec.zone.as_ref().map_or(0, |_| IN_TOKYO) + self.now();
                let turn = std::f64::consts::TAU * now.rem_euclid(DAY) as f64 / DAY as f64;
                match spec.phase.unwrap_or(Phase::Sine) {
                    Phase::Seconds => now.rem_euclid(DAY) as f64 / 1e9,
                    Phase::Sine => libm::sin(turn),
                    Phase::Cosine => libm::cos(turn),
                }
            }
            _ if spec.window.is_some() || spec.window_ms.is_some() => self.windowed(spec),
            _ => self.series(spec).last().map_or(f64::NAN, |value| value.1),
        }
    }

    /// All values of a feature without a window.
    fn series(&self, spec: &FeatureSpec) -> Series {
        let of_top = |value: &dyn Fn([f64; 4]) -> f64| self.pick(|m| m.top.map(value));
        match spec.kind {
            FeatureKind::Price => self.pick(|m| m.trade.map(|t| t.0)),
            FeatureKind::Size => self.pick(|m| m.trade.map(|t| t.1)),
            FeatureKind::SignedSize => self.pick(|m| m.trade.map(|t| if t.2 { t.1 } else { -t.1 })),
            FeatureKind::Mid => of_top(&mid),
            FeatureKind::Spread if spec.unit == Some(Unit::BasisPoints) => {
                of_top(&|top| (top[2] - top[0]) / mid(top) * 10_000.0)
            }
            FeatureKind::Spread => of_top(&|top| top[2] - top[0]),
            FeatureKind::Microprice if spec.unit == Some(Unit::BasisPoints) => {
                of_top(&|top| (microprice(top) - mid(top)) / mid(top) * 10_000.0)
            }
            FeatureKind::Microprice => of_top(&microprice),
            FeatureKind::QueueImbalance => match spec.levels.unwrap_or(1) {
                1 => of_top(&|top| (top[1] - top[3]) / (top[1] + top[3])),
                n => self.pick(|m| m.levels.as_ref().map(|sides| imbalance(sides, n))),
            },
            FeatureKind::OrderFlowImbalance if spec.source == Some(FlowSource::Quotes) => {
                let tops = self.pick_tops();
                let flow = |pair: &[(usize, [f64; 4])]| {
                    let (before, (at, now)) = (pair[0].1, pair[1]);
                    (at, quote_flow(before, now))
                };
                tops.windows(2).map(flow).collect()
            }
            FeatureKind::OrderFlowImbalance => self.order_flow(match spec.level {
                Some(level) => level - 1..level,
                None => 0..spec.levels.unwrap_or(1),
            }),
            FeatureKind::Depth => match spec.levels.unwrap_or(1) {
                1 => of_top(&|top| 0.5 * top[1] + 0.5 * top[3]),
                n => self.pick(|m| m.levels.as_ref().map(|sides| depth(sides, n))),
            },
            FeatureKind::DepthSlope => {
                let (n, unit) = (spec.levels.expect("it is needed"), spec.unit);
                self.pick(|m| m.levels.as_ref().map(|sides| depth_slope(sides, n, unit)))
            }
            FeatureKind::Ratio => self.ratio(spec),
            FeatureKind::AsOf => {
                let of = self.input(spec);
                let to = FeatureSpec {
                    of: spec.to.clone(),
                    ..spec.clone()
                };
                let latest = |at: usize| of[..of.partition_point(|x| x.0 <= at)].last();
                let at = self.input(&to).into_iter().map(|value| value.0);
                at.filter_map(|at| Some((at, latest(at)?.1))).collect()
            }
            FeatureKind::LogReturn | FeatureKind::Difference => {
                let periods = spec.periods.unwrap_or(1);
                let change = |values: &[(usize, f64)]| {
                    let (before, (at, now)) = (values[0].1, values[periods]);
                    match spec.kind {
                        FeatureKind::Difference => (at, now - before),
                        _ => (at, libm::log(now / before)),
                    }
                };
                let input = self.input(spec);
                let within = |values: &&[(usize, f64)]| {
                    let days = [values[0], values[periods]].map(|value| self.day(value.0));
                    spec.overnight.is_none() || days[0] == days[1]
                };
                input
                    .windows(periods + 1)
                    .filter(within)
                    .map(change)
                    .collect()
            }
            FeatureKind::NewSession => {
                let input = self.input(spec);
                let is_new = |pair: &[(usize, f64)]| self.day(pair[0].0) != self.day(pair[1].0);
                let mark = |pair: &[(usize, f64)]| (pair[1].0, f64::from(u8::from(is_new(pair))));
                input.windows(2).map(mark).collect()
            }
            FeatureKind::InterArrival => {
                let trades = self.pick(|m| m.trade.map(|_| f64::NAN));
                let seconds = |pair: &[(usize, f64)]| {
                    let nanos = self.history[pair[1].0].now - self.history[pair[0].0].now;
                    (pair[1].0, nanos as f64 / 1e9)
                };
                trades.windows(2).map(seconds).collect()
            }
            FeatureKind::Ema => self.ema(spec),
            FeatureKind::Rsi => self.strength(spec),
            kind => unreachable!("{kind:?} has a window"),
        }
    }

    /// The day in Tokyo.
    fn day(&self, at: usize) -> i64 {
        (self.history[at].now + IN_TOKYO).div_euclid(DAY)
    }

    fn pick(&self, value: impl Fn(&Moment) -> Option<f64>) -> Series {
        let all = self.history.iter().enumerate();
        all.filter_map(|(at, moment)| Some((at, value(moment)?)))
            .collect()
    }

    fn pick_tops(&self) -> Vec<(usize, [f64; 4])> {
        let all = self.history.iter().enumerate();
        all.filter_map(|(at, moment)| Some((at, moment.top?)))
            .collect()
    }

    /// Of two features, both over windows by count: their values at the last event.
    fn ratio(&self, spec: &FeatureSpec) -> Series {
        let value = |name: &Option<String>| {
            let named = |other: &&FeatureSpec| Some(&other.name) == name.as_ref();
            let other = self.specs.iter().find(named);
            self.value(other.expect("the plan was compiled"))
        };
        vec![(self.history.len() - 1, value(&spec.of) / value(&spec.to))]
    }

    /// The series that a feature is computed from.
    fn input(&self, spec: &FeatureSpec) -> Series {
        let of = spec.of.as_deref().expect("the plan was compiled");
        if let Some(other) = self.specs.iter().find(|other| other.name == of) {
            return self.series(other);
        }
        let kind = match of {
            "price" => FeatureKind::Price,
            "size" => FeatureKind::Size,
            "signed_size" => FeatureKind::SignedSize,
            "mid" => FeatureKind::Mid,
            "microprice" => FeatureKind::Microprice,
            "spread" => FeatureKind::Spread,
            other => unreachable!("{other} is no series"),
        };
        let plain = FeatureSpec {
            kind,
            unit: None,
            of: None,
            ..spec.clone()
        };
        self.series(&plain)
    }

    fn ema(&self, spec: &FeatureSpec) -> Series {
        let mut out: Series = vec![];
        for (at, x) in self.input(spec) {
            let y = match out.last() {
                None => x,
                Some(&(before, y)) => {
                    let passed = (self.history[at].now - self.history[before].now) as f64;
                    let alpha = spec.alpha.unwrap_or_else(|| {
                        let half_life = spec.half_life_ms.expect("one of the two") as f64 * 1e6;
                        1.0 - libm::exp2(-passed / half_life)
                    });
                    y + alpha * (x - y)
                }
            };
            out.push((at, y));
        }
        out
    }

    /// Wilder's index: the means of gains and losses of the first changes, then a part of each new one.
    fn strength(&self, spec: &FeatureSpec) -> Series {
        let n = spec.periods.unwrap_or(14);
        let input = self.input(spec);
        let change = |pair: &[(usize, f64)]| pair[1].1 - pair[0].1;
        let changes: Vec<f64> = input.windows(2).map(change).collect();
        let (mut gain, mut loss, mut out) = (0.0, 0.0, vec![]);
        for (number, change) in (1..).zip(&changes) {
            let weight = 1.0 / n.min(number) as f64;
            gain += weight * (change.max(0.0) - gain);
            loss += weight * (change.min(0.0).abs() - loss);
            if number >= n {
                out.push((input[number].0, 100.0 / (1.0 + loss / gain)));
            }
        }
        out
    }

    /// Bids: +q' at a better price, q' − q at the same, −q at a worse one; asks the other way round.
    fn order_flow(&self, levels: Range<usize>) -> Series {
        let books: Vec<(usize, &Sides)> = (0..self.history.len())
            .filter_map(|at| Some((at, self.history[at].levels.as_ref()?)))
            .collect();
        let flow = |pair: &[(usize, &Sides)]| {
            let (before, (at, now)) = (pair[0].1, pair[1]);
            let bids = added(&before[0], &now[0], levels.clone(), 1.0);
            (at, bids - added(&before[1], &now[1], levels.clone(), -1.0))
        };
        books.windows(2).map(flow).collect()
    }

    /// A feature over a window as of the last event. An empty window has a sum and a flow of zero, and else
    /// no value.
    fn windowed(&self, spec: &FeatureSpec) -> f64 {
        let of_trades = matches!(
            spec.kind,
            FeatureKind::VwapDeviation | FeatureKind::TradeFlow | FeatureKind::TradeIntensity
        );
        let input = match spec.kind {
            FeatureKind::Vpin => return self.vpin(spec),
            FeatureKind::Correlation | FeatureKind::Beta | FeatureKind::KyleLambda => {
                return self.paired(spec);
            }
            _ if of_trades => self.pick(|m| m.trade.map(|t| t.0)),
            _ => self.input(spec),
        };
        if input.is_empty() {
            return f64::NAN;
        }
        let Some(millis) = spec.window_ms else {
            let count = spec.window.expect("one of the two");
            let inside = &input[input.len().saturating_sub(count)..];
            return self.statistic(spec, inside);
        };
        let after = self.now() - millis * 1_000_000;
        let young = |value: &&(usize, f64)| self.history[value.0].now > after;
        let inside: Vec<(usize, f64)> = input.iter().filter(young).copied().collect();
        self.statistic(spec, &inside)
    }

    /// Of each value of `of` in the window and the latest one of `to` by then.
    fn paired(&self, spec: &FeatureSpec) -> f64 {
        let (of, to) = match spec.kind {
            FeatureKind::KyleLambda => ("price", "signed_size"),
            _ => (
                spec.of.as_deref().expect("it is needed"),
                spec.to.as_deref().expect("it is needed"),
            ),
        };
        let named = |of: &str| {
            let of = Some(of.to_owned());
            let spec = FeatureSpec { of, ..spec.clone() };
            self.input(&spec)
        };
        let (mut of, to) = (named(of), named(to));
        if spec.kind == FeatureKind::KyleLambda {
            let change = |pair: &[(usize, f64)]| (pair[1].0, pair[1].1 - pair[0].1);
            of = of.windows(2).map(change).collect();
        }
        let young = match spec.window_ms {
            Some(millis) => {
                let after = self.now() - millis * 1_000_000;
                of.partition_point(|value| self.history[value.0].now <= after)
            }
            None => of
                .len()
                .saturating_sub(spec.window.expect("one of the two")),
        };
        // Values of before the first one of `to` have no pair.
        let inside: Vec<[f64; 2]> = of[young..]
            .iter()
            .filter_map(|&(at, x)| {
                let known = to.partition_point(|other| other.0 <= at);
                Some([x, to[known.checked_sub(1)?].1])
            })
            .collect();
        let n = inside.len() as f64;
        let about = |side: usize| -> Vec<f64> {
            let first = inside.first().map_or(0.0, |pair| pair[side]);
            let mean = inside.iter().map(|pair| pair[side] - first).sum::<f64>() / n;
            inside
                .iter()
                .map(|pair| pair[side] - first - mean)
                .collect()
        };
        let (x, y) = (about(0), about(1));
        let product = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
        let vary = |side: usize| inside.iter().any(|pair| pair[side] != inside[0][side]);
        match spec.kind {
            _ if !vary(1) => f64::NAN,
            FeatureKind::Correlation if !vary(0) => f64::NAN,
            FeatureKind::Correlation => {
                product(&x, &y) / product(&x, &x).sqrt() / product(&y, &y).sqrt()
            }
            _ => product(&x, &y) / product(&y, &y),
        }
    }

    /// Each bucket is a piece of the line on which all trades are laid, one behind the other.
    fn vpin(&self, spec: &FeatureSpec) -> f64 {
        let units = |size: f64| (size * 1e9).round() as i128;
        let bucket = units(spec.bucket.expect("it is needed"));
        let (mut end, mut pieces) = (0, vec![]);
        for (_, size, bought) in self.history.iter().filter_map(|moment| moment.trade) {
            pieces.push((end, end + units(size), if bought { 1 } else { -1 }));
            end += units(size);
        }
        let full = end / bucket;
        let first = (full - spec.window.expect("it is needed") as i128).max(0);
        let imbalance = |number: i128| {
            let (from, to) = (number * bucket, (number + 1) * bucket);
            let inside =
                |piece: &(i128, i128, i128)| piece.2 * (piece.1.min(to) - piece.0.max(from)).max(0);
            pieces.iter().map(inside).sum::<i128>().abs() as f64 / bucket as f64
        };
        (first..full).map(imbalance).sum::<f64>() / (full - first) as f64
    }

    fn statistic(&self, spec: &FeatureSpec, inside: &[(usize, f64)]) -> f64 {
        let n = inside.len() as f64;
        let values = || inside.iter().map(|value| value.1);
        let trades = || {
            inside
                .iter()
                .filter_map(|value| self.history[value.0].trade)
        };
        let nothing_is_true = matches!(
            spec.kind,
            FeatureKind::Sum
                | FeatureKind::RealisedVolatility
                | FeatureKind::BipowerVariation
                | FeatureKind::TradeFlow
                | FeatureKind::TradeIntensity
        );
        if inside.is_empty() && !nothing_is_true {
            return f64::NAN;
        }
        match spec.kind {
            FeatureKind::Mean => values().sum::<f64>() / n,
            FeatureKind::Std | FeatureKind::Variance | FeatureKind::ZScore | FeatureKind::Skew
                if inside.len() <= spec.ddof.unwrap_or(0) =>
            {
                f64::NAN
            }
            FeatureKind::Std | FeatureKind::Variance | FeatureKind::ZScore | FeatureKind::Skew => {
                // Relative to the first value: the mean of large numbers has too few digits.
                let first = inside[0].1;
                let mean = values().map(|x| x - first).sum::<f64>() / n;
                let power = |by: i32| values().map(|x| (x - first - mean).powi(by)).sum::<f64>();
                let variance = power(2) / (n - spec.ddof.unwrap_or(0) as f64);
                match spec.kind {
                    FeatureKind::Std => variance.sqrt(),
                    FeatureKind::Variance => variance,
                    FeatureKind::ZScore => {
                        let last = values().next_back().expect("there is one");
                        (last - first - mean) / variance.sqrt()
                    }
                    _ => {
                        let bias = (n * (n - 1.0)).sqrt() / (n - 2.0);
                        bias * (power(3) / n) / libm::pow(power(2) / n, 1.5)
                    }
                }
            }
            FeatureKind::Rank => {
                let last = values().next_back().expect("there is one");
                let below = values().filter(|x| *x < last).count();
                let equal = values().filter(|x| *x == last).count();
                (below as f64 + (equal as f64 + 1.0) / 2.0) / n
            }
            FeatureKind::Min => values().fold(f64::INFINITY, f64::min),
            FeatureKind::Max => values().fold(f64::NEG_INFINITY, f64::max),
            FeatureKind::Sum => values().sum(),
            FeatureKind::BipowerVariation => {
                let after = values().skip(1);
                let products = values().zip(after).map(|(x, y)| (x * y).abs());
                products.sum::<f64>() * std::f64::consts::PI / 2.0
            }
            FeatureKind::RealisedVolatility => values().map(|r| r * r).sum::<f64>().sqrt(),
            FeatureKind::VwapDeviation => {
                let paid: f64 = trades().map(|t| t.0 * t.1).sum();
                let size: f64 = trades().map(|t| t.1).sum();
                let last = trades().next_back().map_or(f64::NAN, |t| t.0);
                last / (paid / size) - 1.0
            }
            FeatureKind::TradeFlow if inside.is_empty() => 0.0,
            FeatureKind::TradeFlow => {
                let size: f64 = trades().map(|t| t.1).sum();
                trades().map(|t| if t.2 { t.1 } else { -t.1 }).sum::<f64>() / size
            }
            FeatureKind::TradeIntensity => match (spec.window_ms, inside) {
                (Some(millis), _) => n / (millis as f64 / 1e3),
                (None, [first, .., last]) => {
                    let nanos = self.history[last.0].now - self.history[first.0].now;
                    if nanos > 0 {
                        (n - 1.0) / (nanos as f64 / 1e9)
                    } else {
                        f64::NAN
                    }
                }
                (None, _) => f64::NAN,
            },
            kind => unreachable!("{kind:?} has no window"),
        }
    }
}

/// What was added to a side's queues, level by level; `up` is 1 where a higher price is better, else −1.
fn added(before: &[(f64, f64)], now: &[(f64, f64)], levels: Range<usize>, up: f64) -> f64 {
    let of_level = |m: usize| match (before.get(m), now.get(m)) {
        (Some(before), Some(now)) if before.0 == now.0 => now.1 - before.1,
        (Some(before), Some(now)) if up * (now.0 - before.0) > 0.0 => now.1,
        (Some(before), _) => -before.1,
        (None, Some(now)) => now.1,
        (None, None) => 0.0,
    };
    levels.map(of_level).sum()
}

/// Cont, Kukanov and Stoikov's e_n, term by term.
fn quote_flow(before: [f64; 4], now: [f64; 4]) -> f64 {
    let mut flow = 0.0;
    if now[0] >= before[0] {
        flow += now[1];
    }
    if now[0] <= before[0] {
        flow -= before[1];
    }
    if now[2] <= before[2] {
        flow -= now[3];
    }
    if now[2] >= before[2] {
        flow += before[3];
    }
    flow
}

fn depth(sides: &Sides, levels: usize) -> f64 {
    let all = sides.iter().flat_map(|side| side.iter().take(levels));
    all.map(|level| level.1).sum::<f64>() / (2 * levels) as f64
}

/// By the normal equations of a line.
fn depth_slope(sides: &Sides, levels: usize, unit: Option<Unit>) -> f64 {
    let mid = (sides[0][0].0 + sides[1][0].0) / 2.0;
    let scale = match unit {
        Some(Unit::BasisPoints) => 1e4 / mid,
        _ => 1.0,
    };
    let slope = |side: &[(f64, f64)]| {
        let n = side.len().min(levels);
        let x: Vec<f64> = side[..n]
            .iter()
            .map(|at| (at.0 - mid).abs() * scale)
            .collect();
        let y: Vec<f64> = (1..=n)
            .map(|to| side[..to].iter().map(|at| at.1).sum())
            .collect();
        let sum = |all: &[f64]| all.iter().sum::<f64>();
        let products = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
        let n = n as f64;
        (n * products(&x, &y) - sum(&x) * sum(&y)) / (n * products(&x, &x) - sum(&x) * sum(&x))
    };
    (slope(&sides[0]) + slope(&sides[1])) / 2.0
}

fn mid(top: [f64; 4]) -> f64 {
    (top[0] + top[2]) / 2.0
}

fn microprice(top: [f64; 4]) -> f64 {
    (top[2] * top[1] + top[0] * top[3]) / (top[1] + top[3])
}

fn imbalance(sides: &Sides, levels: usize) -> f64 {
    let size = |side: &[(f64, f64)]| side.iter().take(levels).map(|level| level.1).sum::<f64>();
    let (bids, asks) = (size(&sides[0]), size(&sides[1]));
    (bids - asks) / (bids + asks)
}

fn top_of(quote: &Quote) -> Option<[f64; 4]> {
    let sides = [quote.bid_px, quote.ask_px];
    (!sides.contains(&Price::UNDEFINED)).then(|| {
        let (bid, ask) = (quote.bid_px.to_f64(), quote.ask_px.to_f64());
        [bid, quote.bid_sz.to_f64(), ask, quote.ask_sz.to_f64()]
    })
}

impl Book {
    /// Takes a diff or a snapshot; returns whether the levels of the book changed.
    fn take(&mut self, depth: Depth, bids: &[Level], asks: &[Level]) -> bool {
        if depth.snapshot.is_some() {
            self.bids.clear();
            self.asks.clear();
            self.set(bids, asks);
            (self.last, self.live) = (depth.last, true);
            for (diff, bids, asks) in std::mem::take(&mut self.waiting) {
                if diff.last > self.last {
                    assert!(diff.first <= self.last + 1, "these captures have no gap");
                    self.set(&bids, &asks);
                    self.last = diff.last;
                }
            }
            return true;
        }
        if !self.live {
            self.waiting.push((depth, bids.to_vec(), asks.to_vec()));
            return false;
        }
        if depth.last <= self.last {
            return false;
        }
        assert!(depth.first <= self.last + 1, "these captures have no gap");
        self.set(bids, asks);
        self.last = depth.last;
        true
    }

    fn set(&mut self, bids: &[Level], asks: &[Level]) {
        for (side, levels) in [(&mut self.bids, bids), (&mut self.asks, asks)] {
            for level in levels {
                side.insert(level.price, level.size.to_f64());
            }
            side.retain(|_, size| *size > 0.0);
        }
    }

    /// The best levels of both sides, bids first.
    fn best(&self, most: usize) -> Sides {
        let level = |(price, size): (&Price, &f64)| (price.to_f64(), *size);
        [
            self.bids.iter().rev().take(most).map(level).collect(),
            self.asks.iter().take(most).map(level).collect(),
        ]
    }

    fn top(&self) -> Option<[f64; 4]> {
        let [bids, asks] = self.best(1);
        Some([
            bids.first()?.0,
            bids.first()?.1,
            asks.first()?.0,
            asks.first()?.1,
        ])
    }
}
