//! How long each stage took: HdrHistograms from 1 ns to 60 s, three digits.

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::signal::Latency;

/// Histograms by stage, of one shard.
#[derive(Clone, Debug)]
pub struct Stages {
    /// From `ts_recv` until the shard took the frame; readings of the wall clock.
    pub queue: Histogram<u64>,
    /// Decoding a batch.
    pub decode: Histogram<u64>,
    /// Books, windows and features of a batch.
    pub feature: Histogram<u64>,
    /// The model, for all that was due in a batch.
    pub model: Histogram<u64>,
    /// From `ts_recv` until the signal left the engine: tick to signal.
    pub total: Histogram<u64>,
}

/// The figures of one histogram, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Quantiles {
    /// Half of them took at most this.
    pub p50: u64,
    /// 99 of 100.
    pub p99: u64,
    /// 999 of 1000.
    pub p999: u64,
    /// The longest.
    pub max: u64,
    /// How many there were.
    pub count: u64,
}

impl Default for Stages {
    fn default() -> Self {
        let empty =
            || Histogram::new_with_bounds(1, 60_000_000_000, 3).expect("the bounds are valid");
        Self {
            queue: empty(),
            decode: empty(),
            feature: empty(),
            model: empty(),
            total: empty(),
        }
    }
}

impl Stages {
    /// Notes the stages of a batch of `frames` that gave `signals`.
    pub fn batch(&mut self, latency: &Latency, signals: usize) {
        self.decode.saturating_record(at_least_one(latency.decode));
        self.feature
            .saturating_record(at_least_one(latency.feature));
        if signals > 0 {
            self.model.saturating_record(at_least_one(latency.model));
        }
    }

    /// Notes signals: how long their frame waited, and how long all of it took.
    pub fn signals(&mut self, queue: i64, total: i64, count: u64) {
        self.queue.saturating_record_n(at_least_one(queue), count);
        self.total.saturating_record_n(at_least_one(total), count);
    }

    /// Adds the figures of another shard.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in [
            (&mut self.queue, &other.queue),
            (&mut self.decode, &other.decode),
            (&mut self.feature, &other.feature),
            (&mut self.model, &other.model),
            (&mut self.total, &other.total),
        ] {
            mine.add(theirs).expect("both have the same bounds");
        }
    }

    /// The stages by name.
    #[must_use]
    pub fn named(&self) -> [(&'static str, &Histogram<u64>); 5] {
        [
            ("queue", &self.queue),
            ("decode", &self.decode),
            ("feature", &self.feature),
            ("model", &self.model),
            ("total", &self.total),
        ]
    }
}

impl Quantiles {
    /// The figures of a histogram.
    #[must_use]
    pub fn of(histogram: &Histogram<u64>) -> Self {
        Self {
            p50: histogram.value_at_quantile(0.5),
            p99: histogram.value_at_quantile(0.99),
            p999: histogram.value_at_quantile(0.999),
            max: histogram.max(),
            count: histogram.len(),
        }
    }
}

/// Clocks may go back; a histogram may not.
fn at_least_one(nanos: i64) -> u64 {
    nanos.max(1) as u64
}
