//! The price of each instrument over time, as the replay showed it: the mid of bid and ask, or, of an
//! instrument that never showed both, the last trade or the close of the last bar.
//!
//! A move ends where the price is known, and an event after that has come, as for the labels of a training
//! set: a gap or a silence between its ends makes none.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::engine::row_maker::RowMaker;
use crate::event::{Batch, Body, Event};
use crate::instrument::{InstrumentId, Instruments};
use crate::pipeline::Pipeline;

/// Follows the events of a replay.
#[derive(Debug)]
pub(super) struct PriceRecorder {
    rows: RowMaker,
    cells: Vec<f64>,
    paths: Vec<PricePath>,
}

/// The paths of all instruments, by their names.
#[derive(Debug, Default)]
pub(super) struct Prices {
    paths: FxHashMap<Arc<str>, PricePath>,
}

/// The price of an instrument at each time at which it changed.
#[derive(Debug, Default)]
pub(super) struct PricePath {
    points: Vec<PricePoint>,
    name: Option<Arc<str>>,
    /// Whether a mid was seen: then trades are no prices.
    has_mids: bool,
    /// The time of the last event.
    last: Option<i64>,
}

#[derive(Clone, Copy, Debug)]
struct PricePoint {
    ts: i64,
    /// The time of the event before.
    before: i64,
    price: Option<f64>,
    /// Gaps and silences so far.
    breaks: u64,
}

/// Why there is no move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoMove {
    /// The price is not known at an end.
    Unpriced,
    /// A gap or a silence lies between the ends.
    Broken,
    /// The events end before.
    BeyondEnd,
}

impl PriceRecorder {
    pub(super) fn new(pipeline: &Pipeline) -> Self {
        Self {
            rows: RowMaker::new(Arc::clone(&pipeline.plan), pipeline.rules),
            cells: vec![0.0; pipeline.plan.len()],
            paths: vec![],
        }
    }

    /// Takes the events of a step.
    pub(super) fn step(&mut self, batch: &Batch, names: &Instruments) {
        for event in &batch.events {
            let _row = self.rows.apply(batch, event, &mut self.cells);
            self.note(event, names);
        }
    }

    fn note(&mut self, event: &Event, names: &Instruments) {
        let id = event.instrument;
        if id == InstrumentId::ALL {
            return;
        }
        let Some(point) = self.rows.label_point(id) else {
            return;
        };
        if id.index() >= self.paths.len() {
            self.paths.resize_with(id.index() + 1, PricePath::default);
        }
        let path = &mut self.paths[id.index()];
        path.name.get_or_insert_with(|| names.name(id).into());
        let traded = match event.body {
            Body::Trade(trade) => Some(trade.price.to_f64()),
            Body::Bar(bar) => Some(bar.close.to_f64()),
            _ => None,
        };
        path.note(point.now.0, (point.mid, traded), point.breaks);
    }

    pub(super) fn finish(self) -> Prices {
        let named = self.paths.into_iter().filter_map(|path| {
            let name = Arc::clone(path.name.as_ref()?);
            Some((name, path))
        });
        Prices {
            paths: named.collect(),
        }
    }
}

impl Prices {
    /// The move from a time to `horizon_ns` after it, in basis points.
    pub(super) fn move_after(&self, key: &str, ts: i64, horizon_ns: i64) -> Result<f64, NoMove> {
        let path = self.paths.get(key).ok_or(NoMove::Unpriced)?;
        path.move_after(ts, horizon_ns)
    }

    /// The move to a time from `horizon_ns` before it, in basis points.
    pub(super) fn move_before(&self, key: &str, ts: i64, horizon_ns: i64) -> Result<f64, NoMove> {
        let path = self.paths.get(key).ok_or(NoMove::Unpriced)?;
        let from = path.at(ts.saturating_sub(horizon_ns))?;
        move_of(path.points[from], path.points[path.at(ts)?])
    }

    /// Whether any price is known.
    pub(super) fn is_empty(&self) -> bool {
        self.paths.values().all(|path| path.points.is_empty())
    }
}

