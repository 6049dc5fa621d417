//! Whether probabilities mean what they say: of rows said to have 20 %, one in five.

use serde::Serialize;

use super::ranking::Ranking;

/// Rows of neighbouring scores.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Bin {
    /// How many rows.
    pub count: u64,
    /// The mean of their scores.
    pub predicted: f64,
    /// The share of them for which it happened.
    pub observed: f64,
}

/// Bins of equal mass. Fifteen is what papers on calibration use.
const BINS: u64 = 15;

/// Bins from the lowest score up, with as many rows each as rows of one score allow: these stay in the bin
/// in which the first of them falls, so that no figure depends on the order in which rows came. There are
/// fewer bins where scores repeat.
pub(super) fn bins(ranking: &Ranking, hit: impl Fn(usize) -> bool, counts: &[u32]) -> Vec<Bin> {
    let total: u64 = counts.iter().map(|count| u64::from(*count)).sum();
    let mut bins: Vec<Bin> = Vec::with_capacity(BINS as usize);
    let (mut seen, mut end) = (0, 0);
    for (score, run) in ranking.ties().rev() {
        let count: u64 = run.iter().map(|row| u64::from(counts[*row])).sum();
        if count == 0 {
            continue;
        }
        if seen >= end {
            bins.push(Bin::default());
            let ends = (1..=BINS).map(|bin| bin * total / BINS);
            end = ends.into_iter().find(|end| *end > seen).unwrap_or(total);
        }
        let hits = run.iter().filter(|row| hit(**row));
        let hits: u64 = hits.map(|row| u64::from(counts[*row])).sum();
        if let Some(bin) = bins.last_mut() {
            bin.count += count;
            bin.predicted += score * count as f64;
            bin.observed += hits as f64;
        }
        seen += count;
    }
    for bin in &mut bins {
        bin.predicted /= bin.count as f64;
        bin.observed /= bin.count as f64;
    }
    bins
}

/// The expected calibration error: `None` without rows.
pub(super) fn ece(bins: &[Bin]) -> Option<f64> {
    let total: u64 = bins.iter().map(|bin| bin.count).sum();
    let distance = |bin: &Bin| bin.count as f64 * (bin.predicted - bin.observed).abs();
    (total > 0).then(|| bins.iter().map(distance).sum::<f64>() / total as f64)
}
