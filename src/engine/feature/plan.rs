//! From `[[feature]]` tables to the program that [`super::FeatureState`] runs.
//!
//! Features of the same input and span share one window. The plan holds no state of an instrument.

use sha2::{Digest, Sha256};

use super::error::FeatureError;
use super::inputs::Inputs;
use super::kind::{FeatureKind, Phase, Unit};
use super::program::{Node, Operation, Step, WindowKind, WindowSpec};
use super::spec::FeatureSpec;
use crate::engine::window::Span;
use crate::hex::hex;
use crate::schema::RecordField;

/// The compiled features of a pipeline.
#[derive(Clone, Debug, Default)]
pub struct FeaturePlan {
    pub(super) steps: Vec<Step>,
    pub(super) nodes: Vec<Node>,
    pub(super) windows: Vec<WindowSpec>,
    /// Nodes that remember something between events.
    pub(super) memories: usize,
    /// Nodes that remember levels of the book.
    pub(super) order_flows: usize,
    /// Nodes of the row's columns, in order.
    pub(super) columns: Vec<usize>,
    /// Nodes that change as time passes, even without events.
    pub(super) aging: Vec<usize>,
    fields: Vec<RecordField>,
    tokens: Option<usize>,
    figures: Vec<String>,
    names: Vec<String>,
    sha256: String,
    uses_book: bool,
    uses_top: bool,
}

impl FeaturePlan {
    /// Compiles the features, in their order.
    ///
    /// # Errors
    /// [`FeatureError`] naming the feature and what to change.
    pub fn compile(specs: &[FeatureSpec]) -> Result<Self, FeatureError> {
        Self::compile_with(specs, "")
    }

    /// The same where features also depend on a file, such as a vocabulary: its SHA-256 goes into that of
    /// the features.
    ///
    /// # Errors
    /// [`FeatureError`] naming the feature and what to change.
    pub fn compile_with(specs: &[FeatureSpec], file_sha256: &str) -> Result<Self, FeatureError> {
        let mut plan = Self::default();
        for spec in specs {
            spec.check()?;
            if plan.named(&spec.name).is_some() {
                return Err(spec.error("is named twice; give it another name"));
            }
            if plan.fields.is_empty() != (spec.kind != FeatureKind::Field) && !plan.names.is_empty()
            {
                return Err(spec.error(
                    "cannot stand beside the others: fields of records and features of the \
                                       market do not mix",
                ));
            }
            if spec.kind == FeatureKind::Tokens {
                plan.tokens = Some(spec.tokens(specs.len() == 1)?);
                let columns = 0..spec.max_tokens.unwrap_or_default();
                plan.names
                    .extend(columns.map(|at| format!("{}_{at}", spec.name)));
                continue;
            }
            if spec.kind == FeatureKind::Field {
                plan.fields.push(spec.field()?);
                plan.names.push(spec.name.clone());
                continue;
            }
            let node = plan.add(spec)?;
            if !spec.hidden {
                plan.columns.push(node);
                plan.names.push(spec.name.clone());
            }
        }
        let text = serde_json::to_string(specs).unwrap_or_default() + file_sha256;
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
        self.names.len()
    }

    /// Whether a row would have no columns.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The fields of records that are the columns; none where events of a market make the rows.
    #[must_use]
    pub fn fields(&self) -> &[RecordField] {
        &self.fields
    }

    /// The figures of the economy that features name.
    #[must_use]
    pub fn figures(&self) -> &[String] {
        &self.figures
    }

    /// Whether any feature is the sentiment of headlines.
    #[must_use]
    pub fn uses_sentiment(&self) -> bool {
        let mut nodes = self.nodes.iter();
        nodes.any(|node| matches!(node.operation, Operation::Sentiment))
    }

