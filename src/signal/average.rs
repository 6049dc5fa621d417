//! The decayed average of an instrument's news scores.

/// A decayed average at a time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Average {
    /// The weighted mean; 0 where the weight is 0.
    pub value: f64,
    /// The sum of the weights: a score of this moment has weight 1.
    pub weight: f64,
}

impl Average {
    /// The value after `age` nanoseconds without news, shrunk towards 0 by one score of zero: an old
    /// average, or one of few scores, counts little.
    #[must_use]
    pub fn after(self, age: i64, half_life: i64) -> f64 {
        let weight = self.weight * decay(age, half_life);
        self.value * weight / (1.0 + weight)
    }
}

/// 2^(−age / half-life); 1 for a negative age.
#[must_use]
pub fn decay(age: i64, half_life: i64) -> f64 {
    libm::exp2(-(age.max(0) as f64 / half_life as f64))
}
