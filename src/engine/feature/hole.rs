//! What a gap leaves in the features of an instrument: which of them still mix values from before and after
//! it.
//!
//! A node is tainted while its value rests on both sides of the gap: a plain series until its next value; a
//! return, a time between trades or an order flow until its second value after the gap; a window until the
//! gap has passed out of it (by count: so many values later; by time: its span later); an exponential
//! average until what came before the gap weighs less than 5 % (by `alpha`: 3 / α values, its warm-up, by
//! half-life: log₂ 20 half-lives, Wilder's: 3 n values). Taint is inherited: a window over a tainted value
//! holds the gap until that value has left too. Nothing of this is kept for an instrument without a gap.

use serde::{Deserialize, Serialize};

use super::fired::{Fired, NewValue};
use super::inputs::Inputs;
use super::memory::Memory;
use super::plan::FeaturePlan;
use super::program::{Operation, Step, WindowKind};
use super::update::MarketUpdate;
use super::window_state::WindowState;
use crate::engine::window::Span;
use crate::signal::quality::Quality;

/// A gap that has not passed out of all features yet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Hole {
    quality: Quality,
    nodes: Vec<Taint>,
    windows: Vec<Taint>,
}

/// The last value of a node, or in a window, that rests on both sides of a gap.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Taint {
    /// Whether the value of the node, or the content of the window, is tainted now.
    now: bool,
    /// Its running number and time; none where nothing was tainted yet.
    last: Option<(u64, i64)>,
}

/// log₂ 20: half-lives after which a value weighs less than 5 %.
const HALF_LIVES: f64 = 4.321_928_094_887_363;

impl Hole {
    pub(super) fn new(plan: &FeaturePlan) -> Self {
        Self {
            quality: Quality::Ok,
            nodes: vec![Taint::default(); plan.nodes.len()],
            windows: vec![Taint::default(); plan.windows.len()],
        }
    }

    /// Taints all that was computed from `inputs` before the event at `now`, which comes next.
    #[expect(clippy::too_many_arguments, reason = "the pieces of one FeatureState")]
    pub(super) fn open(
        &mut self,
        plan: &FeaturePlan,
        quality: Quality,
        inputs: Inputs,
        now: i64,
        values: &[f64],
        memories: &[Memory],
        windows: &[WindowState],
    ) {
        self.quality = self.quality.max(quality);
        for (at, taint) in self.nodes.iter_mut().enumerate() {
            let node = &plan.nodes[at];
            if !node.inputs.meets(inputs) {
                continue;
            }
            let count = if node.operation.remembers() {
                memories[node.memory].count
            } else {
                0
            };
            if count > 0 {
                taint.last = Some((count, now));
            }
            taint.now |= count > 0 || !values[at].is_nan();
        }
        for (at, taint) in self.windows.iter_mut().enumerate() {
            let received = windows[at].received();
            if plan.windows[at].inputs.meets(inputs) && received > 0 {
                *taint = Taint {
                    now: true,
                    last: Some((received, now)),
                };
            }
        }
    }

    /// Follows the taint through the program, after an event has been taken.
    pub(super) fn follow(
        &mut self,
        plan: &FeaturePlan,
        update: &MarketUpdate<'_>,
        fired: &Fired,
        memories: &[Memory],
        windows: &[WindowState],
    ) {
        for step in &plan.steps {
            match *step {
                Step::Feed { window, input } => {
                    let fed = match input {
                        Some(node) => {
                            let second = plan.windows[window].second;
                            let of_second = second.is_some_and(|node| self.nodes[node].now);
                            let is_tainted = self.nodes[node].now || of_second;
                            is_tainted && fired.0[node] != NewValue::None
                        }
                        // Trades themselves are never tainted.
                        None => false,
                    };
                    if fed {
                        let number = windows[window].received();
                        self.windows[window].last = Some((number, update.now));
                    }
                    self.look_at(plan, window, update.now, windows);
                }
                Step::Compute { node } => {
                    if fired.0[node] != NewValue::None {
                        self.nodes[node].now = self.is_tainted(plan, node, update.now, memories);
                    }
                }
            }
        }
    }

    /// Whether nothing is tainted any more at `now`.
    pub(super) fn is_over(
        &mut self,
        plan: &FeaturePlan,
        now: i64,
        windows: &[WindowState],
    ) -> bool {
        for window in 0..plan.windows.len() {
            self.look_at(plan, window, now, windows);
        }
        for &node in &plan.aging {
            match plan.nodes[node].operation {
                Operation::Windowed { window, .. } => {
                    self.nodes[node].now = self.windows[window].now;
                }
                Operation::Ratio { of, to, .. } => {
                    self.nodes[node].now = self.nodes[of].now || self.nodes[to].now;
                }
                _ => {}
            }
        }
        let tainted = |taint: &Taint| taint.now;
        !self.nodes.iter().any(tainted) && !self.windows.iter().any(tainted)
    }

    /// The quality that a row has at best: that of the gap while a column is tainted.
    pub(super) fn quality_of_row(&self, plan: &FeaturePlan) -> Quality {
        if plan.columns.iter().any(|&node| self.nodes[node].now) {
            self.quality
        } else {
            Quality::Ok
        }
    }

    /// Works out whether a window still holds a tainted value at `now`.
    fn look_at(&mut self, plan: &FeaturePlan, window: usize, now: i64, windows: &[WindowState]) {
        let taint = &mut self.windows[window];
        let Some((number, ts)) = taint.last else {
            return;
        };
        taint.now = match plan.windows[window].span {
            // The open bucket counts too: it holds trades from both sides of the gap.
            Span::Count(most) if matches!(plan.windows[window].kind, WindowKind::Buckets(_)) => {
                windows[window].received() - number <= most as u64
            }
            Span::Count(most) => windows[window].received() - number < most as u64,
            Span::Time(span) => ts > now.saturating_sub(span),
        };
    }

    /// Whether the value that a node has just got rests on both sides of a gap.
    fn is_tainted(
        &mut self,
        plan: &FeaturePlan,
        node: usize,
        now: i64,
        memories: &[Memory],
    ) -> bool {
        let from = |at: usize| self.nodes[at].now;
        let (operation, turnover) = (plan.nodes[node].operation, plan.nodes[node].turnover);
        let inherited = match operation {
            Operation::Windowed { window, .. } | Operation::WithinSession { window, .. } => {
                return self.windows[window].now;
            }
            Operation::Ratio { of, to, .. } | Operation::AsOf { of, to } => {
                return from(of) || from(to);
            }
            Operation::LogReturn(of) => from(of),
            Operation::Ema { from: of, .. } | Operation::DecayingEma { from: of, .. } => from(of),
            Operation::Strength { from: of, .. } | Operation::NewSession { from: of, .. } => {
                from(of)
            }
            Operation::OrderFlow { .. }
            | Operation::QuoteFlow(_)
            | Operation::TrueRange { .. }
            | Operation::InterArrival => false,
            // A plain series: its value is of this event alone.
            _ => return false,
        };
        let count = memories[plan.nodes[node].memory].count;
        let taint = &mut self.nodes[node];
        if inherited {
            taint.last = Some((count, now));
        }
        let Some((number, ts)) = taint.last else {
            return false;
        };
        match operation {
            Operation::DecayingEma { half_life, .. } => {
                ((now - ts) as f64) < HALF_LIVES * half_life as f64
            }
            // Returns and the like rest on two values, an average on as many as outweigh those before.
            _ => count - number < turnover,
        }
    }
}
