//! Where reading a file ends, if what happens from some time on is not asked for.
//!
//! A file that was received as it happened ends at the first message behind that time, and a margin. Of any
//! other file nobody knows what comes further on: it may be sorted by instrument. It is read to its end, and
//! messages about later events are passed over unread. An archive whose rows are in order ends behind that
//! time.

use super::event_time::event_time;
use crate::frame::packed::times_of;
use crate::frame::split_stamp;
use crate::units::Nanos;

/// The time from which on events are not asked for.
#[derive(Clone, Copy, Debug)]
pub struct SpanEnd {
    /// Events before this time are asked for.
    to: Nanos,
    /// What is received or happens from this time on is of no use.
    end: Nanos,
    /// Whether a message that was received after the end told the time of its event.
    tells_times: bool,
}

/// What becomes of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineUse {
    /// It is read.
    Taken,
    /// It is passed over.
    PassedOver,
    /// Neither it nor any line behind it is read.
    Ended,
}

impl SpanEnd {
    /// Events before `to` are asked for, and these come within `margin` nanoseconds of their time.
    #[must_use]
    pub fn new(to: Nanos, margin: i64) -> Self {
        Self {
            to,
            end: Nanos(to.0.saturating_add(margin)),
            tells_times: false,
        }
    }

    /// What becomes of the next line.
    pub(super) fn use_of(&mut self, line: &[u8]) -> LineUse {
        let (stamp, message) = split_stamp(line);
        match stamp {
            Some(stamp) if stamp.ts_recv < self.end => LineUse::Taken,
            Some(stamp) => self.use_of_received(stamp.ts_recv, message),
            None => self.use_by_event(event_time(message)),
        }
    }

    /// What becomes of a row of an archive, whose rows may be known to be in order.
    pub(super) fn use_of_row(&self, row: &[u8], are_in_order: bool) -> LineUse {
        let Some((ts_event, ts_recv)) = times_of(row) else {
            return LineUse::Taken;
        };
        let is_over = match ts_recv {
            Nanos::UNDEFINED => ts_event >= self.end,
            ts_recv => ts_recv.since(self.end) >= DELAY_MAX_NS,
        };
        let is_time = Nanos::plausible(ts_event.0).is_ok();
        match is_over && are_in_order && is_time {
            true => LineUse::Ended,
            false => self.use_by_event(Some(ts_event).filter(|_| is_time)),
        }
    }

    /// What becomes of a record of a topic, which was received or written at a time. A partition ends at a
    /// record that was written as it happened, some time behind the end; of records that were written long
    /// after their events nobody knows the order.
    pub(super) fn use_of_record(&mut self, received: Option<Nanos>, message: &[u8]) -> LineUse {
        let is_behind = received.is_some_and(|received| received.since(self.end) >= DELAY_MAX_NS);
        let Some(ts) = event_time(message) else {
            return match is_behind && !self.tells_times {
                true => LineUse::Ended,
                false => LineUse::Taken,
            };
        };
        self.tells_times = true;
        let delay = received.map(|received| received.since(ts));
        let as_it_happened =
            delay.is_some_and(|delay| (-DELAY_MAX_NS..=DELAY_MAX_NS).contains(&delay));
        match is_behind && as_it_happened && ts >= self.to {
            true => LineUse::Ended,
            false => self.use_by_event(Some(ts)),
        }
    }

    /// What becomes of a message that was received after the end.
    fn use_of_received(&mut self, received: Nanos, message: &[u8]) -> LineUse {
        if message.starts_with(CONTROL) && !message.starts_with(BINARY) {
            return LineUse::Taken;
        }
        let Some(ts) = event_time(message) else {
            // Messages of which no time is known are of a venue, and were received as they were sent.
            let is_over = received.since(self.end) >= DELAY_MAX_NS && !self.tells_times;
            return if is_over {
                LineUse::Ended
            } else {
                LineUse::Taken
            };
        };
        self.tells_times = true;
        // Records that lay in a topic were received long after their events, in no order between partitions.
        let as_it_happened = received.since(ts) <= DELAY_MAX_NS;
        match as_it_happened && ts >= self.to {
            true => LineUse::Ended,
            false => self.use_by_event(Some(ts)),
        }
    }

