//! How much of a label no other label shares: average uniqueness (López de Prado 2018, "Advances in Financial
//! Machine Learning", ch. 4.3 and 4.4), as rows come and labels end.
//!
//! Over the times t of an instrument's rows, c(t) is the number of labels that begin at t or before and end
//! at t or later; the uniqueness of a label is the mean of 1 / c(t) over the times from its row to its end.
//! A time's count is final once every row up to it has its label, or none.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// The times of an instrument's rows, with the labels that span them.
#[derive(Debug, Default)]
pub(super) struct Uniqueness {
    times: VecDeque<Time>,
    /// How many of them have final counts.
    finals: usize,
    /// Labels that span the last final time.
    active: u64,
    /// When labels end that began.
    ends: BinaryHeap<Reverse<i64>>,
    /// The sum of 1 / c over all final times, as a multiple of 2^-60: exact, so that the difference of two
    /// sums does not depend on what lies before.
    sum: u128,
}

#[derive(Debug)]
struct Time {
    at: i64,
    /// Labels that begin here.
    begins: u64,
    /// The sum over the times before it, once it is final.
    before: u128,
}

const ONE: u128 = 1 << 60;

impl Uniqueness {
    /// A row came; times do not go back.
    pub(super) fn row(&mut self, at: i64) {
        if self.times.back().is_none_or(|last| last.at < at) {
            self.times.push_back(Time {
                at,
                begins: 0,
                before: 0,
            });
        }
    }

    /// A row of this time has a label that ends at `end`.
    pub(super) fn label(&mut self, at: i64, end: i64) {
        let place = self.times.partition_point(|time| time.at < at);
        if let Some(time) = self.times.get_mut(place) {
            time.begins += 1;
            self.ends.push(Reverse(end));
        }
    }

    /// All rows before `frontier` have their labels, or none.
    pub(super) fn pass(&mut self, frontier: i64) {
        while let Some(time) = self.times.get_mut(self.finals)
            && time.at < frontier
        {
            while self.ends.peek().is_some_and(|end| end.0 < time.at) {
                self.ends.pop();
                self.active -= 1;
            }
            self.active += time.begins;
            time.before = self.sum;
            self.sum += ONE.checked_div(u128::from(self.active)).unwrap_or(0);
            self.finals += 1;
        }
    }

    /// The average uniqueness of a label from `at` to `end`, which lies before the frontier.
    pub(super) fn mean(&self, at: i64, end: i64) -> f64 {
        let first = self.times.partition_point(|time| time.at < at);
        let after = self.times.partition_point(|time| time.at <= end);
        let after = after.min(self.finals);
        let until = match after < self.finals {
            true => self.times[after].before,
            false => self.sum,
        };
        match self.times.get(first) {
            Some(begin) if after > first => {
                (until - begin.before) as f64 / ONE as f64 / (after - first) as f64
            }
            _ => 1.0,
        }
    }

    /// No row before this time will be asked for.
    pub(super) fn forget(&mut self, before: i64) {
        while self.finals > 0 && self.times.front().is_some_and(|time| time.at < before) {
            self.times.pop_front();
            self.finals -= 1;
        }
    }

    /// How many times are held.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.times.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The indicator matrix of López de Prado 2018, ch. 4.5.3: labels over the returns 1 to 3, 3 to 4, and 5
    /// to 6.
    #[test]
    fn the_published_example_has_its_uniqueness() {
        let mut weights = Uniqueness::default();
        (1..=6).for_each(|at| weights.row(at));
        let labels = [(1, 3), (3, 4), (5, 6)];
        for (at, end) in labels {
            weights.label(at, end);
        }
        weights.pass(7);
        let means = labels.map(|(at, end)| weights.mean(at, end));
        let expected = [5.0 / 6.0, 3.0 / 4.0, 1.0];
        for (ours, theirs) in means.iter().zip(expected) {
            assert!((ours - theirs).abs() < 1e-15, "{means:?}");
        }
    }

    /// Against counts of each time over all labels.
    #[test]
    fn streams_of_labels_equal_the_slow_count() {
        let mut random = 7_u64;
        let mut next = |below: u64| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random % below
        };
        let mut at = 1_600_000_000_000_000_000_i64;
        let mut labels = vec![];
        for _ in 0..600 {
            at += next(3) as i64;
            let has = next(5) > 0;
            labels.push((at, has.then(|| at + next(40) as i64)));
        }
        let mut times: Vec<i64> = labels.iter().map(|label| label.0).collect();
        times.dedup();
        let count = |t: i64| {
            let spans = labels.iter().filter_map(|&(at, end)| Some((at, end?)));
            spans.filter(|&(at, end)| at <= t && t <= end).count() as f64
        };
        let mut weights = Uniqueness::default();
        let mut most = 0;
        let mut asked = 0;
        for (place, &(at, end)) in labels.iter().enumerate() {
            weights.row(at);
            if let Some(end) = end {
                weights.label(at, end);
            }
            let next_at = labels.get(place + 1).map_or(i64::MAX, |label| label.0);
            weights.pass(next_at);
            while let Some(&(at, end)) = labels
                .get(asked)
                .filter(|label| label.0 < next_at && label.1.is_none_or(|end| end < next_at))
            {
                if let Some(end) = end {
                    let spanned: Vec<i64> = times
                        .iter()
                        .copied()
                        .filter(|t| (at..=end).contains(t))
                        .collect();
                    let slow =
                        spanned.iter().map(|&t| 1.0 / count(t)).sum::<f64>() / spanned.len() as f64;
                    assert!((weights.mean(at, end) - slow).abs() < 1e-14, "{at} {end}");
                }
                weights.forget(at);
                asked += 1;
            }
            most = most.max(weights.len());
        }
        assert_eq!(asked, labels.len());
        assert!(most < 100, "{most} times held");
    }
}
