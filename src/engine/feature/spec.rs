//! A `[[feature]]` table: the kinds of feature with formula, unit and warm-up, and the keys that each takes.

use serde::{Deserialize, Serialize};

use super::error::FeatureError;
use crate::schema::RecordField;

/// A `[[feature]]` table as written.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct FeatureSpec {
    /// The column's name.
    pub name: String,
    /// What it computes.
    pub kind: FeatureKind,
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
    /// Time after which a value of an `ema` weighs half, in milliseconds.
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
    /// The economic figure, as `macro.figures.v1` names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub figure: Option<String>,
    /// The texts that a `field` may have; its value is the index in this list, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub categories: Option<Vec<String>>,
    /// The smallest value that a `field` may have; a record with a smaller one is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// The largest value that a `field` may have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// Columns that `tokens` makes of a headline, its begin and end marks included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<usize>,
    /// Whether a record without this `field` is refused instead of imputed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub needed: bool,
    /// Whether it is computed for other features only and is not a column of the row.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
}

/// What a feature computes.
///
/// Each kind is documented in one shape: its meaning, then `Formula`, `Unit`, `Warm-up` and `Needs` (the
/// keys of its table besides `name`, `kind` and `hidden`; `?` marks a key that may be left out). `x` is the
/// series `of`.
///
/// Until a feature has warmed up, rows have quality `warming`. A window of `window` values has warmed up
/// once it has been full, one of `window_ms` once its span has passed since its first value. An empty
/// window keeps the value that it had last, or shows zero where that is true (sums, flows, counts,
/// deviations). After a gap in what a feature is computed from, rows have quality `gap` until no value from
/// before the gap is left in the window, or weighs less than 5 % in an average. A value that is undefined
/// (a division by zero, an empty queue) makes its row incomplete and enters no window and no average.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FeatureKind {
    /// Price of the trade.
    ///
    /// Formula: price
    /// Unit: quote currency
    /// Warm-up: none
    /// Needs: nothing
    Price,
    /// Size of the trade.
    ///
    /// Formula: size
    /// Unit: base currency
    /// Warm-up: none
    /// Needs: nothing
    Size,
    /// Size of the trade, signed by who started it.
    ///
    /// Formula: size where a buyer started the trade, −size where a seller did
    /// Unit: base currency
    /// Warm-up: none
    /// Needs: nothing
    SignedSize,
    /// Middle of best bid and offer; new at each quote and book change.
    ///
    /// Formula: (bid + ask) / 2
    /// Unit: quote currency
    /// Warm-up: none
    /// Needs: nothing
    Mid,
    /// Distance of best bid and offer; new at each quote and book change.
    ///
    /// Formula: ask − bid; with `unit = "bps"` 10⁴ (ask − bid) / mid
    /// Unit: `unit`: quote currency, or basis points of the mid
    /// Warm-up: none
    /// Needs: unit?
    Spread,
    /// Mid weighted by the opposite queues (Stoikov 2018, "The micro-price", first approximation); new at
    /// each quote and book change.
    ///
    /// Formula: m = (ask · bid size + bid · ask size) / (bid size + ask size); with `unit = "bps"`
    /// 10⁴ (m − mid) / mid
    /// Unit: `unit`: quote currency, or basis points of the mid
    /// Warm-up: none
    /// Needs: unit?
    Microprice,
    /// Imbalance of the quantities B and A on the best `levels` levels of bids and asks. With one level new
    /// at each quote and book change, with more at each book change.
    ///
    /// Formula: (B − A) / (B + A)
    /// Unit: none, in −1..1
    /// Warm-up: none
    /// Needs: levels?
    QueueImbalance,
    /// Multi-level order-flow imbalance of one book change (Cont, Kukanov, Stoikov 2014; Xu, Gould, Howison
    /// 2018); its `sum` over a window is the usual predictor.
    ///
    /// Formula: Σ over `levels` levels of what was added to the bids − what was added to the asks: at a
    /// better price q′, at the same price q′ − q, at a worse price −q, with q the level's quantity before
    /// and q′ after
    /// Unit: base currency
    /// Warm-up: 2 book changes
    /// Needs: levels?
    OrderFlowImbalance,
    /// Logarithmic return of a series.
    ///
    /// Formula: ln(x / x before)
    /// Unit: none
    /// Warm-up: 2 values of `of`
    /// Needs: of
    LogReturn,
    /// Mean over the window.
    ///
    /// Formula: Σ x / n
    /// Unit: that of `of`
    /// Warm-up: the window
    /// Needs: of, one of window and window_ms
    Mean,
    /// Standard deviation over the window, divided by n; 0 below two values.
    ///
    /// Formula: √(Σ (x − mean)² / n)
    /// Unit: that of `of`
    /// Warm-up: the window
    /// Needs: of, one of window and window_ms
    Std,
    /// Smallest value in the window.
    ///
    /// Formula: min x
    /// Unit: that of `of`
    /// Warm-up: the window
    /// Needs: of, one of window and window_ms
    Min,
    /// Largest value in the window.
    ///
    /// Formula: max x
    /// Unit: that of `of`
    /// Warm-up: the window
    /// Needs: of, one of window and window_ms
    Max,
    /// Sum over the window.
    ///
    /// Formula: Σ x
    /// Unit: that of `of`
    /// Warm-up: the window
    /// Needs: of, one of window and window_ms
    Sum,
    /// Exponential moving average, which begins at the first value.
    ///
    /// Formula: y + α (x − y); with `half_life_ms` h, α = 1 − 2^(−Δt / h)
    /// Unit: that of `of`
    /// Warm-up: 3 / α values of `of` (95 % of the weight); with `half_life_ms` one value
    /// Needs: of, one of alpha and half_life_ms
    Ema,
    /// Realised volatility of the returns `of`, not annualised (Andersen, Bollerslev 1998).
    ///
    /// Formula: √Σ x²
    /// Unit: none
    /// Warm-up: the window
    /// Needs: of, one of window and window_ms
    RealisedVolatility,
    /// Distance of the last trade's price from the volume-weighted mean price of the trades in the window.
    ///
    /// Formula: price / (Σ price · size / Σ size) − 1
    /// Unit: none
    /// Warm-up: the window
    /// Needs: one of window and window_ms
    VwapDeviation,
    /// Imbalance of the quantities traded in the window, by who started the trade.
    ///
    /// Formula: (bought − sold) / (bought + sold)
    /// Unit: none, in −1..1
    /// Warm-up: the window
    /// Needs: one of window and window_ms
    TradeFlow,
    /// Trades per second in the window.
    ///
    /// Formula: n / span; with `window` the span since the oldest of the n trades
    /// Unit: 1/s
    /// Warm-up: the window
    /// Needs: one of window and window_ms
    TradeIntensity,
    /// Time since the trade before.
    ///
    /// Formula: t − t before
    /// Unit: s
    /// Warm-up: 2 trades
    /// Needs: nothing
    InterArrival,
    /// Time of day (UTC) as a coordinate of a point on a circle; d is the part of the day since midnight.
    ///
    /// Formula: sin(2π d); with `phase = "cosine"` cos(2π d)
    /// Unit: none, in −1..1
    /// Warm-up: none
    /// Needs: phase?
    TimeOfDay,
    /// A field of a record: of an application or a statement. `of` names the field; without it the
    /// feature's own name does. Fields stand alone: the model's graph computes what else is needed of them.
    ///
    /// Formula: the field's value, of text its place in `categories`; NaN where the record lacks it or has
    /// null: a model's graph may impute it, a linear model then gives no score
    /// Unit: that of the record
    /// Warm-up: none
    /// Needs: of?, categories?, min?, max?, needed?
    Field,
    /// First price of the bar.
    ///
    /// Formula: open
    /// Unit: quote currency
    /// Warm-up: none
    /// Needs: nothing
    Open,
    /// Highest price of the bar.
    ///
    /// Formula: high
    /// Unit: quote currency
    /// Warm-up: none
    /// Needs: nothing
    High,
    /// Lowest price of the bar.
    ///
    /// Formula: low
    /// Unit: quote currency
    /// Warm-up: none
    /// Needs: nothing
    Low,
    /// Last price of the bar.
    ///
    /// Formula: close
    /// Unit: quote currency
    /// Warm-up: none
    /// Needs: nothing
    Close,
    /// Quantity traded in the bar.
    ///
    /// Formula: volume
    /// Unit: base currency
    /// Warm-up: none
    /// Needs: nothing
    Volume,
    /// How far a series lies from another one; new when either changes.
    ///
    /// Formula: `of` / `to` − 1
    /// Unit: none
    /// Warm-up: none
    /// Needs: of, to
    Relative,
    /// The economic figure named `figure`, as known at the row's time; no row is made before its first
    /// value.
    ///
    /// Formula: the figure's latest value
    /// Unit: that of the figure
    /// Warm-up: none
    /// Needs: figure
    Figure,
    /// Sentiment of the instrument's headlines, as known at the row's time: s is the average in
    /// `signals.sentiment.v1`, w its weight, which halves with each half-life since; 0 without news.
    ///
    /// Formula: s · w / (1 + w)
    /// Unit: none, in −1..1
    /// Warm-up: none
    /// Needs: nothing
    Sentiment,
    /// Word pieces of a headline by their numbers in the vocabulary: columns `<name>_0`, `<name>_1`, … up to
    /// `max_tokens`, zero after the end. It must be the only feature.
    ///
    /// Formula: the piece's number
    /// Unit: none
    /// Warm-up: none
    /// Needs: max_tokens
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
    pub(super) fn series(name: &str, kind: FeatureKind) -> Self {
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

    pub(super) fn field(&self) -> Result<RecordField, FeatureError> {
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
        Ok(RecordField {
            name: Box::leak(name.clone().into_boxed_str()),
            categories: self.categories.clone().unwrap_or_default(),
            min,
            max,
            needed: self.needed,
        })
    }

    pub(super) fn tokens(&self, alone: bool) -> Result<usize, FeatureError> {
        if !alone || self.hidden {
            return Err(self.error("must be the only feature: the pieces are the row"));
        }
        match self.max_tokens {
            Some(most @ 4..=512) => Ok(most),
            _ => Err(self.error("needs `max_tokens`, in 4..=512")),
        }
    }

    pub(super) fn error(&self, what: &str) -> FeatureError {
        FeatureError {
            feature: self.name.clone(),
            what: what.to_owned(),
        }
    }
}
