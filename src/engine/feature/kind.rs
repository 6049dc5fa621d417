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
/// flow and an intensity of 0; all else of it is undefined.
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
    /// Mean quantity on a level, over the best `levels` levels of both sides; undefined while a side is
    /// empty. With one level new at each quote and book change, with more at each book change. A level that
    /// the book lacks is empty.
    ///
    /// Formula: (B + A) / (2 · `levels`), with B and A the quantities on those levels of bids and asks
    /// Unit: base currency
    /// Warm-up: none
    /// Needs: levels?
    Depth,
    /// How fast quantity grows with the distance from the mid (Ghysels, Nguyen 2019, "Price discovery of a
    /// limit order book", who take the quantity as a part of the side's; here it is as it is). Undefined
    /// while a side has fewer than 2 of the levels; new at each book change.
    ///
    /// Formula: (slope of the bids + slope of the asks) / 2, each Σ (d − mean d)(Q − mean Q) / Σ (d − mean
    /// d)² over `levels` levels, with d a level's distance from the mid and Q the quantity up to it
    /// Unit: base currency for each unit of the quote currency, or with `unit = "bps"` for each basis point
    /// Warm-up: none
    /// Needs: levels, unit?
    DepthSlope,
    /// Order-flow imbalance of one change (Cont, Kukanov, Stoikov 2014; of several levels: Xu, Gould, Howison
    /// 2018); its `sum` over a window is the usual predictor, which they divide by the mean `depth` over the
    /// window: `ratio` does. With `source = "quotes"` it is that of the best bid and offer, at each quote and
    /// book change, and undefined from and to a market without a side. With `level` it is that of one level.
    /// A level that the book lacks is an empty queue behind every price.
    ///
    /// Formula: Σ over `levels` levels of what was added to the bids − what was added to the asks: at a
    /// better price q′, at the same price q′ − q, at a worse price −q, with q the level's quantity before
    /// and q′ after
    /// Unit: base currency
    /// Warm-up: 2 book changes, or changes of the best bid and offer
    /// Needs: one of levels? and level?, source?
    OrderFlowImbalance,
    /// Logarithmic return of a series over `periods` values; undefined unless both values are above zero.
    /// Those between them do not count. With `overnight = "exclude"` there is none from one session to
    /// another, a session being a day of `zone` that begins at `open`: windows do not hold it, and a row that
    /// would have it is incomplete.
    ///
    /// Formula: ln(x / x before), with x before the value `periods` values earlier
    /// Unit: none
    /// Warm-up: `periods` + 1 values of `of`
    /// Needs: of, periods?, overnight?, zone?, open?
    LogReturn,
    /// Change of a series over `periods` values: pandas' `diff`. Sessions are those of `log_return`.
    ///
    /// Formula: x − x before, with x before the value `periods` values earlier
    /// Unit: that of `of`
    /// Warm-up: `periods` + 1 values of `of`
    /// Needs: of, periods?, overnight?, zone?, open?
    Difference,
    /// Mean over the window.
    ///
    /// Formula: Σ x / n
    /// Unit: that of `of`
    /// Warm-up: the window
    /// Needs: of, one of window and window_ms
    Mean,
    /// Standard deviation over the window: pandas' `std`, whose own `ddof` is 1. Of no more values than
    /// `ddof` it is undefined.
    ///
    /// Formula: √(Σ (x − mean)² / (n − `ddof`))
    /// Unit: that of `of`
    /// Warm-up: the window
    /// Needs: of, one of window and window_ms, ddof?
    Std,
    /// Variance over the window: the square of `std`.
    ///
    /// Formula: Σ (x − mean)² / (n − `ddof`)
    /// Unit: the square of that of `of`
    /// Warm-up: the window
    /// Needs: of, one of window and window_ms, ddof?
    Variance,
    /// How many standard deviations the newest value lies above the mean of the window, which holds it too;
    /// undefined while all values are equal.
    ///
    /// Formula: (x − mean) / √(Σ (x − mean)² / (n − `ddof`))
    /// Unit: none
    /// Warm-up: the window
    /// Needs: of, one of window and window_ms, ddof?
    ZScore,
    /// Skewness over the window, the adjusted coefficient of Fisher and Pearson: pandas' `skew`, SciPy's
    /// `skew(bias=False)`. Undefined of fewer than 3 values, and while all are equal.
    ///
    /// Formula: √(n (n − 1)) / (n − 2) · m₃ / m₂^(3/2), with mₖ = Σ (x − mean)ᵏ / n
    /// Unit: none
    /// Warm-up: the window
    /// Needs: of, one of window and window_ms
    Skew,
    /// Place of the newest value among those of the window, of equal ones the mean of their places: pandas'
    /// `rank(pct=True)`. It takes O(√n).
    ///
    /// Formula: (values below x + (values equal to x + 1) / 2) / n
    /// Unit: none, in 0..1; 1 is the largest
    /// Warm-up: the window
    /// Needs: of, one of window and window_ms
    Rank,
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
    /// Bipower variation of the returns `of` (Barndorff-Nielsen, Shephard 2004, "Power and bipower variation
    /// with stochastic volatility and jumps"): the part of the realised variance that is not jumps, without
    /// their correction for few returns. A window of n returns has n − 1 products.
    ///
    /// Formula: π / 2 · Σ |x| |x before|, both in the window
    /// Unit: the square of that of `of`
    /// Warm-up: the window
    /// Needs: of, one of window and window_ms
    BipowerVariation,
    /// Volatility of one bar, not annualised, from the ranges of the bars in the window (Parkinson 1980, "The
    /// extreme value method for estimating the variance of the rate of return"; Garman, Klass 1980, "On the
    /// estimation of security price volatilities from historical data", their practical estimator). What
    /// happens between two bars is not in it. Undefined where a price is not above zero.
    ///
    /// Formula: √(Σ v / n), with `estimator = "parkinson"` v = ln(high / low)² / (4 ln 2), with
    /// `"garman_klass"` v = ln(high / low)² / 2 − (2 ln 2 − 1) ln(close / open)²
    /// Unit: none
    /// Warm-up: the window
    /// Needs: estimator, one of window and window_ms
    RangeVolatility,
    /// Average true range of bars (Wilder 1978, "New concepts in technical trading systems"), TA-Lib's `ATR`.
    /// A bar that lacks a price is passed over, and so is the one after it.
    ///
    /// Formula: the mean of the first n true ranges, from then on y + (r − y) / n, with n `periods` and r =
    /// max(high − low, |high − close before|, |low − close before|)
    /// Unit: quote currency
    /// Warm-up: `periods` + 1 bars
    /// Needs: periods?
    Atr,
    /// Relative strength index of a series (Wilder 1978), TA-Lib's `RSI`; undefined while nothing has
    /// changed, where TA-Lib has 0. Changes to and from an undefined value are passed over.
    ///
    /// Formula: 100 g / (g + l), with g and l the means of what was gained and of what was lost at each
    /// change, smoothed as in `atr`
    /// Unit: none, in 0..100
    /// Warm-up: `periods` + 1 values of `of`
    /// Needs: of, periods?
    Rsi,
    /// Pearson's correlation of two series over the window: pandas' `rolling().corr()`. Each value of `of` is
    /// paired with the latest one of `to`; undefined while one of the two does not vary.
    ///
    /// Formula: Σ (x − mean x)(y − mean y) / √(Σ (x − mean x)² Σ (y − mean y)²), with y of `to`
    /// Unit: none, in −1..1
    /// Warm-up: the window
    /// Needs: of, to, one of window and window_ms
    Correlation,
    /// Slope of a series on another one by least squares over the window, paired as in `correlation`; of
    /// returns on those of a market it is the beta.
    ///
    /// Formula: Σ (x − mean x)(y − mean y) / Σ (y − mean y)², with y of `to`
    /// Unit: that of `of` for each of that of `to`
    /// Warm-up: the window
    /// Needs: of, to, one of window and window_ms
    Beta,
    /// Price impact (Kyle 1985, "Continuous auctions and insider trading"), estimated trade by trade: the
    /// slope of the change of the price on the signed size of the trade that made it. Undefined while sizes
    /// do not vary, and while the window holds a trade of which the venue does not tell who started it.
    ///
    /// Formula: Σ (Δp − mean Δp)(q − mean q) / Σ (q − mean q)², with Δp the price less that of the trade
    /// before and q the signed size
    /// Unit: quote currency for each unit of the base currency
    /// Warm-up: the window
    /// Needs: one of window and window_ms
    KyleLambda,
    /// Volume-synchronised probability of informed trading (Easley, López de Prado, O'Hara 2012, "Flow
    /// toxicity and liquidity in a high-frequency world"), by who started each trade where they guess it from
    /// prices: mean imbalance of the last `window` buckets of equal volume. A trade may fill several, or a
    /// part of one; new at a trade that fills one. Undefined while the window holds a bucket with a trade of
    /// which the venue does not tell who started it.
    ///
    /// Formula: Σ |bought − sold| / (n · `bucket`) over the n last full buckets
    /// Unit: none, in 0..1
    /// Warm-up: `window` buckets
    /// Needs: bucket, window
    Vpin,
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
    /// Time of day on the clock of `zone`, or UTC, as a coordinate of a point on a circle, or in seconds; d
    /// is the part of 24 hours that the clock shows since midnight.
    ///
    /// Formula: sin(2π d); with `phase = "cosine"` cos(2π d), with `"seconds"` 86400 d
    /// Unit: none, in −1..1; of seconds s
    /// Warm-up: none
    /// Needs: phase?, zone?
    TimeOfDay,
    /// How much of a session has passed on the clock of `zone`, whether the market is open on that day or
    /// not: 0 at `open`, 1 at `close`, and more from then until the next `open`.
    ///
    /// Formula: (t − `open`) / (`close` − `open`)
    /// Unit: none
    /// Warm-up: none
    /// Needs: zone, open?, close?
    SessionTime,
    /// Whether the newest value of a series is the first one of its session, so that a return to it is one
    /// over night; a session is a day of `zone` that begins at `open`.
    ///
    /// Formula: 1 where x and x before are of two sessions, else 0
    /// Unit: none, 0 or 1
    /// Warm-up: 2 values of `of`
    /// Needs: of, zone, open?
    NewSession,
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
    /// A series divided by another one; new when either changes.
    ///
    /// Formula: `of` / `to`
    /// Unit: that of `of` for each of that of `to`
    /// Warm-up: none
    /// Needs: of, to
    Ratio,
    /// The latest value of a series at each new value of `to`: of what has other times, such as a figure or
    /// the mid at trades, a series that has the times of `to`. `log_return` of it pairs with that of `to` in
    /// a `beta` or a `correlation`, also to an index that comes as a figure.
    ///
    /// Formula: x at the time of `to`
    /// Unit: that of `of`
    /// Warm-up: none
    /// Needs: of, to
    AsOf,
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
