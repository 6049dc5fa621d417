//! What labels are made of, and what becomes of a row.

use crate::units::Nanos;

/// What labels are made of, after an event of an instrument.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LabelPoint {
    /// The event's time.
    pub now: Nanos,
    /// The middle of bid and ask, where it means something.
    pub mid: Option<f64>,
    /// The price of the last trade or the close of the last bar, where no gap lies behind it.
    pub price: Option<f64>,
    /// Gaps in book and quotes, and silences, so far.
    pub breaks: u64,
    /// Gaps in trades and bars, and silences, so far.
    pub trade_breaks: u64,
}

/// The price that a label follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PriceOf {
    /// The middle of bid and ask.
    Mid,
    /// The last trade, or the last bar's close.
    Trade,
}

/// What happened after a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LabelOutcome {
    /// Index into the label's classes; none for a number.
    pub class: Option<u8>,
    /// The move in basis points, the volatility, or 1 for a default.
    pub value: f64,
    /// The time at which it was known.
    pub end: Nanos,
}

impl LabelPoint {
    /// The price, and the gaps and silences that concern it.
    pub(super) fn of(&self, price: PriceOf) -> (Option<f64>, u64) {
        match price {
            PriceOf::Mid => (self.mid, self.breaks),
            PriceOf::Trade => (self.price, self.trade_breaks),
        }
    }
}

/// The move from one price to another in basis points; none where one is not above zero.
pub(super) fn move_bps(before: f64, after: f64) -> Option<f64> {
    let moved = 1e4 * (after / before - 1.0);
    (before > 0.0 && after > 0.0 && moved.is_finite()).then_some(moved)
}

/// The class of a move: 0 down, 1 flat, 2 up.
pub(super) fn class_of(moved: f64, threshold_bps: f64) -> u8 {
    match moved {
        up if up > threshold_bps => 2,
        down if down < -threshold_bps => 0,
        _ => 1,
    }
}
