//! The speed of a replay.

use std::time::{Duration, Instant};

use crate::clock;
use crate::frame::Origin;
use crate::units::Nanos;

/// Waits so that frames come at the times of the recording, or at a multiple of its speed.
pub(super) struct Pace {
    speed: Option<f64>,
    start: Option<(Nanos, Instant)>,
}

impl Pace {
    pub(super) fn new(speed: Option<f64>) -> Self {
        Self { speed, start: None }
    }

    fn ahead(&mut self, origin: &Origin) -> Option<Duration> {
        let (speed, ts) = (self.speed?, received(origin)?);
        let (first, began) = *self.start.get_or_insert_with(|| (ts, clock::instant()));
        let due = Duration::from_nanos((ts.since(first).max(0) as f64 / speed) as u64);
        due.checked_sub(clock::instant().duration_since(began))
            .filter(|wait| !wait.is_zero())
    }

    /// Whether frames come at times of their own.
    pub(super) fn is_paced(&self) -> bool {
        self.speed.is_some()
    }

    /// Whether the frame is not due yet.
    pub(super) fn is_early(&mut self, origin: &Origin) -> bool {
        self.ahead(origin).is_some()
    }

    /// Waits until the frame is due.
    pub(super) fn wait(&mut self, origin: &Origin) {
        if let Some(wait) = self.ahead(origin) {
            std::thread::sleep(wait);
        }
    }
}

/// When a frame was received; none where the capture does not have it.
fn received(origin: &Origin) -> Option<Nanos> {
    (origin.ts_recv != Nanos::UNDEFINED).then_some(origin.ts_recv)
}
