//! The label of a row: how far the mid moved over the horizon, for training and backtests.
//!
//! A row of time t is labelled by the mid that was known at t + horizon, once an event later than that has
//! come. So a label contains nothing that was known when the row was made. There is no label where the mid
//! was unknown at t or at t + horizon (an empty side, a crossed book), nor across a gap, a silence, or the
//! end.

use std::collections::VecDeque;

use crate::instrument::InstrumentId;
use crate::units::Nanos;

/// How rows are labelled and split.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Labelling {
    /// How long after the row the mid is looked at, in nanoseconds.
    pub horizon_ns: i64,
    /// A move of more than this is up or down, in basis points of the mid.
    pub threshold_bps: f64,
    /// Rows from this time on are for the test; none: there is no test.
    pub test_from: Option<Nanos>,
}

/// The names of the classes; a class is an index into them.
pub const CLASSES: [&str; 3] = ["down", "flat", "up"];

/// A row with its label.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelledRow<T> {
    /// The row as it was passed in.
    pub row: T,
    /// Index into [`CLASSES`]; `None` where there is no label.
    pub class: Option<u8>,
    /// The move over the horizon in basis points.
    pub move_bps: Option<f64>,
}

/// Holds rows back until their horizon has passed.
#[derive(Debug)]
pub struct Labeller<T> {
    labelling: Labelling,
    instruments: Vec<Held<T>>,
}

/// What labels are made of, after an event of an instrument.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LabelPoint {
    /// The event's time.
    pub now: Nanos,
    /// The middle of bid and ask, where it means something.
    pub mid: Option<f64>,
    /// Gaps and silences so far.
    pub breaks: u64,
}

#[derive(Debug)]
struct Held<T> {
    /// The newest mid, if the newest event left one.
    mid: Option<f64>,
    /// Gaps and silences so far.
    breaks: u64,
    /// The end of the horizon, the mid at the row, and the row.
    rows: VecDeque<(i64, Option<f64>, T)>,
}

impl Labelling {
    fn class(&self, move_bps: f64) -> u8 {
        match move_bps {
            up if up > self.threshold_bps => 2,
            down if down < -self.threshold_bps => 0,
            _ => 1,
        }
    }
}

impl<T> Labeller<T> {
    /// No rows yet.
    #[must_use]
    pub fn new(labelling: Labelling) -> Self {
        Self {
            labelling,
            instruments: vec![],
        }
    }

    /// Takes a row of an instrument, with the mid at that time, if it means something.
    pub fn row(&mut self, instrument: InstrumentId, ts_event: Nanos, mid: Option<f64>, row: T) {
        let due = ts_event.0.saturating_add(self.labelling.horizon_ns);
        self.held(instrument).rows.push_back((due, mid, row));
    }

    /// Takes the mid of an instrument after an event; passes the rows whose horizon ended before that event
    /// to `known`, and those whose horizon a gap or a silence has cut.
    pub fn mid(
        &mut self,
        instrument: InstrumentId,
        point: LabelPoint,
        mut known: impl FnMut(LabelledRow<T>),
    ) {
        let labelling = self.labelling;
        let held = self.held(instrument);
        // What is missing may have come before the end of any of these horizons.
        let broken = point.breaks != held.breaks;
        let ended = |held: &Held<T>| {
            let first = held.rows.front();
            first.is_some_and(|(due, ..)| broken || *due < point.now.0)
        };
        while ended(held) {
            let Some((_, before, row)) = held.rows.pop_front() else {
                break;
            };
            let mids = before.zip(held.mid).filter(|_| !broken);
            let move_bps = mids.map(|(before, after)| 1e4 * (after / before - 1.0));
            known(LabelledRow {
                row,
                class: move_bps.map(|m| labelling.class(m)),
                move_bps,
            });
        }
        (held.mid, held.breaks) = (point.mid, point.breaks);
    }

    /// Passes the rows whose horizon the stream did not reach to `unknown`.
    pub fn finish(self, mut unknown: impl FnMut(LabelledRow<T>)) {
        for (_, _, row) in self.instruments.into_iter().flat_map(|held| held.rows) {
            unknown(LabelledRow {
                row,
                class: None,
                move_bps: None,
            });
        }
    }

    fn held(&mut self, instrument: InstrumentId) -> &mut Held<T> {
        let at = instrument.index();
        if at >= self.instruments.len() {
            self.instruments.resize_with(at + 1, || Held {
                mid: None,
                breaks: 0,
                rows: VecDeque::new(),
            });
        }
        &mut self.instruments[at]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: InstrumentId = InstrumentId(0);

    #[test]
    fn a_label_uses_the_mid_known_at_the_horizon_and_nothing_later() {
        let labelling = Labelling {
            horizon_ns: 10,
            threshold_bps: 1.0,
            test_from: None,
        };
        let mut labeller = Labeller::new(labelling);
        let mut known = vec![];
        let mut see = |labeller: &mut Labeller<u32>, now, mid| {
            let point = LabelPoint {
                now: Nanos(now),
                mid: Some(mid),
                breaks: 0,
            };
            labeller.mid(ID, point, |row| known.push((row.row, row.class)));
        };
        see(&mut labeller, 100, 50.0);
        labeller.row(ID, Nanos(100), Some(50.0), 1);
        see(&mut labeller, 105, 50.1);
        see(&mut labeller, 110, 50.2);
        labeller.row(ID, Nanos(110), Some(50.2), 2);
        see(&mut labeller, 111, 40.0);
        see(&mut labeller, 200, 90.0);
        assert_eq!(
            known,
            [(1, Some(2)), (2, Some(0))],
            "50.2 at 110 is up; 40.0 at 111 is down"
        );
    }

    #[test]
    fn rows_at_the_end_have_no_label() {
        let labelling = Labelling {
            horizon_ns: 10,
            threshold_bps: 0.0,
            test_from: None,
        };
        let mut labeller = Labeller::new(labelling);
        labeller.row(ID, Nanos(1), Some(1.0), 'x');
        let mut rest = vec![];
        labeller.finish(|row| rest.push(row.class));
        assert_eq!(rest, [None]);
    }
}
