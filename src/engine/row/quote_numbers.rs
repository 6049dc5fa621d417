//! The numbers of an instrument's quotes: whether the venue has begun to number anew.

use serde::{Deserialize, Serialize};

/// The numbers of quotes that have no time of their own, so that one with a lower number is not told from a
/// copy. Binance's `bookTicker` of the spot market is such a quote.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct QuoteNumbers {
    /// Of the last quote; 0 for none.
    last: u64,
    /// Of a later quote that lay below it; 0 for none.
    fallen: u64,
}

impl QuoteNumbers {
    /// Takes the number of a quote that is used.
    pub(super) fn take(&mut self, number: u64) {
        *self = Self {
            last: number,
            fallen: 0,
        };
    }

    /// Whether this is the second of two quotes whose numbers lie below that of the quote before, and rise:
    /// then the venue has begun to number anew. A quote that lies below the book's number alone is behind it.
    pub(super) fn has_fallen_twice(&mut self, number: u64) -> bool {
        let fell = number < self.last;
        let first = std::mem::replace(&mut self.fallen, if fell { number } else { 0 });
        fell && first > 0 && number > first
    }
}
