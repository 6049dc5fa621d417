//! What was thought of an instrument lately: a mean of scores that count half after each half-life.
//!
//! With wᵢ = 2^(−(t − tᵢ) / h) of the scores sᵢ told at tᵢ ≤ t: weight W = Σ wᵢ, value Σ wᵢ sᵢ / W. Summed
//! anew from the scores at each question, oldest first, so that no error piles up and a revision takes back
//! what it revises.

use crate::signal::average::{Average, decay};

use std::collections::VecDeque;

/// The scores of one instrument.
#[derive(Debug, Default)]
pub struct Scores {
    lately: VecDeque<Told>,
    now: i64,
}

#[derive(Clone, Copy, Debug)]
struct Told {
    item: u64,
    ts: i64,
    score: f64,
}

/// Scores remembered; more within some half-lives change the mean by little.
const SCORES: usize = 256;

impl Scores {
    /// Takes the score of an item, in place of the one that it had, and gives the mean at the latest time
    /// told so far, with that time.
    pub fn take(&mut self, item: u64, ts: i64, score: f64, half_life: i64) -> (Average, i64) {
        self.now = if self.lately.is_empty() {
            ts
        } else {
            self.now.max(ts)
        };
        self.lately.retain(|told| told.item != item);
        if self.lately.len() == SCORES {
            self.lately.pop_front();
        }
        self.lately.push_back(Told { item, ts, score });
        let (mut weight, mut sum) = (0.0, 0.0);
        for told in &self.lately {
            let counts = decay(self.now - told.ts, half_life);
            weight += counts;
            sum += counts * told.score;
        }
        let value = if weight > 0.0 { sum / weight } else { 0.0 };
        (Average { value, weight }, self.now)
    }

    /// Takes a score back.
    pub fn withdraw(&mut self, item: u64) {
        self.lately.retain(|told| told.item != item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_counts_half_after_a_half_life() {
        let mut scores = Scores::default();
        let (first, _) = scores.take(1, 1_000, 0.5, 100);
        assert_eq!((first.value, first.weight), (0.5, 1.0));
        let (second, now) = scores.take(2, 1_100, -1.0, 100);
        assert_eq!(now, 1_100);
        assert_eq!(second.weight, 1.5);
        assert!((second.value - (0.25 - 1.0) / 1.5).abs() < 1e-15);
        assert!((second.after(100, 100) - second.value * 0.75 / 1.75).abs() < 1e-15);
        assert_eq!(Average::default().after(5, 100), 0.0);
    }

    #[test]
    fn a_revision_takes_the_place_of_what_it_revises() {
        let (mut revised, mut plain) = (Scores::default(), Scores::default());
        revised.take(1, 1_000, 0.9, 100);
        revised.take(2, 1_050, 0.1, 100);
        plain.take(2, 1_050, 0.1, 100);
        assert_eq!(
            revised.take(1, 1_060, -0.9, 100),
            plain.take(1, 1_060, -0.9, 100)
        );
    }

    #[test]
    fn a_late_item_counts_as_of_its_own_time() {
        let mut scores = Scores::default();
        scores.take(1, 1_100, 1.0, 100);
        let (average, now) = scores.take(2, 1_000, -1.0, 100);
        assert_eq!((now, average.weight), (1_100, 1.5));
        assert!((average.value - 0.5 / 1.5).abs() < 1e-15);
    }

    #[test]
    fn memory_is_bounded() {
        let mut scores = Scores::default();
        for item in 0..1_000 {
            scores.take(item, 0, 1.0, 1);
        }
        assert_eq!(scores.lately.len(), SCORES);
    }
}
