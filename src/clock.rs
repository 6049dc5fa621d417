//! The only module that reads clocks. Everything behind `source` gets the time as an argument.

#[cfg(test)]
pub(crate) mod virtual_time;

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, clock_gettime};

use crate::units::Nanos;

/// Wall-clock time, UTC.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "only this module reads clocks")]
pub fn now() -> Nanos {
    #[cfg(test)]
    if let Some(now) = virtual_time::now() {
        return now;
    }
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Nanos(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

/// Monotonic time, for durations within this process.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "only this module reads clocks")]
pub fn instant() -> Instant {
    #[cfg(test)]
    if let Some(now) = virtual_time::instant() {
        return now;
    }
    Instant::now()
}

/// How long ago it was.
#[must_use]
pub fn elapsed(since: Instant) -> Duration {
    instant().saturating_duration_since(since)
}

/// Waits for so long.
pub fn sleep(time: Duration) {
    #[cfg(test)]
    if virtual_time::sleep(time) {
        return;
    }
    std::thread::sleep(time);
}

/// Processor time of the calling thread.
#[must_use]
pub fn thread_cpu() -> Duration {
    let taken = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(taken.tv_sec as u64, taken.tv_nsec as u32)
}
