//! From one `[[feature]]` table to the nodes and windows that it needs.

use super::FeaturePlan;
use crate::engine::feature::error::FeatureError;
use crate::engine::feature::inputs::Inputs;
use crate::engine::feature::kind::FeatureKind;
use crate::engine::feature::program::{Node, Operation, Step, WindowKind, WindowSpec};
use crate::engine::feature::recursion::RecursionKind;
use crate::engine::feature::spec::FeatureSpec;
use crate::engine::feature::unit::{FlowSource, Phase, Unit};
use crate::engine::window::Span;

impl FeaturePlan {
    pub(super) fn named(&self, name: &str) -> Option<usize> {
        let mut nodes = self.nodes.iter();
        nodes.position(|node| !name.is_empty() && node.name == name)
    }

    pub(super) fn add(&mut self, spec: &FeatureSpec) -> Result<usize, FeatureError> {
        let operation = match spec.kind {
            FeatureKind::Price => Operation::Price,
            FeatureKind::Size => Operation::Size,
            FeatureKind::SignedSize => Operation::SignedSize,
            FeatureKind::Mid => Operation::Mid,
            FeatureKind::Spread => Operation::Spread(spec.unit.unwrap_or(Unit::Price)),
            FeatureKind::Microprice => Operation::Microprice(spec.unit.unwrap_or(Unit::Price)),
            FeatureKind::QueueImbalance => Operation::QueueImbalance(spec.levels.unwrap_or(1)),
            FeatureKind::Depth => Operation::Depth(spec.levels.unwrap_or(1)),
            FeatureKind::DepthSlope => {
                Operation::DepthSlope(spec.levels.unwrap_or(2), spec.unit.unwrap_or(Unit::Price))
            }
            FeatureKind::OrderFlowImbalance if spec.source == Some(FlowSource::Quotes) => {
                Operation::QuoteFlow(self.recursion(RecursionKind::Top))
            }
            FeatureKind::OrderFlowImbalance => {
                self.order_flows += 1;
                let end = spec.level.or(spec.levels).unwrap_or(1);
                Operation::OrderFlow {
                    first: spec.level.map_or(0, |level| level - 1) as u8,
                    end: end as u8,
                    slot: self.order_flows - 1,
                }
            }
            FeatureKind::Open => Operation::Open,
            FeatureKind::High => Operation::High,
            FeatureKind::Low => Operation::Low,
            FeatureKind::Close => Operation::Close,
            FeatureKind::Volume => Operation::Volume,
            FeatureKind::Relative | FeatureKind::Ratio => Operation::Ratio {
                of: self.input(spec)?,
                to: self.series(spec, "to", spec.to.as_deref())?,
                less_one: spec.kind == FeatureKind::Relative,
            },
            FeatureKind::AsOf => Operation::AsOf {
                of: self.input(spec)?,
                to: self.series(spec, "to", spec.to.as_deref())?,
            },
            FeatureKind::Figure => Operation::Figure(self.figure(spec)?),
            FeatureKind::Sentiment => Operation::Sentiment,
            FeatureKind::LogReturn if spec.periods.is_none() && spec.overnight.is_none() => {
                Operation::LogReturn(self.input(spec)?)
            }
            FeatureKind::InterArrival => Operation::InterArrival,
            FeatureKind::Atr => Operation::TrueRange {
                periods: spec.periods.unwrap_or(WILDERS_PERIODS) as u32,
                slot: self.recursion(RecursionKind::Range) as u32,
            },
            FeatureKind::Rsi => Operation::Strength {
                from: self.input(spec)?,
                periods: spec.periods.unwrap_or(WILDERS_PERIODS) as u32,
                slot: self.recursion(RecursionKind::Strength) as u32,
            },
            FeatureKind::TimeOfDay => {
                let zone = spec.zone.as_ref().map(|_| spec.session()).transpose()?;
                Operation::TimeOfDay(spec.phase.unwrap_or(Phase::Sine), zone)
            }
            FeatureKind::SessionTime => Operation::SessionTime(spec.session()?),
            FeatureKind::NewSession => Operation::NewSession {
                from: self.input(spec)?,
                session: spec.session()?,
            },
            FeatureKind::LogReturn | FeatureKind::Difference if spec.overnight.is_some() => {
                Operation::WithinSession {
                    window: self.window(spec)?,
                    kind: spec.kind,
                    session: spec.session()?,
                }
            }
            FeatureKind::Ema => {
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
                ddof: spec.ddof.unwrap_or(0).min(u32::MAX as usize) as u32,
            },
        };
        Ok(self.add_node(operation, &spec.name))
    }

    /// Adds a node that no table names, or finds it where it is already.
    fn unnamed(&mut self, operation: Operation) -> usize {
        let known = self
            .nodes
            .iter()
            .position(|node| node.operation == operation);
        known.unwrap_or_else(|| self.add_node(operation, ""))
    }

