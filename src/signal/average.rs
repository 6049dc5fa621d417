//! A decayed mean of scores, as signals of news carry it.

/// A mean at a time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Average {
    /// The mean; 0 where nothing weighs.
    pub value: f64,
    /// How many scores it is worth.
    pub weight: f64,
}

impl Average {
    /// The mean after a time without news: weighed against one score of zero, so that what is old or rests on
    /// little counts little, and 0 stands for no news.
    #[must_use]
    pub fn after(self, age: i64, half_life: i64) -> f64 {
        let weight = self.weight * decay(age, half_life);
        self.value * weight / (1.0 + weight)
    }
}

/// 2^(−age / half-life); 1 for what is not yet.
#[must_use]
pub fn decay(age: i64, half_life: i64) -> f64 {
    libm::exp2(-(age.max(0) as f64 / half_life as f64))
}
