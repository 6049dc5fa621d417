//! What follows from the order of the scores.

use super::weights::RowWeights;

/// Rows from the highest score to the lowest, those of equal scores in the order in which they came.
///
/// Rows are weighed by one number each, finite and not negative; the figures are those of so many rows.
#[derive(Clone, Debug)]
pub struct Ranking {
    scores: Vec<f64>,
    rows: Vec<usize>,
}

/// What rows of outcome 1, and of outcome 0, count.
#[derive(Clone, Copy, Debug, Default)]
struct Split {
    ones: f64,
    zeros: f64,
}

impl Ranking {
    /// Puts scores in order.
    ///
    /// # Panics
    /// Where a score is NaN.
    #[must_use]
    pub fn new(scores: Vec<f64>) -> Self {
        let mut rows: Vec<usize> = (0..scores.len()).collect();
        let order = |a: f64, b: f64| b.partial_cmp(&a).expect("a sample's scores are numbers");
        rows.sort_by(|a, b| order(scores[*a], scores[*b]));
        Self { scores, rows }
    }

    /// Runs of rows with one score, from the highest down, and that score.
    pub fn ties(&self) -> impl DoubleEndedIterator<Item = (f64, &[usize])> {
        let runs = self
            .rows
            .chunk_by(|a, b| self.scores[*a] == self.scores[*b]);
        runs.map(|run| (self.scores[run[0]], run))
    }

    /// The rank of each row, from the lowest score up: the middle of what the rows of its score take. Ranks
    /// of rows that count one each are those of `scipy.stats.rankdata` less a half.
    #[must_use]
    pub fn mid_ranks(&self, weights: &[f64]) -> Vec<f64> {
        let mut ranks = vec![0.0; self.rows.len()];
        let mut below = 0.0;
        for (_, run) in self.ties().rev() {
            let here: f64 = run.iter().map(|row| weights[*row]).sum();
            for row in run {
                ranks[*row] = below + here / 2.0;
            }
            below += here;
        }
        ranks
    }

    /// The area under the ROC curve: the chance that a row of outcome 1 has a higher score than one of
    /// outcome 0, equal scores half. `None` without rows of both outcomes.
    #[must_use]
    pub fn auc(&self, one: impl Fn(usize) -> bool, weights: &[f64]) -> Option<f64> {
        let mut above = Split::default();
        // Pairs in the right order count 2, equal ones 1: whole numbers as far as they go.
        let mut won = 0.0;
        for (_, run) in self.ties() {
            let here = split(run, &one, weights);
            won += here.zeros * (2.0 * above.ones + here.ones);
            above = above.plus(here);
        }
        let pairs = above.ones * above.zeros;
        (pairs > 0.0).then(|| won / (2.0 * pairs))
    }

    /// Average precision, the area under the curve of precision and recall by steps: the mean of the
    /// precision at each recall, Σ (Rₙ − Rₙ₋₁) Pₙ over the scores from the highest down. `None` without
    /// rows of outcome 1.
    #[must_use]
    pub fn average_precision(&self, one: impl Fn(usize) -> bool, weights: &[f64]) -> Option<f64> {
        let mut above = Split::default();
        let mut sum = 0.0;
        for (_, run) in self.ties() {
            let here = split(run, &one, weights);
            above = above.plus(here);
            if here.ones > 0.0 {
                sum += here.ones * above.ones / (above.ones + above.zeros);
            }
        }
        (above.ones > 0.0).then(|| sum / above.ones)
    }

    /// The largest distance of the two outcomes' score distributions (Kolmogorov and Smirnov). `None`
    /// without rows of both outcomes.
    #[must_use]
    pub fn ks(&self, one: impl Fn(usize) -> bool, weights: &[f64]) -> Option<f64> {
        let all = split(&self.rows, &one, weights);
        if all.ones <= 0.0 || all.zeros <= 0.0 {
            return None;
        }
        let mut above = Split::default();
        let mut furthest = 0.0_f64;
        for (_, run) in self.ties() {
            above = above.plus(split(run, &one, weights));
            let ones = above.ones / all.ones;
            let zeros = above.zeros / all.zeros;
            furthest = furthest.max((ones - zeros).abs());
        }
        Some(furthest)
    }

    /// The share of outcome 1 among the first rows that count so much; `None` where there is none to find or
    /// to look at. Of the scores at the border, which have no order, as many as their part of the places.
    #[must_use]
    pub fn recall_of_top(
        &self,
        count: f64,
        one: impl Fn(usize) -> bool,
        weights: &[f64],
    ) -> Option<f64> {
        let (mut left, mut found, mut ones) = (count, 0.0, 0.0);
        for (_, run) in self.ties() {
            let here = split(run, &one, weights);
            let all = here.ones + here.zeros;
            let taken = left.min(all);
            left -= taken;
            ones += here.ones;
            if taken > 0.0 {
                // Products first: where no tie is cut, this is exact.
                found += here.ones * taken / all;
            }
        }
        (count > 0.0 && ones > 0.0).then(|| found / ones)
    }

    /// The mean outcome of the rows in the highest part of the scores less that in the lowest, of `parts`
    /// parts that count the same. Of equal scores at the border as many as their part of the places, with
    /// their mean. `None` where there are fewer rows than parts, or no two scores.
    #[must_use]
    pub fn quantile_spread(
        &self,
        parts: u32,
        outcomes: &[f64],
        weights: &RowWeights,
    ) -> Option<f64> {
        let runs = || {
            let sums = |(_, run)| RunSums::of(run, outcomes, weights.each());
            self.ties().map(sums).filter(|run| run.weight > 0.0)
        };
        if runs().nth(1).is_none() || weights.rows() < u64::from(parts) {
            return None;
        }
        let places = weights.total() / f64::from(parts);
        Some(mean_of_first(places, runs()) - mean_of_first(places, runs().rev()))
    }
}

/// What the rows of one score count, and their outcomes.
#[derive(Clone, Copy, Debug, Default)]
struct RunSums {
    weight: f64,
    outcomes: f64,
}

impl RunSums {
    fn of(run: &[usize], outcomes: &[f64], weights: &[f64]) -> Self {
        run.iter().fold(Self::default(), |sums, row| Self {
            weight: sums.weight + weights[*row],
            outcomes: sums.outcomes + weights[*row] * outcomes[*row],
        })
    }
}

/// The mean outcome of the first runs that take so many places.
fn mean_of_first(places: f64, runs: impl Iterator<Item = RunSums>) -> f64 {
    let (mut left, mut sum) = (places, 0.0);
    for run in runs {
        let taken = left.min(run.weight);
        sum += run.outcomes * (taken / run.weight);
        left -= taken;
        if left <= 0.0 {
            break;
        }
    }
    sum / (places - left)
}

impl Split {
    fn plus(self, other: Self) -> Self {
        Self {
            ones: self.ones + other.ones,
            zeros: self.zeros + other.zeros,
        }
    }
}

fn split(rows: &[usize], one: impl Fn(usize) -> bool, weights: &[f64]) -> Split {
    let mut split = Split::default();
    for &row in rows {
        let side = if one(row) {
            &mut split.ones
        } else {
            &mut split.zeros
        };
        *side += weights[row];
    }
    split
}

/// The Gini coefficient of a score whose area under the ROC curve is this: 2 · AUC − 1, also called Somers' D
/// or the accuracy ratio.
#[must_use]
pub fn gini(auc: f64) -> f64 {
    2.0 * auc - 1.0
}
