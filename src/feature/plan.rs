//! From `[[feature]]` tables to the program that [`super::Features`] runs.
//!
//! Features of the same input and span share one window. Knows nothing of state.

use std::fmt::Write;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::order_flow::Levels;
use crate::window::Span;

/// A `[[feature]]` table as written.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct FeatureSpec {
    /// The column's name.
    pub name: String,
    /// What it computes.
    pub kind: Kind,
    /// The series it is computed from: the name of a feature above, or `price`, `size`,
    /// `signed_size` (of trades), `mid`, `microprice`, `spread` (of quotes).
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

/// Why a set of features makes no sense; names the feature at fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("feature `{feature}`: {what}")]
pub struct PlanError {
    /// Its name.
    pub feature: String,
    /// What is wrong and what to write instead.
    pub what: String,
}

/// The compiled features of a pipeline.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    pub(super) steps: Vec<Step>,
    pub(super) nodes: Vec<Node>,
    pub(super) windows: Vec<WindowSpec>,
    /// Nodes of the row's columns, in order.
    pub(super) columns: Vec<usize>,
    /// Nodes that change as time passes, even without events.
    pub(super) aging: Vec<usize>,
    names: Vec<String>,
    sha256: String,
    uses_book: bool,
    uses_top: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// Put the input's new value, or the trade, into a window.
    Feed { window: usize, input: Option<usize> },
    /// Compute a node.
    Compute { node: usize },
}