    fn add_node(&mut self, operation: Operation, name: &str) -> usize {
        self.note_use(operation);
        let warm_up = match operation {
            Operation::LogReturn(_)
            | Operation::InterArrival
            | Operation::NewSession { .. }
            | Operation::OrderFlow { .. }
            | Operation::QuoteFlow(_) => 2,
            Operation::Ema { alpha, .. } => libm::ceil(3.0 / alpha) as u64,
            Operation::DecayingEma { .. } => 1,
            Operation::TrueRange { periods, .. } | Operation::Strength { periods, .. } => {
                u64::from(periods) + 1
            }
            _ => 0,
        };
        let turnover = match operation {
            Operation::TrueRange { periods, .. } | Operation::Strength { periods, .. } => {
                3 * u64::from(periods) + 1
            }
            _ => warm_up,
        };
        let node = self.nodes.len();
        self.nodes.push(Node {
            operation,
            warm_up,
            turnover,
            inputs: self.inputs(operation),
            memory: self.memories,
            name: name.to_owned(),
        });
        self.memories += usize::from(operation.remembers());
        self.steps.push(Step::Compute { node });
        node
    }

    /// What a node is computed from.
    fn inputs(&self, operation: Operation) -> Inputs {
        match operation {
            Operation::Price
            | Operation::Size
            | Operation::SignedSize
            | Operation::InterArrival => Inputs::TRADES,
            Operation::Mid
            | Operation::Spread(_)
            | Operation::Microprice(_)
            | Operation::QueueImbalance(_)
            | Operation::Depth(_)
            | Operation::DepthSlope(..)
            | Operation::OrderFlow { .. }
            | Operation::QuoteFlow(_) => Inputs::QUOTES,
            Operation::Open
            | Operation::High
            | Operation::Low
            | Operation::Close
            | Operation::Volume
            | Operation::BarVariance(_)
            | Operation::TrueRange { .. } => Inputs::BARS,
            Operation::LogReturn(from)
            | Operation::Strength { from, .. }
            | Operation::NewSession { from, .. }
            | Operation::Ema { from, .. }
            | Operation::DecayingEma { from, .. } => self.nodes[from].inputs,
            Operation::Windowed { window, .. } | Operation::WithinSession { window, .. } => {
                self.windows[window].inputs
            }
            Operation::Ratio { of, to, .. } | Operation::AsOf { of, to } => {
                self.nodes[of].inputs | self.nodes[to].inputs
            }
            Operation::TimeOfDay(..)
            | Operation::SessionTime(_)
            | Operation::Figure(_)
            | Operation::Sentiment => Inputs::NONE,
        }
    }

    /// Notes whether a node needs the book or the best bid and offer, and whether it changes with time
    /// alone.
    fn note_use(&mut self, operation: Operation) {
        match operation {
            Operation::QueueImbalance(levels) | Operation::Depth(levels) if levels > 1 => {
                self.uses_book = true;
            }
            Operation::DepthSlope(..) | Operation::OrderFlow { .. } => self.uses_book = true,
            Operation::Mid
            | Operation::Spread(_)
            | Operation::Microprice(_)
            | Operation::QueueImbalance(_)
            | Operation::Depth(_)
            | Operation::QuoteFlow(_) => self.uses_top = true,
            Operation::Windowed { window, .. }
                if matches!(self.windows[window].span, Span::Time(_)) =>
            {
                self.aging.push(self.nodes.len());
            }
            Operation::Ratio { of, to, .. }
                if self.aging.contains(&of) || self.aging.contains(&to) =>
            {
                self.aging.push(self.nodes.len());
            }
            _ => {}
        }
    }

    /// The node of `of`: a feature above, or one of the series that need no table.
    fn input(&mut self, spec: &FeatureSpec) -> Result<usize, FeatureError> {
        self.series(spec, "of", spec.of.as_deref())
    }

    fn series(
        &mut self,
        spec: &FeatureSpec,
        key: &str,
        name: Option<&str>,
    ) -> Result<usize, FeatureError> {
        let Some(of) = name else {
            return Err(spec.error(&format!(
                "needs `{key}`: the feature or series that it is computed from"
            )));
        };
        if let Some(node) = self.named(of) {
            if self.nodes[node].operation.is_of_rows() {
                return Err(spec.error(&format!(
                    "`{key} = \"{of}\"` names no series: it has a value at rows only"
                )));
            }
            return Ok(node);
        }
        let kind = match of {
            "price" => FeatureKind::Price,
            "size" => FeatureKind::Size,
            "signed_size" => FeatureKind::SignedSize,
            "mid" => FeatureKind::Mid,
            "microprice" => FeatureKind::Microprice,
            "spread" => FeatureKind::Spread,
            "open" => FeatureKind::Open,
            "high" => FeatureKind::High,
            "low" => FeatureKind::Low,
            "close" => FeatureKind::Close,
            "volume" => FeatureKind::Volume,
            _ => {
                return Err(spec.error(&format!(
                    "`{key} = \"{of}\"` names no feature above it and no series (price, size, \
                     signed_size, mid, microprice, spread, open, high, low, close, volume)"
                )));
            }
        };
        self.add(&FeatureSpec::series(of, kind))
    }

