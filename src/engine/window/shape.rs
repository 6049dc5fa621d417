//! Mean, deviation and skewness of a number over a window, as exact for the newest value as for the window.

use serde::{Deserialize, Serialize};

use super::rolling::{Aggregate, Rolling};

/// Sums of the first three powers about a shift near the mean (Chan, Golub, LeVeque 1983, "Algorithms for
/// computing the sample variance"; their shifted data, for three powers).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Shape {
    shift: f64,
    sums: [f64; 3],
    /// The largest square that has left since the sums were looked at.
    largest_gone: f64,
    /// The newest value, and how many in a row have been equal to it: a window of equal values has a
    /// deviation of exactly zero.
    newest: f64,
    run: usize,
}

impl Aggregate for Shape {
    type Entry = f64;

    fn add(&mut self, entry: f64, before: Option<f64>) {
        self.run = if before == Some(entry) {
            self.run + 1
        } else {
            1
        };
        self.newest = entry;
        self.count(entry, 1.0);
    }

    fn remove(&mut self, entry: f64, _: Option<f64>) {
        self.count(entry, -1.0);
        let shifted = entry - self.shift;
        self.largest_gone = self.largest_gone.max(shifted * shifted);
    }

    fn is_worn(&mut self, count: usize) -> bool {
        let largest_gone = std::mem::take(&mut self.largest_gone);
        if self.run >= count {
            (self.shift, self.sums) = (self.newest, [0.0; 3]);
            return false;
        }
        let [sum, squares, _] = self.sums;
        // The shift lies more than four standard deviations from the mean.
        let far = sum * sum * 17.0 > 16.0 * squares * count as f64;
        far || largest_gone > 100.0 * squares
    }

    fn recompute(&mut self, entries: impl Iterator<Item = Option<f64>> + Clone) {
        let defined = entries.flatten();
        let count = defined.clone().count().max(1) as f64;
        let first = defined.clone().next().unwrap_or_default();
        // About the first one, so that the mean of equal values is that value.
        self.shift = first + defined.clone().map(|entry| entry - first).sum::<f64>() / count;
        self.sums = [0.0; 3];
        for entry in defined {
            self.count(entry, 1.0);
        }
    }
}

impl Shape {
    fn count(&mut self, entry: f64, sign: f64) {
        let shifted = entry - self.shift;
        let square = shifted * shifted;
        self.sums[0] += sign * shifted;
        self.sums[1] += sign * square;
        self.sums[2] += sign * (square * shifted);
    }
}

impl Rolling<Shape> {
    /// The standard deviation, divided by n − `ddof`: NaN of too few values, exactly 0 of equal ones.
    #[must_use]
    pub fn deviation(&self, ddof: usize) -> f64 {
        let (count, shape) = (self.len(), self.aggregate());
        if count <= ddof {
            return f64::NAN;
        }
        let n = count as f64;
        let mean = shape.sums[0] / n;
        let variance = (shape.sums[1] / n - mean * mean).max(0.0);
        (variance * n / (n - ddof as f64)).sqrt()
    }

    /// How many standard deviations the newest value lies above the mean; undefined where all are equal.
    #[must_use]
    pub fn z_score(&self, ddof: usize) -> f64 {
        let shape = self.aggregate();
        let mean = shape.sums[0] / self.len() as f64;
        (shape.newest - shape.shift - mean) / self.deviation(ddof)
    }

    /// The adjusted Fisher-Pearson coefficient of skewness; undefined of fewer than three values, and where
    /// all are equal.
    #[must_use]
    pub fn skew(&self) -> f64 {
        if self.len() < 3 {
            return f64::NAN;
        }
        let (n, sums) = (self.len() as f64, self.aggregate().sums);
        let mean = sums[0] / n;
        let square = sums[1] / n;
        let variance = square - mean * mean;
        let third = sums[2] / n - 3.0 * mean * square + 2.0 * mean * mean * mean;
        (n * (n - 1.0)).sqrt() / (n - 2.0) * third / (variance * variance.sqrt())
    }
}
