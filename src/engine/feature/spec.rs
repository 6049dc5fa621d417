//! A `[[feature]]` table: the kinds of feature with formula, unit and warm-up, and the keys that each takes.

use serde::{Deserialize, Serialize};

use super::order_flow::Levels;
use super::plan::PlanError;
use crate::schema::Field;

/// A `[[feature]]` table as written.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct FeatureSpec {
    /// The column's name.
    pub name: String,
    /// What it computes.
    pub kind: Kind,
    /// The series it is computed from: the name of a feature above, or `price`, `size`,
    /// `signed_size` (of trades), `mid`, `microprice`, `spread` (of quotes), `open`, `high`, `low`, `close`,
    /// `volume` (of bars).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// Length of the window in values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<usize>,
    /// Length of the window in milliseconds of event time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window_ms: Option<i64>,
    /// Levels of the book a side.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub levels: Option<usize>,
    /// Weight of the newest value of an `ema`, in (0, 1].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alpha: Option<f64>,
    /// Time after which a value of an `ema` counts half, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub half_life_ms: Option<i64>,
    /// `price` (default) or `bps` of the mid, for `spread` and `microprice`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<Unit>,
    /// `sine` (default) or `cosine`, for `time_of_day`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// The series that `relative` compares with, as `of` names series.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// The figure of the economy, as `macro.figures.v1` names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub figure: Option<String>,
    /// The texts that a `field` may have; its value is the place in this list, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub categories: Option<Vec<String>>,
    /// The smallest value that a `field` may have; a record with a smaller one is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// The largest value that a `field` may have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// Numbers that `tokens` make of a headline, its two ends included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<usize>,
    /// Whether a record without this `field` is refused instead of imputed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub needed: bool,
    /// Computed for others only, not a column of the row.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
}

/// What a feature computes.
///
/// "Warm" says when a row stops being marked `warming` on its account. A window by count is warm once
/// it has been full, one by time once its span has passed since its first value. An empty window says
/// its last value again, or zero where that is the truth (sums, flows, counts, deviations).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Price of the trade, in quote currency. Each trade; warm at once.
    Price,
    /// Size of the trade, in base currency. Each trade; warm at once.
    Size,
    /// Size of the trade, negative when a seller started it. Each trade; warm at once.
    SignedSize,
    /// (bid + ask) / 2, in quote currency. Each quote and book change; warm at once.
    Mid,
    /// ask − bid, in `unit`. Each quote and book change; warm at once.
    Spread,
    /// (ask · bid size + bid · ask size) / (bid size + ask size); with `unit = "bps"` how far that lies
    /// above the mid (Stoikov 2018, "The micro-price", first approximation). Warm at once.
    Microprice,
    /// (B − A) / (B + A) of the quantities B and A on the best `levels` levels, in −1..1. One level:
    /// each quote and book change; more: each book change. Warm at once.
    QueueImbalance,
    /// Multi-level order-flow imbalance of one book change over `levels` levels, in base currency; its
    /// `sum` over a window is the usual predictor. Formula and sources: `feature/order_flow.rs`. Warm
    /// after two book changes.
    OrderFlowImbalance,
    /// ln(x / x before), no unit. Warm after two values of `of`.
    LogReturn,
    /// Mean of `of` over the window, in its unit.
    Mean,
    /// Standard deviation of `of` over the window, divided by n, in its unit.
    Std,
    /// Smallest value of `of` in the window.
    Min,
    /// Largest value of `of` in the window.
    Max,
    /// Sum of `of` over the window.
    Sum,
    /// Exponential moving average of `of`: y + α (x − y), begun at the first value; with
    /// `half_life_ms` h, α = 1 − 2^(−Δt / h). Warm after 3 / α values (95 % of the weight), or one value.
    Ema,
    /// √Σ r² of the log returns `of` over the window, no unit (not annualised; Andersen, Bollerslev
    /// 1998).
    RealisedVolatility,
    /// Price of the last trade / VWAP of the trades in the window − 1.
    VwapDeviation,
    /// (bought − sold) / all of the quantities traded in the window, by who started the trade, in −1..1.
    TradeFlow,
    /// Trades per second over the window.
    TradeIntensity,
    /// Seconds since the trade before. Warm after two trades.
    InterArrival,
    /// Sine or cosine of the time of day, UTC, midnight = 0. Warm at once.
    TimeOfDay,
    /// The field `of` (the feature's own name if not given) of a record: an application or a statement. In
    /// the record's unit; NaN where the record lacks it or says null, which the model's graph imputes. Warm
    /// at once. Only fields go together: what is computed of them belongs into the graph.
    Field,
    /// First price of the bar, in quote currency. Each bar; warm at once.
    Open,
    /// Highest price of the bar. Each bar; warm at once.
    High,
    /// Lowest price of the bar. Each bar; warm at once.
    Low,
    /// Last price of the bar. Each bar; warm at once.
    Close,
    /// Quantity traded in the bar, in base currency. Each bar; warm at once.
    Volume,
    /// `of` / `to` − 1, no unit. Whenever either changes; warm at once.
    Relative,
    /// The figure of the economy named `figure`, as known at the row's time, in its unit. Whenever it is
    /// told; no row before it was told once.
    Figure,
    /// What headlines said of the instrument, as known at the row's time, in −1..1: the average of
    /// `signals.sentiment.v1` times w / (1 + w), its weight w halving with each half-life since; 0 without
    /// news. Each row; warm at once.
    Sentiment,
    /// The pieces of a headline by their numbers in the vocabulary: `max_tokens` columns `<name>_0`,
    /// `<name>_1`, …, zero behind the end. Warm at once; stands alone.
    Tokens,
}

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
}

