//! The equity curve: what all is worth at even steps of time, and the statistics of its changes.
//!
//! Equity is what round trips won after costs, and what is held at the middle of its market, less the costs
//! so far. It begins at zero; no capital is assumed.
//!
//! It covers the time that was traded, whatever the input has before and behind it: from the beginning of the
//! [`TradedSpan`] to its end, or until nothing is held any more where that is later.

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

/// The time that is traded, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TradedSpan {
    /// Signals before it are not acted on; none: it begins with the first update of a market.
    pub from: Option<i64>,
    /// Signals from it on are not acted on; none: it ends with the input.
    pub to: Option<i64>,
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
    /// The samples that differ from the one before, and the last, where they are kept.
    pub points: Option<Vec<EquityPoint>>,
    peak: f64,
    /// The length of a step, in nanoseconds.
    step_ns: i64,
    /// The first sample that is not before the end of the span; none: the input ends it.
    until: Option<i64>,
    /// Samples behind it in which nothing was held and nothing changed: they count only if something does
    /// later.
    waiting: u64,
}

impl Equity {
    /// A curve that keeps its samples, or their statistics alone.
    pub(super) fn new(keeps_points: bool, step_ns: i64, to: Option<i64>) -> Self {
        let step_of = |to: i64| to.div_euclid(step_ns) + i64::from(to.rem_euclid(step_ns) != 0);
        Self {
            points: keeps_points.then(Vec::new),
            step_ns,
            until: to.map(|to| step_of(to).saturating_mul(step_ns)),
            ..Self::default()
        }
    }

    /// Adds a sample, and so many more steps later in which nothing changed.
    pub(super) fn add(&mut self, point: EquityPoint, more: u64) {
        let last = self.last.unwrap_or(EquityPoint {
            exposure: 0.0,
            gross: 0.0,
            costs: 0.0,
            ..point
        });
        let is_changed = point
            != EquityPoint {
                ts: point.ts,
                ..last
            };
        let within = self.within(point.ts, more + 1);
        let steps = match (point.exposure > 0.0, is_changed) {
            (true, _) => more + 1,
            (false, true) => within.max(1),
            (false, false) => within,
        };
        let waited = self.waiting;
        self.waiting = more + 1 - steps;
        if steps == 0 {
            self.waiting += waited;
            return;
        }
        let more = steps - 1;
        let change = point.net() - last.net();
        self.changes.add_zeros(waited);
        self.changes.add(change);
        self.changes.add_zeros(more);
        self.below_zero += change.min(0.0) * change.min(0.0);
        self.peak = self.peak.max(point.net());
        self.max_drawdown = self.max_drawdown.max(self.peak - point.net());
        self.exposure.0 += point.exposure * steps as f64;
        self.exposure.1 = self.exposure.1.max(point.exposure);
        if point.exposure > 0.0 {
            self.samples_held += steps;
        }
        if (is_changed || self.last.is_none())
            && let Some(points) = &mut self.points
        {
            points.push(point);
        }
        self.last = Some(EquityPoint {
            ts: point.ts + more as i64 * self.step_ns,
            ..point
        });
    }

    /// How many of so many samples from this time on are in the span.
    fn within(&self, ts: i64, steps: u64) -> u64 {
        match self.until {
            None => steps,
            Some(until) if until < ts => 0,
            Some(until) => steps.min((until.saturating_sub(ts) / self.step_ns) as u64 + 1),
        }
    }

    /// Ends the curve: where nothing is held, it stays as it is to the end of the span.
    pub(super) fn end(&mut self) {
        let Some(last) = &mut self.last else {
            return;
        };
        if last.exposure == 0.0
            && let Some(until) = self.until
        {
            let more = (until.saturating_sub(last.ts) / self.step_ns).max(0);
            self.changes.add_zeros(more as u64);
            last.ts += more * self.step_ns;
        }
        if let Some(points) = &mut self.points
            && points.last().is_some_and(|point| point.ts != last.ts)
        {
            points.push(*last);
        }
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
