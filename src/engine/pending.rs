//! Signals on their way: what the model has still to score.

use super::row::Row;
use crate::event::Batch;
use crate::frame::Origin;
use crate::signal::{Latency, MAX_OUTPUTS, Reason, Signal};
use crate::units::Nanos;

/// A signal that waits for its scores.
#[derive(Debug)]
pub(super) struct PendingSignal {
    pub(super) row: Row,
    /// Index of its frame in the batch.
    pub(super) frame: u32,
    /// Which event of its instrument within the frame it is of.
    pub(super) part: u16,
    pub(super) scores: ScoreSource,
    /// Where signals are corrected: its number among the revisions, from 1; else 0.
    pub(super) revision: u32,
}

/// Where a pending signal gets its scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ScoreSource {
    /// From the next window that the model scores.
    OwnWindow,
    /// From the same window as the pending signal before it: a headline about several instruments.
    SharedWindow,
    /// It becomes no signal: an item is withdrawn from an instrument's average, after what came before it.
    Withdrawal,
    /// From the signal that it takes back.
    TakenBack,
}

impl PendingSignal {
    /// The signal of a row that the event of this number makes.
    pub(super) fn of(row: Row, batch: &Batch, number: usize, scores: ScoreSource) -> Self {
        Self {
            row,
            frame: batch.events[number].frame,
            part: part_of(batch, number),
            scores,
            revision: 0,
        }
    }

    /// Whether it is the scored headline of this item and frame.
    pub(super) fn is_score_of(&self, frame: u32, item: Option<u64>) -> bool {
        self.scores != ScoreSource::Withdrawal && (self.frame, self.row.item) == (frame, item)
    }

    /// The signal of this frame with these outputs and reasons.
    pub(super) fn signal(
        &self,
        outputs: [f64; MAX_OUTPUTS],
        reasons: &[f64],
        mut origin: Origin,
    ) -> Signal {
        if origin.ts_recv == Nanos::UNDEFINED {
            origin.ts_recv = self.row.ts_event;
        }
        Signal {
            instrument: self.row.instrument,
            ts_event: self.row.ts_event,
            ts_out: Nanos::UNDEFINED,
            model: 0,
            outputs,
            quality: self.row.quality,
            reasons: Reason::strongest(reasons),
            average: None,
            item: self.row.item,
            period: self.row.period,
            last_price: self.row.price,
            origin,
            part: self.part,
            revision: 0,
            latency: Latency::default(),
        }
    }
}

/// Which event of its instrument within its frame the event of this number is, from 0.
pub(super) fn part_of(batch: &Batch, number: usize) -> u16 {
    let event = &batch.events[number];
    let before = batch.events[..number].iter().rev();
    let of_frame = before.take_while(|other| other.frame == event.frame);
    let own = of_frame.filter(|other| other.instrument == event.instrument);
    u16::try_from(own.count()).unwrap_or(u16::MAX)
}
