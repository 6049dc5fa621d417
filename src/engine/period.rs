//! The last periods of a company, each as it is known so far.
//!
//! A statement says what a year was like; it may come late, and again when the year is restated. So the
//! window of a company is not the last rows that came, but the last periods, each by what became known of it
//! last: what was known at that time, and never what came later. Knows no event and no model.

use std::collections::VecDeque;

/// Periods in ascending order, at most as many as a window has.
#[derive(Debug, Default)]
pub struct Periods {
    known: VecDeque<Period>,
}

#[derive(Debug)]
struct Period {
    number: i64,
    /// When this became known.
    ts: i64,
    row: Box<[f64]>,
}

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// The period was not known.
    New,
    /// The period was known, and is told otherwise now.
    Restated,
    /// The same was known already.
    Again,
    /// The period lies before all that a window reaches, or what is known of it became known later.
    TooOld,
}

impl Periods {
    /// Takes the row of a period that became known at `ts`, for windows of `steps`.
    pub fn take(&mut self, number: i64, ts: i64, row: &[f64], steps: usize) -> Taken {
        let place = self.known.partition_point(|known| known.number < number);
        if let Some(known) = self
            .known
            .get_mut(place)
            .filter(|known| known.number == number)
        {
            if same(&known.row, row) {
                known.ts = known.ts.max(ts);
                return Taken::Again;
            }
            if ts < known.ts {
                return Taken::TooOld;
            }
            known.ts = ts;
            known.row.copy_from_slice(row);
            return Taken::Restated;
        }
        let row = row.into();
        let period = Period { number, ts, row };
        if self.known.len() == steps {
            if place == 0 {
                return Taken::TooOld;
            }
            self.known.pop_front();
            self.known.insert(place - 1, period);
        } else {
            self.known.insert(place, period);
        }
        Taken::New
    }

    /// Whether there are as many periods as a window has.
    #[must_use]
    pub fn are_complete(&self, steps: usize) -> bool {
        self.known.len() == steps
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

/// Equal to the bit: a missing number equals a missing one.
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
        let mut take = |period, value| periods.take(period, 0, &[value], 3);
        assert_eq!(take(2012, 12.0), Taken::New);
        assert_eq!(take(2010, 10.0), Taken::New, "late");
        assert_eq!(take(2011, 11.0), Taken::New, "in between");
        assert_eq!(take(2011, 11.0), Taken::Again);
        assert_eq!(take(2010, 10.5), Taken::Restated);
        assert_eq!(take(2009, 9.0), Taken::TooOld);
        assert_eq!(take(2014, 14.0), Taken::New, "2013 is not there");
        let mut cells = vec![];
        periods.window(&mut cells);
        assert_eq!(cells, [11.0, 12.0, 14.0]);
        assert!(periods.are_complete(3) && !periods.are_consecutive());
        assert_eq!(periods.take(2013, 0, &[13.0], 3), Taken::New);
        assert!(periods.are_consecutive());
    }

    #[test]
    fn a_missing_number_is_the_same_twice() {
        let mut periods = Periods::default();
        periods.take(1, 0, &[f64::NAN], 2);
        assert_eq!(periods.take(1, 0, &[f64::NAN], 2), Taken::Again);
        assert_eq!(periods.take(1, 0, &[1.0], 2), Taken::Restated);
    }

    #[test]
    fn what_became_known_last_stands_whatever_comes_last() {
        let mut periods = Periods::default();
        let mut take = |ts, value| periods.take(2017, ts, &[value], 2);
        assert_eq!(take(30, 1.0), Taken::New);
        assert_eq!(take(20, 2.0), Taken::TooOld, "an earlier version, late");
        assert_eq!(take(40, 1.0), Taken::Again);
        assert_eq!(take(35, 3.0), Taken::TooOld, "it was confirmed since");
        assert_eq!(take(40, 3.0), Taken::Restated);
    }
}
