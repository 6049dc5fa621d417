//! The PDs of an obligor that a rule on the change may still compare with.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::observation::Observation;
use crate::units::Nanos;

/// Observations of the time that a rule looks back, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Past(VecDeque<Observation>);

/// Observations kept, each with its own time, of the time that a rule looks back.
const EXACT_MAX: usize = 1_024;
/// Where more come, those closer to each other than this part of the time become one, so that the rule may
/// compare with one that is younger by as much: a day and a half in a year.
const THINNED_MAX: i64 = 256;

impl Past {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// The PD that was known at this time.
    pub(super) fn pd_at(&self, then: Nanos) -> Option<f64> {
        let known = self.0.iter().take_while(|known| known.ts <= then);
        known.last().map(|known| known.pd)
    }

    /// The first time after `now` at which the PD of `lookback` before becomes another one.
    pub(super) fn next_change(&self, now: Nanos, lookback: i64) -> Option<Nanos> {
        let due = |known: &Observation| Nanos(known.ts.0.saturating_add(lookback));
        self.0.iter().map(due).find(|due| *due > now)
    }

    /// Keeps an observation, and of those before it the ones that may still be compared with at `now`.
    pub(super) fn keep(&mut self, observation: Observation, now: Nanos, lookback: i64) {
        let then = Nanos(now.0.saturating_sub(lookback));
        while self.0.get(1).is_some_and(|second| second.ts <= then) {
            self.0.pop_front();
        }
        let is_full = self.0.len() >= EXACT_MAX;
        let is_close = |newest: &Observation| {
            let apart = observation.ts.since(newest.ts);
            apart == 0 || is_full && apart <= lookback / THINNED_MAX
        };
        match self.0.back_mut() {
            Some(newest) if newest.pd == observation.pd => {}
            // One that comes soon after another takes its place, and its time.
            Some(newest) if is_close(newest) => newest.pd = observation.pd,
            _ => self.0.push_back(observation),
        }
    }
}
