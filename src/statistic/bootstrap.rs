//! How far a figure might be off: the same figure of rows drawn anew, with replacement, many times.

use std::collections::BTreeMap;
use std::hash::Hash;

use rustc_hash::FxHashMap;
use serde::Serialize;

/// How to draw. The same seed draws the same rows on every machine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bootstrap {
    /// How often all rows are drawn anew. A thousand hold the ends of a 95 % interval still to about
    /// a tenth of its width.
    pub resamples: usize,
    /// Where the generator starts.
    pub seed: u64,
    /// The share of resamples inside the interval.
    pub level: f64,
}

/// Where the middle resamples lie: a percentile interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
    /// Resamples in which the figure was defined.
    pub resamples: u64,
}

/// Figures by their names.
pub type NamedFigures = Vec<(&'static str, Option<f64>)>;

impl Default for Bootstrap {
    fn default() -> Self {
        Self {
            resamples: 1000,
            seed: 0,
            level: 0.95,
        }
    }
}

impl Bootstrap {
    /// Draws, and has the figures made of how often each row was drawn. Rows of one group are drawn together;
    /// without groups each is drawn alone. A figure that no redraw defines has no interval.
    pub fn intervals(
        &self,
        rows: usize,
        groups: Option<&[u32]>,
        figures: impl Fn(&[u32]) -> NamedFigures,
    ) -> BTreeMap<&'static str, Interval> {
        let (groups, of_row) = match groups {
            Some(groups) => numbered(groups.iter()),
            None => numbered(0..rows),
        };
        let mut values = BTreeMap::<&'static str, Vec<f64>>::new();
        let mut state = self.seed;
        let (mut drawn, mut counts) = (vec![0_u32; groups], vec![0_u32; rows]);
        for _ in 0..self.resamples {
            drawn.fill(0);
            for _ in 0..groups {
                drawn[below(groups, &mut state)] += 1;
            }
            for (count, group) in counts.iter_mut().zip(&of_row) {
                *count = drawn[*group as usize];
            }
            for (name, value) in figures(&counts) {
                values.entry(name).or_default().extend(value);
            }
        }
        values.retain(|_, values| !values.is_empty());
        let interval = |(name, values)| (name, self.interval(values));
        values.into_iter().map(interval).collect()
    }

    fn interval(&self, mut values: Vec<f64>) -> Interval {
        values.sort_by(f64::total_cmp);
        let outside = (1.0 - self.level) / 2.0;
        Interval {
            low: quantile(&values, outside),
            high: quantile(&values, 1.0 - outside),
            resamples: values.len() as u64,
        }
    }
}

/// How many different values there are, and the number of each, in the order in which they first come.
pub fn numbered<T: Hash + Eq>(values: impl Iterator<Item = T>) -> (usize, Vec<u32>) {
    let mut known: FxHashMap<T, u32> = FxHashMap::default();
    let mut numbers = vec![];
    for value in values {
        let next = known.len() as u32;
        numbers.push(*known.entry(value).or_insert(next));
    }
    (known.len(), numbers)
}

/// Between the two nearest of the sorted values, in proportion; there is at least one.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share.clamp(0.0, 1.0) * (sorted.len() - 1) as f64;
    let (below, rest) = (place as usize, place.fract());
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + rest * (sorted[above] - sorted[below])
}

/// An index below `count`: `SplitMix64`, and the upper half of a product in place of a remainder.
fn below(count: usize, state: &mut u64) -> usize {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^= z >> 31;
    ((u128::from(z) * count as u128) >> 64) as usize
}
