//! What a node remembers between events, and the recursive formulas that need it.
//!
//! A value that is undefined (see [`is_defined`]) enters no average: it makes its own row incomplete, and
//! the average goes on as if it had not come (pandas: `ewm(ignore_na=True)`). Returns to it and from it are
//! undefined too.

use serde::{Deserialize, Serialize};

/// What a node remembers between events.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Memory {
    /// Values taken so far.
    pub(super) count: u64,
    last: f64,
    last_time: i64,
}

/// Whether a value may enter windows and averages: finite, and small enough that squares and sums of it are.
pub(super) fn is_defined(value: f64) -> bool {
    value.abs() < 1e150
}

impl Memory {
    /// ln(value / value before); `None` at the first value. There is no return to a value that is undefined,
    /// zero or negative, nor from it.
    pub(super) fn log_return(&mut self, value: f64) -> Option<f64> {
        let before = std::mem::replace(&mut self.last, value);
        self.count += 1;
        let positive = |value: f64| is_defined(value) && value > 0.0;
        (self.count > 1).then(|| {
            if positive(before) && positive(value) {
                libm::log(value / before)
            } else {
                f64::NAN
            }
        })
    }

    /// Seconds since the call before; `None` at the first.
    pub(super) fn since_last(&mut self, now: i64) -> Option<f64> {
        let before = self.last_time(now);
        before.map(|before| (now - before) as f64 * 1e-9)
    }

    /// The time of the call before; `None` at the first.
    pub(super) fn last_time(&mut self, now: i64) -> Option<i64> {
        let before = std::mem::replace(&mut self.last_time, now);
        self.count += 1;
        (self.count > 1).then_some(before)
    }

    /// The exponential moving average with this value.
    pub(super) fn ema(&mut self, value: f64, alpha: f64) -> f64 {
        if !is_defined(value) {
            return f64::NAN;
        }
        self.last = if self.count == 0 {
            value
        } else {
            self.last + alpha * (value - self.last)
        };
        self.count += 1;
        self.last
    }

    /// The average whose values count half after `half_life` nanoseconds, with this value.
    pub(super) fn decaying_ema(&mut self, value: f64, now: i64, half_life: i64) -> f64 {
        if !is_defined(value) {
            return f64::NAN;
        }
        let age = (now - self.last_time) as f64 / half_life as f64;
        self.last_time = now;
        let alpha = 1.0 - libm::exp(-std::f64::consts::LN_2 * age);
        self.ema(value, alpha)
    }
}