impl FeatureSpec {
    pub(super) fn series(name: &str, kind: Kind) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            of: None,
            window: None,
            window_ms: None,
            levels: None,
            alpha: None,
            half_life_ms: None,
            unit: None,
            phase: None,
            to: None,
            figure: None,
            categories: None,
            min: None,
            max: None,
            max_tokens: None,
            needed: false,
            hidden: true,
        }
    }

    pub(super) fn field(&self) -> Result<Field, PlanError> {
        if self.hidden {
            return Err(self.error("is a field: `hidden` would leave nothing of it; take it out"));
        }
        let (min, max) = (
            self.min.unwrap_or(f64::NEG_INFINITY),
            self.max.unwrap_or(f64::INFINITY),
        );
        if min > max || min.is_nan() || max.is_nan() {
            return Err(self.error("`min` must not be above `max`"));
        }
        let name = self.of.as_ref().unwrap_or(&self.name);
        Ok(Field {
            name: Box::leak(name.clone().into_boxed_str()),
            categories: self.categories.clone().unwrap_or_default(),
            min,
            max,
            needed: self.needed,
        })
    }

    pub(super) fn tokens(&self, alone: bool) -> Result<usize, PlanError> {
        if !alone || self.hidden {
            return Err(self.error("must be the only feature: the pieces are the row"));
        }
        match self.max_tokens {
            Some(most @ 4..=512) => Ok(most),
            _ => Err(self.error("needs `max_tokens`, in 4..=512")),
        }
    }

    pub(super) fn error(&self, what: &str) -> PlanError {
        PlanError {
            feature: self.name.clone(),
            what: what.to_owned(),
        }
    }

    /// Every key given must mean something for the kind, and be in range.
    pub(super) fn check(&self) -> Result<(), PlanError> {
        let takes = self.kind.keys();
        let given = [
            ("of", self.of.is_some()),
            ("window", self.window.is_some()),
            ("window_ms", self.window_ms.is_some()),
            ("levels", self.levels.is_some()),
            ("alpha", self.alpha.is_some()),
            ("half_life_ms", self.half_life_ms.is_some()),
            ("unit", self.unit.is_some()),
            ("phase", self.phase.is_some()),
            ("to", self.to.is_some()),
            ("figure", self.figure.is_some()),
            ("categories", self.categories.is_some()),
            ("min", self.min.is_some()),
            ("max", self.max.is_some()),
            ("max_tokens", self.max_tokens.is_some()),
            ("needed", self.needed),
        ];
        let stray = |(key, given): &&(&str, bool)| *given && !takes.contains(key);
        if let Some((key, _)) = given.iter().find(stray) {
            return Err(self.error(&format!("`{key}` means nothing for this kind; take it out")));
        }
        let above_zero = |key: &str, value: Option<i64>| match value {
            Some(value) if value <= 0 => Err(self.error(&format!("`{key}` must be above zero"))),
            _ => Ok(()),
        };
        above_zero("window", self.window.map(|n| n as i64))?;
        above_zero("window_ms", self.window_ms)?;
        above_zero("half_life_ms", self.half_life_ms)?;
        if self
            .levels
            .is_some_and(|n| !(1..=Levels::MOST).contains(&n))
        {
            return Err(self.error(&format!("`levels` must lie in 1..={}", Levels::MOST)));
        }
        if self
            .alpha
            .is_some_and(|alpha| !(alpha > 0.0 && alpha <= 1.0))
        {
            return Err(self.error("`alpha` must lie in (0, 1]"));
        }
        if self.kind == Kind::Ema && self.alpha.is_some() == self.half_life_ms.is_some() {
            return Err(self.error("needs one of `alpha` and `half_life_ms`"));
        }
        Ok(())
    }
}

impl Kind {
    /// The keys that mean something for this kind.
    fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Price
            | Self::Size
            | Self::SignedSize
            | Self::Mid
            | Self::InterArrival
            | Self::Open
            | Self::High
            | Self::Low
            | Self::Close
            | Self::Volume
            | Self::Sentiment => &[],
            Self::Relative => &["of", "to"],
            Self::Figure => &["figure"],
            Self::Spread | Self::Microprice => &["unit"],
            Self::QueueImbalance | Self::OrderFlowImbalance => &["levels"],
            Self::LogReturn => &["of"],
            Self::Mean
            | Self::Std
            | Self::Min
            | Self::Max
            | Self::Sum
            | Self::RealisedVolatility => &["of", "window", "window_ms"],
            Self::Ema => &["of", "alpha", "half_life_ms"],
            Self::VwapDeviation | Self::TradeFlow | Self::TradeIntensity => {
                &["window", "window_ms"]
            }
            Self::TimeOfDay => &["phase"],
            Self::Field => &["of", "categories", "min", "max", "needed"],
            Self::Tokens => &["max_tokens"],
        }
    }
}
