//! Histograms of durations.

use serde::Serialize;

use super::sample::EverySample;

/// Durations that are kept for quantiles: an even number.
const KEPT_MAX: usize = 1 << 17;

/// How long something took, in milliseconds.
#[derive(Clone, Debug, Serialize)]
pub struct DurationFigures {
    /// How many.
    pub count: u64,
    /// Of them below zero: the clock that stamped the end is behind the one that stamped the beginning.
    pub below_zero: u64,
    /// The shortest.
    pub min: f64,
    /// Quantiles: of equal ranks the lower; of every k-th where there are very many.
    pub p10: f64,
    /// The quarter.
    pub p25: f64,
    /// The half.
    pub p50: f64,
    /// Three quarters.
    pub p75: f64,
    /// Nine tenths.
    pub p90: f64,
    /// 99 of 100.
    pub p99: f64,
    /// The longest.
    pub max: f64,
    /// How many in each bin that has any, edges being 1, 2, 5 times a power of ten; those below zero are in
    /// none.
    pub bins: Vec<DurationBin>,
}

/// A bin of a histogram.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct DurationBin {
    /// From this many milliseconds on.
    pub from_ms: f64,
    /// Below this many.
    pub to_ms: f64,
    /// How many.
    pub count: u64,
}

/// Durations that come one by one, in nanoseconds.
#[derive(Clone, Debug)]
pub(crate) struct Durations {
    sample: EverySample<i64>,
    counts: [u64; EDGES_MS.len()],
    below_zero: u64,
    range: Option<(i64, i64)>,
}

/// Lower edges of the bins, in milliseconds; the last bin has no upper one.
const EDGES_MS: [f64; 28] = [
    0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0,
    1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6, 1e7, 1e8,
];

impl Default for Durations {
    fn default() -> Self {
        Self {
            sample: EverySample::new(KEPT_MAX),
            counts: [0; EDGES_MS.len()],
            below_zero: 0,
            range: None,
        }
    }
}

impl Durations {
    /// Adds a duration.
    pub(crate) fn add(&mut self, nanos: i64) {
        self.sample.add(|| nanos);
        self.below_zero += u64::from(nanos < 0);
        let (least, most) = self.range.unwrap_or((nanos, nanos));
        self.range = Some((least.min(nanos), most.max(nanos)));
        let millis = nanos as f64 / MILLI_NS;
        let above = EDGES_MS.partition_point(|edge| *edge <= millis);
        if let Some(at) = above.checked_sub(1) {
            self.counts[at] += 1;
        }
    }

    /// Their figures; none without durations.
    pub(crate) fn figures(&self) -> Option<DurationFigures> {
        let (least, most) = self.range?;
        let mut sorted = self.sample.kept().to_vec();
        sorted.sort_unstable();
        let at = |share: f64| {
            let rank = (share * sorted.len() as f64).ceil() as usize;
            sorted[rank.clamp(1, sorted.len()) - 1] as f64 / MILLI_NS
        };
        let filled = (0..EDGES_MS.len()).filter(|at| self.counts[*at] > 0);
        let bins = filled.map(|at| DurationBin {
            from_ms: EDGES_MS[at],
            to_ms: EDGES_MS.get(at + 1).copied().unwrap_or(1e9),
            count: self.counts[at],
        });
        Some(DurationFigures {
            count: self.sample.seen(),
            below_zero: self.below_zero,
            min: least as f64 / MILLI_NS,
            p10: at(0.1),
            p25: at(0.25),
            p50: at(0.5),
            p75: at(0.75),
            p90: at(0.9),
            p99: at(0.99),
            max: most as f64 / MILLI_NS,
            bins: bins.collect(),
        })
    }
}

/// Nanoseconds in a millisecond.
const MILLI_NS: f64 = 1e6;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_and_quantiles_are_those_of_the_list() {
        let mut durations = Durations::default();
        assert!(durations.figures().is_none());
        for millis in [-1, 0, 1, 1, 2, 3, 4, 5, 6, 2_000] {
            durations.add(millis * 1_000_000);
        }
        let found = durations.figures().unwrap();
        assert_eq!((found.count, found.below_zero), (10, 1));
        assert_eq!((found.min, found.p10, found.p50), (-1.0, -1.0, 2.0));
        assert_eq!((found.p90, found.p99, found.max), (6.0, 2_000.0, 2_000.0));
        let bins: Vec<(f64, f64, u64)> = found
            .bins
            .iter()
            .map(|bin| (bin.from_ms, bin.to_ms, bin.count))
            .collect();
        let expected = [(0.0, 0.01, 1), (1.0, 2.0, 2), (2.0, 5.0, 3), (5.0, 10.0, 2)];
        assert_eq!(bins[..4], expected);
        assert_eq!(bins[4], (2_000.0, 5_000.0, 1));
    }
}
