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

/// One stage for the metrics: a histogram with few bounds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StageReport {
    /// The stage.
    pub name: &'static str,
    /// Values up to each of [`StageReport::BOUNDS`] and above the one before.
    pub buckets: Vec<u64>,
    /// How many values there are.
    pub count: u64,
    /// Their sum, in seconds.
    pub sum: f64,
    /// The figures for people.
    pub quantiles: Quantiles,
}

impl StageReport {
    /// Upper bounds in nanoseconds, from 1 µs to 1 s.
    pub const BOUNDS: [u64; 13] = [
        1_000,
        2_500,
        5_000,
        10_000,
        25_000,
        50_000,
        100_000,
        250_000,
        1_000_000,
        5_000_000,
        25_000_000,
        100_000_000,
        1_000_000_000,
    ];

    /// The report of a histogram.
    #[must_use]
    pub fn of(name: &'static str, histogram: &Histogram<u64>) -> Self {
        let mut below = 0;
        let buckets = Self::BOUNDS.map(|bound| {
            let from = std::mem::replace(&mut below, bound + 1);
            histogram.count_between(from, bound)
        });
        let count = histogram.len();
        Self {
            name,
            buckets: buckets.into(),
            count,
            sum: if count > 0 {
                histogram.mean() * count as f64 * 1e-9
            } else {
                0.0
            },
            quantiles: Quantiles::of(histogram),
        }
    }
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
