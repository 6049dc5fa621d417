//! The kinds of feature, with formula, unit and warm-up, and the keys that each takes.

use serde::{Deserialize, Serialize};

/// What a feature computes.
///
/// Each kind is documented in one shape: its meaning, then `Formula`, `Unit`, `Warm-up` and `Needs` (the
/// keys of its table besides `name`, `kind` and `hidden`; `?` marks a key that may be left out). `x` is the
/// series `of`.
///
/// Until a feature has warmed up, rows have quality `warming`. A window of `window` values has warmed up
/// once it has been full, one of `window_ms` once its span has passed since its first value. A window of
/// `window_ms` w at time t reaches over (t − w, t], as pandas' `rolling` does; each of several events at one
/// time is a row of its own, whose window ends with it. All features of a row are as of the row's time: a
/// window ages before it is read, also by a feature that is computed of it. After a gap in what a feature is
/// computed from, rows have quality `gap` until no value from before the gap is left in the window, or weighs
/// less than 5 % in an average.
///
/// A value that is undefined (a division by zero, a return from or to zero, an empty side, a field that was
/// not sent) makes its row incomplete: there is no row. While it is in a window, the window's features are
/// undefined too, as in pandas with `min_periods` of the whole window. An average goes on as if it had not
/// come (pandas: `ewm(ignore_na=True)`). A window of `window_ms` without values has a sum, a volatility, a
/// flow and an intensity of 0; its mean, deviation, extremes and average price are undefined.
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
    /// Size of the trade, signed by who started it; undefined where the venue does not tell.
    ///
    /// Formula: size where a buyer started the trade, −size where a seller did
    /// Unit: base currency
    /// Warm-up: none
    /// Needs: nothing
    SignedSize,
    /// Middle of best bid and offer; new at each quote and book change, and undefined while a side is empty.
    /// At a trade it is that of the latest quote or book before the trade: a book that is sent every 100 ms
    /// lies behind the trades.
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
    /// Mid weighted by the opposite queues, also called the weighted mid; new at each quote and book change.
    /// Stoikov's micro-price (2018, "The micro-price") is another: it adds how the mid has moved from such
    /// states of the book in the past.
    ///
    /// Formula: m = (ask · bid size + bid · ask size) / (bid size + ask size); with `unit = "bps"`
    /// 10⁴ (m − mid) / mid
    /// Unit: `unit`: quote currency, or basis points of the mid
    /// Warm-up: none
    /// Needs: unit?
    Microprice,
    /// Imbalance of the quantities B and A on the best `levels` levels of bids and asks; undefined while a
    /// side is empty. With one level new at each quote and book change, with more at each book change.
    ///
    /// Formula: (B − A) / (B + A)
    /// Unit: none, in −1..1
    /// Warm-up: none
    /// Needs: levels?
    QueueImbalance,
    /// Multi-level order-flow imbalance of one book change (Cont, Kukanov, Stoikov 2014; Xu, Gould, Howison
    /// 2018); its `sum` over a window is the usual predictor. It is per book change, not per quote; summed
    /// over the levels, not one number a level; and not divided by the depth. A level that the book lacks is
    /// an empty queue behind every price.
    ///
    /// Formula: Σ over `levels` levels of what was added to the bids − what was added to the asks: at a
    /// better price q′, at the same price q′ − q, at a worse price −q, with q the level's quantity before
    /// and q′ after
    /// Unit: base currency
    /// Warm-up: 2 book changes
    /// Needs: levels?
    OrderFlowImbalance,
    /// Logarithmic return of a series; undefined unless both values are above zero.
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
    /// Standard deviation over the window, divided by n: pandas' `std(ddof=0)`. Of one value it is 0.
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
    /// Exponential moving average, which begins at the first value: pandas' `ewm(adjust=False)`. By
    /// `half_life_ms` a value at the same time as the one before it weighs nothing.
    ///
    /// Formula: y + α (x − y); with `half_life_ms` h, α = 1 − 2^(−Δt / h)
    /// Unit: that of `of`
    /// Warm-up: 3 / α values of `of` (95 % of the weight); with `half_life_ms` one value
    /// Needs: of, one of alpha and half_life_ms
    Ema,
    /// Realised volatility of the returns `of`, not annualised (Andersen, Bollerslev 1998). Over several
    /// sessions it holds the return from close to open as one of the returns.
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
    /// Imbalance of the quantities traded in the window, by who started the trade; 0 without trades, and
    /// undefined while the window holds a trade of which the venue does not tell who started it.
    ///
    /// Formula: (bought − sold) / (bought + sold)
    /// Unit: none, in −1..1
    /// Warm-up: the window
    /// Needs: one of window and window_ms
    TradeFlow,
    /// Trades per second in the window. With `window` undefined where all its trades have one time.
    ///
    /// Formula: n / w; with `window` (n − 1) / (time of the newest − time of the oldest of the n trades)
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
    /// Quantity traded in the bar; undefined where the venue sent none.
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
