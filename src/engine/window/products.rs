//! The sum of products of neighbours in a window.

use serde::{Deserialize, Serialize};

use super::rolling::Aggregate;

/// The sum of the products of each value with the one before it, both in the window, by their sizes.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Products {
    sum: f64,
    largest_gone: f64,
}

impl Aggregate for Products {
    type Entry = f64;

    fn add(&mut self, entry: f64, before: Option<f64>) {
        self.sum += before.map_or(0.0, |before| product(before, entry));
    }

    fn remove(&mut self, entry: f64, next: Option<f64>) {
        let gone = next.map_or(0.0, |next| product(entry, next));
        self.sum -= gone;
        self.largest_gone = self.largest_gone.max(gone);
    }

    /// The rounding error of a large product that leaves would outweigh the small ones that stay.
    fn is_worn(&mut self, _: usize) -> bool {
        std::mem::take(&mut self.largest_gone) > 1e3 * self.sum
    }

    fn recompute(&mut self, entries: impl Iterator<Item = Option<f64>> + Clone) {
        let next = entries.clone().skip(1);
        let pairs = entries.zip(next);
        let products = pairs.filter_map(|(one, next)| Some(product(one?, next?)));
        self.sum = products.fold(0.0, |sum, product| sum + product);
    }
}

impl Products {
    /// The sum; 0 of fewer than two values.
    #[must_use]
    pub fn sum(&self) -> f64 {
        self.sum.max(0.0)
    }
}

fn product(one: f64, next: f64) -> f64 {
    one.abs() * next.abs()
}
