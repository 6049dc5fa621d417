//! What recursive features remember, where [`super::memory::Memory`] has no room for it.

use serde::{Deserialize, Serialize};

use super::memory::is_defined;
use super::quote::TopOfBook;
use crate::event::Bar;

/// What a recursive feature remembers between events.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Recursion {
    /// The best bid and offer as `order_flow_imbalance` of quotes saw them last.
    Top {
        last: Option<TopOfBook>,
        known: bool,
    },
    /// Of `atr`: the close before, NaN where it was undefined, and the average.
    Range {
        close: f64,
        known: bool,
        mean: SmoothedMean,
    },
    /// Of `rsi`: the value before, NaN where it was undefined, and the averages of gains and losses.
    Strength {
        last: f64,
        known: bool,
        gains: SmoothedMean,
        losses: SmoothedMean,
    },
}

/// The kinds of the same.
#[derive(Clone, Copy, Debug)]
pub(super) enum RecursionKind {
    Top,
    Range,
    Strength,
}

/// Wilder's smoothed mean: that of the first n values, then each new one with a weight of 1 / n.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct SmoothedMean {
    count: u64,
    /// The sum of the first values until there are n.
    mean: f64,
}

impl SmoothedMean {
    fn take(&mut self, value: f64, n: u32) -> Option<f64> {
        self.count += 1;
        let weight = f64::from(n);
        if self.count > u64::from(n) {
            self.mean = (self.mean * (weight - 1.0) + value) / weight;
            return Some(self.mean);
        }
        self.mean += value;
        (self.count == u64::from(n)).then(|| {
            self.mean /= weight;
            self.mean
        })
    }
}

impl Recursion {
    pub(super) fn new(kind: RecursionKind) -> Self {
        let (known, mean) = (false, SmoothedMean::default());
        match kind {
            RecursionKind::Top => Self::Top { last: None, known },
            RecursionKind::Range => Self::Range {
                close: f64::NAN,
                known,
                mean,
            },
            RecursionKind::Strength => Self::Strength {
                last: f64::NAN,
                known,
                gains: mean,
                losses: mean,
            },
        }
    }

    /// The flow of the best bid and offer since the last call; `None` at the first. There is none from or to
    /// a market without a side.
    pub(super) fn flow(&mut self, top: Option<TopOfBook>) -> Option<f64> {
        let Self::Top { last, known } = self else {
            return None;
        };
        let before = std::mem::replace(last, top);
        let flow = || Some(top?.flow_since(&before?));
        std::mem::replace(known, true).then(|| flow().unwrap_or(f64::NAN))
    }

    /// The average true range with this bar; `None` until n bars have had one before them. A bar that lacks
    /// a price is passed over, and so is the one after it.
    pub(super) fn true_range(&mut self, bar: &Bar, n: u32) -> Option<f64> {
        let Self::Range { close, known, mean } = self else {
            return None;
        };
        let (high, low) = (bar.high.to_f64(), bar.low.to_f64());
        let before = std::mem::replace(close, bar.close.to_f64());
        if !std::mem::replace(known, true) {
            return None;
        }
        let range = (high - low)
            .max((high - before).abs())
            .max((low - before).abs());
        let all = [high, low, before, *close];
        if !all.into_iter().all(is_defined) {
            return Some(f64::NAN);
        }
        mean.take(range, n)
    }

    /// The relative strength with this value; `None` until there have been n changes, and undefined where
    /// nothing has changed. A change to or from an undefined value is passed over.
    pub(super) fn strength(&mut self, value: f64, n: u32) -> Option<f64> {
        let Self::Strength {
            last,
            known,
            gains,
            losses,
        } = self
        else {
            return None;
        };
        let change = value - std::mem::replace(last, value);
        if !std::mem::replace(known, true) {
            return None;
        }
        if !is_defined(change) {
            return Some(f64::NAN);
        }
        let gain = gains.take(change.max(0.0), n);
        let loss = losses.take((-change).max(0.0), n);
        let (gain, loss) = gain.zip(loss)?;
        Some(100.0 * gain / (gain + loss))
    }
}
