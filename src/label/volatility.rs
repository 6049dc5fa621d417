//! The realised volatility over the horizon: the root of the sum of squared log returns from each event to
//! the next, as a fraction of the price (Andersen and Bollerslev 1998). Not annualised.

use std::collections::VecDeque;

use super::point::{LabelOutcome, LabelPoint, PriceOf};
use super::resolution::Resolved;
use super::sum::LongSum;
use crate::units::Nanos;

/// The rows of an instrument whose horizon has not passed, and the squared returns so far.
#[derive(Debug)]
pub(super) struct Volatility {
    price: PriceOf,
    horizon_ns: i64,
    breaks: u64,
    /// The last price that was known.
    last: Option<f64>,
    squares: LongSum,
    rows: VecDeque<(i64, u64, LongSum)>,
}

impl Volatility {
    pub(super) fn new(price: PriceOf, horizon_ns: i64) -> Self {
        Self {
            price,
            horizon_ns,
            breaks: 0,
            last: None,
            squares: LongSum::default(),
            rows: VecDeque::new(),
        }
    }

    pub(super) fn point(&mut self, point: &LabelPoint, resolved: &mut Resolved<'_>) {
        let (price, breaks) = point.of(self.price);
        if breaks != self.breaks {
            resolved.none(self.rows.drain(..).map(|(_, row, _)| row));
            (self.breaks, self.last) = (breaks, None);
        }
        while let Some(&(due, row, before)) = self.rows.front()
            && due < point.now.0
        {
            self.rows.pop_front();
            let sum = self.squares.since(&before).max(0.0);
            let outcome = LabelOutcome {
                class: None,
                value: sum.sqrt(),
                end: Nanos(due),
            };
            resolved.push(row, Some(outcome));
        }
        let Some(price) = price.filter(|price| *price > 0.0) else {
            return;
        };
        if let Some(last) = self.last.replace(price)
            && last != price
        {
            let moved = libm::log(price / last);
            self.squares.add(moved * moved);
        }
    }

    pub(super) fn row(&mut self, row: u64, point: &LabelPoint, resolved: &mut Resolved<'_>) {
        match point.of(self.price).0.filter(|price| *price > 0.0) {
            Some(_) => {
                let due = point.now.0.saturating_add(self.horizon_ns);
                self.rows.push_back((due, row, self.squares));
            }
            None => resolved.push(row, None),
        }
    }
}
