//! A window whose content is summed up by an aggregate.

use std::collections::VecDeque;
use std::fmt::Debug;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::span::{Received, Span};

/// What is kept of a window's entries, so that they need not be gone over at each new one.
pub trait Aggregate: Default {
    /// An entry.
    type Entry: Copy + Debug;

    /// Takes a new entry; `before` is the one that came before it, where that is in the window and defined.
    fn add(&mut self, entry: Self::Entry, before: Option<Self::Entry>);

    /// Drops the oldest entry; `next` is the one after it, where that is in the window and defined.
    fn remove(&mut self, entry: Self::Entry, next: Option<Self::Entry>);

    /// Looks at what additions and removals have left of `count` entries; returns whether rounding errors
    /// outweigh it, so that it must be computed again.
    fn is_worn(&mut self, count: usize) -> bool;

    /// Computes it from the entries, oldest first; those that are undefined are none.
    fn recompute(&mut self, entries: impl Iterator<Item = Option<Self::Entry>> + Clone);
}

/// A window of entries with their aggregate, O(1) a value (amortised) where the aggregate is.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound(
    serialize = "A: Serialize, A::Entry: Serialize",
    deserialize = "A: DeserializeOwned, A::Entry: DeserializeOwned"
))]
pub struct Rolling<A: Aggregate> {
    span: Span,
    /// Time and value of each entry, oldest first; an undefined one has no value.
    entries: VecDeque<(i64, Option<A::Entry>)>,
    /// Entries that have left since the aggregate was computed from the entries.
    gone: usize,
    received: Received,
    aggregate: A,
}

impl<A: Aggregate> Rolling<A> {
    /// An empty window.
    #[must_use]
    pub fn new(span: Span) -> Self {
        Self {
            span,
            entries: VecDeque::with_capacity(span.reserve()),
            gone: 0,
            received: Received::default(),
            aggregate: A::default(),
        }
    }

    /// Adds an entry at `now`, and removes what has become too old.
    pub fn push(&mut self, now: i64, entry: A::Entry) {
        self.received.add(now);
        self.aggregate.add(entry, self.newest());
        self.entries.push_back((now, Some(entry)));
        self.advance(now);
    }

    /// Adds an entry that is undefined: it takes a place in a window by count.
    pub fn push_undefined(&mut self, now: i64) {
        self.received.add_undefined(self.span, now);
        self.entries.push_back((now, None));
        self.advance(now);
    }

    /// Whether an undefined entry is in the window.
    #[must_use]
    pub fn holds_undefined(&self, now: i64) -> bool {
        self.span.holds_undefined(self.received, now)
    }

    /// Removes what has become too old at `now`.
    pub fn advance(&mut self, now: i64) {
        while let Some(&(ts, entry)) = self.entries.front() {
            if self.span.keeps(ts, now, self.entries.len() - 1) {
                break;
            }
            self.entries.pop_front();
            self.gone += 1;
            if let Some(entry) = entry {
                self.aggregate.remove(entry, self.oldest());
            }
        }
        let worn = self.aggregate.is_worn(self.entries.len());
        if worn || self.gone > self.entries.len() {
            self.gone = 0;
            let entries = self.entries.iter().map(|entry| entry.1);
            self.aggregate.recompute(entries);
        }
    }

    /// What is kept of the entries; it means something only where none of them is undefined.
    #[must_use]
    pub fn aggregate(&self) -> &A {
        &self.aggregate
    }

    /// The oldest entry, where there is one and it is defined.
    #[must_use]
    pub fn oldest(&self) -> Option<A::Entry> {
        self.entries.front().and_then(|entry| entry.1)
    }

    /// The newest entry, where there is one and it is defined.
    #[must_use]
    pub fn newest(&self) -> Option<A::Entry> {
        self.entries.back().and_then(|entry| entry.1)
    }

    /// The times of the oldest and the newest entry.
    #[must_use]
    pub fn times(&self) -> Option<(i64, i64)> {
        Some((self.entries.front()?.0, self.entries.back()?.0))
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
}
