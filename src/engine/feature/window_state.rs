//! The windows that features read, of all kinds.

use std::f64::consts::FRAC_PI_2;

use serde::{Deserialize, Serialize};

use super::kind::FeatureKind;
use super::program::{WindowKind, WindowSpec};
use crate::engine::window::{
    Buckets, Extreme, Lag, Moments, Pairs, Products, Ranks, Rolling, Shape, Span, Sums,
};
use crate::event::Trade;
use crate::units::{Side, Size};

/// A window of an instrument.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum WindowState {
    Moments(Moments),
    Shape(Box<Rolling<Shape>>),
    Extreme(Extreme),
    Ranks(Box<Rolling<Ranks>>),
    Ends(Box<Rolling<Lag>>),
    Products(Box<Rolling<Products>>),
    Pairs(Box<Rolling<Pairs>>),
    Buckets(Box<Buckets>),
    /// One number.
    Sums(Sums<1>),
    /// Notional, size and signed size of trades, and how many of them have no side.
    Trades(Sums<4>),
}

impl WindowState {
    pub(super) fn new(window: &WindowSpec) -> Self {
        match window.kind {
            WindowKind::Moments => Self::Moments(Moments::new(window.span)),
            WindowKind::Shape => Self::Shape(Box::new(Rolling::new(window.span))),
            WindowKind::Ranks => Self::Ranks(Box::new(Rolling::new(window.span))),
            WindowKind::Products => Self::Products(Box::new(Rolling::new(window.span))),
            WindowKind::Pairs => Self::Pairs(Box::new(Rolling::new(window.span))),
            WindowKind::Buckets(size) => {
                let count = match window.span {
                    Span::Count(count) => count,
                    Span::Time(_) => 1,
                };
                Self::Buckets(Box::new(Buckets::new(size, count)))
            }
            WindowKind::Ends => Self::Ends(Box::new(Rolling::new(window.span))),
            WindowKind::Smallest => Self::Extreme(Extreme::smallest(window.span)),
            WindowKind::Largest => Self::Extreme(Extreme::largest(window.span)),
            WindowKind::Sum | WindowKind::Squares | WindowKind::Count => {
                Self::Sums(Sums::new(window.span))
            }
            WindowKind::Trades => Self::Trades(Sums::new(window.span)),
        }
    }

    /// Adds a value, with the second one where the window is of pairs, or the trade where it is of trades.
    pub(super) fn push(
        &mut self,
        kind: WindowKind,
        now: i64,
        (value, second): (f64, f64),
        trade: Option<&Trade>,
    ) {
        match self {
            Self::Moments(moments) => moments.push(now, value),
            Self::Shape(window) => window.push(now, value),
            Self::Ranks(window) => window.push(now, value),
            Self::Ends(window) => window.push(now, value),
            Self::Products(window) => window.push(now, value),
            Self::Pairs(window) => window.push(now, [value, second]),
            Self::Buckets(buckets) => {
                if let Some(trade) = trade {
                    buckets.push(now, nano_units(trade.size), sign(trade.side));
                }
            }
            Self::Extreme(extreme) => extreme.push(now, value),
            Self::Sums(sums) => {
                let squared = kind == WindowKind::Squares;
                sums.push(now, [if squared { value * value } else { value }]);
            }
            Self::Trades(sums) => {
                if let Some(trade) = trade {
                    let (price, size) = (trade.price.to_f64(), trade.size.to_f64());
                    let (flow, unknown) = match trade.side {
                        Some(side) => (signed(side, size), 0.0),
                        None => (0.0, 1.0),
                    };
                    sums.push(now, [price * size, size, flow, unknown]);
                }
            }
        }
    }

