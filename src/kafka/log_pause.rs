//! When to log lasting trouble again: at once, and then less and less often.

use std::time::{Duration, Instant};

/// The pauses between two log lines about the same trouble.
#[derive(Debug)]
pub struct LogPause {
    next: Instant,
    pause: Duration,
}

impl LogPause {
    /// Trouble that is logged from now on.
    #[must_use]
    pub fn from(now: Instant) -> Self {
        Self {
            next: now,
            pause: FIRST,
        }
    }

    /// Whether to log it now.
    pub fn is_due(&mut self, now: Instant) -> bool {
        let is_due = now >= self.next;
        if is_due {
            self.next = now + self.pause;
            self.pause = (self.pause * 2).min(LAST);
        }
        is_due
    }
}

/// From the first pause, doubling, to the last.
const FIRST: Duration = Duration::from_secs(1);
const LAST: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    #[test]
    fn trouble_is_logged_less_and_less_often() {
        let begin = clock::instant();
        let mut pause = LogPause::from(begin);
        let logged = (0..=200).filter(|&s| pause.is_due(begin + Duration::from_secs(s)));
        assert_eq!(
            logged.collect::<Vec<_>>(),
            [0, 1, 3, 7, 15, 31, 63, 123, 183]
        );
    }
}
