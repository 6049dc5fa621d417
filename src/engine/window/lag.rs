//! A window of which the two ends alone count.

use serde::{Deserialize, Serialize};

use super::rolling::{Aggregate, Rolling};

/// Nothing beside the entries: a value is compared with the one that came some values before it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Lag;

impl Aggregate for Lag {
    type Entry = f64;

    fn add(&mut self, _: f64, _: Option<f64>) {}

    fn remove(&mut self, _: f64, _: Option<f64>) {}

    fn is_worn(&mut self, _: usize) -> bool {
        false
    }

    fn recompute(&mut self, _: impl Iterator<Item = Option<f64>> + Clone) {}
}

impl Rolling<Lag> {
    /// The oldest and the newest value; none while one of them is undefined.
    #[must_use]
    pub fn ends(&self) -> Option<(f64, f64)> {
        Some((self.oldest()?, self.newest()?))
    }
}
