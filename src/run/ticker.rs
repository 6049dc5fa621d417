//! The ticks of the clock for a shard that reads Kafka: time as data, so that silence is noticed.
//!
//! A websocket source sends one tick to all shards, with the time of the wall clock. A topic may hold records
//! of years ago, which a tick of the wall clock would all show as silent; and partitions are not read at
//! the same pace. So each shard has ticks of its own, whose time is that up to which it has received: the
//! largest receive time of its frames, and the time that has passed since its ring was last seen with frames.
//! For live data that is the wall clock; over old records it stands still until they end. A tick never
//! overtakes a frame: it stands before those that wait, with the time of those that went before.
//!
//! Reads no clock by itself.

use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::frame::{Frame, Origin, TICKS};
use crate::units::Nanos;

/// When the next tick is due, and its time.
#[derive(Debug)]
pub(super) struct Ticker {
    every: Duration,
    due: Instant,
    /// The largest receive time of the frames so far; none before the first.
    received: Option<Nanos>,
    /// Whether the newest of them was read again only to rebuild state.
    reprocessed: bool,
    /// When the ring was last seen with frames.
    heard: Instant,
    /// The time of the last tick.
    last: Nanos,
}

impl Ticker {
    pub(super) fn new(every: Duration, now: Instant) -> Self {
        Self {
            every,
            due: now + every,
            received: None,
            reprocessed: false,
            heard: now,
            last: Nanos(i64::MIN),
        }
    }

    /// The ring had frames at `now`.
    pub(super) fn heard(&mut self, now: Instant) {
        self.heard = now;
    }

    /// Takes the origins of frames that were worked on, by the wall clock `now`: a receive time ahead of it
    /// is of a clock that is wrong.
    pub(super) fn note(&mut self, origins: &[Origin], now: Nanos) {
        for origin in origins.iter().filter(|origin| origin.partition >= 0) {
            if origin.ts_recv != Nanos::UNDEFINED {
                self.received = self.received.max(Some(origin.ts_recv.min(now)));
                self.reprocessed = origin.reprocessed;
            }
        }
    }

    /// The tick, where one is due and time has gone on. `waits` says whether frames wait that are worked on
    /// behind it.
    pub(super) fn tick(&mut self, now: Instant, waits: bool) -> Option<Frame> {
        if now < self.due {
            return None;
        }
        self.due = now + self.every;
        let silence = match waits {
            true => Duration::ZERO,
            false => now.saturating_duration_since(self.heard),
        };
        let passed = i64::try_from(silence.as_nanos()).unwrap_or(i64::MAX);
        let ts = Nanos(self.received?.0.saturating_add(passed));
        if ts <= self.last {
            return None;
        }
        self.last = ts;
        // Its number is its time, so that no later run of the pipeline has another tick of that number.
        let origin = Origin {
            ts_recv: ts,
            offset: ts.0,
            partition: TICKS,
            stream: 0,
            late: false,
            reprocessed: self.reprocessed && silence < self.every,
        };
        let bytes = Bytes::from(format!("{{\"foretick\":\"tick\",\"ts\":{}}}", ts.0));
        Some(Frame { origin, bytes })
    }
}

/// Whether a frame is a tick of the clock of a run.
pub(super) fn is_tick(origin: &Origin) -> bool {
    origin.partition == TICKS
}

/// The tick as a capture of several shards holds it: it is the clock of this instrument alone.
pub(super) fn tick_of(origin: Origin, instrument: &str) -> Frame {
    let tick =
        serde_json::json!({"foretick": "tick", "ts": origin.ts_recv.0, "symbol": instrument});
    Frame {
        origin,
        bytes: Bytes::from(tick.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    const SECOND: i64 = 1_000_000_000;

    fn times(frames: &[Option<Frame>]) -> Vec<Option<i64>> {
        let time = |frame: &Option<Frame>| Some(frame.as_ref()?.origin.ts_recv.0 / SECOND);
        frames.iter().map(time).collect()
    }

    #[test]
    fn old_records_hold_time_until_they_end() {
        let begin = clock::instant();
        let at = |second| begin + Duration::from_secs(second);
        let old = |second: i64| Origin {
            ts_recv: Nanos(second * SECOND),
            ..Origin::of_test()
        };
        let wall = Nanos(1_790_000_000 * SECOND);
        let mut ticker = Ticker::new(Duration::from_secs(1), begin);
        let before = ticker.tick(at(1), false);
        ticker.heard(at(2));
        ticker.note(&[old(100), old(103), old(102)], wall);
        let while_they_flow = [ticker.tick(at(2), true), ticker.tick(at(3), true)];
        ticker.note(&[old(140)], wall);
        ticker.heard(at(4));
        let then = [ticker.tick(at(4), true), ticker.tick(at(4), true)];
        let in_silence = [ticker.tick(at(9), false), ticker.tick(at(14), false)];
        assert_eq!(times(&[before]), [None], "nothing was received");
        assert_eq!(times(&while_they_flow), [Some(103), None]);
        assert_eq!(times(&then), [Some(140), None], "it is due once a second");
        assert_eq!(times(&in_silence), [Some(145), Some(150)]);
        // A record of before the silence came late: time does not go back.
        ticker.note(&[old(141)], wall);
        ticker.heard(at(15));
        assert_eq!(times(&[ticker.tick(at(16), false)]), [None]);
        // A clock that is ahead of ours says nothing.
        ticker.note(&[old(2 * 1_790_000_000)], wall);
        assert_eq!(times(&[ticker.tick(at(17), true)]), [Some(1_790_000_000)]);
    }

    #[test]
    fn ticks_between_records_that_are_read_again_publish_nothing() {
        let begin = clock::instant();
        let mut ticker = Ticker::new(Duration::from_secs(1), begin);
        let again = Origin {
            reprocessed: true,
            ..Origin::of_test()
        };
        ticker.note(&[again], Nanos(SECOND));
        let at = |second| begin + Duration::from_secs(second);
        let marks = [(1, true), (9, false)].map(|(second, waits)| {
            let tick = ticker.tick(at(second), waits).expect("one is due");
            tick.origin.reprocessed
        });
        assert_eq!(marks, [true, false]);
    }
}