    /// Adds a value that is undefined.
    pub(super) fn push_undefined(&mut self, now: i64) {
        match self {
            Self::Moments(moments) => moments.push_undefined(now),
            Self::Shape(window) => window.push_undefined(now),
            Self::Ranks(window) => window.push_undefined(now),
            Self::Ends(window) => window.push_undefined(now),
            Self::Products(window) => window.push_undefined(now),
            Self::Pairs(window) => window.push_undefined(now),
            // Trades have no undefined values.
            Self::Buckets(_) => {}
            Self::Extreme(extreme) => extreme.push_undefined(now),
            Self::Sums(sums) => sums.push_undefined(now),
            Self::Trades(sums) => sums.push_undefined(now),
        }
    }

    /// The value of a windowed feature; NaN where it is undefined: while an undefined value is in the window,
    /// and of an empty window, except of sums, which are zero, and of a flow, which is balanced.
    pub(super) fn value(&self, kind: FeatureKind, ddof: u32, now: i64) -> f64 {
        let ddof = ddof as usize;
        match (self, kind) {
            (Self::Moments(moments), _) if moments.holds_undefined(now) => f64::NAN,
            (Self::Shape(window), _) if window.holds_undefined(now) => f64::NAN,
            (Self::Pairs(window), _) if window.holds_undefined(now) => f64::NAN,
            (Self::Products(window), _) if window.holds_undefined(now) => f64::NAN,
            (Self::Ranks(window), _) if window.holds_undefined(now) => f64::NAN,
            (Self::Extreme(extreme), _) if extreme.holds_undefined(now) => f64::NAN,
            (Self::Sums(sums), _) if sums.holds_undefined(now) => f64::NAN,
            // Trades have no undefined values.
            (Self::Moments(moments), FeatureKind::Std) if ddof == 0 => moments.std(),
            (Self::Moments(moments), FeatureKind::Std) => moments.variance(ddof).sqrt(),
            (Self::Moments(moments), FeatureKind::Variance) => moments.variance(ddof),
            (Self::Moments(moments), FeatureKind::RangeVolatility) => {
                moments.mean().unwrap_or(f64::NAN).sqrt()
            }
            (Self::Moments(moments), _) => moments.mean().unwrap_or(f64::NAN),
            (Self::Shape(window), FeatureKind::Skew) => window.skew(),
            (Self::Shape(window), _) => window.z_score(ddof),
            (Self::Ranks(window), _) => window.rank(),
            (Self::Pairs(window), FeatureKind::Correlation) => window.correlation(),
            (Self::Pairs(window), _) => window.slope(),
            (Self::Buckets(buckets), _) => buckets.imbalance(now),
            (Self::Products(window), _) => FRAC_PI_2 * window.aggregate().sum(),
            (Self::Ends(window), kind) => window.ends().map_or(f64::NAN, |ends| moved(kind, ends)),
            (Self::Extreme(extreme), _) => extreme.value().unwrap_or(f64::NAN),
            (Self::Sums(sums), FeatureKind::RealisedVolatility) => sums.sums()[0].max(0.0).sqrt(),
            (Self::Sums(sums), FeatureKind::TradeIntensity) => sums.rate(),
            (Self::Sums(sums), _) => sums.sums()[0],
            (Self::Trades(sums), FeatureKind::VwapDeviation) => {
                vwap_deviation(sums).unwrap_or(f64::NAN)
            }
            (Self::Trades(sums), _) => {
                let [_, size, flow, unknown] = sums.sums();
                match unknown > 0.0 {
                    true => f64::NAN,
                    false if sums.is_empty() => 0.0,
                    false => flow / size,
                }
            }
        }
    }

    pub(super) fn advance(&mut self, now: i64) {
        match self {
            Self::Moments(moments) => moments.advance(now),
            Self::Shape(window) => window.advance(now),
            Self::Ranks(window) => window.advance(now),
            Self::Ends(window) => window.advance(now),
            Self::Products(window) => window.advance(now),
            Self::Pairs(window) => window.advance(now),
            // They are of a number, not of a time.
            Self::Buckets(_) => {}
            Self::Extreme(extreme) => extreme.advance(now),
            Self::Sums(sums) => sums.advance(now),
            Self::Trades(sums) => sums.advance(now),
        }
    }

