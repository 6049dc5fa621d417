//! When to connect again: at once, then later and later, and never beyond the venue's budget.
//!
//! Pure: time and luck come as arguments or from a seed; it does not sleep.

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

use super::WebsocketSettings;

/// Backoff with full jitter, and a budget of attempts within a window.
#[derive(Debug)]
pub(super) struct Redial {
    min: Duration,
    max: Duration,
    budget: usize,
    window: Duration,
    /// Retries since the last connection that held.
    retries: u32,
    dialled: VecDeque<Instant>,
    /// The venue asked us to stay away until then.
    not_before: Option<Instant>,
    luck: RandomState,
}

impl Redial {
    pub(super) fn new(settings: &WebsocketSettings) -> Self {
        Self {
            min: settings.backoff_min,
            max: settings.backoff_max,
            budget: settings.attempts_max.max(1),
            window: settings.attempts_window,
            retries: 0,
            dialled: VecDeque::new(),
            not_before: None,
            luck: RandomState::new(),
        }
    }

    /// How long to wait before the next attempt.
    pub(super) fn wait(&mut self, now: Instant) -> Duration {
        while self
            .dialled
            .front()
            .is_some_and(|&first| now.saturating_duration_since(first) >= self.window)
        {
            self.dialled.pop_front();
        }
        let budget = if self.dialled.len() < self.budget {
            Duration::ZERO
        } else {
            self.window - now.saturating_duration_since(self.dialled[0])
        };
        let asked = self
            .not_before
            .map_or(Duration::ZERO, |then| then.saturating_duration_since(now));
        budget.max(asked).max(jittered(&self.luck, self.ceiling()))
    }

    /// The venue says when to come back.
    pub(super) fn stay_away(&mut self, until: Instant) {
        self.not_before = Some(until);
    }

    /// An attempt is made now.
    pub(super) fn dialled(&mut self, now: Instant) {
        self.dialled.push_back(now);
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

/// A random part of `ceiling`; so that many clients of one server do not come back together.
pub(super) fn jittered(luck: &RandomState, ceiling: Duration) -> Duration {
    // The hash of the clock under a random key: no generator needed for a few waits an hour.
    let draw = luck.hash_one(crate::clock::now().0) >> 32;
    ceiling.mul_f64(draw as f64 / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redial() -> Redial {
        Redial::new(&WebsocketSettings {
            attempts_max: 3,
            ..WebsocketSettings::default()
        })
    }

    #[test]
    fn the_first_retry_comes_at_once_and_then_later() {
        let mut redial = redial();
        let failed = Duration::ZERO;
        assert_eq!(redial.ceiling(), Duration::ZERO);
        let ceilings: Vec<u64> = (0..8)
            .map(|_| {
                redial.ended(failed, false);
                redial.ceiling().as_secs()
            })
            .collect();
        assert_eq!(ceilings, [0, 1, 2, 4, 8, 16, 30, 30]);
        redial.ended(Duration::from_secs(31), false);
        assert_eq!(redial.ceiling(), Duration::ZERO);
    }

    #[test]
    fn the_budget_holds_back_even_the_first_retry() {
        let mut redial = redial();
        let begin = crate::clock::instant();
        for second in 0..3 {
            let now = begin + Duration::from_secs(second);
            assert_eq!(redial.wait(now), Duration::ZERO);
            redial.dialled(now);
        }
        let now = begin + Duration::from_secs(10);
        assert_eq!(redial.wait(now), Duration::from_secs(290));
        redial.stay_away(now + Duration::from_secs(291));
        assert_eq!(redial.wait(now), Duration::from_secs(291));
        redial.stay_away(now);
        assert_eq!(
            redial.wait(begin + Duration::from_secs(300)),
            Duration::ZERO
        );
    }
}
