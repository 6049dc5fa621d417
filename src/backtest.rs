//! Backtests: the positions that a rule takes at signals, the prices at which the recorded market fills them,
//! and what comes of it.
//!
//! Pure: sees the events and the signals of an engine run and changes neither. Computes no feature and no
//! score. Many [`Terms`] are tried in one pass ([`Backtest`]), each as if it were alone: nobody's orders move
//! the recorded market.
//!
//! # What comes first at one time
//!
//! An order that takes effect at a time meets the market of all updates with event times up to then, so it
//! is filled when the first later update is known, at that earlier state. At one time the order is: trades,
//! updates of the market, exits that are due, orders that take effect, signals. So an outcome never depends
//! on how messages of one time were interleaved, nor on batches.
//!
//! On bars an order waits for the open of the first bar that begins no earlier than it takes effect.
//!
//! # Numbers
//!
//! Positions and what is left of orders are exact ([`Quantity`]). Money is float64: price times quantity of
//! each level taken, summed in the order of fills within a trade, of closing times over trades.

mod desk;
mod equity;
mod fill;
mod lane;
mod latency;
mod market;
mod moments;
mod normal;
mod order;
mod pass;
mod quantity;
mod queue;
mod round_trip;
mod rule;
pub mod statistics;
mod tally;
mod terms;
mod trial;

pub use self::equity::{Equity, EquityPoint, TradedSpan};
pub use self::latency::OrderLatency;
pub use self::market::FillOn;
pub use self::moments::ChangeMoments;
pub use self::pass::{Backtest, InputCounts};
pub use self::quantity::Quantity;
pub use self::round_trip::{ExitReason, OpenPosition, RoundTrip};
pub use self::rule::{Decision, Intent, PassedOver, Rule, Sides};
pub use self::tally::{Tally, TradeFigures};
pub use self::terms::{Carry, EVERY, Fees, FillModel, LimitTerms, OwnTerms, RateTable, Terms};
pub use self::trial::{Keep, TrialOutcome};

#[cfg(test)]
mod tests;