    pub(super) fn is_full(&self, now: i64) -> bool {
        match self {
            Self::Moments(moments) => moments.is_full(now),
            Self::Shape(window) => window.is_full(now),
            Self::Ranks(window) => window.is_full(now),
            Self::Ends(window) => window.is_full(now),
            Self::Products(window) => window.is_full(now),
            Self::Pairs(window) => window.is_full(now),
            Self::Buckets(buckets) => buckets.is_full(now),
            Self::Extreme(extreme) => extreme.is_full(now),
            Self::Sums(sums) => sums.is_full(now),
            Self::Trades(sums) => sums.is_full(now),
        }
    }

    /// The times of its oldest and its newest value.
    pub(super) fn times(&self) -> Option<(i64, i64)> {
        match self {
            Self::Ends(window) => window.times(),
            _ => None,
        }
    }

    /// Whether an event gives it something to say: a change needs a value to compare with, a pair both
    /// values, and a bucket must be full.
    pub(super) fn has_begun(&self, now: i64) -> bool {
        match self {
            Self::Ends(window) => window.is_full(now),
            Self::Pairs(window) => window.received() > 0,
            Self::Buckets(buckets) => buckets.has_new(),
            _ => true,
        }
    }

    /// Reads from the cache lines that the next value needs.
    pub(super) fn touch(&self) -> u64 {
        match self {
            Self::Moments(moments) => moments.touch(),
            Self::Shape(window) => window.touch(),
            Self::Ranks(window) => window.touch(),
            Self::Ends(window) => window.touch(),
            Self::Products(window) => window.touch(),
            Self::Pairs(window) => window.touch(),
            Self::Buckets(buckets) => buckets.touch(),
            Self::Extreme(extreme) => extreme.touch(),
            Self::Sums(sums) => sums.touch(),
            Self::Trades(sums) => sums.touch(),
        }
    }

    /// Values received so far.
    pub(super) fn received(&self) -> u64 {
        match self {
            Self::Moments(moments) => moments.received(),
            Self::Shape(window) => window.received(),
            Self::Ranks(window) => window.received(),
            Self::Ends(window) => window.received(),
            Self::Products(window) => window.received(),
            Self::Pairs(window) => window.received(),
            Self::Buckets(buckets) => buckets.received(),
            Self::Extreme(extreme) => extreme.received(),
            Self::Sums(sums) => sums.received(),
            Self::Trades(sums) => sums.received(),
        }
    }
}

/// The return, or the change, from the first value to the second.
fn moved(kind: FeatureKind, (before, now): (f64, f64)) -> f64 {
    match kind {
        FeatureKind::LogReturn if before > 0.0 && now > 0.0 => libm::log(now / before),
        FeatureKind::LogReturn => f64::NAN,
        _ => now - before,
    }
}

/// A size in whole 1e-9 of the base currency.
fn nano_units(size: Size) -> i64 {
    let rounded = || (size.to_f64() * 1e9).round() as i64;
    size.scaled(9).unwrap_or_else(rounded)
}

fn sign(side: Option<Side>) -> i64 {
    match side {
        Some(Side::Buy) => 1,
        Some(Side::Sell) => -1,
        None => 0,
    }
}

/// The size of a trade, negative where a seller started it.
pub(super) fn signed(side: Side, size: f64) -> f64 {
    match side {
        Side::Buy => size,
        Side::Sell => -size,
    }
}

/// Last price over the volume-weighted mean price, minus one.
fn vwap_deviation(trades: &Sums<4>) -> Option<f64> {
    let ([notional, size, ..], last) = (trades.sums(), trades.last()?);
    Some(last[0] / last[1] * size / notional - 1.0)
}
