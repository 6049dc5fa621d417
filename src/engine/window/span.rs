//! How far back a window reaches, and when it has been filled.

use serde::{Deserialize, Serialize};

/// How far back a window reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Span {
    /// The last so many values.
    Count(usize),
    /// The values of the last so many nanoseconds.
    Time(i64),
}

/// What a window remembers of all values that it has received.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Received {
    /// Time of the first one; `i64::MAX` before it.
    first: i64,
    /// Where the last undefined one stands: its number, counted from 1, in a window by count; its time in a
    /// window by time; `i64::MIN` before it.
    undefined: i64,
    /// How many, the undefined ones too.
    pub(super) count: u64,
}

impl Span {
    /// Whether a value of time `ts` belongs to the window, with `newer` values after it.
    pub(super) fn keeps(self, ts: i64, now: i64, newer: usize) -> bool {
        match self {
            Self::Count(most) => newer < most,
            Self::Time(span) => ts > now.saturating_sub(span),
        }
    }

    /// Whether a window that has received these values has covered its whole span by `now`.
    pub(super) fn is_full(self, received: Received, now: i64) -> bool {
        match self {
            Self::Count(most) => received.count >= most as u64,
            Self::Time(span) => received.first <= now.saturating_sub(span),
        }
    }

    /// Whether an undefined value belongs to the window at `now`.
    pub(super) fn holds_undefined(self, received: Received, now: i64) -> bool {
        let border = match self {
            Self::Count(most) => (received.count as i64).saturating_sub_unsigned(most as u64),
            Self::Time(span) => now.saturating_sub(span),
        };
        received.undefined > border
    }

    /// Values for which memory is reserved at the start: all of a short window by count, so that its memory
    /// lies in one piece and never moves.
    pub(super) fn reserve(self) -> usize {
        match self {
            Self::Count(most) => (most + 1).min(RESERVED),
            Self::Time(_) => 0,
        }
    }
}

/// Values for which memory is reserved at most.
const RESERVED: usize = 128;

impl Received {
    /// Notes one value at `now`.
    pub(super) fn add(&mut self, now: i64) {
        if self.count == 0 {
            self.first = now;
        }
        self.count += 1;
    }

    /// Notes one undefined value at `now`.
    pub(super) fn add_undefined(&mut self, span: Span, now: i64) {
        self.add(now);
        self.undefined = match span {
            Span::Count(_) => self.count as i64,
            Span::Time(_) => now,
        };
    }
}

impl Default for Received {
    fn default() -> Self {
        Self {
            first: i64::MAX,
            undefined: i64::MIN,
            count: 0,
        }
    }
}
