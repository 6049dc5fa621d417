//! Whether the time of an event is further ahead of its receive time than clocks differ.

use crate::event::{Batch, Body};
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

/// Whether one of the events from `first` on is too far ahead of the time at which its frame was received,
/// or of the receive time that the record has itself: a clock that is wrong writes both. Figures and
/// sentiment may come before their time: they count from then on, and hold no time.
pub(super) fn any_is_ahead(
    batch: &Batch,
    first: usize,
    of_frame: Nanos,
    max_ahead_ns: i64,
) -> bool {
    let origin = batch.origins.last();
    let of_record = origin.map_or(Nanos::UNDEFINED, |origin| origin.ts_recv);
    let mut events = batch.events[first..].iter();
    events.any(|event| {
        is_ahead(event.ts_event, [of_frame, of_record], max_ahead_ns)
            && !matches!(event.body, Body::Figure(_) | Body::Sentiment(_))
    })
}
