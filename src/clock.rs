//! The one place that reads a clock. Everything behind `source` takes time as an argument.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::units::Nanos;

/// Wall-clock time, UTC.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the place")]
pub fn now() -> Nanos {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Nanos(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

/// Monotonic time, for durations within this process.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the place")]
pub fn instant() -> Instant {
    Instant::now()
}
