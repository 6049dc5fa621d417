//! Whether the time of an event is further ahead of its receive time than clocks differ.

use crate::units::Nanos;

/// How far the time of an event may be ahead of its receive time, in nanoseconds, where nothing else is
/// said: a day, for senders that write dates alone.
pub const AHEAD_NS: i64 = 86_400_000_000_000;

/// Whether an event at `ts_event` that was received at `ts_recv` is more than `max_ahead_ns` ahead. Where
/// there is no receive time, or our own clock was not set, nothing can be said.
pub(super) fn is_ahead(ts_event: Nanos, ts_recv: Nanos, max_ahead_ns: i64) -> bool {
    // An undefined receive time is the largest.
    ts_event.since(ts_recv) > max_ahead_ns
        && ts_event != Nanos::UNDEFINED
        && Nanos::plausible(ts_recv.0).is_ok()
}