    fn use_by_event(&self, ts: Option<Nanos>) -> LineUse {
        match ts.is_some_and(|ts| ts >= self.end) {
            true => LineUse::PassedOver,
            false => LineUse::Taken,
        }
    }
}

/// How our own notes begin: gaps, ticks, connections.
const CONTROL: &[u8] = b"{\"foretick\":";
/// How a binary message begins as it is written in a capture.
const BINARY: &[u8] = b"{\"foretick\":\"frame\"";
/// What is received later than this after its event was not received as it happened.
const DELAY_MAX_NS: i64 = 60_000_000_000;

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::source::file::{FileOptions, FileSource};
    use crate::tests::scratch::Scratch;

    const BEGAN: i64 = 1_700_000_000;

    /// The marks of the lines that are read of a file up to ten seconds after it begins, with a margin of
    /// two. A line is `(received, event, mark)`, in seconds.
    fn read(lines: &[(Option<i64>, Option<i64>, &str)]) -> Vec<String> {
        let line = |(received, event, mark): &(Option<i64>, Option<i64>, &str)| {
            let stamp = received.map(|at| format!("{}000000000 ", BEGAN + at));
            let ts = event.map(|at| format!(r#""ts_event":{}000000000,"#, BEGAN + at));
            let (stamp, ts) = (stamp.unwrap_or_default(), ts.unwrap_or_default());
            match mark.strip_prefix("tick") {
                Some(_) => format!("{stamp}{{\"foretick\":\"tick\",\"mark\":\"{mark}\"}}\n"),
                None => format!("{stamp}{{{ts}\"mark\":\"{mark}\"}}\n"),
            }
        };
        let scratch = Scratch::new();
        let text: String = lines.iter().map(line).collect();
        let path: PathBuf = scratch.write("lines", text);
        let end = SpanEnd::new(Nanos((BEGAN + 10) * 1_000_000_000), 2_000_000_000);
        let options = FileOptions {
            max_frame_bytes: 1_000,
            end: Some(end),
            ..FileOptions::default()
        };
        let mut source = FileSource::open_with(&[path], &options).unwrap();
        let mut marks = vec![];
        while let Some((_, bytes)) = source.next_frame().unwrap() {
            let text = String::from_utf8_lossy(bytes).into_owned();
            let mark = text.split("\"mark\":\"").nth(1).unwrap();
            marks.push(mark.split('"').next().unwrap().to_owned());
        }
        marks
    }

    #[test]
    fn a_capture_ends_behind_the_span() {
        let lines = [
            (Some(1), Some(1), "a"),
            (Some(11), Some(11), "b"),
            (Some(12), Some(9), "late"),
            (Some(13), Some(13), "end"),
            (Some(14), Some(9), "too late"),
        ];
        assert_eq!(read(&lines), ["a", "b", "late"]);
    }

    #[test]
    fn a_file_of_which_no_order_is_known_is_read_to_its_end() {
        let lines = [
            (None, Some(1), "a1"),
            (None, Some(11), "a2"),
            (None, Some(12), "passed over"),
            (None, Some(2), "b1"),
            (None, None, "no time"),
            (None, Some(99), "passed over"),
        ];
        assert_eq!(read(&lines), ["a1", "a2", "b1", "no time"]);
    }

    #[test]
    fn records_that_lay_in_a_topic_are_in_no_order() {
        let late = Some(100_000);
        let lines = [
            (late, Some(1), "a1"),
            (late, None, "tick"),
            (late, None, "unreadable"),
            (late, Some(12), "passed over"),
            (late, Some(2), "b1"),
            (Some(100_100), None, "unreadable too"),
        ];
        assert_eq!(
            read(&lines),
            ["a1", "tick", "unreadable", "b1", "unreadable too"]
        );
    }

    #[test]
    fn messages_without_a_known_time_end_a_capture_by_their_receive_time() {
        let lines = [
            (Some(1), None, "a"),
            (Some(71), None, "b"),
            (Some(90), None, "tick"),
            (Some(91), None, "end"),
            (Some(92), None, "tick too"),
        ];
        assert_eq!(read(&lines), ["a", "b", "tick"]);
    }
}
