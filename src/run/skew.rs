//! How far behind its venue's clock each event was received, signed: negative where our clock is behind, or
//! the venue's ahead.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::event::{Batch, Body};
use crate::instrument::{InstrumentId, Instruments, venue_of};
use crate::units::Nanos;

/// The skews of a shard, by venue.
#[derive(Debug, Default)]
pub struct Skews {
    venues: Vec<(String, Skew)>,
    /// The place of each instrument's venue.
    places: Vec<usize>,
}

/// Receive time less event time of a venue's trades, quotes and book changes.
#[derive(Clone, Debug)]
pub struct Skew {
    /// Of events received at their time or after it, in nanoseconds.
    behind: Histogram<u64>,
    /// Of events received before their time: by how much.
    ahead: Histogram<u64>,
    min: i64,
    max: i64,
    sum: f64,
}

/// The skew of a venue, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SkewSummary {
    /// Events.
    pub count: u64,
    /// The smallest.
    pub min: i64,
    /// The median.
    pub p50: i64,
    /// The largest.
    pub max: i64,
}

/// The skew of a venue as the metrics export it: a histogram with few buckets.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SkewReport {
    /// The venue.
    pub venue: String,
    /// For each of [`SkewReport::BOUNDS`], the number of values up to it and above the bound before.
    pub buckets: Vec<u64>,
    /// The number of values.
    pub count: u64,
    /// Their sum, in seconds.
    pub sum: f64,
}

/// What a histogram can tell apart: an hour.
const MOST_NS: u64 = 3_600_000_000_000;

impl Default for Skew {
    fn default() -> Self {
        let empty = || Histogram::new_with_bounds(1, MOST_NS, 3).expect("the bounds are valid");
        Self {
            behind: empty(),
            ahead: empty(),
            min: i64::MAX,
            max: i64::MIN,
            sum: 0.0,
        }
    }
}

impl Skews {
    /// Takes the events of a batch.
    pub fn take(&mut self, batch: &Batch, instruments: &Instruments) {
        for event in &batch.events {
            let (Body::Trade(_) | Body::Quote(_) | Body::Depth(_)) = event.body else {
                continue;
            };
            let origin = &batch.origins[event.frame as usize];
            let is_known = event.ts_event != Nanos::UNDEFINED && origin.ts_recv != Nanos::UNDEFINED;
            if is_known && !origin.reprocessed {
                let place = self.place(event.instrument, instruments);
                self.venues[place]
                    .1
                    .add(origin.ts_recv.since(event.ts_event));
            }
        }
    }

    fn place(&mut self, instrument: InstrumentId, instruments: &Instruments) -> usize {
        while self.places.len() <= instrument.index() {
            let next = InstrumentId(self.places.len() as u32);
            let venue = venue_of(instruments.name(next)).unwrap_or_default();
            self.places.push(place_of(&mut self.venues, venue));
        }
        self.places[instrument.index()]
    }

    /// Adds those of another shard.
    pub fn merge(&mut self, other: Self) {
        for (venue, skew) in other.venues {
            let place = place_of(&mut self.venues, &venue);
            self.venues[place].1.merge(&skew);
        }
    }

    /// The skew of each venue; of instruments without a venue under an empty name.
    #[must_use]
    pub fn summaries(&self) -> BTreeMap<String, SkewSummary> {
        let venues = self.venues.iter().filter(|(_, skew)| skew.count() > 0);
        venues
            .map(|(venue, skew)| (venue.clone(), skew.summary()))
            .collect()
    }

    /// The same for the metrics.
    #[must_use]
    pub fn reports(&self) -> Vec<SkewReport> {
        let venues = self.venues.iter();
        venues.map(|(venue, skew)| skew.report(venue)).collect()
    }
}

fn place_of(venues: &mut Vec<(String, Skew)>, venue: &str) -> usize {
    let known = venues.iter().position(|(name, _)| name == venue);
    known.unwrap_or_else(|| {
        venues.push((venue.to_owned(), Skew::default()));
        venues.len() - 1
    })
}

impl Skew {
    /// Takes a skew in nanoseconds.
    pub fn add(&mut self, nanos: i64) {
        let side = match nanos < 0 {
            true => &mut self.ahead,
            false => &mut self.behind,
        };
        side.saturating_record(nanos.unsigned_abs());
        (self.min, self.max) = (self.min.min(nanos), self.max.max(nanos));
        self.sum += nanos as f64 * 1e-9;
    }

