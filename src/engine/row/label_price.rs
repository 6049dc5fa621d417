//! Whether the last price traded can be the base or the end of a label.

use crate::units::Price;

/// Gaps in trades and bars, and the last price behind them.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LabelPrice {
    /// Gaps and silences so far.
    breaks: u64,
    /// How many there were before the last price.
    before: u64,
    /// When the last price came.
    at: i64,
}

impl LabelPrice {
    /// A gap or a silence.
    pub(super) fn note_break(&mut self) {
        self.breaks += 1;
    }

    /// The gap that was noted last lies before the last price too, if that was behind all gaps before it.
    pub(super) fn was_before(&mut self, earlier: Self) {
        if earlier.before == earlier.breaks {
            self.before = self.breaks;
        }
    }

    /// A price, of a trade or a bar.
    pub(super) fn set(&mut self, now: i64) {
        (self.before, self.at) = (self.breaks, now);
    }

    /// The last price, unless a gap lies behind it or it is older than `max_gap` nanoseconds.
    pub(crate) fn price(self, last: Price, now: i64, max_gap: i64) -> Option<f64> {
        let is_of_now = self.before == self.breaks && now.saturating_sub(self.at) <= max_gap;
        (last != Price::UNDEFINED && is_of_now).then(|| last.to_f64())
    }

    /// Gaps and silences so far.
    pub(crate) fn breaks(self) -> u64 {
        self.breaks
    }
}
