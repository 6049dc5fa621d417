//! `[backtest]`: how `foretick backtest` turns signals into positions, fills and costs.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

/// `[backtest]`: how `foretick backtest` turns signals into positions, and what trading costs. Each key may
/// be given by `--set backtest.enter=0.15` instead, and tried with several values by `--sweep`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BacktestConfig {
    /// The least absolute score of a signal that opens a position, towards the sign of the score. Required.
    pub enter: f64,
    /// A position is closed at a signal whose score towards it is below this. Not given: no score closes one.
    pub exit: Option<f64>,
    /// A position is closed so long after its last fill that increased it, in milliseconds of event time. Not
    /// given: time closes none; then `exit` or `flip` is needed.
    pub hold_ms: Option<u64>,
    /// Whether a signal that would open a position of the other side reverses an open one. Default: `false`,
    /// which passes it over.
    #[serde(default)]
    pub flip: bool,
    /// The quantity of an order, in the base currency: coins, shares, contracts. Required; above zero.
    pub size: f64,
    /// The quantity of an order of some instruments, by name, as `{ "BTCUSDT.BINANCE" = 0.01,
    /// "ETHUSDT.BINANCE" = 0.2 }`; others have `size`. `max_position` is in the same proportion to it.
    #[serde(default)]
    pub sizes: BTreeMap<String, f64>,
    /// Whether an order has the whole `size`, or less for weaker scores. Default: `"fixed"`.
    #[serde(default)]
    pub size_by: SizeBy,
    /// The largest position, in the base currency: signals towards an open position add to it up to this. Not
    /// given: `size`, and nothing is added, whatever part of the position was filled.
    pub max_position: Option<f64>,
    /// Which positions may be held. Default: `"both"`.
    #[serde(default)]
    pub sides: TradedSides,
    /// The qualities of signals that are acted on. Default: `"ok"` alone.
    #[serde(default = "act_on")]
    pub act_on: Vec<String>,
    /// The time from a signal's event until its order takes effect, in milliseconds. Required; 0 is an order
    /// that meets the very market that the signal was made of.
    pub latency_ms: f64,
    /// A file of measured latencies, from which each order has one on top of `latency_ms`: numbers in
    /// milliseconds, one a line, or JSON lines of signals of a live run, of which `ts_out` less `ts_event` is
    /// taken, an hour at most. Which one depends on the signal's time alone. Not given: the latency is
    /// constant.
    pub latency_file: Option<PathBuf>,
    /// The fee of every fill, in basis points of its notional. Not given: `maker_fee_bps` and `taker_fee_bps`
    /// are needed.
    pub fee_bps: Option<f64>,
    /// The fee of limit orders that rested; below zero is a rebate. Not given: `fee_bps`.
    pub maker_fee_bps: Option<f64>,
    /// The fee of market orders. Not given: `fee_bps`.
    pub taker_fee_bps: Option<f64>,
    /// How orders that open positions are filled. Orders that close one are market orders always. Default:
    /// `"market"`.
    #[serde(default)]
    pub fill: FillKind,
    /// What orders are filled on. Not given: `"bars"` where rows are bars, `"book"` where the pipeline's
    /// rows or features use the book, else `"quotes"`.
    pub fill_on: Option<FillMarket>,
    /// With `fill_on = "bars"`, how long before its event a bar begins, in milliseconds: `60_000` for
    /// minutes, `23_400_000` for days of a session of 6.5 hours. Required with `"bars"`.
    pub bar_ms: Option<u64>,
    /// With `fill = "limit"`, how long an order rests before it is cancelled, in milliseconds. Required with
    /// `"limit"`.
    pub cancel_ms: Option<u64>,
    /// With `fill = "limit"`, how many ticks behind the best price of its own side an order is placed; below
    /// zero is before it, but never at the best price of the other side. Default: `0`, which joins the best
    /// price.
    #[serde(default)]
    pub limit_ticks: i32,
    /// The step of prices, in the quote currency. Required where `limit_ticks` is not zero.
    pub tick_size: Option<f64>,
    /// The step of quantities, in the base currency: orders are rounded down to it. Not given: orders are of
    /// any size.
    pub lot_size: Option<f64>,
    /// What a long position pays to a short one at each funding time, in basis points of its notional.
    /// Default: `0.0`.
    #[serde(default)]
    pub funding_bps: f64,
    /// The time between two funding times, counted from midnight UTC, in hours. Default: `8`.
    #[serde(default = "funding_hours")]
    pub funding_hours: u32,
    /// A CSV file of what long positions pay to short ones, in place of `funding_bps`, with columns
    /// `ts_event` (RFC 3339, or nanoseconds), `instrument` (`*` for all that have no rows of their own) and
    /// `bps`, one row for each funding time. Not given: `funding_bps`.
    pub funding_file: Option<PathBuf>,
    /// The same of what short positions pay a year, each row from its `ts_event` on, in place of
    /// `borrow_bps`. Not given: `borrow_bps`.
    pub borrow_file: Option<PathBuf>,
    /// What a short position pays for what it borrows, in basis points of its entry's notional a year of 365
    /// days. Default: `0.0`.
    #[serde(default)]
    pub borrow_bps: f64,
    /// The step of the equity curve, of whose changes the Sharpe ratio and its like are, in milliseconds.
    /// Default: `1000`.
    #[serde(default = "step_ms")]
    pub step_ms: u64,
}

/// What the quantity of an order depends on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SizeBy {
    /// Nothing: it is `size`.
    #[default]
    Fixed,
    /// The score: it is `size` times the absolute score, at most 1.
    Confidence,
}

/// Which positions may be held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TradedSides {
    /// Long and short ones.
    #[default]
    Both,
    /// Long ones.
    Long,
    /// Short ones.
    Short,
}

/// How orders that open positions are filled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FillKind {
    /// They take what the other side shows, from the best level on; what is not shown is not filled.
    #[default]
    Market,
    /// They rest behind all that their price shows, and are filled by what trades beyond it.
    Limit,
}

/// What orders are filled on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FillMarket {
    /// The book, level by level.
    Book,
    /// The best bid and offer, up to the quantity that they show.
    Quotes,
    /// The open of the first bar that begins no earlier than the order takes effect, whatever its quantity.
    Bars,
}

fn act_on() -> Vec<String> {
    vec!["ok".into()]
}

fn funding_hours() -> u32 {
    8
}

fn step_ms() -> u64 {
    1_000
}
