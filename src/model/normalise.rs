//! The normalisation of rows before the model.

use serde::{Deserialize, Serialize};

/// How the rows of a pipeline are normalised.
#[derive(Clone, Debug, PartialEq)]
pub enum Normalise {
    /// Not at all; the model's graph may normalise them.
    None,
    /// (x − mean) / std, with mean and std fitted in training and stored in the model's metadata.
    Fixed {
        /// One mean per column.
        mean: Vec<f64>,
        /// One standard deviation per column, above zero.
        std: Vec<f64>,
    },
    /// (x − mean) / (std + 1e-12) over all rows of the instrument so far, this one included; std
    /// divided by n. Running mean and variance: Welford 1962.
    Expanding,
}

/// Running mean and variance of each column, of one instrument.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Expanding {
    /// Rows so far.
    count: f64,
    /// The mean of each column, then of each the sum of squared differences from it.
    columns: Vec<f64>,
    /// Of each column the rows that had no usable value there; empty while there was none.
    missing: Vec<f64>,
}

/// Values from here on are not used: the squares of larger ones, summed, would not be finite.
const USABLE_MAX: f64 = 1e150;

impl Normalise {
    /// Normalises a row in place. `so_far` is the state of the row's instrument; only `Expanding` uses it.
    pub fn apply(&self, so_far: &mut Expanding, row: &mut [f64]) {
        match self {
            Self::None => {}
            Self::Fixed { mean, std } => {
                for ((cell, mean), std) in row.iter_mut().zip(mean).zip(std) {
                    *cell = (*cell - mean) / std;
                }
            }
            Self::Expanding => so_far.apply(row),
        }
    }
}

impl Expanding {
    fn apply(&mut self, row: &mut [f64]) {
        self.columns.resize(2 * row.len(), 0.0);
        self.count += 1.0;
        let usable = |cell: &f64| cell.abs() < USABLE_MAX;
        if !self.missing.is_empty() || !row.iter().all(usable) {
            return self.apply_some(row);
        }
        let count = self.count;
        let (means, squares) = self.columns.split_at_mut(row.len());
        for ((cell, mean), squares) in row.iter_mut().zip(means).zip(squares) {
            *cell = z_score(*cell, mean, squares, count);
        }
    }

    /// The same where a value is or was missing, or too large to be squared: that must not stay in the mean
    /// for ever.
    fn apply_some(&mut self, row: &mut [f64]) {
        self.missing.resize(row.len(), 0.0);
        let (means, squares) = self.columns.split_at_mut(row.len());
        let figures = means.iter_mut().zip(squares).zip(&mut self.missing);
        for (cell, ((mean, squares), missing)) in row.iter_mut().zip(figures) {
            if cell.abs() < USABLE_MAX {
                *cell = z_score(*cell, mean, squares, self.count - *missing);
            } else {
                *missing += 1.0;
                *cell = f64::NAN;
            }
        }
    }

    /// Reads from each cache line that the next row needs.
    #[must_use]
    pub fn touch(&self) -> u64 {
        let lines = self.columns.iter().step_by(8);
        lines.fold(self.count.to_bits(), |all, cell| all ^ cell.to_bits())
    }
}

/// Takes the `count`-th value of a column, and gives its z-score.
fn z_score(value: f64, mean: &mut f64, squares: &mut f64, count: f64) -> f64 {
    let from_old = value - *mean;
    *mean += from_old / count;
    let from_new = value - *mean;
    *squares += from_old * from_new;
    from_new / ((*squares / count).sqrt() + 1e-12)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expanding_equals_mean_and_deviation_of_all_rows() {
        let mut so_far = Expanding::default();
        let xs: Vec<f64> = (0..500)
            .map(|i| f64::from(i * 7919 % 101) * 0.01 + 50.0)
            .collect();
        for n in 1..=xs.len() {
            let mut row = [xs[n - 1]];
            Normalise::Expanding.apply(&mut so_far, &mut row);
            let seen = &xs[..n];
            let mean = seen.iter().sum::<f64>() / n as f64;
            let var = seen.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n as f64;
            let z = (xs[n - 1] - mean) / (var.sqrt() + 1e-12);
            assert!((row[0] - z).abs() < 1e-9, "{n}: {} {z}", row[0]);
        }
    }

    #[test]
    fn a_value_that_is_not_finite_leaves_the_mean_as_it_was() {
        let (mut with, mut without) = (Expanding::default(), Expanding::default());
        for x in [1.0, f64::NAN, 4.0, f64::INFINITY, 1e300, -2.0] {
            let mut row = [x, 1.0];
            Normalise::Expanding.apply(&mut with, &mut row);
            if x.abs() < 1e100 {
                let mut twin = [x];
                Normalise::Expanding.apply(&mut without, &mut twin);
                assert_eq!(row[0], twin[0], "{x}");
            } else {
                assert!(row[0].is_nan(), "{x}: {}", row[0]);
            }
            assert_eq!(row[1], 0.0);
        }
    }

    #[test]
    fn fixed_uses_mean_and_deviation_of_training() {
        let fixed = Normalise::Fixed {
            mean: vec![1.0, -2.0],
            std: vec![2.0, 4.0],
        };
        let mut row = [5.0, -2.0];
        fixed.apply(&mut Expanding::default(), &mut row);
        assert_eq!(row, [2.0, 0.0]);
    }
}
