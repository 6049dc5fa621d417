//! The windows that features read, of all kinds.

use serde::{Deserialize, Serialize};

use super::kind::FeatureKind;
use super::program::{WindowKind, WindowSpec};
use crate::engine::window::{Extreme, Moments, Sums};
use crate::event::Trade;
use crate::units::Side;

/// A window of an instrument.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum WindowState {
    Moments(Moments),
    Extreme(Extreme),
    /// One number.
    Sums(Sums<1>),
    /// Notional, size and signed size of trades, and how many of them have no side.
    Trades(Sums<4>),
}

impl WindowState {
    pub(super) fn new(window: &WindowSpec) -> Self {
        match window.kind {
            WindowKind::Moments => Self::Moments(Moments::new(window.span)),
            WindowKind::Smallest => Self::Extreme(Extreme::smallest(window.span)),
            WindowKind::Largest => Self::Extreme(Extreme::largest(window.span)),
            WindowKind::Sum | WindowKind::Squares | WindowKind::Count => {
                Self::Sums(Sums::new(window.span))
            }
            WindowKind::Trades => Self::Trades(Sums::new(window.span)),
        }
    }

    /// Adds a value, or the trade where the window is of trades.
    pub(super) fn push(&mut self, kind: WindowKind, now: i64, value: f64, trade: Option<&Trade>) {
        match self {
            Self::Moments(moments) => moments.push(now, value),
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
            Self::Extreme(extreme) => extreme.push_undefined(now),
            Self::Sums(sums) => sums.push_undefined(now),
            Self::Trades(sums) => sums.push_undefined(now),
        }
    }

    /// The value of a windowed feature; NaN where it is undefined: while an undefined value is in the window,
    /// and of an empty window, except of sums, which are zero, and of a flow, which is balanced.
    pub(super) fn value(&self, kind: FeatureKind, now: i64) -> f64 {
        match (self, kind) {
            (Self::Moments(moments), _) if moments.holds_undefined(now) => f64::NAN,
            (Self::Extreme(extreme), _) if extreme.holds_undefined(now) => f64::NAN,
            (Self::Sums(sums), _) if sums.holds_undefined(now) => f64::NAN,
            // Trades have no undefined values.
            (Self::Moments(moments), FeatureKind::Std) => moments.std(),
            (Self::Moments(moments), _) => moments.mean().unwrap_or(f64::NAN),
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
            Self::Extreme(extreme) => extreme.advance(now),
            Self::Sums(sums) => sums.advance(now),
            Self::Trades(sums) => sums.advance(now),
        }
    }

    pub(super) fn is_full(&self, now: i64) -> bool {
        match self {
            Self::Moments(moments) => moments.is_full(now),
            Self::Extreme(extreme) => extreme.is_full(now),
            Self::Sums(sums) => sums.is_full(now),
            Self::Trades(sums) => sums.is_full(now),
        }
    }

    /// Reads from the cache lines that the next value needs.
    pub(super) fn touch(&self) -> u64 {
        match self {
            Self::Moments(moments) => moments.touch(),
            Self::Extreme(extreme) => extreme.touch(),
            Self::Sums(sums) => sums.touch(),
            Self::Trades(sums) => sums.touch(),
        }
    }

    /// Values received so far.
    pub(super) fn received(&self) -> u64 {
        match self {
            Self::Moments(moments) => moments.received(),
            Self::Extreme(extreme) => extreme.received(),
            Self::Sums(sums) => sums.received(),
            Self::Trades(sums) => sums.received(),
        }
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