    /// Columns of a headline's pieces, where these are the row.
    #[must_use]
    pub fn tokens(&self) -> Option<usize> {
        self.tokens
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

    fn add(&mut self, spec: &FeatureSpec) -> Result<usize, FeatureError> {
        let operation = match spec.kind {
            FeatureKind::Price => Operation::Price,
            FeatureKind::Size => Operation::Size,
            FeatureKind::SignedSize => Operation::SignedSize,
            FeatureKind::Mid => Operation::Mid,
            FeatureKind::Spread => Operation::Spread(spec.unit.unwrap_or(Unit::Price)),
            FeatureKind::Microprice => Operation::Microprice(spec.unit.unwrap_or(Unit::Price)),
            FeatureKind::QueueImbalance => Operation::QueueImbalance(spec.levels.unwrap_or(1)),
            FeatureKind::OrderFlowImbalance => {
                self.order_flows += 1;
                Operation::OrderFlow {
                    levels: spec.levels.unwrap_or(1),
                    slot: self.order_flows - 1,
                }
            }
            FeatureKind::Open => Operation::Open,
            FeatureKind::High => Operation::High,
            FeatureKind::Low => Operation::Low,
            FeatureKind::Close => Operation::Close,
            FeatureKind::Volume => Operation::Volume,
            FeatureKind::Relative => Operation::Relative {
                of: self.input(spec)?,
                to: self.series(spec, "to", spec.to.as_deref())?,
            },
            FeatureKind::Figure => Operation::Figure(self.figure(spec)?),
            FeatureKind::Sentiment => Operation::Sentiment,
            FeatureKind::LogReturn => Operation::LogReturn(self.input(spec)?),
            FeatureKind::InterArrival => Operation::InterArrival,
            FeatureKind::TimeOfDay => Operation::TimeOfDay(spec.phase.unwrap_or(Phase::Sine)),
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
            },
        };
        self.note_use(operation);
        let warm_up = match operation {
            Operation::LogReturn(_) | Operation::InterArrival | Operation::OrderFlow { .. } => 2,
            Operation::Ema { alpha, .. } => libm::ceil(3.0 / alpha) as u64,
            Operation::DecayingEma { .. } => 1,
            _ => 0,
        };
        let node = self.nodes.len();
        self.nodes.push(Node {
            operation,
            warm_up,
            inputs: self.inputs(operation),
            memory: self.memories,
            name: spec.name.clone(),
        });
        self.memories += usize::from(operation.remembers());
        self.steps.push(Step::Compute { node });
        Ok(node)
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
            | Operation::OrderFlow { .. } => Inputs::QUOTES,
            Operation::Open
            | Operation::High
            | Operation::Low
            | Operation::Close
            | Operation::Volume => Inputs::BARS,
            Operation::LogReturn(from)
            | Operation::Ema { from, .. }
            | Operation::DecayingEma { from, .. } => self.nodes[from].inputs,
            Operation::Windowed { window, .. } => self.windows[window].inputs,
            Operation::Relative { of, to } => self.nodes[of].inputs | self.nodes[to].inputs,
            Operation::TimeOfDay(_) | Operation::Figure(_) | Operation::Sentiment => Inputs::NONE,
        }
    }

    /// Notes whether a node needs the book or the best bid and offer, and whether it changes with time
    /// alone.
    fn note_use(&mut self, operation: Operation) {
        match operation {
            Operation::QueueImbalance(levels) if levels > 1 => self.uses_book = true,
            Operation::OrderFlow { .. } => self.uses_book = true,
            Operation::Mid
            | Operation::Spread(_)
            | Operation::Microprice(_)
            | Operation::QueueImbalance(_) => self.uses_top = true,
            Operation::Windowed { window, .. }
                if matches!(self.windows[window].span, Span::Time(_)) =>
            {
                self.aging.push(self.nodes.len());
            }
            Operation::Relative { of, to }
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
            let by_row = [Operation::Sentiment, Operation::TimeOfDay(Phase::Sine)];
            let kind = std::mem::discriminant(&self.nodes[node].operation);
            if by_row.iter().any(|one| std::mem::discriminant(one) == kind) {
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
            FeatureKind::Min => WindowKind::Smallest,
            FeatureKind::Max => WindowKind::Largest,
            FeatureKind::Sum => WindowKind::Sum,
            FeatureKind::RealisedVolatility => WindowKind::Squares,
            FeatureKind::VwapDeviation | FeatureKind::TradeFlow => WindowKind::Trades,
            FeatureKind::TradeIntensity => WindowKind::Count,
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
        let inputs = input.map_or(Inputs::TRADES, |node| self.nodes[node].inputs);
        let window = WindowSpec {
            kind,
            span,
            input,
            inputs,
        };
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
