//! The units and forms that the value of a feature may have.

use serde::{Deserialize, Serialize};

/// The unit of a difference of prices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub enum Unit {
    /// Quote currency.
    #[serde(rename = "price")]
    Price,
    /// 1e-4 of the mid.
    #[serde(rename = "bps")]
    BasisPoints,
}

/// Which of the two coordinates of the time of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// sin(2π t).
    Sine,
    /// cos(2π t).
    Cosine,
    /// Seconds since midnight.
    Seconds,
}

/// What an `order_flow_imbalance` follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FlowSource {
    /// Changes of the order book.
    Book,
    /// The best bid and offer, at each quote and book change.
    Quotes,
}

/// How volatility is estimated from the range of bars.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RangeEstimator {
    /// From high and low.
    Parkinson,
    /// From high and low, less what open and close say.
    GarmanKlass,
}

/// What a return from one session to the next is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Overnight {
    /// None: windows do not hold it, and rows lack it until the next one.
    Exclude,
}
