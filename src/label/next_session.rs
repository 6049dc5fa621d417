//! How far the price moved to the last one of the next session.
//!
//! The next session is the next one with a price from its open to its close: a day without one, a weekend or
//! a holiday, is none, and what comes before an open or after a close is of no session. A
//! night or a weekend that is longer than `max_gap_ms` is a silence, as for every label.

use chrono::NaiveDate;

use super::point::{LabelOutcome, LabelPoint, PriceOf, class_of, move_bps};
use super::resolution::Resolved;
use crate::time::session::Session;
use crate::units::Nanos;

/// The rows of the last two sessions of an instrument.
#[derive(Debug)]
pub(super) struct NextSession {
    price: PriceOf,
    session: Session,
    threshold_bps: f64,
    breaks: u64,
    /// The day of the last session that has begun.
    today: Option<NaiveDate>,
    /// The last price of that session, and its time.
    last: Option<(f64, Nanos)>,
    /// The price at each row before that session, which wait for its end.
    before: Vec<(u64, f64)>,
    /// The same of the rows since it began.
    rows: Vec<(u64, f64)>,
}

impl NextSession {
    pub(super) fn new(price: PriceOf, session: Session, threshold_bps: f64) -> Self {
        Self {
            price,
            session,
            threshold_bps,
            breaks: 0,
            today: None,
            last: None,
            before: vec![],
            rows: vec![],
        }
    }

    pub(super) fn point(&mut self, point: &LabelPoint, resolved: &mut Resolved<'_>) {
        let (price, breaks) = point.of(self.price);
        if breaks != self.breaks {
            resolved.none(self.before.drain(..).map(|(row, _)| row));
            resolved.none(self.rows.drain(..).map(|(row, _)| row));
            (self.breaks, self.last) = (breaks, None);
        }
        let Some(price) = price.filter(|_| self.session.is_open(point.now.0)) else {
            return;
        };
        let day = self.session.day(point.now.0);
        if self.today != Some(day) {
            self.end_session(resolved);
            self.today = Some(day);
        }
        self.last = Some((price, point.now));
    }

    pub(super) fn row(&mut self, row: u64, point: &LabelPoint, resolved: &mut Resolved<'_>) {
        match point.of(self.price).0 {
            Some(price) => self.rows.push((row, price)),
            None => resolved.push(row, None),
        }
    }

    /// Ends the last session, because another begins.
    fn end_session(&mut self, resolved: &mut Resolved<'_>) {
        let last = self.last.take();
        for (row, before) in self.before.drain(..) {
            let moved = last.and_then(|(after, end)| Some((move_bps(before, after)?, end)));
            let outcome = moved.map(|(moved, end)| LabelOutcome {
                class: Some(class_of(moved, self.threshold_bps)),
                value: moved,
                end,
            });
            resolved.push(row, outcome);
        }
        std::mem::swap(&mut self.before, &mut self.rows);
    }
}
