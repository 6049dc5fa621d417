//! How far the mean price of the next rows is from the price at the row, or from the mean of the last rows.
//!
//! With k rows, prices p and the row t: m⁺ = (p(t+1) + … + p(t+k)) / k. Against `now` the move is
//! (m⁺ − p(t)) / p(t), as in FI-2010 (Ntakaris et al. 2018, "Benchmark dataset for mid-price forecasting of
//! limit order book data", eq. 1) and DeepLOB (Zhang et al. 2019, eq. 3); against `past` it is (m⁺ − m⁻) / m⁻
//! with m⁻ = (p(t−k+1) + … + p(t)) / k (Tsantekidis et al. 2017; Zhang et al. 2019, eq. 4). A horizon of time
//! takes the rows after this one up to t + horizon, and the rows after t − horizon up to this one. Rows
//! without a price are left out of the means.

use std::collections::VecDeque;

use super::point::{LabelOutcome, LabelPoint, PriceOf, class_of, move_bps};
use super::resolution::Resolved;
use super::spec::{Compared, Horizon};
use super::sum::LongSum;
use crate::units::Nanos;

/// The rows of an instrument whose horizon has not passed, and the prices of the last ones.
#[derive(Debug)]
pub(super) struct Smoothed {
    price: PriceOf,
    horizon: Horizon,
    compared: Compared,
    threshold_bps: f64,
    breaks: u64,
    /// Of all rows so far.
    sum: LongSum,
    count: u64,
    rows: VecDeque<SmoothedRow>,
    /// The sums before each of the last rows, with when it leaves the past.
    past: VecDeque<(i64, LongSum, u64)>,
    /// When the past began: the first row after the last gap (its time, or its number).
    since: Option<i64>,
}

#[derive(Debug)]
struct SmoothedRow {
    row: u64,
    /// A time, or the number of a row.
    due: i64,
    base: Option<f64>,
    sum: LongSum,
    count: u64,
}

impl Smoothed {
    pub(super) fn new(
        price: PriceOf,
        horizon: Horizon,
        compared: Compared,
        threshold_bps: f64,
    ) -> Self {
        Self {
            price,
            horizon,
            compared,
            threshold_bps,
            breaks: 0,
            sum: LongSum::default(),
            count: 0,
            rows: VecDeque::new(),
            past: VecDeque::new(),
            since: None,
        }
    }

    pub(super) fn point(&mut self, point: &LabelPoint, resolved: &mut Resolved<'_>) {
        let (_, breaks) = point.of(self.price);
        if breaks != self.breaks {
            resolved.none(self.rows.drain(..).map(|waiting| waiting.row));
            self.past.clear();
            self.since = None;
            self.breaks = breaks;
        }
        if let Horizon::Time(_) = self.horizon {
            self.resolve(point.now.0 - 1, None, resolved);
        }
    }

    pub(super) fn row(&mut self, row: u64, point: &LabelPoint, resolved: &mut Resolved<'_>) {
        let (price, _) = point.of(self.price);
        let (at, length) = match self.horizon {
            Horizon::Time(nanos) => (point.now.0, nanos),
            Horizon::Rows(rows) => (row as i64, rows as i64),
        };
        let before = (self.sum, self.count);
        if let Some(price) = price {
            self.sum.add(price);
            self.count += 1;
        }
        if let Horizon::Rows(_) = self.horizon {
            self.resolve(at, Some(point.now), resolved);
        }
        let base = match self.compared {
            Compared::Now => price,
            Compared::Past => self
                .mean_of_past(at, length, before)
                .filter(|_| price.is_some()),
        };
        let due = at.saturating_add(length);
        self.rows.push_back(SmoothedRow {
            row,
            due,
            base,
            sum: self.sum,
            count: self.count,
        });
    }

    /// The mean of the rows after `at` − `length` up to this one; none where the past is not as long yet.
    fn mean_of_past(&mut self, at: i64, length: i64, before: (LongSum, u64)) -> Option<f64> {
        self.past.push_back((at, before.0, before.1));
        while self
            .past
            .front()
            .is_some_and(|(row, ..)| *row <= at - length)
        {
            self.past.pop_front();
        }
        let since = *self.since.get_or_insert(at);
        // Of k rows the first is k - 1 before this one.
        let is_long = match self.horizon {
            Horizon::Time(_) => since <= at - length,
            Horizon::Rows(_) => since < at - length + 2,
        };
        let &(_, sum, count) = self.past.front()?;
        let rows = self.count - count;
        (is_long && rows > 0).then(|| self.sum.since(&sum) / rows as f64)
    }

    /// Labels the rows that are due by `until` by the mean of the rows since.
    fn resolve(&mut self, until: i64, end: Option<Nanos>, resolved: &mut Resolved<'_>) {
        while let Some(waiting) = self.rows.front()
            && waiting.due <= until
        {
            let rows = self.count - waiting.count;
            let mean = (rows > 0).then(|| self.sum.since(&waiting.sum) / rows as f64);
            let moved = waiting.base.zip(mean);
            let moved = moved.and_then(|(before, after)| move_bps(before, after));
            let outcome = moved.map(|moved| LabelOutcome {
                class: Some(class_of(moved, self.threshold_bps)),
                value: moved,
                end: end.unwrap_or(Nanos(waiting.due)),
            });
            resolved.push(waiting.row, outcome);
            self.rows.pop_front();
        }
    }
}