    /// The number of what a node remembers of its own.
    fn recursion(&mut self, kind: RecursionKind) -> usize {
        self.recursions.push(kind);
        self.recursions.len() - 1
    }

    /// The number of a figure.
    fn figure(&mut self, spec: &FeatureSpec) -> Result<u16, FeatureError> {
        let Some(name) = &spec.figure else {
            return Err(spec.error("needs `figure`: its name in macro.figures.v1"));
        };
        let known = self.figures.iter().position(|figure| figure == name);
        let at = known.unwrap_or(self.figures.len());
        if known.is_none() {
            self.figures.push(name.clone());
        }
        u16::try_from(at).map_err(|_| spec.error("is one of too many figures"))
    }

    /// The window of a feature, shared with those of the same input, span and kind.
    fn window(&mut self, spec: &FeatureSpec) -> Result<usize, FeatureError> {
        let kind = match spec.kind {
            FeatureKind::ZScore | FeatureKind::Skew => WindowKind::Shape,
            FeatureKind::Rank => WindowKind::Ranks,
            FeatureKind::BipowerVariation => WindowKind::Products,
            FeatureKind::Correlation | FeatureKind::Beta | FeatureKind::KyleLambda => {
                WindowKind::Pairs
            }
            FeatureKind::Vpin => WindowKind::Buckets(spec.bucket()?),
            FeatureKind::LogReturn | FeatureKind::Difference => WindowKind::Ends,
            FeatureKind::Min => WindowKind::Smallest,
            FeatureKind::Max => WindowKind::Largest,
            FeatureKind::Sum => WindowKind::Sum,
            FeatureKind::RealisedVolatility => WindowKind::Squares,
            FeatureKind::VwapDeviation | FeatureKind::TradeFlow => WindowKind::Trades,
            FeatureKind::TradeIntensity => WindowKind::Count,
            _ => WindowKind::Moments,
        };
        let (input, second) = match (spec.kind, spec.estimator) {
            _ if matches!(
                kind,
                WindowKind::Trades | WindowKind::Count | WindowKind::Buckets(_)
            ) =>
            {
                (None, None)
            }
            (FeatureKind::RangeVolatility, Some(estimator)) => {
                (Some(self.unnamed(Operation::BarVariance(estimator))), None)
            }
            (FeatureKind::Correlation | FeatureKind::Beta, _) => {
                let of = self.input(spec)?;
                let to = self.series(spec, "to", spec.to.as_deref())?;
                (Some(of), Some(to))
            }
            (FeatureKind::KyleLambda, _) => {
                let change = self.change_of_price();
                (Some(change), Some(self.unnamed(Operation::SignedSize)))
            }
            _ => (Some(self.input(spec)?), None),
        };
        let span = match (spec.window, spec.window_ms) {
            _ if kind == WindowKind::Ends => Span::Count(spec.periods.unwrap_or(1) + 1),
            (Some(count), None) => Span::Count(count),
            (None, Some(millis)) => Span::Time(millis.saturating_mul(1_000_000)),
            _ => return Err(spec.error("needs one of `window` (values) and `window_ms`")),
        };
        let inputs = |node: Option<usize>| node.map(|node| self.nodes[node].inputs);
        let window = WindowSpec {
            kind,
            span,
            input,
            second,
            inputs: inputs(input).unwrap_or(Inputs::TRADES) | inputs(second).unwrap_or_default(),
        };
        Ok(self.share(window))
    }

    /// The change of the price from one trade to the next.
    fn change_of_price(&mut self) -> usize {
        let price = self.unnamed(Operation::Price);
        let window = self.share(WindowSpec {
            kind: WindowKind::Ends,
            span: Span::Count(2),
            input: Some(price),
            second: None,
            inputs: Inputs::TRADES,
        });
        self.unnamed(Operation::Windowed {
            window,
            kind: FeatureKind::Difference,
            ddof: 0,
        })
    }

    /// The number of a window, which is added where there is none like it.
    fn share(&mut self, window: WindowSpec) -> usize {
        let input = window.input;
        if let Some(known) = self.windows.iter().position(|known| *known == window) {
            return known;
        }
        self.windows.push(window);
        self.steps.push(Step::Feed {
            window: self.windows.len() - 1,
            input,
        });
        self.windows.len() - 1
    }
}

/// The values that Wilder takes for `atr` and `rsi`.
const WILDERS_PERIODS: usize = 14;
