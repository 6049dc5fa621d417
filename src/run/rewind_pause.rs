//! The pauses before a run begins again at the committed offsets.

use std::time::{Duration, Instant};

use crate::clock;

/// None at first; where the run fails again soon, longer and longer.
#[derive(Debug, Default)]
pub(super) struct RewindPause {
    last: Option<Instant>,
    pause: Duration,
}

impl RewindPause {
    /// The pause before the next beginning.
    pub(super) fn next(&mut self) -> Duration {
        let now = clock::instant();
        let is_soon = self.last.is_some_and(|last| now - last < SOON + self.pause);
        self.last = Some(now);
        self.pause = match is_soon {
            true => (self.pause * 2).clamp(FIRST, LONGEST),
            false => Duration::ZERO,
        };
        self.pause
    }
}

/// A failure so soon after the last one is one of the same trouble.
const SOON: Duration = Duration::from_secs(10);
const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(5);
