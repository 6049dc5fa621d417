//! The last reporting periods of a company, each as it is known so far.
//!
//! A statement describes a period, such as a year; it may come late, and again when the period is restated.
//! So the window of a company is not the last rows that came, but the last periods, each by what became
//! known of it last: what was known at that time, and never what came later. Knows no event and no model.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// What one company holds.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct CompanyState {
    pub(super) periods: Periods,
    /// The latest time of its statements.
    pub(super) now: i64,
    /// Statements so far.
    statements: u64,
}

/// Periods in ascending order, at most as many as a window has.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Periods {
    known: VecDeque<KnownPeriod>,
}

#[derive(Debug, Serialize, Deserialize)]
struct KnownPeriod {
    number: i64,
    /// When this became known.
    ts: i64,
    row: Box<[f64]>,
}

/// What a statement changed in the periods of its company.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeriodChange {
    /// It describes a period that was not known.
    New,
    /// It changes a known period.
    Restated,
    /// It repeats what is known.
    Unchanged,
    /// Its period lies before the window, or a later statement describes the period already.
    TooOld,
}

impl CompanyState {
    /// Takes the row of a period that became known at `ts`, for windows of `steps`. Also returns whether
    /// the time lay before that of the statement before.
    pub(super) fn update(
        &mut self,
        number: i64,
        ts: i64,
        row: &[f64],
        steps: usize,
    ) -> (PeriodChange, bool) {
        let change = self.periods.update(number, ts, row, steps);
        let first = self.statements == 0;
        let backwards = !first && ts < self.now;
        self.now = if first { ts } else { self.now.max(ts) };
        self.statements += 1;
        (change, backwards)
    }
}

impl Periods {
    /// Takes the row of a period that became known at `ts`, for windows of `steps`.
    pub fn update(&mut self, number: i64, ts: i64, row: &[f64], steps: usize) -> PeriodChange {
        let place = self.known.partition_point(|known| known.number < number);
        if let Some(known) = self
            .known
            .get_mut(place)
            .filter(|known| known.number == number)
        {
            if same(&known.row, row) {
                known.ts = known.ts.max(ts);
                return PeriodChange::Unchanged;
            }
            if ts < known.ts {
                return PeriodChange::TooOld;
            }
            known.ts = ts;
            known.row.copy_from_slice(row);
            return PeriodChange::Restated;
        }
        let row = row.into();
        let period = KnownPeriod { number, ts, row };
        if self.known.len() == steps {
            if place == 0 {
                return PeriodChange::TooOld;
            }
            self.known.pop_front();
            self.known.insert(place - 1, period);
        } else {
            self.known.insert(place, period);
        }
        PeriodChange::New
    }

    /// Whether there are as many periods as a window has.
    #[must_use]
    pub fn are_complete(&self, steps: usize) -> bool {
        self.known.len() == steps
    }

    /// The newest period; none where no period is known.
    #[must_use]
    pub fn newest(&self) -> Option<i64> {
        self.known.back().map(|known| known.number)
    }

    /// Whether each period follows the one before.
    #[must_use]
    pub fn are_consecutive(&self) -> bool {
        let mut pairs = self.known.iter().zip(self.known.iter().skip(1));
        pairs.all(|(one, next)| next.number - one.number == 1)
    }

    /// Appends the rows, oldest first.
    pub fn window(&self, cells: &mut Vec<f64>) {
        for period in &self.known {
            cells.extend_from_slice(&period.row);
        }
    }
}

/// Equal to the bit: a missing number (NaN) equals a missing one.
fn same(known: &[f64], row: &[f64]) -> bool {
    known
        .iter()
        .zip(row)
        .all(|(a, b)| a.to_bits() == b.to_bits())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_of_periods_and_not_of_arrivals() {
        let mut periods = Periods::default();
        let mut update = |period, value| periods.update(period, 0, &[value], 3);
        assert_eq!(update(2012, 12.0), PeriodChange::New);
        assert_eq!(update(2010, 10.0), PeriodChange::New, "late");
        assert_eq!(update(2011, 11.0), PeriodChange::New, "in between");
        assert_eq!(update(2011, 11.0), PeriodChange::Unchanged);
        assert_eq!(update(2010, 10.5), PeriodChange::Restated);
        assert_eq!(update(2009, 9.0), PeriodChange::TooOld);
        assert_eq!(update(2014, 14.0), PeriodChange::New, "2013 is not there");
        let mut cells = vec![];
        periods.window(&mut cells);
        assert_eq!(cells, [11.0, 12.0, 14.0]);
        assert!(periods.are_complete(3) && !periods.are_consecutive());
        assert_eq!(periods.update(2013, 0, &[13.0], 3), PeriodChange::New);
        assert!(periods.are_consecutive());
    }

    #[test]
    fn a_missing_number_is_the_same_twice() {
        let mut periods = Periods::default();
        periods.update(1, 0, &[f64::NAN], 2);
        assert_eq!(
            periods.update(1, 0, &[f64::NAN], 2),
            PeriodChange::Unchanged
        );
        assert_eq!(periods.update(1, 0, &[1.0], 2), PeriodChange::Restated);
    }

    #[test]
    fn the_newest_version_of_a_period_is_kept_in_any_order() {
        let mut periods = Periods::default();
        let mut update = |ts, value| periods.update(2017, ts, &[value], 2);
        assert_eq!(update(30, 1.0), PeriodChange::New);
        assert_eq!(
            update(20, 2.0),
            PeriodChange::TooOld,
            "an earlier version, late"
        );
        assert_eq!(update(40, 1.0), PeriodChange::Unchanged);
        assert_eq!(
            update(35, 3.0),
            PeriodChange::TooOld,
            "it was confirmed since"
        );
        assert_eq!(update(40, 3.0), PeriodChange::Restated);
    }
}
