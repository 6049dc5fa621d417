//! How far an instrument's events are ahead of the time at which they are received, so that a single event
//! from the future does not advance time.

use serde::{Deserialize, Serialize};

use crate::units::Nanos;

/// How far the last events were ahead.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct ClockLead {
    /// Nanoseconds by which the venue's clock may be ahead of ours; never below 0.
    known: i64,
    /// Events in a row that were further ahead.
    odd: u8,
}

impl ClockLead {
    /// Whether the time of an event can be believed: it is not much further ahead of its receive time than
    /// those before, or the third in a row that is.
    pub(super) fn believes(&mut self, ts: Nanos, received: Nanos) -> bool {
        // An undefined time is the largest. A receive time of a clock that was not set says nothing.
        let lead = ts.0.saturating_sub(received.0);
        if lead <= self.known.saturating_add(JUMP_NS) {
            self.odd = 0;
            // A clock that is put right is believed at once.
            self.known = self.known.min(lead.max(0));
            return true;
        }
        if Nanos::plausible(received.0).is_err() {
            return true;
        }
        self.odd += 1;
        let is_right = self.odd == ODD_MAX;
        if is_right {
            *self = Self {
                known: lead,
                odd: 0,
            };
        }
        is_right
    }
}

/// How much further ahead than those before an event may be.
const JUMP_NS: i64 = 10_000_000_000;
/// So many events in a row are not wrong by chance.
const ODD_MAX: u8 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_700_000_000_000_000_000;
    const SECOND: i64 = 1_000_000_000;

    fn believed(lead: &mut ClockLead, seconds: &[i64]) -> Vec<bool> {
        let believes = |&ahead| lead.believes(Nanos(NOW + ahead * SECOND), Nanos(NOW));
        seconds.iter().map(believes).collect()
    }

    #[test]
    fn one_event_from_the_future_is_not_believed_and_three_are() {
        let mut lead = ClockLead::default();
        assert_eq!(
            believed(&mut lead, &[0, -90, 9, 300, 1, 300, 300, 300, 301, 0, 300]),
            [
                true, true, true, false, true, false, false, true, true, true, false
            ]
        );
    }

    #[test]
    fn times_are_not_held_against_a_clock_that_is_not_set() {
        let mut lead = ClockLead::default();
        for received in [Nanos::UNDEFINED, Nanos(5 * SECOND)] {
            assert!(lead.believes(Nanos(NOW), received));
        }
        assert!(lead.believes(Nanos::UNDEFINED, Nanos::UNDEFINED));
    }
}
