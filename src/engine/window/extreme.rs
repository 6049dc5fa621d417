//! The smallest or largest number of a window.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::span::{Received, Span};

/// The smallest or largest number of a window: a monotonic queue (Lemire 2006, "Streaming
/// maximum-minimum filter using no more than three comparisons per element").
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Extreme {
    span: Span,
    largest: bool,
    /// Candidates, each smaller (larger) than all after it. Beside the value stands its running number in a
    /// window by count, its time in a window by time.
    queue: VecDeque<(i64, f64)>,
    received: Received,
}

impl Extreme {
    /// An empty window for the smallest value.
    #[must_use]
    pub fn smallest(span: Span) -> Self {
        Self {
            span,
            largest: false,
            queue: VecDeque::new(),
            received: Received::default(),
        }
    }

    /// An empty window for the largest value.
    #[must_use]
    pub fn largest(span: Span) -> Self {
        Self {
            largest: true,
            ..Self::smallest(span)
        }
    }

    /// Adds a value at `now`, and removes what has become too old.
    pub fn push(&mut self, now: i64, value: f64) {
        let beaten = |last: f64| {
            if self.largest {
                last <= value
            } else {
                last >= value
            }
        };
        while self.queue.back().is_some_and(|&(_, last)| beaten(last)) {
            self.queue.pop_back();
        }
        let position = match self.span {
            Span::Count(_) => self.received.count as i64,
            Span::Time(_) => now,
        };
        self.queue.push_back((position, value));
        self.received.add(now);
        self.advance(now);
    }

    /// Adds a value that is undefined. While it is in the window, nothing that is computed of the window is
    /// defined.
    pub fn push_undefined(&mut self, now: i64) {
        self.received.add_undefined(self.span, now);
        self.advance(now);
    }

    /// Whether an undefined value is in the window.
    #[must_use]
    pub fn holds_undefined(&self, now: i64) -> bool {
        self.span.holds_undefined(self.received, now)
    }

    /// Removes what has become too old at `now`.
    pub fn advance(&mut self, now: i64) {
        while let Some(&(position, _)) = self.queue.front() {
            let newer = match self.span {
                Span::Count(_) => (self.received.count as i64 - position) as usize - 1,
                Span::Time(_) => 0,
            };
            if self.span.keeps(position, now, newer) {
                break;
            }
            self.queue.pop_front();
        }
    }

    /// The extreme value; `None` for an empty window.
    #[must_use]
    pub fn value(&self) -> Option<f64> {
        self.queue.front().map(|entry| entry.1)
    }

    /// Whether the window holds nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Values received so far.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.received.count
    }

    /// Reads from the cache lines that the next value needs.
    pub(crate) fn touch(&self) -> u64 {
        let ends = [self.queue.front(), self.queue.back()];
        ends.into_iter()
            .flatten()
            .fold(0, |all, end| all ^ end.0 as u64)
    }

    /// Whether the window has ever covered its whole span by `now`.
    #[must_use]
    pub fn is_full(&self, now: i64) -> bool {
        self.span.is_full(self.received, now)
    }
}
