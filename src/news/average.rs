//! The sentiment of an instrument's headlines: an exponentially decayed average of their scores.
//!
//! With weights wᵢ = 2^(−(t − tᵢ) / h) of the scores sᵢ of times tᵢ ≤ t and the half-life h: weight W = Σ
//! wᵢ, average Σ wᵢ sᵢ / W. Computed from all scores each time, oldest first, so that rounding errors do
//! not build up and a revised item replaces its earlier score exactly.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::signal::average::{Average, decay};

/// The last scores of one instrument, one an item.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct ItemScores {
    scores: VecDeque<ItemScore>,
    /// The latest time of the scores.
    now: i64,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct ItemScore {
    item: u64,
    ts: i64,
    score: f64,
}

/// Scores kept; older ones weigh next to nothing after some half-lives.
const SCORES_MAX: usize = 256;

impl ItemScores {
    /// Adds the score of an item, in place of its earlier one, and returns the average at the latest time
    /// so far, with that time. Times and the half-life are in nanoseconds.
    pub fn add(&mut self, item: u64, ts: i64, score: f64, half_life: i64) -> (Average, i64) {
        self.now = if self.scores.is_empty() {
            ts
        } else {
            self.now.max(ts)
        };
        self.scores.retain(|known| known.item != item);
        if self.scores.len() == SCORES_MAX {
            self.scores.pop_front();
        }
        self.scores.push_back(ItemScore { item, ts, score });
        let (mut weight, mut sum) = (0.0, 0.0);
        for known in &self.scores {
            let weighs = decay(self.now - known.ts, half_life);
            weight += weighs;
            sum += weighs * known.score;
        }
        let value = if weight > 0.0 { sum / weight } else { 0.0 };
        (Average { value, weight }, self.now)
    }

    /// Removes the score of an item.
    pub fn withdraw(&mut self, item: u64) {
        self.scores.retain(|known| known.item != item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_weighs_half_after_a_half_life() {
        let mut scores = ItemScores::default();
        let (first, _) = scores.add(1, 1_000, 0.5, 100);
        assert_eq!((first.value, first.weight), (0.5, 1.0));
        let (second, now) = scores.add(2, 1_100, -1.0, 100);
        assert_eq!(now, 1_100);
        assert_eq!(second.weight, 1.5);
        assert!((second.value - (0.25 - 1.0) / 1.5).abs() < 1e-15);
        assert!((second.after(100, 100) - second.value * 0.75 / 1.75).abs() < 1e-15);
        assert_eq!(Average::default().after(5, 100), 0.0);
    }

    #[test]
    fn a_revised_item_replaces_its_earlier_score() {
        let (mut revised, mut plain) = (ItemScores::default(), ItemScores::default());
        revised.add(1, 1_000, 0.9, 100);
        revised.add(2, 1_050, 0.1, 100);
        plain.add(2, 1_050, 0.1, 100);
        assert_eq!(
            revised.add(1, 1_060, -0.9, 100),
            plain.add(1, 1_060, -0.9, 100)
        );
    }

    #[test]
    fn a_late_item_weighs_by_its_own_time() {
        let mut scores = ItemScores::default();
        scores.add(1, 1_100, 1.0, 100);
        let (average, now) = scores.add(2, 1_000, -1.0, 100);
        assert_eq!((now, average.weight), (1_100, 1.5));
        assert!((average.value - 0.5 / 1.5).abs() < 1e-15);
    }

    #[test]
    fn memory_is_bounded() {
        let mut scores = ItemScores::default();
        for item in 0..1_000 {
            scores.add(item, 0, 1.0, 1);
        }
        assert_eq!(scores.scores.len(), SCORES_MAX);
    }
}
