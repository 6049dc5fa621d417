//! Parts of the report of a backtest. Money is in the quote currency.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::backtest::statistics::{calmar, sharpe, sharpe_of_step, sortino};
use crate::backtest::{Equity, Tally, TradeFigures};
use crate::command::backtest::study::{DurationFigures, Durations};

/// The figures of one trial.
#[derive(Clone, Debug, Serialize)]
pub struct ResultFigures {
    /// Positions that were opened and closed.
    pub trades: u64,
    /// What they won, before costs.
    pub pnl_gross: f64,
    /// Fees.
    pub fees: f64,
    /// Funding and borrowing.
    pub carry: f64,
    /// What they won, after costs.
    pub pnl_net: f64,
    /// The share that won, after costs.
    pub hit_rate: Option<f64>,
    /// The share that won, before costs.
    pub hit_rate_gross: Option<f64>,
    /// Price times quantity of all fills.
    pub turnover: f64,
    /// The fee of each notional at which nothing would be won.
    pub breakeven_bps: Option<f64>,
    /// The Sharpe ratio of a year.
    pub sharpe: Option<f64>,
    /// The Sharpe ratio of one step of the equity curve.
    pub sharpe_step: Option<f64>,
    /// The Sortino ratio of a year.
    pub sortino: Option<f64>,
    /// The Calmar ratio.
    pub calmar: Option<f64>,
    /// The largest fall of the equity from a peak.
    pub max_drawdown: f64,
}

/// The figures of a part of the trades.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct PartFigures {
    pub trades: u64,
    pub pnl_gross: f64,
    pub fees: f64,
    pub pnl_net: f64,
    pub hit_rate: Option<f64>,
    pub turnover: f64,
    pub breakeven_bps: Option<f64>,
}

/// The result with another latency.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct ByLatency {
    /// The latency, in place of the pipeline's own.
    pub latency_ms: i64,
    /// The result.
    #[serde(flatten)]
    pub figures: PartFigures,
}

/// The result with another size.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct BySize {
    /// The size of an order, in the base currency.
    pub size: f64,
    /// Orders of which nothing, or a part, was filled.
    pub not_filled: u64,
    /// The result.
    #[serde(flatten)]
    pub figures: PartFigures,
}

/// The result with another fee.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct ByFee {
    /// The fee of each notional.
    pub fee_bps: f64,
    /// What trades won, after costs.
    pub pnl_net: f64,
}

/// How long positions were held, in milliseconds.
#[derive(Clone, Debug, Serialize)]
pub struct HoldingTimes {
    pub mean: f64,
    pub median: f64,
    pub min: f64,
    pub max: f64,
    /// All of them, as a histogram.
    pub distribution: Option<DurationFigures>,
}

/// What was held over time, by the samples of the equity curve.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Exposure {
    /// The mean of price times quantity of what was held.
    pub mean: Option<f64>,
    /// The largest.
    pub max: f64,
    /// The share of the time with a position.
    pub time_in_market: Option<f64>,
}

/// What became of orders.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct OrderCounts {
    /// That signals asked for.
    pub sent: u64,
    /// Of which nothing was filled: the market was not open, or showed nothing.
    pub unfilled: u64,
    /// Of which a part was filled: the market showed no more.
    pub partly_filled: u64,
    /// Limit orders that were cancelled before they were filled whole.
    pub cancelled: u64,
    /// Exits that waited for the market.
    pub delayed_exits: u64,
    /// That were under way at the end.
    pub left: u64,
}

/// A position that was open at the end.
#[derive(Clone, Debug, Serialize)]
pub struct OpenFigures {
    /// The instrument.
    pub instrument: String,
    /// `long` or `short`.
    pub side: &'static str,
    /// What is held, without a sign.
    pub quantity: f64,
    /// Since when, in nanoseconds.
    pub ts_entry: i64,
    /// What it is worth more than it cost at the last middle of the market, before fees.
    pub pnl_gross: f64,
    /// Fees so far.
    pub fees: f64,
}

/// A combination of a sweep, with its result.
#[derive(Clone, Debug, Serialize)]
pub struct SweptFigures {
    /// Keys and values, as they were written.
    pub set: BTreeMap<String, String>,
    /// The result.
    #[serde(flatten)]
    pub result: ResultFigures,
}

/// The figures of a trial.
pub(super) fn result(tally: &Tally, equity: &Equity, step_ns: i64) -> ResultFigures {
    let all = &tally.all;
    ResultFigures {
        trades: all.trades,
        pnl_gross: all.gross,
        fees: all.fees,
        carry: all.carry,
        pnl_net: all.net(),
        hit_rate: all.hit_rate(),
        hit_rate_gross: all.gross_hit_rate(),
        turnover: all.turnover,
        breakeven_bps: all.breakeven_bps(),
        sharpe: sharpe(equity, step_ns),
        sharpe_step: sharpe_of_step(&equity.changes),
        sortino: sortino(equity, step_ns),
        calmar: calmar(equity, step_ns),
        max_drawdown: equity.max_drawdown,
    }
}

impl From<&TradeFigures> for PartFigures {
    fn from(figures: &TradeFigures) -> Self {
        Self {
            trades: figures.trades,
            pnl_gross: figures.gross,
            fees: figures.fees,
            pnl_net: figures.net(),
            hit_rate: figures.hit_rate(),
            turnover: figures.turnover,
            breakeven_bps: figures.breakeven_bps(),
        }
    }
}

/// How long the trades of a tally that keeps them were held.
pub(super) fn holding_times(tally: &Tally) -> Option<HoldingTimes> {
    let (least, most) = tally.held_range_ns?;
    let mut held: Vec<i64> = tally
        .trips
        .iter()
        .flatten()
        .map(|trip| trip.held_ns())
        .collect();
    let mut durations = Durations::default();
    held.iter().for_each(|held| durations.add(*held));
    held.sort_unstable();
    let middle = held.len() / 2;
    let median = match held.len() % 2 {
        0 => f64::midpoint(held[middle - 1] as f64, held[middle] as f64),
        _ => held[middle] as f64,
    };
    Some(HoldingTimes {
        mean: tally.held_ns as f64 / tally.all.trades as f64 / MILLI_NS,
        median: median / MILLI_NS,
        min: least as f64 / MILLI_NS,
        max: most as f64 / MILLI_NS,
        distribution: durations.figures(),
    })
}

/// Nanoseconds in a millisecond.
const MILLI_NS: f64 = 1e6;
