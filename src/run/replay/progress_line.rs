//! The line on a terminal that a long replay updates.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use crate::clock;

/// Shows on a terminal how many frames have been read.
pub(super) struct ProgressLine {
    next: Option<Instant>,
}

impl ProgressLine {
    pub(super) fn new() -> Self {
        let next = std::io::stderr()
            .is_terminal()
            .then(|| clock::instant() + Self::EVERY);
        Self { next }
    }

    const EVERY: Duration = Duration::from_secs(1);

    /// Shows the number of frames, once a second at most.
    pub(super) fn show(&mut self, frames: u64) {
        let Some(next) = self.next else { return };
        let now = clock::instant();
        if now >= next {
            self.next = Some(now + Self::EVERY);
            eprint!("\r{frames} frames\r");
        }
    }
}
