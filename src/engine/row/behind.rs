//! Whether messages that lie behind what is known are copies, or the first of a venue that has begun to
//! number anew while its clock is behind.

use serde::{Deserialize, Serialize};

use crate::units::Nanos;

/// Messages in a row, each above the one before, that lie behind what is known.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Behind {
    run: u32,
    /// Number or time of the last of them.
    last: u64,
    /// When the first of them was received.
    since: i64,
}

impl Behind {
    /// Takes a message that lies behind; whether there have been so many, for so long, that they are no
    /// copies. A venue sends its last trades once more at the begin of a subscription, all at once.
    pub(super) fn is_sustained(&mut self, number: u64, received: Nanos) -> bool {
        match self.run > 0 && number > self.last {
            true => self.run += 1,
            false => (self.run, self.since) = (1, received.0),
        }
        self.last = number;
        let is_long =
            received != Nanos::UNDEFINED && received.0.saturating_sub(self.since) >= SUSTAINED_NS;
        let sustained = self.run >= RUN_MAX || is_long && self.run >= RUN_MIN;
        if sustained {
            *self = Self::default();
        }
        sustained
    }

    /// A message that is not behind ends the run.
    pub(super) fn end(&mut self) {
        self.run = 0;
    }
}

/// The fewest messages that are no copies, where they have come for [`SUSTAINED_NS`].
const RUN_MIN: u32 = 5;
/// Messages that are no copies, however fast they come: more than a venue sends at the begin of a
/// subscription.
const RUN_MAX: u32 = 2_000;
/// How long copies may come.
const SUSTAINED_NS: i64 = 2_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    #[test]
    fn a_burst_is_of_copies_and_a_run_that_lasts_is_not() {
        let mut behind = Behind::default();
        assert!((1..RUN_MAX).all(|at| !behind.is_sustained(u64::from(at), Nanos(7))));
        assert!(behind.is_sustained(9_000, Nanos(7)), "too many");
        let seconds: Vec<bool> = (0..5)
            .map(|at| behind.is_sustained(at, Nanos(at as i64 * SECOND)))
            .collect();
        assert_eq!(seconds, [false, false, false, false, true]);
        for at in 0..40_i64 {
            // The same message, again and again.
            assert!(!behind.is_sustained(3, Nanos(at * SECOND)));
        }
        for at in 0..40_i64 {
            behind.end();
            assert!(!behind.is_sustained(at as u64, Nanos(at * SECOND)));
        }
        assert!((0..40).all(|at| !behind.is_sustained(at, Nanos::UNDEFINED)));
    }
}
