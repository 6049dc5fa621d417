//! The sentiment of an instrument's headlines: an exponentially decayed average of their scores.
//!
//! With weights wᵢ = 2^(−(t − tᵢ) / h) of the scores sᵢ of times tᵢ ≤ t and the half-life h: weight W = Σ
//! wᵢ, average Σ wᵢ sᵢ / W, over all items that were ever scored and not withdrawn. The newest scores are
//! added up each time, oldest first, so that a revised item replaces its earlier score exactly; those
//! before them are held as running sums, which shrink with time by the same half-life.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::signal::average::{Average, decay};

/// The scores of one instrument, one an item.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct ItemScores {
    /// The newest, in the order of arrival.
    scores: VecDeque<ItemScore>,
    /// Those that arrived before them, kept for revisions and withdrawals, in the order of arrival.
    older: VecDeque<ItemScore>,
    /// The sums over `older` and over the scores that are no longer kept.
    folded: DecayedSums,
    /// The sums over the scores that are no longer kept.
    forgotten: DecayedSums,
    /// The latest time of the scores.
    now: i64,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct ItemScore {
    item: u64,
    ts: i64,
    score: f64,
}

/// Sums over scores as of the latest of their times.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct DecayedSums {
    weight: f64,
    sum: f64,
    ts: i64,
}

/// Scores that are added up each time.
const NEWEST_MAX: usize = 256;

/// Scores before them that are kept for a revision or a withdrawal, 24 bytes each. A revision of an item
/// with more items after it adds its score and leaves its earlier one in the sums, where it decays.
const OLDER_MAX: usize = 16_384;

/// The age in half-lives after which a score is no longer kept for a revision: it weighs 2⁻⁶⁴, less than the
/// last bit of a newest score.
const KEPT_HALF_LIVES: i64 = 64;

impl ItemScores {
    /// Adds the score of an item, in place of its earlier one, and returns the average at the latest time
    /// so far, with that time. Times and the half-life are in nanoseconds.
    pub fn add(&mut self, item: u64, ts: i64, score: f64, half_life: i64) -> (Average, i64) {
        self.withdraw(item, half_life);
        self.now = if self.is_empty() {
            ts
        } else {
            self.now.max(ts)
        };
        if self.scores.len() == NEWEST_MAX
            && let Some(oldest) = self.scores.pop_front()
        {
            self.fold(oldest, half_life);
        }
        self.scores.push_back(ItemScore { item, ts, score });
        let DecayedSums {
            mut weight,
            mut sum,
            ..
        } = self.folded.at(self.now, half_life);
        for known in &self.scores {
            let weighs = decay(self.now - known.ts, half_life);
            weight += weighs;
            sum += weighs * known.score;
        }
        let value = if weight > 0.0 { sum / weight } else { 0.0 };
        (Average { value, weight }, self.now)
    }

    /// Removes the score of an item.
    pub fn withdraw(&mut self, item: u64, half_life: i64) {
        self.scores.retain(|known| known.item != item);
        let Some(place) = self.older.iter().position(|known| known.item == item) else {
            return;
        };
        self.older.remove(place);
        // Added up again rather than subtracted: what is left may be far smaller than what goes.
        self.folded = self.forgotten;
        for known in &self.older {
            self.folded.add(*known, half_life);
        }
    }

    fn is_empty(&self) -> bool {
        self.scores.is_empty() && self.folded.weight == 0.0
    }

    /// Moves a score into the running sums.
    fn fold(&mut self, score: ItemScore, half_life: i64) {
        self.folded.add(score, half_life);
        self.older.push_back(score);
        let oldest = self
            .now
            .saturating_sub(half_life.saturating_mul(KEPT_HALF_LIVES));
        while let Some(first) = self.older.front()
            && (self.older.len() > OLDER_MAX || first.ts < oldest)
        {
            self.forgotten.add(*first, half_life);
            self.older.pop_front();
        }
    }
}

impl DecayedSums {
    fn add(&mut self, score: ItemScore, half_life: i64) {
        if self.weight == 0.0 {
            self.ts = score.ts;
        }
        *self = self.at(self.ts.max(score.ts), half_life);
        let weighs = decay(self.ts - score.ts, half_life);
        self.weight += weighs;
        self.sum += weighs * score.score;
    }

    /// The sums as of a time that is not earlier.
    fn at(self, ts: i64, half_life: i64) -> Self {
        let decayed = decay(ts - self.ts, half_life);
        Self {
            weight: self.weight * decayed,
            sum: self.sum * decayed,
            ts,
        }
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
    fn every_item_counts_however_many_came_after_it() {
        let mut scores = ItemScores::default();
        let mut all = vec![];
        for item in 0..3_000_u64 {
            // Every seventh item is late.
            let ts = 1_000_000 + item as i64 * 10 - if item % 7 == 0 { 5_000 } else { 0 };
            let score = (item % 19) as f64 / 9.0 - 1.0;
            all.push((item, ts, score));
            let (average, now) = scores.add(item, ts, score, 20_000);
            if item % 500 == 499 {
                assert_same(average, expected(&all, now));
            }
        }
        // An item far behind is revised, another is withdrawn.
        scores.withdraw(700, 20_000);
        all.retain(|known| known.0 != 700 && known.0 != 3);
        all.push((3, 1_030_001, 1.0));
        let (average, now) = scores.add(3, 1_030_001, 1.0, 20_000);
        assert_same(average, expected(&all, now));
    }

    #[test]
    fn what_is_withdrawn_leaves_no_trace_in_what_is_old() {
        let mut scores = ItemScores::default();
        // One heavy item among many that weigh 2^-50 of it.
        scores.add(0, 5_000, 1.0, 100);
        for item in 1..600 {
            scores.add(item, 0, -0.5, 100);
        }
        scores.withdraw(0, 100);
        let (average, _) = scores.add(600, 0, -0.5, 100);
        assert!((average.value + 0.5).abs() < 1e-12, "{average:?}");
    }

    #[test]
    fn memory_is_bounded() {
        let mut scores = ItemScores::default();
        for item in 0..20_000 {
            scores.add(item, 0, 1.0, 1);
        }
        assert_eq!(scores.older.len(), OLDER_MAX);
        let (average, _) = scores.add(20_000, 0, 1.0, 1);
        assert_eq!((average.value, average.weight), (1.0, 20_001.0));
        for item in 30_000..31_000 {
            scores.add(item, item as i64, 1.0, 1);
        }
        assert!(scores.older.len() <= NEWEST_MAX, "the old ones went");
    }

    fn expected(all: &[(u64, i64, f64)], now: i64) -> Average {
        let weights: Vec<f64> = all.iter().map(|one| decay(now - one.1, 20_000)).collect();
        let weight: f64 = weights.iter().sum();
        let sum: f64 = weights.iter().zip(all).map(|(w, one)| w * one.2).sum();
        Average {
            value: sum / weight,
            weight,
        }
    }

    fn assert_same(found: Average, expected: Average) {
        assert!(
            (found.value - expected.value).abs() < 1e-12
                && (found.weight / expected.weight - 1.0).abs() < 1e-12,
            "{found:?}, {expected:?} expected"
        );
    }
}
