//! The price of each instrument over time, as the replay showed it: the mid of bid and ask, or, of an
//! instrument that never showed both, the last trade or the close of the last bar.
//!
//! A move begins at the price that was known when the signal was made, though further events may have the same
//! time. It ends where the price is known, and an event after that has come, as for the labels of a training
//! set: a gap or a silence between its ends makes none.

use std::collections::VecDeque;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::scored::Scored;
use crate::engine::row_maker::RowMaker;
use crate::event::{Batch, Body, Event};
use crate::instrument::{InstrumentId, Instruments};
use crate::pipeline::Pipeline;
use crate::signal::Signal;

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
    /// The prices at rows that may still become signals, in their order.
    waiting: VecDeque<(RowPlace, StartPrice)>,
}

/// What was known when a signal was made.
#[derive(Clone, Copy, Debug)]
pub(super) struct StartPrice {
    price: Option<f64>,
    breaks: u64,
    is_mid: bool,
}

/// How many rows of an instrument may wait: more than are scored together. Rows that warm a window give no
/// signal and are dropped so.
const WAITING_MAX: usize = 1 << 16;

/// The address of a frame, and the number of the instrument's event in it, from 0.
type RowPlace = (u16, i32, i64, u16);

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
        for (number, event) in batch.events.iter().enumerate() {
            let row = self.rows.apply(batch, event, &mut self.cells);
            self.note(event, names);
            let path = self.paths.get_mut(event.instrument.index());
            if let Some(path) = path.filter(|_| row.is_some()) {
                let start = path.start();
                path.waiting.push_back((place_of(batch, number), start));
                if path.waiting.len() > WAITING_MAX {
                    path.waiting.pop_front();
                }
            }
        }
    }

    /// The price when a signal was made; none of a row that is not known, as that of a correction. Signals of
    /// an instrument come in the order of their rows.
    pub(super) fn start_of(&mut self, signal: &Signal) -> Option<StartPrice> {
        if signal.revision > 0 {
            return None;
        }
        let path = self.paths.get_mut(signal.instrument.index())?;
        let origin = &signal.origin;
        let wanted = (origin.stream, origin.partition, origin.offset, signal.part);
        let at = path
            .waiting
            .iter()
            .position(|(place, _)| *place == wanted)?;
        path.waiting
            .drain(..=at)
            .next_back()
            .map(|(_, start)| start)
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

/// The place of an event's row.
fn place_of(batch: &Batch, number: usize) -> RowPlace {
    let event = &batch.events[number];
    let before = batch.events[..number].iter().rev();
    let of_frame = before.take_while(|other| other.frame == event.frame);
    let own = of_frame.filter(|other| other.instrument == event.instrument);
    let part = u16::try_from(own.count()).unwrap_or(u16::MAX);
    let origin = &batch.origins[event.frame as usize];
    (origin.stream, origin.partition, origin.offset, part)
}

impl Prices {
    /// The move from a signal to `horizon_ns` after it, in basis points.
    pub(super) fn move_after(&self, scored: &Scored, horizon_ns: i64) -> Result<f64, NoMove> {
        let path = self.paths.get(&scored.key).ok_or(NoMove::Unpriced)?;
        path.move_after(scored.start, scored.ts_event, horizon_ns)
    }

    /// The move to a signal from `horizon_ns` before it, in basis points.
    pub(super) fn move_before(&self, scored: &Scored, horizon_ns: i64) -> Result<f64, NoMove> {
        let path = self.paths.get(&scored.key).ok_or(NoMove::Unpriced)?;
        let from = path.at(scored.ts_event.saturating_sub(horizon_ns))?;
        move_of(
            path.known(from),
            path.start_or_at(scored.start, scored.ts_event)?,
        )
    }

    /// Whether no price is known.
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

    /// What is known now.
    fn start(&self) -> StartPrice {
        StartPrice {
            price: self.points.last().and_then(|last| last.price),
            breaks: self.points.last().map_or(0, |last| last.breaks),
            is_mid: self.has_mids,
        }
    }

    /// What is known from the point of this index on.
    fn known(&self, at: usize) -> StartPrice {
        StartPrice {
            price: self.points[at].price,
            breaks: self.points[at].breaks,
            is_mid: self.has_mids,
        }
    }

    fn start_or_at(&self, start: Option<StartPrice>, ts: i64) -> Result<StartPrice, NoMove> {
        match start {
            // A trade is no price of an instrument that turned out to have mids.
            Some(start) if start.is_mid != self.has_mids => Err(NoMove::Unpriced),
            Some(start) => Ok(start),
            None => Ok(self.known(self.at(ts)?)),
        }
    }

    fn move_after(
        &self,
        start: Option<StartPrice>,
        ts: i64,
        horizon_ns: i64,
    ) -> Result<f64, NoMove> {
        let due = ts.saturating_add(horizon_ns);
        let from = self.start_or_at(start, ts)?;
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
        move_of(from, self.known(to))
    }
}

fn move_of(from: StartPrice, to: StartPrice) -> Result<f64, NoMove> {
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
        assert!(
            near(path.move_after(None, 0, 5), 200.0),
            "the last one of a time"
        );
        assert!(near(path.move_after(None, 0, 9), 200.0));
        assert!(near(path.move_after(None, 0, 10), 400.0));
        assert_eq!(path.move_after(None, 0, 11), Err(NoMove::BeyondEnd));
        assert_eq!(path.move_after(None, -1, 5), Err(NoMove::Unpriced));
    }

    #[test]
    fn a_move_begins_at_what_was_known_when_the_signal_was_made() {
        let mut path = path(&[(0, Some(100.0), 0)]);
        let start = path.start();
        for (now, mid) in [(0, 101.0), (5, 102.0), (6, 103.0)] {
            path.note(now, (Some(mid), None), 0);
        }
        let bps = path.move_after(Some(start), 0, 5).unwrap();
        assert!((bps - 200.0).abs() < 1e-9, "{bps}");
        let of_time = path.move_after(None, 0, 5).unwrap();
        assert!((of_time - 99.009_900_99).abs() < 1e-6, "{of_time}");
        let traded = StartPrice {
            is_mid: false,
            ..start
        };
        assert_eq!(path.move_after(Some(traded), 0, 5), Err(NoMove::Unpriced));
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
        assert_eq!(path.move_after(None, 0, 5), Err(NoMove::Unpriced));
        assert!(path.move_after(None, 0, 3).is_ok());
        // The silence after 6 is told by the event at 20: whoever looks from 10 does not know the price.
        assert_eq!(path.move_after(None, 0, 10), Err(NoMove::Broken));
        assert_eq!(path.move_after(None, 6, 16), Err(NoMove::Broken));
        assert!(path.move_after(None, 21, 1).is_ok());
    }

    #[test]
    fn trades_are_prices_where_there_is_no_mid() {
        let mut path = PricePath::default();
        for (now, traded) in [(0, Some(10.0)), (1, None), (2, Some(11.0)), (3, None)] {
            path.note(now, (None, traded), 0);
        }
        assert!((path.move_after(None, 0, 2).unwrap() - 1000.0).abs() < 1e-9);
        path.note(4, (Some(20.0), None), 0);
        assert_eq!(
            path.move_after(None, 0, 2),
            Err(NoMove::Unpriced),
            "mids are prices"
        );
    }
}
