//! Sums of numbers over a window.

use std::collections::VecDeque;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::span::{Received, Span};

/// Sums of `K` numbers an entry over a window.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound(
    serialize = "[f64; K]: Serialize",
    deserialize = "[f64; K]: DeserializeOwned"
))]
pub struct Sums<const K: usize> {
    span: Span,
    /// Time and numbers of each entry, oldest first.
    entries: VecDeque<(i64, [f64; K])>,
    sums: [f64; K],
    /// Entries that have left since the sums were computed from the entries.
    gone: usize,
    received: Received,
}

impl<const K: usize> Sums<K> {
    /// An empty window.
    #[must_use]
    pub fn new(span: Span) -> Self {
        Self {
            span,
            entries: VecDeque::with_capacity(span.reserve()),
            sums: [0.0; K],
            gone: 0,
            received: Received::default(),
        }
    }

    /// Adds an entry at `now`, and removes what has become too old.
    pub fn push(&mut self, now: i64, entry: [f64; K]) {
        self.received.add(now);
        self.entries.push_back((now, entry));
        for (sum, value) in self.sums.iter_mut().zip(entry) {
            *sum += value;
        }
        self.advance(now);
    }

    /// Adds a value that is undefined. While it is in the window, nothing that is computed of the window is
    /// defined.
    pub fn push_undefined(&mut self, now: i64) {
        self.received.add_undefined(self.span, now);
        // It takes a place in a window by count, and adds nothing to the sums.
        self.entries.push_back((now, [0.0; K]));
        self.advance(now);
    }

    /// Whether an undefined value is in the window.
    #[must_use]
    pub fn holds_undefined(&self, now: i64) -> bool {
        self.span.holds_undefined(self.received, now)
    }

    /// Removes what has become too old at `now`.
    pub fn advance(&mut self, now: i64) {
        let mut dwarfed = false;
        while let Some(&(ts, entry)) = self.entries.front() {
            if self.span.keeps(ts, now, self.entries.len() - 1) {
                break;
            }
            self.entries.pop_front();
            self.gone += 1;
            for (sum, value) in self.sums.iter_mut().zip(entry) {
                *sum -= value;
                dwarfed |= value.abs() > 1e3 * sum.abs();
            }
        }
        // The rounding error of a large value that leaves would outweigh the small values that stay.
        if dwarfed || self.gone > self.entries.len() {
            self.recompute();
        }
    }

    /// How far back it reaches.
    #[must_use]
    pub fn span(&self) -> Span {
        self.span
    }

    /// The entry that came last, if the window still holds it.
    #[must_use]
    pub fn last(&self) -> Option<[f64; K]> {
        self.entries.back().map(|entry| entry.1)
    }

    /// Entries per second: n over the span of a window by time; in a window by count the n − 1 intervals
    /// between its entries over the time that they took. NaN where that is no time.
    #[must_use]
    pub fn rate(&self) -> f64 {
        let (count, nanos) = match (self.span, self.entries.front(), self.entries.back()) {
            (Span::Time(span), ..) => (self.entries.len(), span),
            (Span::Count(_), Some(oldest), Some(newest)) => {
                (self.entries.len() - 1, newest.0 - oldest.0)
            }
            (Span::Count(_), ..) => (0, 0),
        };
        if nanos > 0 {
            count as f64 / (nanos as f64 * 1e-9)
        } else {
            f64::NAN
        }
    }

    /// The sums; zeros for an empty window.
    #[must_use]
    pub fn sums(&self) -> [f64; K] {
        self.sums
    }

    /// Entries in the window.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether the window holds nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Entries received so far.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.received.count
    }

    /// Reads from the cache lines that the next entry needs.
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
        self.gone = 0;
        self.sums = [0.0; K];
        for (_, entry) in &self.entries {
            for (sum, value) in self.sums.iter_mut().zip(entry) {
                *sum += value;
            }
        }
    }
}
