//! The changes that wait for a snapshot: bounded by their number and by their levels.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::event::{Depth, Level};

/// A diff that came before its snapshot, or a snapshot.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct HeldDiff {
    pub(super) first: u64,
    pub(super) last: u64,
    pub(super) bids: Box<[Level]>,
    pub(super) asks: Box<[Level]>,
}

impl HeldDiff {
    fn levels(&self) -> usize {
        self.bids.len() + self.asks.len()
    }
}

/// Diffs that wait for a snapshot, each of which follows the one before it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct WaitingDiffs {
    diffs: VecDeque<HeldDiff>,
    /// Levels of all of them.
    levels: usize,
    /// Those that were dropped because too many waited, since that was last asked for.
    crowded_out: u64,
}

impl WaitingDiffs {
    /// Adds a diff. Those that it does not follow are dropped: only what follows can be spliced.
    pub(super) fn push(&mut self, depth: &Depth, bids: &[Level], asks: &[Level]) {
        if self
            .last()
            .is_some_and(|last| Some(depth.first) != last.checked_add(1))
        {
            self.clear();
        }
        self.levels += bids.len() + asks.len();
        while (self.diffs.len() >= MAX_WAITING || self.levels > MAX_LEVELS)
            && let Some(oldest) = self.diffs.pop_front()
        {
            self.levels -= oldest.levels();
            self.crowded_out += 1;
        }
        self.diffs.push_back(HeldDiff {
            first: depth.first,
            last: depth.last,
            bids: bids.into(),
            asks: asks.into(),
        });
    }

    pub(super) fn clear(&mut self) {
        self.diffs.clear();
        self.levels = 0;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.diffs.is_empty()
    }

    /// Number of the first update that waits.
    pub(super) fn first(&self) -> Option<u64> {
        self.diffs.front().map(|diff| diff.first)
    }

    /// Number of the last update that waits.
    pub(super) fn last(&self) -> Option<u64> {
        self.diffs.back().map(|diff| diff.last)
    }

    /// Takes all out.
    pub(super) fn take(&mut self) -> VecDeque<HeldDiff> {
        self.levels = 0;
        std::mem::take(&mut self.diffs)
    }

    /// How many were dropped since the last call, because too many waited.
    pub(super) fn take_crowded_out(&mut self) -> u64 {
        std::mem::take(&mut self.crowded_out)
    }
}

/// Diffs that wait for a snapshot, at most: 17 minutes at 100 ms. The oldest is dropped for a new one.
const MAX_WAITING: usize = 10_000;
/// Levels of the diffs that wait, at most: 8 MB of them.
const MAX_LEVELS: usize = 500_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{Price, Size};

    #[test]
    fn what_waits_is_bounded_by_levels_too() {
        let diff = |number: u64| Depth {
            first: number,
            last: number,
            ..Depth::default()
        };
        let level = Level {
            price: Price::from_scaled(99, 0).unwrap(),
            size: Size::from_scaled(1, 0).unwrap(),
        };
        let mut waiting = WaitingDiffs::default();
        for number in 1..=400 {
            waiting.push(&diff(number), &vec![level; 3_000], &[]);
            let held: usize = waiting.diffs.iter().map(HeldDiff::levels).sum();
            assert_eq!(held, waiting.levels);
            assert!(held <= MAX_LEVELS);
        }
        let kept = MAX_LEVELS as u64 / 3_000;
        assert_eq!(waiting.take_crowded_out(), 400 - kept);
        assert_eq!(waiting.take_crowded_out(), 0);
        assert_eq!(waiting.first(), Some(400 - kept + 1));
        assert_eq!(waiting.take().len() as u64, kept);
        // One alone is taken, whatever its size.
        waiting.push(&diff(1), &vec![level; MAX_LEVELS + 1], &[]);
        assert_eq!((waiting.first(), waiting.levels), (Some(1), MAX_LEVELS + 1));
    }
}
