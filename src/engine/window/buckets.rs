//! Buckets of equal volume, and how one-sided the last of them were.

use serde::{Deserialize, Serialize};

use super::span::Span;
use super::sums::Sums;

/// The last buckets of equal volume, each filled by as many trades as it takes: a trade may fill several, or
/// a part of one. Quantities are whole numbers of some unit, so that a bucket is full where it should be.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Buckets {
    /// Quantity of a bucket.
    size: i64,
    /// Quantity in the open bucket.
    filled: i64,
    /// What buyers started of it, less what sellers did.
    flow: i64,
    /// Whether it holds a trade of which nobody tells who started it.
    is_unknown: bool,
    /// Whether the last trade has filled a bucket.
    has_new: bool,
    /// Whether there has been a trade.
    has_begun: bool,
    /// The imbalance of each full bucket, as a part of its volume.
    full: Sums<1>,
}

impl Buckets {
    /// No trades yet: windows of the last `count` buckets of this size, which is above zero.
    #[must_use]
    pub fn new(size: i64, count: usize) -> Self {
        Self {
            size,
            filled: 0,
            flow: 0,
            is_unknown: false,
            has_new: false,
            has_begun: false,
            full: Sums::new(Span::Count(count)),
        }
    }

    /// Adds a trade at `now`; `sign` is 1 where a buyer started it, −1 where a seller did, 0 where that is
    /// unknown.
    pub fn push(&mut self, now: i64, quantity: i64, sign: i64) {
        (self.has_new, self.has_begun) = (false, true);
        let mut left = quantity;
        // A trade of more than all buckets of the window: the older ones would be pushed out at once.
        let most = self.size.saturating_mul(self.full_max() + 1);
        if left > most {
            left = most + left % self.size;
        }
        while left > 0 {
            let part = left.min(self.size - self.filled);
            left -= part;
            self.filled += part;
            self.flow += sign * part;
            self.is_unknown |= sign == 0;
            if self.filled == self.size {
                self.close(now);
            }
        }
    }

    fn close(&mut self, now: i64) {
        match self.is_unknown {
            true => self.full.push_undefined(now),
            false => {
                let imbalance = self.flow.abs() as f64 / self.size as f64;
                self.full.push(now, [imbalance]);
            }
        }
        (self.filled, self.flow, self.is_unknown) = (0, 0, false);
        self.has_new = true;
    }

    fn full_max(&self) -> i64 {
        match self.full.span() {
            Span::Count(count) => count as i64,
            Span::Time(_) => 1,
        }
    }

    /// The mean imbalance of the full buckets; NaN without any, and while one of them is undefined.
    #[must_use]
    pub fn imbalance(&self, now: i64) -> f64 {
        if self.full.holds_undefined(now) {
            return f64::NAN;
        }
        self.full.sums()[0] / self.full.len() as f64
    }

    /// Whether the last trade has filled a bucket.
    #[must_use]
    pub fn has_new(&self) -> bool {
        self.has_new
    }

    /// Buckets so far, with the open one once there has been a trade.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.full.received() + u64::from(self.has_begun)
    }

    /// Whether as many buckets have been full as the window has.
    #[must_use]
    pub fn is_full(&self, now: i64) -> bool {
        self.full.is_full(now)
    }

    /// Reads from the cache lines that the next trade needs.
    pub(crate) fn touch(&self) -> u64 {
        self.full.touch()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_trade_fills_several_buckets() {
        let mut buckets = Buckets::new(10, 3);
        buckets.push(1, 4, 1);
        assert!(!buckets.has_new() && buckets.imbalance(1).is_nan());
        assert_eq!(buckets.received(), 1);
        // 4 bought and 6 sold; then a bucket of sold ones, and 5 in an open one.
        buckets.push(2, 21, -1);
        assert!(buckets.has_new() && !buckets.is_full(2));
        assert_eq!(buckets.imbalance(2), (0.2 + 1.0) / 2.0);
        buckets.push(3, 4, 1);
        assert!(!buckets.has_new());
        buckets.push(4, 1, 1);
        assert_eq!(buckets.imbalance(4), (0.2 + 1.0 + 0.0) / 3.0);
        assert!(buckets.is_full(4));
        // A trade of many buckets leaves those that it fills, and the rest in an open one.
        buckets.push(5, 1_000_003, 1);
        assert_eq!(buckets.imbalance(5), 1.0);
        buckets.push(6, 7, -1);
        assert_eq!(buckets.imbalance(6), (1.0 + 1.0 + 0.4) / 3.0);
    }

    #[test]
    fn a_bucket_with_a_trade_of_nobody_is_undefined_until_it_has_left() {
        let mut buckets = Buckets::new(10, 2);
        buckets.push(1, 10, 1);
        buckets.push(2, 10, 0);
        assert!(buckets.imbalance(2).is_nan());
        buckets.push(3, 10, 1);
        assert!(buckets.imbalance(3).is_nan());
        buckets.push(4, 10, 1);
        assert_eq!(buckets.imbalance(4), 1.0);
    }
}
