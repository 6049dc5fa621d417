//! Mean and deviation of a number over a window.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::span::{Received, Span};

/// Mean and variance of a number over a window.
///
/// Sums are kept about a shift near the mean, so that the variance of prices far from zero keeps its
/// digits (Chan, Golub, LeVeque 1983, "Algorithms for computing the sample variance", shifted data).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Moments {
    span: Span,
    /// Time and value, oldest first.
    entries: VecDeque<(i64, f64)>,
    shift: f64,
    sum: f64,
    squares: f64,
    /// Values that have left since the sums were computed from the entries.
    gone: usize,
    received: Received,
}

impl Moments {
    /// An empty window.
    #[must_use]
    pub fn new(span: Span) -> Self {
        Self {
            span,
            entries: VecDeque::with_capacity(span.reserve()),
            shift: 0.0,
            sum: 0.0,
            squares: 0.0,
            gone: 0,
            received: Received::default(),
        }
    }

    /// Adds a value at `now`, and removes what has become too old.
    pub fn push(&mut self, now: i64, value: f64) {
        self.received.add(now);
        if self.entries.is_empty() {
            (self.shift, self.sum, self.squares) = (value, 0.0, 0.0);
        }
        self.entries.push_back((now, value));
        let shifted = value - self.shift;
        self.sum += shifted;
        self.squares += shifted * shifted;
        self.advance(now);
    }

    /// Adds a value that is undefined. While it is in the window, nothing that is computed of the window is
    /// defined.
    pub fn push_undefined(&mut self, now: i64) {
        self.received.add_undefined(self.span, now);
        // It takes a place in a window by count, and adds nothing to the sums.
        self.entries.push_back((now, self.shift));
        self.advance(now);
    }

    /// Whether an undefined value is in the window.
    #[must_use]
    pub fn holds_undefined(&self, now: i64) -> bool {
        self.span.holds_undefined(self.received, now)
    }

    /// Removes what has become too old at `now`.
    pub fn advance(&mut self, now: i64) {
        let mut largest_gone = 0.0_f64;
        while let Some(&(ts, value)) = self.entries.front() {
            if self.span.keeps(ts, now, self.entries.len() - 1) {
                break;
            }
            self.entries.pop_front();
            let shifted = value - self.shift;
            self.sum -= shifted;
            self.squares -= shifted * shifted;
            largest_gone = largest_gone.max(shifted * shifted);
            self.gone += 1;
        }
        // The rounding error of an outlier that leaves would outweigh the values that stay, and so would
        // that of a shift that lies far from the mean (30 standard deviations).
        let far = self.sum * self.sum * 1.001 > self.squares * self.entries.len() as f64;
        if far || self.gone > self.entries.len() || largest_gone > 1e3 * self.squares {
            self.recompute();
        }
    }

    /// The mean; `None` for an empty window.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        let count = self.entries.len();
        (count > 0).then(|| self.shift + self.sum / count as f64)
    }

    /// The standard deviation, divided by n (ddof 0): 0 of one value, NaN of none.
    #[must_use]
    pub fn std(&self) -> f64 {
        let count = self.entries.len() as f64;
        if count < 2.0 {
            return if count == 1.0 { 0.0 } else { f64::NAN };
        }
        let mean = self.sum / count;
        (self.squares / count - mean * mean).max(0.0).sqrt()
    }

    /// The variance, divided by n − `ddof`: NaN of too few values.
    #[must_use]
    pub fn variance(&self, ddof: usize) -> f64 {
        let count = self.entries.len();
        if count <= ddof {
            return f64::NAN;
        }
        let n = count as f64;
        let mean = self.sum / n;
        (self.squares / n - mean * mean).max(0.0) * (n / (n - ddof as f64))
    }

    /// Whether the window holds nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Values received so far.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.received.count
    }

    /// Reads from the cache lines that the next value needs.
    pub(crate) fn touch(&self) -> u64 {
        let ends = [self.entries.front(), self.entries.back()];
        ends.into_iter()
            .flatten()
            .fold(0, |all, end| all ^ end.0 as u64)
    }

    /// Whether the window has ever covered its whole span by `now`.
    #[must_use]
    pub fn is_full(&self, now: i64) -> bool {
        self.span.is_full(self.received, now)
    }

    fn recompute(&mut self) {
        let count = self.entries.len().max(1) as f64;
        self.shift = self.entries.iter().map(|entry| entry.1).sum::<f64>() / count;
        (self.sum, self.squares, self.gone) = (0.0, 0.0, 0);
        for (_, value) in &self.entries {
            let shifted = value - self.shift;
            self.sum += shifted;
            self.squares += shifted * shifted;
        }
    }
}
