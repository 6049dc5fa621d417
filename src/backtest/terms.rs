//! The terms on which signals are traded: the rule, latency, fills and costs.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::latency::OrderLatency;
use super::quantity::Quantity;
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
    /// What differs by instrument.
    pub own: Arc<OwnTerms>,
}

/// What differs by instrument, by its name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OwnTerms {
    /// The quantity of an order; the largest position is in the same proportion to it as that of all others.
    pub sizes: BTreeMap<String, Quantity>,
    /// What a long position pays to a short one, in basis points, at each of these times in nanoseconds.
    pub funding: RateTable,
    /// What a short position pays a year, in basis points, from each of these times on.
    pub borrowing: RateTable,
}

/// Times in nanoseconds with rates, in order of time, by the name of an instrument; under [`EVERY`] those of
/// all that have none of their own.
pub type RateTable = BTreeMap<String, Arc<[(i64, f64)]>>;

/// The name that stands for every instrument.
pub const EVERY: &str = "*";

impl Terms {
    /// The terms of the instrument of this name; none where they are those of all.
    #[must_use]
    pub fn of(&self, name: &str) -> Option<Self> {
        let own = &*self.own;
        let rates = |table: &RateTable| table.get(name).or(table.get(EVERY)).cloned();
        let (funding, borrowing) = (rates(&own.funding), rates(&own.borrowing));
        let size = own.sizes.get(name).copied();
        if size.is_none() && funding.is_none() && borrowing.is_none() {
            return None;
        }
        let mut terms = self.clone();
        if let Some(size) = size {
            let most = self.rule.max_position.to_f64() / self.rule.size.to_f64();
            terms.rule.max_position = size.share(most).max(size);
            terms.rule.size = size;
        }
        terms.carry.funding = funding.unwrap_or_default();
        terms.carry.borrowing = borrowing.unwrap_or_default();
        Some(terms)
    }
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
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Carry {
    /// What a long position pays to a short one at each funding time, in basis points of its notional.
    pub funding_bps: f64,
    /// The time between two funding times, counted from midnight UTC, in nanoseconds; 0: none.
    pub funding_ns: i64,
    /// What a short position pays for what it borrows, in basis points of its entry's notional a year.
    pub borrow_bps: f64,
    /// Funding times with rates, in place of the above; empty: the above.
    pub funding: Arc<[(i64, f64)]>,
    /// Rates of borrowing from each of these times on, in place of the above; empty: the above.
    pub borrowing: Arc<[(i64, f64)]>,
}

impl Carry {
    /// The first funding time after this one.
    pub(super) fn next_funding(&self, ts: i64) -> i64 {
        if !self.funding.is_empty() {
            let after = self.funding.partition_point(|rate| rate.0 <= ts);
            return self.funding.get(after).map_or(i64::MAX, |rate| rate.0);
        }
        match self.funding_ns {
            0 => i64::MAX,
            every => (ts.div_euclid(every) + 1).saturating_mul(every),
        }
    }

    /// What is paid at a funding time, in basis points.
    pub(super) fn funding_bps_at(&self, ts: i64) -> f64 {
        let at = self.funding.binary_search_by_key(&ts, |rate| rate.0);
        at.map_or(self.funding_bps, |at| self.funding[at].1)
    }

    /// What borrowing costs from one time to another, in basis points.
    pub(super) fn borrow_bps(&self, from: i64, to: i64) -> f64 {
        let years = |from: i64, to: i64| to.saturating_sub(from).max(0) as f64 / YEAR_NS;
        if self.borrowing.is_empty() {
            return self.borrow_bps * years(from, to);
        }
        let mut cost = 0.0;
        for (at, (since, bps)) in self.borrowing.iter().enumerate() {
            let until = self.borrowing.get(at + 1).map_or(i64::MAX, |next| next.0);
            cost += bps * years(from.max(*since), to.min(until));
        }
        cost
    }
}

/// A year of 365 days, in nanoseconds.
const YEAR_NS: f64 = 365.0 * 86_400e9;
