//! Mean, variance, skew and kurtosis of numbers that come one by one.

/// The central moments of some numbers.
///
/// Source: P. Pébay, "Formulas for robust, one-pass parallel computation of covariances and arbitrary-order
/// statistical moments", Sandia report SAND2008-6212 (2008), 2.1 and 3.1 for the fourth.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ChangeMoments {
    count: f64,
    mean: f64,
    /// Sums of the second, third and fourth powers of what differs from the mean.
    sums: [f64; 3],
}

impl ChangeMoments {
    /// Adds a number.
    pub fn add(&mut self, value: f64) {
        self.merge(&Self {
            count: 1.0,
            mean: value,
            sums: [0.0; 3],
        });
    }

    /// Adds so many zeros.
    pub fn add_zeros(&mut self, count: u64) {
        if count > 0 {
            self.merge(&Self {
                count: count as f64,
                ..Self::default()
            });
        }
    }

    fn merge(&mut self, other: &Self) {
        let (left, right) = (self.count, other.count);
        let count = left + right;
        let delta = other.mean - self.mean;
        let [two, three, four] = self.sums;
        let [other_two, other_three, other_four] = other.sums;
        let product = left * right;
        self.sums = [
            two + other_two + delta * delta * product / count,
            three
                + other_three
                + delta.powi(3) * product * (left - right) / (count * count)
                + 3.0 * delta * (left * other_two - right * two) / count,
            four + other_four
                + delta.powi(4) * product * (left * left - product + right * right) / count.powi(3)
                + 6.0 * delta * delta * (left * left * other_two + right * right * two)
                    / (count * count)
                + 4.0 * delta * (left * other_three - right * three) / count,
        ];
        self.mean += delta * right / count;
        self.count = count;
    }

    /// How many numbers.
    #[must_use]
    pub fn count(&self) -> f64 {
        self.count
    }

    /// Their mean; 0 of none.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// The standard deviation of a sample (divided by one less than the count); none below two numbers.
    #[must_use]
    pub fn deviation(&self) -> Option<f64> {
        (self.count >= 2.0).then(|| (self.sums[0] / (self.count - 1.0)).sqrt())
    }

    /// The skew (third standardised moment of the population); none where all numbers are equal.
    #[must_use]
    pub fn skew(&self) -> Option<f64> {
        let variance = self.sums[0] / self.count;
        (variance > 0.0).then(|| self.sums[1] / self.count / (variance * variance.sqrt()))
    }

    /// The kurtosis, 3 of a normal distribution (fourth standardised moment of the population); none where
    /// all numbers are equal.
    #[must_use]
    pub fn kurtosis(&self) -> Option<f64> {
        let variance = self.sums[0] / self.count;
        (variance > 0.0).then(|| self.sums[2] / self.count / (variance * variance))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Held against the definitions, with sums over the whole list.
    #[test]
    fn they_are_those_of_the_whole_list() {
        let values = [1.0, 2.0, 4.0, 0.0, 0.0, 0.0, -3.0, 0.5];
        let mut moments = ChangeMoments::default();
        for value in [1.0, 2.0, 4.0] {
            moments.add(value);
        }
        moments.add_zeros(3);
        moments.add(-3.0);
        moments.add(0.5);
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let central = |power| values.iter().map(|v| (v - mean).powi(power)).sum::<f64>() / count;
        let near = |left: f64, right: f64| assert!((left - right).abs() < 1e-12, "{left} {right}");
        near(moments.mean(), 0.5625);
        near(moments.deviation().unwrap().powi(2), central(2) * 8.0 / 7.0);
        near(
            moments.skew().unwrap(),
            central(3) / (central(2) * central(2).sqrt()),
        );
        near(moments.kurtosis().unwrap(), central(4) / central(2).powi(2));
    }

    #[test]
    fn equal_numbers_have_no_shape() {
        let mut moments = ChangeMoments::default();
        assert_eq!(moments.deviation(), None);
        moments.add_zeros(5);
        assert_eq!(moments.deviation(), Some(0.0));
        assert_eq!((moments.skew(), moments.kurtosis()), (None, None));
    }
}
