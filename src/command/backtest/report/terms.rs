//! The terms on which signals were traded, as the report tells them.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::backtest::{FillModel, Sides, Terms};

/// The terms on which signals were traded.
#[derive(Clone, Debug, Serialize)]
pub struct TermsFigures {
    /// The least |score| that opens a position.
    pub enter: f64,
    /// The score towards a position below which it is closed; null: no score closes one.
    pub exit: Option<f64>,
    /// How long a position is held; null: time closes none.
    pub hold_ms: Option<f64>,
    /// Whether a signal of the other side reverses a position.
    pub flip: bool,
    /// The quantity of an order, in the base currency.
    pub size: f64,
    /// `fixed` or `confidence`.
    pub size_by: &'static str,
    /// The largest position.
    pub max_position: f64,
    /// `both`, `long` or `short`.
    pub sides: &'static str,
    /// The qualities of signals that are acted on.
    pub act_on: Vec<&'static str>,
    /// The constant part of the latency.
    pub latency_ms: f64,
    /// Measured latencies that are drawn from on top of it; 0: none.
    pub measured_latencies: usize,
    /// Sizes of instruments that have one of their own.
    pub sizes: BTreeMap<String, f64>,
    /// `market` or `limit`.
    pub fill: &'static str,
    /// The fee of orders that rested.
    pub maker_fee_bps: f64,
    /// The fee of orders that took.
    pub taker_fee_bps: f64,
    /// What long positions pay at each funding time.
    pub funding_bps: f64,
    /// What short positions pay a year.
    pub borrow_bps: f64,
}

impl From<&Terms> for TermsFigures {
    fn from(terms: &Terms) -> Self {
        let rule = &terms.rule;
        Self {
            enter: rule.enter,
            exit: rule.exit,
            hold_ms: rule.hold_ns.map(|hold| hold as f64 / MILLI_NS),
            flip: rule.flip,
            size: rule.size.to_f64(),
            size_by: if rule.by_confidence {
                "confidence"
            } else {
                "fixed"
            },
            max_position: rule.max_position.to_f64(),
            sides: match rule.sides {
                Sides::Both => "both",
                Sides::Long => "long",
                Sides::Short => "short",
            },
            act_on: rule.act_on.iter().map(|quality| quality.word()).collect(),
            latency_ms: terms.latency.constant_ns as f64 / MILLI_NS,
            measured_latencies: terms.latency.samples.len(),
            sizes: terms
                .own
                .sizes
                .iter()
                .map(|(name, size)| (name.clone(), size.to_f64()))
                .collect(),
            fill: match terms.fill {
                FillModel::Market => "market",
                FillModel::Limit(_) => "limit",
            },
            maker_fee_bps: terms.fees.maker_bps,
            taker_fee_bps: terms.fees.taker_bps,
            funding_bps: terms.carry.funding_bps,
            borrow_bps: terms.carry.borrow_bps,
        }
    }
}

/// Nanoseconds in a millisecond.
const MILLI_NS: f64 = 1e6;
