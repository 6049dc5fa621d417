//! The instructions that features compile to.

use super::inputs::Inputs;
use super::kind::FeatureKind;
use super::unit::{Phase, RangeEstimator, Unit};
use crate::engine::window::Span;
use crate::time::session::Session;

/// One instruction.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// Put the new value of a node, or the trade where `input` is none, into a window.
    Feed { window: usize, input: Option<usize> },
    /// Compute a node.
    Compute { node: usize },
}

/// A value of the program: a feature, hidden or not, or a series that a feature is computed from.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) operation: Operation,
    /// Values it must have seen to be warm.
    pub(super) warm_up: u64,
    /// Values after which those before them do not count any more, or weigh less than 5 %.
    pub(super) turnover: u64,
    /// What it is computed from: a gap in these taints it.
    pub(super) inputs: Inputs,
    /// Which of the instrument's memories is its own, if it remembers anything between events.
    pub(super) memory: usize,
    pub(super) name: String,
}

/// How a node is computed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Operation {
    Price,
    Size,
    SignedSize,
    Mid,
    Spread(Unit),
    Microprice(Unit),
    QueueImbalance(usize),
    /// Of so many levels.
    Depth(usize),
    DepthSlope(usize, Unit),
    /// Of the levels from the first to the last but one, with the number of its remembered levels.
    OrderFlow {
        first: u8,
        end: u8,
        slot: usize,
    },
    /// Of the best bid and offer, with the number of what it remembers.
    QuoteFlow(usize),
    LogReturn(usize),
    InterArrival,
    /// The variance that a bar shows by itself.
    BarVariance(RangeEstimator),
    /// The mean true range of bars, smoothed over so many; with the number of what it remembers.
    TrueRange {
        periods: u32,
        slot: u32,
    },
    Strength {
        from: usize,
        periods: u32,
        slot: u32,
    },
    Ema {
        from: usize,
        alpha: f64,
    },
    DecayingEma {
        from: usize,
        half_life: i64,
    },
    /// Of a window, by a deviation that is divided by n − `ddof`.
    Windowed {
        window: usize,
        kind: FeatureKind,
        ddof: u32,
    },
    /// The change of which the oldest and the newest value of a window are the ends, unless they are of two
    /// sessions.
    WithinSession {
        window: usize,
        kind: FeatureKind,
        session: Session,
    },
    /// Whether the new value of a node is the first one of its session.
    NewSession {
        from: usize,
        session: Session,
    },
    SessionTime(Session),
    /// By the clock of a zone, or UTC.
    TimeOfDay(Phase, Option<Session>),
    Open,
    High,
    Low,
    Close,
    Volume,
    /// `of` / `to`, less one or not.
    Ratio {
        of: usize,
        to: usize,
        less_one: bool,
    },
    /// The latest value of `of` at each new one of `to`.
    AsOf {
        of: usize,
        to: usize,
    },
    Figure(u16),
    Sentiment,
}

/// One is looked at for each node at each event.
const _: () = assert!(size_of::<Operation>() <= 24);

/// A window that one or more nodes read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct WindowSpec {
    pub(super) kind: WindowKind,
    pub(super) span: Span,
    /// The node whose values it holds; none: trades.
    pub(super) input: Option<usize>,
    /// The node whose latest value stands beside each of them, in a window of pairs.
    pub(super) second: Option<usize>,
    pub(super) inputs: Inputs,
}

/// What a window keeps of its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WindowKind {
    Moments,
    /// The same, with the third moment and the newest value.
    Shape,
    Smallest,
    Largest,
    Ranks,
    /// The oldest and the newest value.
    Ends,
    /// Products of neighbours.
    Products,
    Pairs,
    Sum,
    Squares,
    Count,
    /// Notional, size and signed size of trades.
    Trades,
    /// Buckets of trades of this volume, in 1e-9 of the base currency.
    Buckets(i64),
}

impl Operation {
    /// Whether a node has a value at rows only.
    pub(super) fn is_of_rows(self) -> bool {
        matches!(
            self,
            Self::Sentiment | Self::TimeOfDay(..) | Self::SessionTime(_)
        )
    }

    /// Whether a node remembers something between events, besides its value.
    pub(super) fn remembers(self) -> bool {
        matches!(
            self,
            Self::OrderFlow { .. }
                | Self::QuoteFlow(_)
                | Self::LogReturn(_)
                | Self::InterArrival
                | Self::TrueRange { .. }
                | Self::Strength { .. }
                | Self::NewSession { .. }
                | Self::Ema { .. }
                | Self::DecayingEma { .. }
        )
    }
}