    fn merge(&mut self, other: &Self) {
        for (mine, theirs) in [
            (&mut self.behind, &other.behind),
            (&mut self.ahead, &other.ahead),
        ] {
            mine.add(theirs).expect("both have the same bounds");
        }
        (self.min, self.max) = (self.min.min(other.min), self.max.max(other.max));
        self.sum += other.sum;
    }

    fn count(&self) -> u64 {
        self.behind.len() + self.ahead.len()
    }

    /// Count, extremes and median.
    #[must_use]
    pub fn summary(&self) -> SkewSummary {
        let (ahead, count) = (self.ahead.len(), self.count());
        let at = |side: &Histogram<u64>, rank: u64| {
            side.value_at_quantile(rank as f64 / side.len() as f64) as i64
        };
        let rank = count.div_ceil(2);
        SkewSummary {
            count,
            min: self.min,
            // The larger a value ahead, the earlier it stands.
            p50: match rank <= ahead {
                true => -at(&self.ahead, ahead - rank + 1),
                false => at(&self.behind, rank - ahead),
            }
            .clamp(self.min, self.max),
            max: self.max,
        }
    }

    fn report(&self, venue: &str) -> SkewReport {
        let mut below = 0;
        let buckets = SkewReport::BOUNDS.map(|bound| {
            let until = match bound < 0 {
                true => self.ahead.count_between(bound.unsigned_abs(), u64::MAX),
                false => self.ahead.len() + self.behind.count_between(0, bound.unsigned_abs()),
            };
            until.saturating_sub(std::mem::replace(&mut below, until))
        });
        SkewReport {
            venue: venue.to_owned(),
            buckets: buckets.into(),
            count: self.count(),
            sum: self.sum,
        }
    }
}

impl SkewReport {
    /// Upper bounds in nanoseconds, from 10 s ahead to 60 s behind.
    pub const BOUNDS: [i64; 18] = [
        -10_000_000_000,
        -2_500_000_000,
        -1_000_000_000,
        -250_000_000,
        -100_000_000,
        -25_000_000,
        -5_000_000,
        -1_000_000,
        0,
        1_000_000,
        5_000_000,
        25_000_000,
        100_000_000,
        250_000_000,
        1_000_000_000,
        2_500_000_000,
        10_000_000_000,
        60_000_000_000,
    ];

    /// That of a venue of which nothing has come.
    #[must_use]
    pub fn of_venue(venue: &str) -> Self {
        Self {
            venue: venue.to_owned(),
            buckets: vec![0; Self::BOUNDS.len()],
            ..Self::default()
        }
    }

    /// Adds that of another shard, or of another run.
    pub fn merge(&mut self, other: &Self) {
        if self.buckets.is_empty() {
            self.buckets = vec![0; Self::BOUNDS.len()];
        }
        for (mine, theirs) in self.buckets.iter_mut().zip(&other.buckets) {
            *mine += theirs;
        }
        self.count += other.count;
        self.sum += other.sum;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skew(values: &[i64]) -> Skew {
        let mut skew = Skew::default();
        values.iter().for_each(|&value| skew.add(value));
        skew
    }

    #[test]
    fn the_median_is_signed() {
        for (values, p50) in [
            (&[-3, -2, -1][..], -2),
            (&[-1, 0, 1], 0),
            (&[-5, 7, 9], 7),
            (&[-9, -7, 5], -7),
            (&[4], 4),
            (&[-4], -4),
        ] {
            let summary = skew(values).summary();
            assert_eq!(summary.p50, p50, "{values:?}");
            let ends = (values[0], *values.last().unwrap());
            assert_eq!((summary.min, summary.max), ends);
        }
    }

    #[test]
    fn buckets_reach_below_zero() {
        let second = 1_000_000_000;
        let report = skew(&[-20 * second, -2 * second, -1, 0, 500_000, 3_600 * second]).report("X");
        let mut filled: Vec<(i64, u64)> =
            SkewReport::BOUNDS.into_iter().zip(report.buckets).collect();
        filled.retain(|&(_, count)| count > 0);
        assert_eq!(
            filled,
            [(-10 * second, 1), (-second, 1), (0, 2), (1_000_000, 1),]
        );
        assert_eq!(report.count, 6, "one is above all bounds");
    }
}
