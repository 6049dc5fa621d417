//! The last periods of a company, each as it is known so far.
//!
//! A statement says what a year was like; it may come late, and again when the year is restated. So the
//! window of a company is not the last rows that came, but the last periods, each by what came of it last:
//! what was known at that time, and never what came later. Knows no event and no model.

use std::collections::VecDeque;

/// Periods in ascending order, at most as many as a window has.
#[derive(Debug, Default)]
pub struct Periods {
    known: VecDeque<(i64, Box<[f64]>)>,
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
    /// The period lies before all that a window reaches.
    TooOld,
}

impl Periods {
    /// Takes the row of a period, for windows of `steps`.
    pub fn take(&mut self, period: i64, row: &[f64], steps: usize) -> Taken {
        let place = self.known.partition_point(|(known, _)| *known < period);
        if let Some((known, cells)) = self.known.get_mut(place)
            && *known == period
        {
            if same(cells, row) {
                return Taken::Again;
            }
            cells.copy_from_slice(row);
            return Taken::Restated;
        }
        if self.known.len() == steps {
            if place == 0 {
                return Taken::TooOld;
            }
            self.known.pop_front();
            self.known.insert(place - 1, (period, row.into()));
        } else {
            self.known.insert(place, (period, row.into()));
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
        pairs.all(|(one, next)| next.0 - one.0 == 1)
    }

    /// Appends the rows, oldest first.
    pub fn window(&self, cells: &mut Vec<f64>) {
        for (_, row) in &self.known {
            cells.extend_from_slice(row);
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
        let mut take = |period, value| periods.take(period, &[value], 3);
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
        assert_eq!(periods.take(2013, &[13.0], 3), Taken::New);
        assert!(periods.are_consecutive());
    }

    #[test]
    fn a_missing_number_is_the_same_twice() {
        let mut periods = Periods::default();
        periods.take(1, &[f64::NAN], 2);
        assert_eq!(periods.take(1, &[f64::NAN], 2), Taken::Again);
        assert_eq!(periods.take(1, &[1.0], 2), Taken::Restated);
    }
}
