//! Latencies and processor time.

use std::time::Duration;

use hdrhistogram::Histogram;

use crate::clock;

/// Processor time of a number of items.
#[derive(Debug, Default)]
pub(super) struct ProcessorTime {
    taken: Duration,
    count: usize,
}

impl ProcessorTime {
    pub(super) fn add(&mut self, taken: Duration, count: usize) {
        self.taken += taken;
        self.count += count;
    }

    /// Nanoseconds per item.
    pub(super) fn per_item(&self) -> f64 {
        self.taken.as_secs_f64() * 1e9 / self.count.max(1) as f64
    }
}

/// How long it takes to read the clock twice.
pub(super) fn clock_cost() -> Histogram<u64> {
    let mut cost = histogram();
    for _ in 0..10_000 {
        record(&mut cost, clock::instant().elapsed());
    }
    cost
}

/// An empty histogram of nanoseconds.
pub(super) fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 600_000_000_000, 3).expect("the bounds are valid")
}

/// Adds a latency.
pub(super) fn record(histogram: &mut Histogram<u64>, took: Duration) {
    histogram.saturating_record(took.as_nanos() as u64);
}
