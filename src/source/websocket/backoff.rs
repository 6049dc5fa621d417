//! When to connect again: at once, then later and later, and never beyond the venue's budget.
//!
//! Time comes as an argument; it does not sleep.

use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

use super::request_budget::RequestBudget;
use super::settings::WebsocketSettings;

/// Backoff with full jitter, and a budget of attempts within a window.
#[derive(Debug)]
pub(super) struct ReconnectBackoff {
    min: Duration,
    max: Duration,
    budget: RequestBudget,
    /// Retries since the last connection that held.
    retries: u32,
    /// The venue demands that we stay away until then.
    not_before: Option<Instant>,
    jitter: RandomState,
}

impl ReconnectBackoff {
    pub(super) fn new(settings: &WebsocketSettings) -> Self {
        Self {
            min: settings.backoff_min,
            max: settings.backoff_max,
            budget: RequestBudget::new(settings.attempts_max, settings.attempts_window),
            retries: 0,
            not_before: None,
            jitter: RandomState::new(),
        }
    }

    /// How long to wait before the next attempt.
    pub(super) fn wait(&mut self, now: Instant) -> Duration {
        let budget = self.budget.wait(now, 1);
        let demanded = self
            .not_before
            .map_or(Duration::ZERO, |then| then.saturating_duration_since(now));
        budget
            .max(demanded)
            .max(jittered(&self.jitter, self.ceiling()))
    }

    /// The venue demands that we stay away until then.
    pub(super) fn stay_away(&mut self, until: Instant) {
        self.not_before = Some(until);
    }

    /// An attempt is made now.
    pub(super) fn attempt(&mut self, now: Instant) {
        self.budget.spend(now, 1);
    }

    /// A connection ended, or was never made, after `life`.
    pub(super) fn ended(&mut self, life: Duration, planned: bool) {
        if planned || life > self.max {
            self.retries = 0;
        }
        self.retries += 1;
    }

    /// The longest the next wait may be: nothing for the first retry, then doubling.
    fn ceiling(&self) -> Duration {
        match self.retries {
            0 | 1 => Duration::ZERO,
            n => (self.min * 2_u32.saturating_pow((n - 2).min(20))).min(self.max),
        }
    }
}

/// A random part of `ceiling`, so that many clients of one server do not come back together.
pub(super) fn jittered(jitter: &RandomState, ceiling: Duration) -> Duration {
    // The hash of the clock under a random key: no generator is needed for a few waits an hour.
    let draw = jitter.hash_one(crate::clock::now().0) >> 32;
    ceiling.mul_f64(draw as f64 / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::venues::Venues;

    fn backoff() -> ReconnectBackoff {
        let venue = Venues::default().named("BINANCE").unwrap();
        ReconnectBackoff::new(&WebsocketSettings {
            attempts_max: 3,
            ..WebsocketSettings::new(venue)
        })
    }

    #[test]
    fn the_first_retry_comes_at_once_and_then_later() {
        let mut backoff = backoff();
        let failed = Duration::ZERO;
        assert_eq!(backoff.ceiling(), Duration::ZERO);
        let ceilings: Vec<u64> = (0..8)
            .map(|_| {
                backoff.ended(failed, false);
                backoff.ceiling().as_secs()
            })
            .collect();
        assert_eq!(ceilings, [0, 1, 2, 4, 8, 16, 30, 30]);
        backoff.ended(Duration::from_secs(31), false);
        assert_eq!(backoff.ceiling(), Duration::ZERO);
    }

    #[test]
    fn the_budget_delays_even_the_first_retry() {
        let mut backoff = backoff();
        let begin = crate::clock::instant();
        for second in 0..3 {
            let now = begin + Duration::from_secs(second);
            assert_eq!(backoff.wait(now), Duration::ZERO);
            backoff.attempt(now);
        }
        let now = begin + Duration::from_secs(10);
        assert_eq!(backoff.wait(now), Duration::from_secs(290));
        backoff.stay_away(now + Duration::from_secs(291));
        assert_eq!(backoff.wait(now), Duration::from_secs(291));
        backoff.stay_away(now);
        assert_eq!(
            backoff.wait(begin + Duration::from_secs(300)),
            Duration::ZERO
        );
    }
}
