//! A running sum that loses nothing that a label could show: what was added before a row is taken off again
//! at its end, so that the rounding of millions of values must not be left behind.

/// A sum in two parts: the rounded one, and what was rounded off (Dekker 1971, Knuth's two-sum).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct LongSum {
    high: f64,
    low: f64,
}

impl LongSum {
    /// Adds a value.
    pub(super) fn add(&mut self, value: f64) {
        let sum = self.high + value;
        let of_value = sum - self.high;
        let lost = (self.high - (sum - of_value)) + (value - of_value);
        let low = self.low + lost;
        self.high = sum + low;
        self.low = low - (self.high - sum);
    }

    /// How much was added since an earlier state.
    pub(super) fn since(&self, earlier: &Self) -> f64 {
        (self.high - earlier.high) + (self.low - earlier.low)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_values_are_told_after_many_large_ones() {
        let mut sum = LongSum::default();
        for at in 0..1_000_000 {
            sum.add(65_000.1 + f64::from(at % 7));
        }
        let before = sum;
        sum.add(1e-9);
        assert!((sum.since(&before) - 1e-9).abs() < 1e-18);
    }
}
