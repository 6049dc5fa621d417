//! When to connect again: at once, then later and later.
//!
//! What the host allows is the business of [`super::host_limits`].

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// Backoff with full jitter.
#[derive(Debug)]
pub(super) struct ReconnectBackoff {
    min: Duration,
    max: Duration,
    /// Retries since the last connection that held.
    retries: u32,
    jitter: RandomState,
}

impl ReconnectBackoff {
    pub(super) fn new(min: Duration, max: Duration) -> Self {
        Self {
            min,
            max,
            retries: 0,
            jitter: RandomState::new(),
        }
    }

    /// How long to wait before the next attempt.
    pub(super) fn wait(&self) -> Duration {
        jittered(&self.jitter, self.ceiling())
    }

    /// A connection ended, or was never made, after `life`. One that ended because it was quiet has shown
    /// nothing against the next one.
    pub(super) fn ended(&mut self, life: Duration, was_quiet: bool) {
        if life > self.max || was_quiet {
            self.retries = 0;
        }
        self.retries += 1;
    }

    /// The longest the next wait may be: nothing for the first retry, then doubling.
    fn ceiling(&self) -> Duration {
        match self.retries {
            0 | 1 => Duration::ZERO,
            n => doubled(self.min, n - 2, self.max),
        }
    }
}

/// `min`, doubled so many times, and at most `max`.
pub(super) fn doubled(min: Duration, times: u32, max: Duration) -> Duration {
    min.saturating_mul(2_u32.saturating_pow(times.min(20)))
        .min(max)
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

    #[test]
    fn the_first_retry_comes_at_once_and_then_later() {
        let mut backoff = ReconnectBackoff::new(Duration::from_secs(1), Duration::from_secs(30));
        assert_eq!(backoff.ceiling(), Duration::ZERO);
        let ceilings: Vec<u64> = (0..8)
            .map(|_| {
                backoff.ended(Duration::ZERO, false);
                backoff.ceiling().as_secs()
            })
            .collect();
        assert_eq!(ceilings, [0, 1, 2, 4, 8, 16, 30, 30]);
        backoff.ended(Duration::from_secs(10), true);
        assert_eq!(backoff.ceiling(), Duration::ZERO, "it was quiet");
        backoff.ended(Duration::from_secs(1), false);
        assert_eq!(backoff.ceiling(), Duration::from_secs(1));
        backoff.ended(Duration::from_secs(31), false);
        assert_eq!(backoff.ceiling(), Duration::ZERO, "it held");
    }
}
