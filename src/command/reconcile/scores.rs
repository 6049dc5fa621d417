//! How far the scores of pairs are apart.

/// The differences of the scores of pairs: eight bytes each that is not zero.
#[derive(Clone, Debug, Default)]
pub(super) struct Scores {
    equal: u64,
    far: Vec<f64>,
}

/// The absolute differences of the scores of pairs, in the unit of the score.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct ScoreDifferences {
    pub(super) pairs: u64,
    pub(super) median: Option<f64>,
    pub(super) p99: Option<f64>,
    pub(super) max: Option<f64>,
}

impl Scores {
    /// Adds the scores of a pair.
    pub(super) fn add(&mut self, left: f64, right: f64) {
        match (left - right).abs() {
            0.0 => self.equal += 1,
            far => self.far.push(far),
        }
    }

    /// Median, 99th percentile and maximum over all pairs, equal ones among them.
    pub(super) fn differences(mut self) -> ScoreDifferences {
        self.far.sort_unstable_by(f64::total_cmp);
        ScoreDifferences {
            pairs: self.equal + self.far.len() as u64,
            median: self.quantile(0.5),
            p99: self.quantile(0.99),
            max: self.quantile(1.0),
        }
    }

    /// A quantile of sorted differences, interpolated between the two that are next to it (numpy's
    /// `quantile`).
    fn quantile(&self, share: f64) -> Option<f64> {
        let last = (self.equal + self.far.len() as u64).checked_sub(1)?;
        let place = share * last as f64;
        let below = place as u64;
        let (low, high) = (self.at(below), self.at((below + 1).min(last)));
        Some(low + (high - low) * (place - below as f64))
    }

    fn at(&self, place: u64) -> f64 {
        let far = place.checked_sub(self.equal);
        far.map_or(0.0, |at| self.far[at as usize])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand, as numpy defines it: 0.99 lies at place 6.93 of eight sorted values.
    #[test]
    fn quantiles_are_those_of_numpy() {
        let mut scores = Scores::default();
        for far in [0.4, 0.0, 0.1, 0.0, 1.0, 0.3, 0.0, 0.2] {
            scores.add(far, 0.0);
        }
        let found = scores.differences();
        let near = |found: Option<f64>, expected: f64| (found.unwrap() - expected).abs() < 1e-12;
        assert_eq!((found.pairs, found.max), (8, Some(1.0)));
        assert!(near(found.median, 0.15), "{found:?}");
        assert!(near(found.p99, 0.958), "{found:?}");
        assert_eq!(Scores::default().differences().max, None);
    }
}
