//! The instructions that features compile to.

use super::inputs::Inputs;
use super::kind::{FeatureKind, Phase, Unit};
use crate::engine::window::Span;

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
    /// What it is computed from: a gap in these taints it.
    pub(super) inputs: Inputs,
    /// Which of the instrument's memories is its own, if it remembers anything between events.
    pub(super) memory: usize,
    pub(super) name: String,
}

/// How a node is computed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Operation {
    Price,
    Size,
    SignedSize,
    Mid,
    Spread(Unit),
    Microprice(Unit),
    QueueImbalance(usize),
    /// Of so many levels, with the number of its remembered levels.
    OrderFlow {
        levels: usize,
        slot: usize,
    },
    LogReturn(usize),
    InterArrival,
    Ema {
        from: usize,
        alpha: f64,
    },
    DecayingEma {
        from: usize,
        half_life: i64,
    },
    Windowed {
        window: usize,
        kind: FeatureKind,
    },
    TimeOfDay(Phase),
    Open,
    High,
    Low,
    Close,
    Volume,
    Relative {
        of: usize,
        to: usize,
    },
    Figure(u16),
    Sentiment,
}

/// A window that one or more nodes read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct WindowSpec {
    pub(super) kind: WindowKind,
    pub(super) span: Span,
    /// The node whose values it holds; none: trades.
    pub(super) input: Option<usize>,
    pub(super) inputs: Inputs,
}

/// What a window keeps of its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WindowKind {
    Moments,
    Smallest,
    Largest,
    Sum,
    Squares,
    Count,
    /// Notional, size and signed size of trades.
    Trades,
}

impl Operation {
    /// Whether a node remembers something between events, besides its value.
    pub(super) fn remembers(self) -> bool {
        matches!(
            self,
            Self::OrderFlow { .. }
                | Self::LogReturn(_)
                | Self::InterArrival
                | Self::Ema { .. }
                | Self::DecayingEma { .. }
        )
    }
}
