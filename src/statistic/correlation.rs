//! Pearson's and Spearman's correlation of weighted rows.
//!
//! Both are the information coefficient of scores where one column is a score and the other what came of it.

use super::ranking::Ranking;

/// Pearson's correlation; none where a column is constant, and where no row counts.
///
/// # Panics
/// Where the columns are not of one length.
#[must_use]
pub fn pearson(x: &[f64], y: &[f64], weights: &[f64]) -> Option<f64> {
    let spread = Spread::of(x, y, weights)?;
    let both = spread.xx.sqrt() * spread.yy.sqrt();
    (both > 0.0).then(|| (spread.xy / both).clamp(-1.0, 1.0))
}

/// Spearman's correlation: Pearson's of the ranks, of equal values the middle of their ranks.
///
/// # Panics
/// Where the columns are not of one length, or hold NaN.
#[must_use]
pub fn spearman(x: &[f64], y: &[f64], weights: &[f64]) -> Option<f64> {
    RankedColumns::new(x, y).spearman(weights)
}

/// Two columns that were put in order once, so that rows may be weighed anew without sorting them again.
#[derive(Clone, Debug)]
pub struct RankedColumns {
    x: Ranking,
    y: Ranking,
}

impl RankedColumns {
    /// # Panics
    /// Where the columns are not of one length, or hold NaN.
    #[must_use]
    pub fn new(x: &[f64], y: &[f64]) -> Self {
        assert_eq!(x.len(), y.len(), "columns are of one length");
        Self {
            x: Ranking::new(x.to_vec()),
            y: Ranking::new(y.to_vec()),
        }
    }

    /// See [`spearman`].
    #[must_use]
    pub fn spearman(&self, weights: &[f64]) -> Option<f64> {
        pearson(
            &self.x.mid_ranks(weights),
            &self.y.mid_ranks(weights),
            weights,
        )
    }

    /// The order of the first column.
    #[must_use]
    pub fn x(&self) -> &Ranking {
        &self.x
    }
}

/// Pearson's correlation of rows of which groups are drawn anew: what each group adds is summed once.
#[derive(Clone, Debug)]
pub struct GroupedPearson {
    /// Of each group the number of rows and the sums of x, y, x², y² and xy, of columns less their mean.
    sums: Vec<[f64; 6]>,
}

impl GroupedPearson {
    /// Of two columns, and the number of each row's group, from 0.
    ///
    /// # Panics
    /// Where the columns are not of one length.
    #[must_use]
    pub fn new(x: &[f64], y: &[f64], groups: &[u32]) -> Self {
        assert_eq!(x.len(), groups.len(), "columns are of one length");
        let count = groups.iter().max().map_or(0, |last| *last as usize + 1);
        let mut sums = vec![[0.0; 6]; count];
        let ones = vec![1.0; x.len()];
        let means = Spread::of(x, y, &ones).map_or((0.0, 0.0), |all| (all.mean_x, all.mean_y));
        for ((x, y), group) in x.iter().zip(y).zip(groups) {
            let (x, y) = (x - means.0, y - means.1);
            let row = [1.0, x, y, x * x, y * y, x * y];
            let sums = &mut sums[*group as usize];
            for (sum, term) in sums.iter_mut().zip(row) {
                *sum += term;
            }
        }
        Self { sums }
    }

    /// The correlation where each group was drawn so often; none where a column is constant.
    #[must_use]
    pub fn drawn(&self, counts: &[u32]) -> Option<f64> {
        let mut all = [0.0; 6];
        for (sums, count) in self.sums.iter().zip(counts) {
            for (all, sum) in all.iter_mut().zip(sums) {
                *all += f64::from(*count) * sum;
            }
        }
        let [rows, x, y, xx, yy, xy] = all;
        let (dx, dy) = (xx - x * x / rows, yy - y * y / rows);
        // What is left of a constant column is rounding.
        let is_constant = dx <= CANCELLED * xx || dy <= CANCELLED * yy;
        let none = rows <= 0.0 || is_constant;
        (!none).then(|| ((xy - x * y / rows) / (dx.sqrt() * dy.sqrt())).clamp(-1.0, 1.0))
    }
}

/// The part of a sum of squares below which a difference of sums is rounding.
const CANCELLED: f64 = 1e-13;

/// Weighted sums of squares and products of what differs from the means.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spread {
    pub(super) mean_x: f64,
    pub(super) mean_y: f64,
    pub(super) xx: f64,
    pub(super) yy: f64,
    pub(super) xy: f64,
}

impl Spread {
    /// None where no row counts. The sum of squares of a constant column is 0, whatever its mean is rounded
    /// to.
    pub(super) fn of(x: &[f64], y: &[f64], weights: &[f64]) -> Option<Self> {
        assert!(
            x.len() == y.len() && x.len() == weights.len(),
            "columns are of one length"
        );
        let total: f64 = weights.iter().sum();
        if total <= 0.0 {
            return None;
        }
        let rows = || x.iter().zip(y).zip(weights);
        let (mut sum_x, mut sum_y) = (0.0, 0.0);
        for ((x, y), weight) in rows() {
            sum_x += weight * x;
            sum_y += weight * y;
        }
        let (mean_x, mean_y) = (
            mean_of(x, weights, sum_x / total),
            mean_of(y, weights, sum_y / total),
        );
        let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
        for ((x, y), weight) in rows() {
            let (dx, dy) = (x - mean_x, y - mean_y);
            xx += weight * dx * dx;
            yy += weight * dy * dy;
            xy += weight * dx * dy;
        }
        Some(Self {
            mean_x,
            mean_y,
            xx,
            yy,
            xy,
        })
    }
}

/// The mean as computed, or the value itself where all rows that count have it.
fn mean_of(values: &[f64], weights: &[f64], computed: f64) -> f64 {
    let mut counting = values
        .iter()
        .zip(weights)
        .filter(|(_, weight)| **weight > 0.0);
    let Some((first, _)) = counting.next() else {
        return computed;
    };
    match counting.all(|(value, _)| value == first) {
        true => *first,
        false => computed,
    }
}
