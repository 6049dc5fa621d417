//! Which of three barriers the price meets first: an upper one, a lower one, or the end of the horizon.
//!
//! The triple-barrier method (López de Prado 2018, "Advances in Financial Machine Learning", ch. 3): the upper
//! barrier is `up`, the lower one `down`, the end of the horizon `flat`. The value is the move at the first
//! event whose price is at or beyond the barrier, not that of the barrier.

use std::cmp::Ordering;
use std::collections::{BTreeSet, VecDeque};

use super::point::{LabelOutcome, LabelPoint, PriceOf, move_bps};
use super::resolution::Resolved;
use super::spec::Barrier;
use crate::units::Nanos;

/// The rows of an instrument that have met no barrier yet, by their barriers: an event touches those alone
/// that it resolves.
#[derive(Debug)]
pub(super) struct Barriers {
    price: PriceOf,
    horizon_ns: i64,
    upper: Option<Barrier>,
    lower: Option<Barrier>,
    held: Option<f64>,
    breaks: u64,
    /// The rows from the first on that waits.
    rows: VecDeque<UntouchedRow>,
    uppers: BTreeSet<Level>,
    lowers: BTreeSet<Level>,
}

#[derive(Debug)]
struct UntouchedRow {
    row: u64,
    due: i64,
    base: f64,
    upper: f64,
    lower: f64,
    resolved: bool,
}

/// The price of a barrier, and the number of its row.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Level(f64, u64);

impl Eq for Level {}

impl Ord for Level {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0).then(self.1.cmp(&other.1))
    }
}

impl PartialOrd for Level {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Barriers {
    pub(super) fn new(
        price: PriceOf,
        horizon_ns: i64,
        upper: Option<Barrier>,
        lower: Option<Barrier>,
    ) -> Self {
        Self {
            price,
            horizon_ns,
            upper,
            lower,
            held: None,
            breaks: 0,
            rows: VecDeque::new(),
            uppers: BTreeSet::new(),
            lowers: BTreeSet::new(),
        }
    }

    pub(super) fn point(&mut self, point: &LabelPoint, resolved: &mut Resolved<'_>) {
        let (price, breaks) = point.of(self.price);
        if breaks != self.breaks {
            let waiting = self.rows.drain(..).filter(|waiting| !waiting.resolved);
            resolved.none(waiting.map(|waiting| waiting.row));
            self.uppers.clear();
            self.lowers.clear();
        }
        self.end_horizons(point.now.0, resolved);
        (self.held, self.breaks) = (price, breaks);
        let Some(price) = price else { return };
        while let Some(&Level(level, row)) = self.uppers.first()
            && price >= level
        {
            self.touch(row, price, point.now, 2, resolved);
        }
        while let Some(&Level(level, row)) = self.lowers.last()
            && price <= level
        {
            self.touch(row, price, point.now, 0, resolved);
        }
        while self.rows.front().is_some_and(|waiting| waiting.resolved) {
            self.rows.pop_front();
        }
    }

    /// Takes a row; `cells` are its columns.
    pub(super) fn row(
        &mut self,
        row: u64,
        point: &LabelPoint,
        cells: &[f64],
        resolved: &mut Resolved<'_>,
    ) {
        let (price, _) = point.of(self.price);
        let upper = distance(self.upper, cells);
        let lower = distance(self.lower, cells);
        let (Some(base), Some(upper), Some(lower)) = (price.filter(|one| *one > 0.0), upper, lower)
        else {
            return resolved.push(row, None);
        };
        let waiting = UntouchedRow {
            row,
            due: point.now.0.saturating_add(self.horizon_ns),
            base,
            upper: base * (1.0 + upper),
            lower: base * (1.0 - lower),
            resolved: false,
        };
        if waiting.upper.is_finite() {
            self.uppers.insert(Level(waiting.upper, row));
        }
        if waiting.lower.is_finite() {
            self.lowers.insert(Level(waiting.lower, row));
        }
        self.rows.push_back(waiting);
    }

    /// Labels the rows whose horizon ended before `now` by the price that was known then.
    fn end_horizons(&mut self, now: i64, resolved: &mut Resolved<'_>) {
        while let Some(waiting) = self.rows.front()
            && waiting.due < now
        {
            if !waiting.resolved {
                let moved = self.held.and_then(|held| move_bps(waiting.base, held));
                let outcome = moved.map(|moved| LabelOutcome {
                    class: Some(1),
                    value: moved,
                    end: Nanos(waiting.due),
                });
                resolved.push(waiting.row, outcome);
                self.uppers.remove(&Level(waiting.upper, waiting.row));
                self.lowers.remove(&Level(waiting.lower, waiting.row));
            }
            self.rows.pop_front();
        }
    }

    fn touch(&mut self, row: u64, price: f64, now: Nanos, class: u8, resolved: &mut Resolved<'_>) {
        let at = self.rows.partition_point(|waiting| waiting.row < row);
        let waiting = &mut self.rows[at];
        waiting.resolved = true;
        self.uppers.remove(&Level(waiting.upper, row));
        self.lowers.remove(&Level(waiting.lower, row));
        let outcome = move_bps(waiting.base, price).map(|moved| LabelOutcome {
            class: Some(class),
            value: moved,
            end: now,
        });
        resolved.push(row, outcome);
    }
}

/// How far a barrier is, as a fraction of the price: infinite where there is none; none where the column
/// says nothing.
fn distance(barrier: Option<Barrier>, cells: &[f64]) -> Option<f64> {
    match barrier {
        None => Some(f64::INFINITY),
        Some(Barrier::Bps(bps)) => Some(bps * 1e-4),
        Some(Barrier::Times { column, factor }) => {
            let distance = factor * cells.get(column)?;
            (distance.is_finite() && distance > 0.0).then_some(distance)
        }
    }
}
