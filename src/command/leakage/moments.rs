//! Mean, standard deviation and correlation in one pass: Welford (1962), merged by Chan, Golub and LeVeque
//! (1983).

/// Number, mean and sum of squared deviations of values.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ColumnMoments {
    count: f64,
    mean: f64,
    squares: f64,
}

/// The same of pairs, with the sum of products of deviations.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PairMoments {
    count: f64,
    mean: [f64; 2],
    squares: [f64; 2],
    product: f64,
}

impl ColumnMoments {
    pub(super) fn add(&mut self, value: f64) {
        self.count += 1.0;
        let off = value - self.mean;
        self.mean += off / self.count;
        self.squares += off * (value - self.mean);
    }

    /// The moments of the values of both.
    pub(super) fn merged(self, other: Self) -> Self {
        let count = self.count + other.count;
        if count == 0.0 {
            return self;
        }
        let off = other.mean - self.mean;
        Self {
            count,
            mean: self.mean + off * other.count / count,
            squares: self.squares + other.squares + off * off * self.count * other.count / count,
        }
    }

    pub(super) fn count(self) -> f64 {
        self.count
    }

    pub(super) fn mean(self) -> f64 {
        self.mean
    }

    /// The standard deviation; `ddof` is 0 of a population and 1 of a sample.
    pub(super) fn deviation(self, ddof: f64) -> f64 {
        (self.squares / (self.count - ddof)).sqrt()
    }
}

impl PairMoments {
    pub(super) fn add(&mut self, pair: [f64; 2]) {
        self.count += 1.0;
        let off = [pair[0] - self.mean[0], pair[1] - self.mean[1]];
        self.mean[0] += off[0] / self.count;
        self.mean[1] += off[1] / self.count;
        self.squares[0] += off[0] * (pair[0] - self.mean[0]);
        self.squares[1] += off[1] * (pair[1] - self.mean[1]);
        self.product += off[0] * (pair[1] - self.mean[1]);
    }

    pub(super) fn count(self) -> f64 {
        self.count
    }

    /// Pearson's correlation; none where one side is constant.
    pub(super) fn correlation(self) -> Option<f64> {
        let [x, y] = self.squares;
        (x > 0.0 && y > 0.0).then(|| self.product / (x.sqrt() * y.sqrt()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// numpy 2: `np.std([2, 4, 4, 4, 5, 5, 7, 9])` is 2, with `ddof=1` 2.138089935299395; `np.corrcoef` of
    /// them with their squares is 0.9795381971432281.
    #[test]
    fn moments_are_those_of_numpy() {
        let values = [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0];
        let (mut left, mut right) = (ColumnMoments::default(), ColumnMoments::default());
        let mut pairs = PairMoments::default();
        for (at, value) in values.into_iter().enumerate() {
            if at < 3 { &mut left } else { &mut right }.add(value);
            pairs.add([value, value * value]);
        }
        let all = left.merged(right);
        assert_eq!((all.count(), all.mean()), (8.0, 5.0));
        assert!((all.deviation(0.0) - 2.0).abs() < 1e-15);
        assert!((all.deviation(1.0) - 2.138_089_935_299_395).abs() < 1e-15);
        let correlation = pairs.correlation().expect("neither is constant");
        assert!(
            (correlation - NUMPY_CORRELATION).abs() < 1e-14,
            "{correlation}"
        );
    }

    const NUMPY_CORRELATION: f64 = 0.979_538_197_143_228_1;
}