impl PricePath {
    /// Takes what is known after an event: the mid, the price of its trade, and the gaps so far.
    fn note(&mut self, now: i64, (mid, traded): (Option<f64>, Option<f64>), breaks: u64) {
        if mid.is_some() && !self.has_mids {
            self.has_mids = true;
            self.points.clear();
        }
        let last = self.points.last();
        let price = match self.has_mids {
            true => mid,
            false => traded.or(last.and_then(|last| last.price)),
        };
        let is_news = last.is_none_or(|last| last.price != price || last.breaks != breaks);
        if is_news {
            self.points.push(PricePoint {
                ts: now,
                before: self.last.unwrap_or(now),
                price,
                breaks,
            });
        }
        self.last = Some(now);
    }

    /// The point that holds at a time.
    fn at(&self, ts: i64) -> Result<usize, NoMove> {
        let up_to = self.points.partition_point(|point| point.ts <= ts);
        up_to.checked_sub(1).ok_or(NoMove::Unpriced)
    }

    fn move_after(&self, ts: i64, horizon_ns: i64) -> Result<f64, NoMove> {
        let due = ts.saturating_add(horizon_ns);
        let from = self.at(ts)?;
        if self.last.is_none_or(|last| last <= due) {
            return Err(NoMove::BeyondEnd);
        }
        let to = self.at(due)?;
        // The first event after the horizon tells of a gap or a silence that may have begun before it.
        let next = self.points.get(to + 1);
        let told = next.filter(|next| next.before <= due);
        if told.is_some_and(|next| next.breaks != self.points[to].breaks) {
            return Err(NoMove::Broken);
        }
        move_of(self.points[from], self.points[to])
    }
}

fn move_of(from: PricePoint, to: PricePoint) -> Result<f64, NoMove> {
    if from.breaks != to.breaks {
        return Err(NoMove::Broken);
    }
    let (from, to) = from.price.zip(to.price).ok_or(NoMove::Unpriced)?;
    let bps = 1e4 * (to / from - 1.0);
    // A price of zero has no move.
    if bps.is_finite() {
        Ok(bps)
    } else {
        Err(NoMove::Unpriced)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(events: &[(i64, Option<f64>, u64)]) -> PricePath {
        let mut path = PricePath::default();
        for (now, mid, breaks) in events {
            path.note(*now, (*mid, None), *breaks);
        }
        path
    }

    #[test]
    fn a_move_ends_at_the_price_of_its_horizon() {
        let path = path(&[
            (0, Some(100.0), 0),
            (5, Some(101.0), 0),
            (5, Some(102.0), 0),
            (8, Some(102.0), 0),
            (10, Some(104.0), 0),
            (11, Some(103.0), 0),
        ]);
        let near = |a: Result<f64, NoMove>, bps: f64| (a.unwrap() - bps).abs() < 1e-9;
        assert!(near(path.move_after(0, 5), 200.0), "the last one of a time");
        assert!(near(path.move_after(0, 9), 200.0));
        assert!(near(path.move_after(0, 10), 400.0));
        assert_eq!(path.move_after(0, 11), Err(NoMove::BeyondEnd));
        assert_eq!(path.move_after(-1, 5), Err(NoMove::Unpriced));
    }

    #[test]
    fn nothing_moves_across_a_gap_or_without_a_price() {
        let path = path(&[
            (0, Some(100.0), 0),
            (4, None, 0),
            (6, Some(101.0), 0),
            (20, Some(102.0), 1),
            (30, Some(103.0), 1),
        ]);
        assert_eq!(path.move_after(0, 5), Err(NoMove::Unpriced));
        assert!(path.move_after(0, 3).is_ok());
        // The silence after 6 is told by the event at 20: whoever looks from 10 does not know the price.
        assert_eq!(path.move_after(0, 10), Err(NoMove::Broken));
        assert_eq!(path.move_after(6, 16), Err(NoMove::Broken));
        assert!(path.move_after(21, 1).is_ok());
    }

    #[test]
    fn trades_are_prices_where_there_is_no_mid() {
        let mut path = PricePath::default();
        for (now, traded) in [(0, Some(10.0)), (1, None), (2, Some(11.0)), (3, None)] {
            path.note(now, (None, traded), 0);
        }
        assert!((path.move_after(0, 2).unwrap() - 1000.0).abs() < 1e-9);
        path.note(4, (Some(20.0), None), 0);
        assert_eq!(
            path.move_after(0, 2),
            Err(NoMove::Unpriced),
            "mids are prices"
        );
    }
}
