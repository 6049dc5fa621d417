//! Whether probabilities mean what they say: of rows said to have 20 %, one in five.

use serde::Serialize;

use super::ranking::Ranking;
use super::weights::RowWeights;

/// Rows of neighbouring scores.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Bin {
    /// How many rows.
    pub count: u64,
    /// The mean of their scores.
    pub predicted: f64,
    /// The share of them for which it happened.
    pub observed: f64,
    /// What they count together: `count` where rows have no weights.
    #[serde(skip)]
    pub weight: f64,
}

/// How many bins of each kind. Fifteen is what papers on calibration use (Guo et al. 2017, "On calibration
/// of modern neural networks").
pub const BINS: u64 = 15;

/// Bins of equal count, also called of equal mass: from the lowest score up, with as many rows each as rows
/// of one score allow: these stay in the bin in which the first of them falls, so that no figure depends on
/// the order in which rows came. There are fewer bins where scores repeat.
#[must_use]
pub fn of_equal_count(
    ranking: &Ranking,
    hit: impl Fn(usize) -> bool,
    weights: &RowWeights,
) -> Vec<Bin> {
    let mut bins: Vec<Bin> = Vec::with_capacity(BINS as usize);
    let (mut seen, mut end) = (0.0, 0.0);
    for (score, run) in ranking.ties().rev() {
        let run = Bin::of_run(score, run, &hit, weights);
        if run.weight <= 0.0 {
            continue;
        }
        if seen >= end {
            bins.push(Bin::default());
            let mut ends = (1..=BINS).map(|bin| weights.share(bin, BINS));
            end = ends.find(|end| *end > seen).unwrap_or(f64::INFINITY);
        }
        if let Some(bin) = bins.last_mut() {
            bin.add(run);
        }
        seen += run.weight;
    }
    means(bins)
}

/// Bins of equal width: `(i / 15, (i + 1) / 15]`, the first with 0. Those without a row are left out. The
/// edges are those of scikit-learn's `calibration_curve`, to the last bit.
#[must_use]
pub fn of_equal_width(
    ranking: &Ranking,
    hit: impl Fn(usize) -> bool,
    weights: &RowWeights,
) -> Vec<Bin> {
    let width = 1.0 / BINS as f64;
    let mut bins = vec![Bin::default(); BINS as usize];
    for (score, run) in ranking.ties() {
        let edges = (1..BINS).map(|edge| edge as f64 * width);
        let place = edges.filter(|edge| *edge < score).count();
        bins[place].add(Bin::of_run(score, run, &hit, weights));
    }
    bins.retain(|bin| bin.weight > 0.0);
    means(bins)
}

impl Bin {
    /// The sums over rows of one score.
    fn of_run(
        score: f64,
        run: &[usize],
        hit: impl Fn(usize) -> bool,
        weights: &RowWeights,
    ) -> Self {
        let mut sums = Self::default();
        for &row in run {
            let weight = weights.each()[row];
            sums.count += u64::from(weights.counts()[row]);
            sums.weight += weight;
            sums.observed += if hit(row) { weight } else { 0.0 };
        }
        sums.predicted = score * sums.weight;
        sums
    }

    fn add(&mut self, other: Self) {
        self.count += other.count;
        self.weight += other.weight;
        self.predicted += other.predicted;
        self.observed += other.observed;
    }
}

/// Bins with the means in place of the sums.
fn means(mut bins: Vec<Bin>) -> Vec<Bin> {
    for bin in &mut bins {
        bin.predicted /= bin.weight;
        bin.observed /= bin.weight;
    }
    bins
}

/// The expected calibration error: the mean distance of predicted and observed. `None` without rows.
#[must_use]
pub fn ece(bins: &[Bin]) -> Option<f64> {
    let total: f64 = bins.iter().map(|bin| bin.weight).sum();
    let distance = |bin: &Bin| bin.weight * (bin.predicted - bin.observed).abs();
    (total > 0.0).then(|| bins.iter().map(distance).sum::<f64>() / total)
}
