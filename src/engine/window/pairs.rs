//! How two numbers move together over a window.

use serde::{Deserialize, Serialize};

use super::rolling::{Aggregate, Rolling};

/// Sums, squares and products of pairs about a shift near their means.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Pairs {
    shift: [f64; 2],
    sums: [f64; 2],
    squares: [f64; 2],
    product: f64,
    /// The largest squares that have left since the sums were looked at.
    largest_gone: [f64; 2],
    /// The newest pair, and how many in a row have been equal to it, of each of the two.
    newest: [f64; 2],
    run: [usize; 2],
}

impl Aggregate for Pairs {
    type Entry = [f64; 2];

    fn add(&mut self, entry: [f64; 2], before: Option<[f64; 2]>) {
        for (at, &value) in entry.iter().enumerate() {
            let again = before.is_some_and(|before| before[at] == value);
            self.run[at] = if again { self.run[at] + 1 } else { 1 };
        }
        self.newest = entry;
        self.count(entry, 1.0);
    }

    fn remove(&mut self, entry: [f64; 2], _: Option<[f64; 2]>) {
        self.count(entry, -1.0);
        for (at, &value) in entry.iter().enumerate() {
            let shifted = value - self.shift[at];
            self.largest_gone[at] = self.largest_gone[at].max(shifted * shifted);
        }
    }

    fn is_worn(&mut self, count: usize) -> bool {
        let largest_gone = std::mem::take(&mut self.largest_gone);
        let mut worn = false;
        for (at, gone) in largest_gone.into_iter().enumerate() {
            if self.run[at] >= count {
                // All are equal: nothing is left of those before them.
                self.shift[at] = self.newest[at];
                (self.sums[at], self.squares[at], self.product) = (0.0, 0.0, 0.0);
                continue;
            }
            let (sum, squares) = (self.sums[at], self.squares[at]);
            // The shift lies more than four standard deviations from the mean.
            let far = sum * sum * 17.0 > 16.0 * squares * count as f64;
            worn |= far || gone > 100.0 * squares;
        }
        worn
    }

    fn recompute(&mut self, entries: impl Iterator<Item = Option<[f64; 2]>> + Clone) {
        let defined = entries.flatten();
        let count = defined.clone().count().max(1) as f64;
        let first = defined.clone().next().unwrap_or_default();
        for at in 0..2 {
            // About the first one, so that the mean of equal values is that value.
            let sum: f64 = defined.clone().map(|entry| entry[at] - first[at]).sum();
            self.shift[at] = first[at] + sum / count;
        }
        (self.sums, self.squares, self.product) = ([0.0; 2], [0.0; 2], 0.0);
        for entry in defined {
            self.count(entry, 1.0);
        }
    }
}

impl Pairs {
    fn count(&mut self, entry: [f64; 2], sign: f64) {
        let [x, y] = [entry[0] - self.shift[0], entry[1] - self.shift[1]];
        self.sums[0] += sign * x;
        self.sums[1] += sign * y;
        self.squares[0] += sign * (x * x);
        self.squares[1] += sign * (y * y);
        self.product += sign * (x * y);
    }
}

impl Rolling<Pairs> {
    /// Pearson's coefficient of correlation; undefined while one of the two does not vary.
    #[must_use]
    pub fn correlation(&self) -> f64 {
        let deviations = self.variance(0).sqrt() * self.variance(1).sqrt();
        (self.covariance() / deviations).clamp(-1.0, 1.0)
    }

    /// The slope of the first on the second by least squares; undefined while the second does not vary.
    #[must_use]
    pub fn slope(&self) -> f64 {
        self.covariance() / self.variance(1)
    }

    fn covariance(&self) -> f64 {
        let (n, pairs) = (self.len() as f64, self.aggregate());
        pairs.product / n - pairs.sums[0] / n * (pairs.sums[1] / n)
    }

    fn variance(&self, at: usize) -> f64 {
        let (n, pairs) = (self.len() as f64, self.aggregate());
        let mean = pairs.sums[at] / n;
        (pairs.squares[at] / n - mean * mean).max(0.0)
    }
}