#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) operation: Operation,
    /// Values it must have seen to be warm.
    pub(super) warm_up: u64,
    name: String,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Operation {
    Price,
    Size,
    SignedSize,
    Mid,
    Spread(Unit),
    Microprice(Unit),
    QueueImbalance(usize),
    OrderFlow(usize),
    LogReturn(usize),
    InterArrival,
    Ema { from: usize, alpha: f64 },
    DecayingEma { from: usize, half_life: i64 },
    Windowed { window: usize, kind: Kind },
    TimeOfDay(Phase),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct WindowSpec {
    pub(super) kind: WindowKind,
    pub(super) span: Span,
    pub(super) input: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WindowKind {
    Moments,
    Smallest,
    Largest,
    Sum,
    Squares,
    Count,
    Trades,
}

impl Plan {
    /// Compiles the features, in their order.
    ///
    /// # Errors
    /// [`PlanError`] naming the feature and what to change.
    pub fn compile(specs: &[FeatureSpec]) -> Result<Self, PlanError> {
        let mut plan = Self::default();
        for spec in specs {
            spec.check()?;
            if plan.named(&spec.name).is_some() {
                return Err(spec.error("is named twice; give it another name"));
            }
            let node = plan.add(spec)?;
            if !spec.hidden {
                plan.columns.push(node);
                plan.names.push(spec.name.clone());
            }
        }
        let text = serde_json::to_string(specs).unwrap_or_default();
        plan.sha256 = hex(&Sha256::digest(text.as_bytes()));
        Ok(plan)
    }

    /// Names of the columns, in order.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Columns of a row.
    #[must_use]
    pub fn len(&self) -> usize {
        self.columns.len()
    }

    /// Whether a row would have no columns.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// SHA-256 over the features as resolved: what a model must have been trained on.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// Whether any feature looks at the book's levels.
    #[must_use]
    pub fn uses_book(&self) -> bool {
        self.uses_book
    }

    /// Whether any feature looks at the best bid and offer.
    #[must_use]
    pub fn uses_top(&self) -> bool {
        self.uses_top
    }

    fn named(&self, name: &str) -> Option<usize> {
        self.nodes.iter().position(|node| node.name == name)
    }

    fn add(&mut self, spec: &FeatureSpec) -> Result<usize, PlanError> {
        let operation = match spec.kind {
            Kind::Price => Operation::Price,
            Kind::Size => Operation::Size,
            Kind::SignedSize => Operation::SignedSize,
            Kind::Mid => Operation::Mid,
            Kind::Spread => Operation::Spread(spec.unit.unwrap_or(Unit::Price)),
            Kind::Microprice => Operation::Microprice(spec.unit.unwrap_or(Unit::Price)),
            Kind::QueueImbalance => Operation::QueueImbalance(spec.levels.unwrap_or(1)),
            Kind::OrderFlowImbalance => Operation::OrderFlow(spec.levels.unwrap_or(1)),
            Kind::LogReturn => Operation::LogReturn(self.input(spec)?),
            Kind::InterArrival => Operation::InterArrival,
            Kind::TimeOfDay => Operation::TimeOfDay(spec.phase.unwrap_or(Phase::Sine)),
            Kind::Ema => {
                let from = self.input(spec)?;
                match (spec.alpha, spec.half_life_ms) {
                    (Some(alpha), _) => Operation::Ema { from, alpha },
                    (None, half) => Operation::DecayingEma {
                        from,
                        half_life: half.unwrap_or(1).saturating_mul(1_000_000),
                    },
                }
            }
            kind => Operation::Windowed {
                window: self.window(spec)?,
                kind,
            },
        };
        self.notice(operation);
        let warm_up = match operation {
            Operation::LogReturn(_) | Operation::InterArrival | Operation::OrderFlow(_) => 2,
            Operation::Ema { alpha, .. } => libm::ceil(3.0 / alpha) as u64,
            Operation::DecayingEma { .. } => 1,
            _ => 0,
        };
        let node = self.nodes.len();
        self.nodes.push(Node {
            operation,
            warm_up,
            name: spec.name.clone(),
        });
        self.steps.push(Step::Compute { node });
        Ok(node)
    }

    fn notice(&mut self, operation: Operation) {
        match operation {
            Operation::QueueImbalance(levels) if levels > 1 => self.uses_book = true,
            Operation::OrderFlow(_) => self.uses_book = true,
            Operation::Mid
            | Operation::Spread(_)
            | Operation::Microprice(_)
            | Operation::QueueImbalance(_) => self.uses_top = true,
            Operation::Windowed { window, .. }
                if matches!(self.windows[window].span, Span::Time(_)) =>
            {
                self.aging.push(self.nodes.len());
            }
            _ => {}
        }
    }

    /// The node of `of`: a feature above, or one of the series that need no table.
    fn input(&mut self, spec: &FeatureSpec) -> Result<usize, PlanError> {
        let Some(of) = spec.of.as_deref() else {
            return Err(spec.error("needs `of`: the feature or series that it is computed from"));
        };
        if let Some(node) = self.named(of) {
            return Ok(node);
        }
        let kind = match of {
            "price" => Kind::Price,
            "size" => Kind::Size,
            "signed_size" => Kind::SignedSize,
            "mid" => Kind::Mid,
            "microprice" => Kind::Microprice,
            "spread" => Kind::Spread,
            _ => {
                return Err(spec.error(&format!(
                    "`of = \"{of}\"` names no feature above it and no series (price, size, \
                     signed_size, mid, microprice, spread)"
                )));
            }
        };
        self.add(&FeatureSpec::series(of, kind))
    }

    /// The window of a feature, shared with those of the same input, span and kind.
    fn window(&mut self, spec: &FeatureSpec) -> Result<usize, PlanError> {
        let kind = match spec.kind {
            Kind::Min => WindowKind::Smallest,
            Kind::Max => WindowKind::Largest,
            Kind::Sum => WindowKind::Sum,
            Kind::RealisedVolatility => WindowKind::Squares,
            Kind::VwapDeviation | Kind::TradeFlow => WindowKind::Trades,
            Kind::TradeIntensity => WindowKind::Count,
            _ => WindowKind::Moments,
        };
        let of_trades = matches!(kind, WindowKind::Trades | WindowKind::Count);
        let input = if of_trades {
            None
        } else {
            Some(self.input(spec)?)
        };
        let span = match (spec.window, spec.window_ms) {
            (Some(count), None) => Span::Count(count),
            (None, Some(millis)) => Span::Time(millis.saturating_mul(1_000_000)),
            _ => return Err(spec.error("needs one of `window` (values) and `window_ms`")),
        };
        let window = WindowSpec { kind, span, input };
        if let Some(known) = self.windows.iter().position(|known| *known == window) {
            return Ok(known);
        }
        self.windows.push(window);
        self.steps.push(Step::Feed {
            window: self.windows.len() - 1,
            input,
        });
        Ok(self.windows.len() - 1)
    }
}

impl FeatureSpec {
    fn series(name: &str, kind: Kind) -> Self {
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
            hidden: true,
        }
    }

    fn error(&self, what: &str) -> PlanError {
        PlanError {
            feature: self.name.clone(),
            what: what.to_owned(),
        }
    }

    /// Every key given must mean something for the kind, and be in range.
    fn check(&self) -> Result<(), PlanError> {
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
            Self::Price | Self::Size | Self::SignedSize | Self::Mid | Self::InterArrival => &[],
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
        }
    }
}

/// Bytes as lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
            write!(text, "{byte:02x}").expect("writing to a string does not fail");
            text
        })
}
