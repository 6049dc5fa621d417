//! Signals on their way: what the model has still to score.

use super::row::Row;
use crate::event::Batch;
use crate::signal::quality::Quality;
use crate::signal::{Latency, MAX_OUTPUTS, Reason, Signal};
use crate::units::Nanos;

/// A signal that waits for its scores.
#[derive(Debug)]
pub(super) struct PendingSignal {
    pub(super) row: Row,
    /// Index of its frame in the batch.
    pub(super) frame: u32,
    pub(super) scores: ScoreSource,
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
}

impl PendingSignal {
    /// Whether it is the scored headline of this item and frame.
    pub(super) fn is_score_of(&self, frame: u32, item: Option<u64>) -> bool {
        self.scores != ScoreSource::Withdrawal && (self.frame, self.row.item) == (frame, item)
    }

    /// The signal with these outputs and reasons.
    pub(super) fn signal(
        &self,
        outputs: [f64; MAX_OUTPUTS],
        reasons: &[f64],
        batch: &Batch,
    ) -> Signal {
        let mut origin = batch.origins[self.frame as usize];
        if origin.ts_recv == Nanos::UNDEFINED {
            origin.ts_recv = self.row.ts_event;
        }
        let quality = if origin.late {
            self.row.quality.max(Quality::Degraded)
        } else {
            self.row.quality
        };
        Signal {
            instrument: self.row.instrument,
            ts_event: self.row.ts_event,
            ts_out: Nanos::UNDEFINED,
            model: 0,
            outputs,
            quality,
            reasons: Reason::strongest(reasons),
            average: None,
            item: self.row.item,
            period: self.row.period,
            last_price: self.row.price,
            origin,
            latency: Latency::default(),
        }
    }
}
