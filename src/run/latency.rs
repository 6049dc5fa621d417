//! The latency of each stage: HdrHistograms from 1 ns to 60 s with three significant digits.

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::signal::Latency;

/// The histograms of a shard, one for each stage, in nanoseconds.
#[derive(Clone, Debug)]
pub struct Stages {
    /// From `ts_recv` until the shard takes the frame, by the wall clock.
    pub queue: Histogram<u64>,
    /// Decoding a batch.
    pub decode: Histogram<u64>,
    /// Books, windows and features of a batch.
    pub feature: Histogram<u64>,
    /// Inference of all rows and windows that are due in a batch.
    pub model: Histogram<u64>,
    /// From `ts_recv` until the signal leaves the engine, by the wall clock: tick to signal.
    pub total: Histogram<u64>,
}

/// Quantiles of a histogram, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Quantiles {
    /// The median.
    pub p50: u64,
    /// The 99th percentile.
    pub p99: u64,
    /// The 99.9th percentile.
    pub p999: u64,
    /// The largest value.
    pub max: u64,
    /// The number of values.
    pub count: u64,
}

/// A stage as the metrics export it: a histogram with few buckets.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StageReport {
    /// The name of the stage.
    pub name: &'static str,
    /// For each of [`StageReport::BOUNDS`], the number of values up to it and above the bound before.
    pub buckets: Vec<u64>,
    /// The number of values.
    pub count: u64,
    /// Their sum, in seconds.
    pub sum: f64,
    /// Quantiles, for people.
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

    /// All stages before anything has happened.
    #[must_use]
    pub fn all_empty() -> Vec<Self> {
        Stages::NAMES
            .map(|name| Self {
                name,
                buckets: vec![0; Self::BOUNDS.len()],
                ..Self::default()
            })
            .into()
    }

    /// Adds that of another shard, or of another run. The quantiles stay.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.buckets.iter_mut().zip(&other.buckets) {
            *mine += theirs;
        }
        self.count += other.count;
        self.sum += other.sum;
    }

    /// Reports a histogram.
    #[must_use]
    pub fn of(name: &'static str, histogram: &Histogram<u64>) -> Self {
        let mut from = 0;
        let buckets = Self::BOUNDS.map(|bound| {
            // The histogram keeps three digits, and counts what it keeps as one value together: each such
            // value belongs to one bucket.
            let next = histogram.highest_equivalent(bound) + 1;
            histogram.count_between(std::mem::replace(&mut from, next), bound)
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
    /// Records the stages of a batch that gave so many signals.
    pub fn batch(&mut self, latency: &Latency, signals: usize) {
        self.decode.saturating_record(at_least_one(latency.decode));
        self.feature
            .saturating_record(at_least_one(latency.feature));
        if signals > 0 {
            self.model.saturating_record(at_least_one(latency.model));
        }
    }

    /// Records `count` signals of one frame: its time in the queue, and its total time, both in nanoseconds.
    pub fn signals(&mut self, queue: i64, total: i64, count: u64) {
        self.queue.saturating_record_n(at_least_one(queue), count);
        self.total.saturating_record_n(at_least_one(total), count);
    }

    /// Adds the histograms of another shard.
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

    /// The names of the stages.
    const NAMES: [&'static str; 5] = ["queue", "decode", "feature", "model", "total"];

    /// The histograms with the names of their stages.
    #[must_use]
    pub fn named(&self) -> [(&'static str, &Histogram<u64>); 5] {
        let [queue, decode, feature, model, total] = Self::NAMES;
        [
            (queue, &self.queue),
            (decode, &self.decode),
            (feature, &self.feature),
            (model, &self.model),
            (total, &self.total),
        ]
    }
}

impl Quantiles {
    /// The quantiles of a histogram.
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

/// A wall clock may go back, and histograms begin at 1.
fn at_least_one(nanos: i64) -> u64 {
    nanos.max(1) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_is_in_one_bucket() {
        let mut stages = Stages::default();
        let mut count = 0;
        for bound in StageReport::BOUNDS {
            for value in bound.saturating_sub(3)..bound + 4 {
                stages.total.record(value).unwrap();
                count += 1;
            }
            let report = StageReport::of("total", &stages.total);
            assert_eq!(report.count, count);
            assert!(
                report.buckets.iter().sum::<u64>() <= count,
                "up to {bound}: {report:?}"
            );
        }
    }
}
