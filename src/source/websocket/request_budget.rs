//! How many requests a venue allows within a window of time.
//!
//! Pure: time comes as an argument.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// A budget of requests, each of some cost, within a sliding window.
#[derive(Debug)]
pub(super) struct RequestBudget {
    max: u32,
    window: Duration,
    spent: VecDeque<(Instant, u32)>,
    /// When the last request that had to wait could be made.
    waited_until: Option<Instant>,
}

impl RequestBudget {
    pub(super) fn new(max: u32, window: Duration) -> Self {
        Self {
            max: max.max(1),
            window,
            spent: VecDeque::new(),
            waited_until: None,
        }
    }

    /// How long to wait before a request of this cost. One that costs more than the whole budget waits until
    /// nothing else counts.
    pub(super) fn wait(&mut self, now: Instant, cost: u32) -> Duration {
        while self
            .spent
            .front()
            .is_some_and(|&(at, _)| now.saturating_duration_since(at) >= self.window)
        {
            self.spent.pop_front();
        }
        let spent: u32 = self.spent.iter().map(|&(_, cost)| cost).sum();
        let mut excess = spent
            .saturating_add(cost)
            .saturating_sub(self.max)
            .min(spent);
        for &(at, cost) in &self.spent {
            if excess == 0 {
                break;
            }
            excess = excess.saturating_sub(cost);
            if excess == 0 {
                return self.window - now.saturating_duration_since(at);
            }
        }
        Duration::ZERO
    }

    /// Whether the budget becomes exhausted with a request that must wait so long. It stays so until no
    /// request has had to wait for a whole window.
    pub(super) fn becomes_exhausted(&mut self, now: Instant, wait: Duration) -> bool {
        if wait.is_zero() {
            return false;
        }
        let before = self.waited_until.replace(now + wait);
        before.is_none_or(|until| now.saturating_duration_since(until) >= self.window)
    }

    /// A request of this cost is made now.
    pub(super) fn spend(&mut self, now: Instant, cost: u32) {
        self.spent.push_back((now, cost));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_waits_until_enough_of_the_budget_is_free() {
        let mut budget = RequestBudget::new(1_000, Duration::from_secs(60));
        let begin = crate::clock::instant();
        let at = |second| begin + Duration::from_secs(second);
        for second in 0..4 {
            assert_eq!(budget.wait(at(second), 250), Duration::ZERO);
            budget.spend(at(second), 250);
        }
        assert_eq!(budget.wait(at(10), 250), Duration::from_secs(50));
        assert_eq!(budget.wait(at(10), 500), Duration::from_secs(51));
        assert_eq!(budget.wait(at(10), 5_000), Duration::from_secs(53));
        assert_eq!(budget.wait(at(60), 250), Duration::ZERO);
    }

    #[test]
    fn an_exhaustion_is_told_once() {
        let mut budget = RequestBudget::new(500, Duration::from_secs(60));
        let begin = crate::clock::instant();
        let told = [0, 0, 0, 60, 60, 300, 300, 300].map(|second| {
            let now = begin + Duration::from_secs(second);
            let wait = budget.wait(now, 250);
            budget.spend(now + wait, 250);
            budget.becomes_exhausted(now, wait)
        });
        // The fifth waits too, as the third did; that of a later time is told again.
        let expected = [false, false, true, false, false, false, false, true];
        assert_eq!(told, expected);
    }
}
