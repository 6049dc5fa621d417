//! How far a price moved over the horizon.

use std::collections::VecDeque;

use super::point::{LabelOutcome, LabelPoint, PriceOf, class_of, move_bps};
use super::resolution::Resolved;
use super::spec::Horizon;
use crate::units::Nanos;

/// The rows of an instrument whose horizon has not passed. A row of time t is labelled by the price that was
/// known at t + horizon, once an event later than that has come; by rows, by the price at that row.
#[derive(Debug)]
pub(super) struct Moved {
    price: PriceOf,
    horizon: Horizon,
    threshold_bps: f64,
    /// The newest price, if the newest event left one.
    held: Option<f64>,
    breaks: u64,
    /// When each row is due (a time, or the number of a row), the price at it, and its number.
    rows: VecDeque<(i64, Option<f64>, u64)>,
}

impl Moved {
    pub(super) fn new(price: PriceOf, horizon: Horizon, threshold_bps: f64) -> Self {
        Self {
            price,
            horizon,
            threshold_bps,
            held: None,
            breaks: 0,
            rows: VecDeque::new(),
        }
    }

    pub(super) fn point(&mut self, point: &LabelPoint, resolved: &mut Resolved<'_>) {
        let (price, breaks) = point.of(self.price);
        // What is missing may have come before the end of any of these horizons.
        if breaks != self.breaks {
            resolved.none(self.rows.drain(..).map(|(.., row)| row));
        }
        if let Horizon::Time(_) = self.horizon {
            self.resolve(point.now.0 - 1, self.held, None, resolved);
        }
        (self.held, self.breaks) = (price, breaks);
    }

    pub(super) fn row(&mut self, row: u64, point: &LabelPoint, resolved: &mut Resolved<'_>) {
        let (price, _) = point.of(self.price);
        let due = match self.horizon {
            Horizon::Time(nanos) => point.now.0.saturating_add(nanos),
            Horizon::Rows(rows) => {
                self.resolve(row as i64, price, Some(point.now), resolved);
                (row + rows) as i64
            }
        };
        self.rows.push_back((due, price, row));
    }

    /// Labels the rows that are due by `until` by the price `after`.
    fn resolve(
        &mut self,
        until: i64,
        after: Option<f64>,
        end: Option<Nanos>,
        resolved: &mut Resolved<'_>,
    ) {
        while let Some(&(due, before, row)) = self.rows.front()
            && due <= until
        {
            self.rows.pop_front();
            let moved = before.zip(after);
            let moved = moved.and_then(|(before, after)| move_bps(before, after));
            resolved.push(
                row,
                moved.map(|moved| LabelOutcome {
                    class: Some(class_of(moved, self.threshold_bps)),
                    value: moved,
                    end: end.unwrap_or(Nanos(due)),
                }),
            );
        }
    }
}
