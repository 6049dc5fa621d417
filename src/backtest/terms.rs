//! The terms on which signals are traded: the rule, latency, fills and costs.

use super::latency::OrderLatency;
use super::rule::Rule;
use crate::units::Price;

/// The terms on which signals are traded.
#[derive(Clone, Debug, PartialEq)]
pub struct Terms {
    /// How signals become positions.
    pub rule: Rule,
    /// The time until an order takes effect.
    pub latency: OrderLatency,
    /// How orders that open positions are filled.
    pub fill: FillModel,
    /// Fees.
    pub fees: Fees,
    /// Costs of holding.
    pub carry: Carry,
}

/// How orders that open positions are filled. Orders that close one are market orders always.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FillModel {
    /// They take what the other side of the market shows, from the best level on.
    Market,
    /// They rest in the book.
    Limit(LimitTerms),
}

/// How limit orders are placed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LimitTerms {
    /// An order is cancelled so long after it took effect, in nanoseconds.
    pub cancel_ns: i64,
    /// How many ticks behind the best price of its own side it is placed; below zero: before it, but never at
    /// the other side's best price.
    pub ticks_behind: i32,
    /// The step of prices; undefined where orders join the best price.
    pub tick: Price,
}

/// Fees in basis points of each notional.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fees {
    /// Of orders that rested; below zero is a rebate.
    pub maker_bps: f64,
    /// Of orders that took from the market.
    pub taker_bps: f64,
}

/// Costs of holding a position.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Carry {
    /// What a long position pays to a short one at each funding time, in basis points of its notional.
    pub funding_bps: f64,
    /// The time between two funding times, counted from midnight UTC, in nanoseconds; 0: none.
    pub funding_ns: i64,
    /// What a short position pays for what it borrows, in basis points of its entry's notional a year.
    pub borrow_bps: f64,
}

impl Carry {
    /// The first funding time after this one.
    pub(super) fn next_funding(&self, ts: i64) -> i64 {
        match self.funding_ns {
            0 => i64::MAX,
            every => (ts.div_euclid(every) + 1).saturating_mul(every),
        }
    }
}
