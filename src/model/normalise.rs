//! Rows to z-scores, before a model sees them.

/// How a pipeline normalises its rows.
#[derive(Clone, Debug, PartialEq)]
pub enum Normalise {
    /// As they are; the model's graph may normalise itself.
    None,
    /// (x − mean) / std with figures fitted in training, carried in the model's metadata.
    Fixed {
        /// One mean a column.
        mean: Vec<f64>,
        /// One standard deviation a column, above zero.
        std: Vec<f64>,
    },
    /// (x − mean) / (std + 1e-12) over all rows of the instrument so far, this one included; std
    /// divided by n. Running mean and variance: Welford 1962.
    Expanding,
}

/// Running mean and variance of each column, of one instrument.
#[derive(Clone, Debug, Default)]
pub struct Expanding {
    count: f64,
    mean: Vec<f64>,
    squares: Vec<f64>,
}

impl Normalise {
    /// Normalises a row in place; `so_far` is the instrument's own and only grows for `Expanding`.
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
        self.mean.resize(row.len(), 0.0);
        self.squares.resize(row.len(), 0.0);
        self.count += 1.0;
        let count = self.count;
        for ((cell, mean), squares) in row.iter_mut().zip(&mut self.mean).zip(&mut self.squares) {
            let from_old = *cell - *mean;
            *mean += from_old / count;
            let from_new = *cell - *mean;
            *squares += from_old * from_new;
            *cell = from_new / ((*squares / count).sqrt() + 1e-12);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expanding_equals_its_slow_twin() {
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
    fn fixed_uses_the_figures_of_training() {
        let fixed = Normalise::Fixed {
            mean: vec![1.0, -2.0],
            std: vec![2.0, 4.0],
        };
        let mut row = [5.0, -2.0];
        fixed.apply(&mut Expanding::default(), &mut row);
        assert_eq!(row, [2.0, 0.0]);
    }
}
