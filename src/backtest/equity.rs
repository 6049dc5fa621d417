//! The equity curve: what all is worth at even steps of time, and the statistics of its changes.
//!
//! Equity is what round trips won after costs, and what is held at the middle of its market, less the costs
//! so far. It begins at zero; no capital is assumed.

use super::moments::ChangeMoments;

/// A sample of the curve. Money is in the quote currency.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EquityPoint {
    /// The time of the sample, in nanoseconds.
    pub ts: i64,
    /// Before costs.
    pub gross: f64,
    /// Fees, funding and borrowing so far.
    pub costs: f64,
    /// Price times quantity of what is held, long and short added up.
    pub exposure: f64,
}

impl EquityPoint {
    /// After costs.
    #[must_use]
    pub fn net(&self) -> f64 {
        self.gross - self.costs
    }
}

/// The curve of a trial.
#[derive(Clone, Debug, Default)]
pub struct Equity {
    /// The changes of the net equity from sample to sample.
    pub changes: ChangeMoments,
    /// The sum of the squares of the changes below zero.
    pub below_zero: f64,
    /// The largest fall of the net equity from a peak, of samples; above zero.
    pub max_drawdown: f64,
    /// The sum of exposures over the samples, and the largest.
    pub exposure: (f64, f64),
    /// Samples with a position.
    pub samples_held: u64,
    /// The last sample.
    pub last: Option<EquityPoint>,
    /// The samples that differ from the one before, where they are kept.
    pub points: Option<Vec<EquityPoint>>,
    peak: f64,
}

impl Equity {
    /// A curve that keeps its samples, or their statistics alone.
    pub(super) fn new(keeps_points: bool) -> Self {
        Self {
            points: keeps_points.then(Vec::new),
            ..Self::default()
        }
    }

    /// Adds a sample, and so many more steps later in which nothing changed.
    pub(super) fn add(&mut self, point: EquityPoint, more: u64) {
        let before = self.last.map_or(0.0, |last| last.net());
        let change = point.net() - before;
        self.changes.add(change);
        self.changes.add_zeros(more);
        self.below_zero += change.min(0.0) * change.min(0.0);
        self.peak = self.peak.max(point.net());
        self.max_drawdown = self.max_drawdown.max(self.peak - point.net());
        let steps = (more + 1) as f64;
        self.exposure.0 += point.exposure * steps;
        self.exposure.1 = self.exposure.1.max(point.exposure);
        if point.exposure > 0.0 {
            self.samples_held += more + 1;
        }
        let is_new = self.last.is_none_or(|last| {
            EquityPoint {
                ts: point.ts,
                ..last
            } != point
        });
        if is_new && let Some(points) = &mut self.points {
            points.push(point);
        }
        self.last = Some(point);
    }

    /// The mean exposure over the samples; none without samples.
    #[must_use]
    pub fn mean_exposure(&self) -> Option<f64> {
        let count = self.changes.count();
        (count > 0.0).then(|| self.exposure.0 / count)
    }

    /// The share of the samples with a position; none without samples.
    #[must_use]
    pub fn time_in_market(&self) -> Option<f64> {
        let count = self.changes.count();
        (count > 0.0).then(|| self.samples_held as f64 / count)
    }
}
