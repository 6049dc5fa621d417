//! How far the price moved to the last one of the next session.
//!
//! The next session is the next day of the market on which something came; prices after its close are not of
//! it. A night or a weekend that is longer than `max_gap_ms` is a silence, as for every label.

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
    today: Option<NaiveDate>,
    /// The last price of this session, and its time.
    last: Option<(f64, Nanos)>,
    /// The price at each row of the session before, which wait for the end of this one.
    before: Vec<(u64, f64)>,
    /// The same of this session.
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
        let day = self.session.day(point.now.0);
        if self.today != Some(day) {
            self.end_session(resolved);
            self.today = Some(day);
        }
        if let Some(price) = price
            && self.session.passed(point.now.0) <= 1.0
        {
            self.last = Some((price, point.now));
        }
    }

    pub(super) fn row(&mut self, row: u64, point: &LabelPoint, resolved: &mut Resolved<'_>) {
        match point.of(self.price).0 {
            Some(price) => self.rows.push((row, price)),
            None => resolved.push(row, None),
        }
    }

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
