//! Whether the time of an event is further ahead of its receive time than clocks differ.

use crate::units::Nanos;

/// How far the time of an event may be ahead of its receive time, in nanoseconds, where nothing else is
/// said: a day, for senders that write dates alone.
pub const AHEAD_NS: i64 = 86_400_000_000_000;

/// Whether an event at `ts_event` is more than `max_ahead_ns` ahead of one of these receive times: that
/// of its frame and that of its record. A receive time that is unknown, or of a clock that was not set,
/// says nothing.
pub(super) fn is_ahead(ts_event: Nanos, received: [Nanos; 2], max_ahead_ns: i64) -> bool {
    // An undefined receive time is the largest.
    ts_event != Nanos::UNDEFINED
        && received.iter().any(|&ts_recv| {
            ts_event.since(ts_recv) > max_ahead_ns && Nanos::plausible(ts_recv.0).is_ok()
        })
}
