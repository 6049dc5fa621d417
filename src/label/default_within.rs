//! Whether a firm fails within the horizon after its statement became known.

use rustc_hash::FxHashMap;

use super::point::LabelOutcome;
use crate::units::Nanos;

/// When firms failed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failures {
    /// The first failure of each firm that failed.
    first: FxHashMap<Box<str>, i64>,
    /// Up to when all failures are known.
    known_until: i64,
}

impl Failures {
    /// No failures yet, all known up to a time.
    #[must_use]
    pub fn known_until(until: Nanos) -> Self {
        Self {
            first: FxHashMap::default(),
            known_until: until.0,
        }
    }

    /// Adds a failure; the first of a firm counts.
    pub fn add(&mut self, firm: &str, ts: Nanos) {
        match self.first.get_mut(firm) {
            Some(first) => *first = ts.0.min(*first),
            None => {
                self.first.insert(firm.into(), ts.0);
            }
        }
    }

    /// What became of a firm in `horizon_ns` after `now`: none once it has failed, and where the horizon ends
    /// after the time up to which failures are known: only those that failed early would have labels.
    pub(super) fn after(&self, firm: &str, now: i64, horizon_ns: i64) -> Option<LabelOutcome> {
        let end = now.saturating_add(horizon_ns);
        let failed = self.first.get(firm).copied();
        if end > self.known_until || failed.is_some_and(|failed| failed <= now) {
            return None;
        }
        let within = failed.filter(|failed| *failed <= end);
        Some(LabelOutcome {
            class: Some(u8::from(within.is_some())),
            value: f64::from(u8::from(within.is_some())),
            end: Nanos(within.unwrap_or(end)),
        })
    }
}
