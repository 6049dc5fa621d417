//! A frame: bytes as received, when, and from where.
//!
//! `ts_recv` is stamped once, in `source`. What the bytes mean is `decode`'s business.

pub mod binary;
pub mod packed;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::units::Nanos;

/// Bytes as received.
#[derive(Clone, Debug)]
pub struct Frame {
    /// When and from where.
    pub origin: Origin,
    /// The message, whole.
    pub bytes: Bytes,
}

/// Where a frame came from. A signal carries it, so that every signal can be traced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// When we received it, or what the capture says of that.
    pub ts_recv: Nanos,
    /// Number within its partition: Kafka's offset, the line of a file, the count of a connection's frames.
    pub offset: i64,
    /// Kafka's partition; elsewhere the number of a connection, or 0. Frames that a run makes itself have
    /// numbers of their own: [`TICKS`] and [`FETCHED`].
    pub partition: i32,
    /// Which topic, file or feed: an index into the names that the driver keeps.
    pub stream: u16,
    /// Whether its signals left too late to act on. A capture keeps the mark, so that a replay gives the same
    /// signals.
    pub late: bool,
    /// Whether it is from before the committed position and is read again only to rebuild state: its
    /// signals and dead letters are not written again, and its commands are not executed again.
    pub reprocessed: bool,
}

impl Origin {
    /// The position after this frame.
    #[must_use]
    pub fn after(&self) -> Position {
        Position {
            stream: self.stream,
            partition: self.partition,
            next: self.offset + 1,
        }
    }

    /// The same with the stamp of the capture, if there is one: its receive time replaces ours, and its marks
    /// are added.
    #[must_use]
    pub fn stamped(self, stamp: Option<CaptureStamp>) -> Self {
        let Some(stamp) = stamp else {
            return self;
        };
        Self {
            ts_recv: stamp.ts_recv,
            late: self.late || stamp.late,
            reprocessed: self.reprocessed || stamp.reprocessed,
            ..self
        }
    }
}

/// The partition of ticks of the clock.
pub const TICKS: i32 = -1;
/// The partition of snapshots that were fetched for books whose changes come from Kafka.
pub const FETCHED: i32 = -2;

/// How far a partition has been worked on: all of its frames before `next`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The stream: see [`Origin::stream`].
    pub stream: u16,
    /// Its partition.
    pub partition: i32,
    /// The offset after that of the last frame.
    pub next: i64,
}

impl Position {
    /// Adds the position to those of other partitions; it replaces one of its own partition.
    pub fn note(self, positions: &mut Vec<Self>) {
        let same =
            |other: &&mut Self| (other.stream, other.partition) == (self.stream, self.partition);
        match positions.iter_mut().find(same) {
            Some(earlier) => *earlier = self,
            None => positions.push(self),
        }
    }
}

/// Notes at the end of a frame that was cut how long it was: `…(cut from 5000000 bytes)`.
pub fn mark_cut(frame: &mut Vec<u8>, whole_bytes: usize) {
    frame.extend_from_slice(format!("{CUT}{whole_bytes}{CUT_END}").as_bytes());
}

/// The length of a frame; of one that was cut, the length that [`mark_cut`] noted.
#[must_use]
pub fn whole_length(frame: &[u8]) -> usize {
    let mark = frame.strip_suffix(CUT_END.as_bytes()).and_then(|rest| {
        let digits = rest.iter().rev().take_while(|byte| byte.is_ascii_digit());
        let (before, digits) = rest.split_at(rest.len() - digits.count());
        before.ends_with(CUT.as_bytes()).then_some(digits)
    });
    mark.and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok())
        .unwrap_or(frame.len())
}

const CUT: &str = "…(cut from ";
const CUT_END: &str = " bytes)";

/// What a line of a capture has before the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CaptureStamp {
    /// When it was received.
    pub ts_recv: Nanos,
    /// Whether its signals left too late: see [`Origin::late`].
    pub late: bool,
    /// Whether it was read again only to rebuild state: see [`Origin::reprocessed`].
    pub reprocessed: bool,
}

/// Splits a line of a capture into its stamp and the message: `ts_recv {…}`, with a blank or a tab
/// between them, `!` after the time of a late frame and `?` after that of a reprocessed one. Text
/// without a stamp is all message, and so is a line whose time is not plausible in nanoseconds.
#[must_use]
pub fn split_stamp(line: &[u8]) -> (Option<CaptureStamp>, &[u8]) {
    if !line.first().is_some_and(u8::is_ascii_digit) {
        return (None, line);
    }
    let digits = line.iter().take_while(|b| b.is_ascii_digit()).count();
    let late = line.get(digits) == Some(&b'!');
    let reprocessed = line.get(digits + usize::from(late)) == Some(&b'?');
    let end = digits + usize::from(late) + usize::from(reprocessed);
    if digits > STAMP_DIGITS_MAX || !matches!(line.get(end), Some(b' ' | b'\t')) {
        return (None, line);
    }
    let nanos = line[..digits].iter().try_fold(0_i64, |value, byte| {
        value.checked_mul(10)?.checked_add(i64::from(byte - b'0'))
    });
    let Some(Ok(ts_recv)) = nanos.map(Nanos::plausible) else {
        return (None, line);
    };
    let stamp = CaptureStamp {
        ts_recv,
        late,
        reprocessed,
    };
    (Some(stamp), line[end + 1..].trim_ascii_start())
}

/// What stands before a line's message, where the line begins as one of a capture does but has no stamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeadingTime {
    /// A number; without its fraction, if it has one.
    Number(i64),
    /// Anything else that begins with a digit and may be meant as a time: `2026-09-21T10:00:00Z`.
    Other,
}

/// What stands before a line's message, if the line begins as one of a capture does.
#[must_use]
pub fn leading_time(line: &[u8]) -> Option<LeadingTime> {
    let head = &line[..line.len().min(LEADING_BYTES_MAX)];
    let end = head.iter().position(|byte| matches!(byte, b'{' | b'['))?;
    let before = std::str::from_utf8(&head[..end]).ok()?;
    let written = before.trim_ascii_end();
    let may_be_time = |byte: u8| byte.is_ascii_digit() || b"-+:.TZtz !?\t".contains(&byte);
    if written.len() == before.len()
        || !written.starts_with(|first: char| first.is_ascii_digit())
        || !written.bytes().all(may_be_time)
    {
        return None;
    }
    let written = written.trim_end_matches(['!', '?']);
    let (whole, fraction) = written.split_once('.').unwrap_or((written, ""));
    let is_number = fraction.bytes().all(|byte| byte.is_ascii_digit());
    match whole.parse() {
        Ok(number) if is_number => Some(LeadingTime::Number(number)),
        _ => Some(LeadingTime::Other),
    }
}

/// What some editors and spreadsheets write before UTF-8.
pub const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Bytes within which the message begins behind what may be meant as a time.
const LEADING_BYTES_MAX: usize = 48;
/// Digits of the largest time.
const STAMP_DIGITS_MAX: usize = 19;
/// Bytes of the longest stamp: the digits, both marks, and a blank.
pub const STAMP_BYTES_MAX: usize = STAMP_DIGITS_MAX + "!? ".len();

#[cfg(test)]
impl Origin {
    /// The first frame of a stream, received at 5.
    pub(crate) fn of_test() -> Self {
        Self {
            ts_recv: Nanos(5),
            offset: 0,
            partition: 0,
            stream: 0,
            late: false,
            reprocessed: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_before_a_message_may_be_meant_as_a_time() {
        for (line, expected) in [
            ("1790000000 {}", Some(LeadingTime::Number(1_790_000_000))),
            (
                "1790000000.123456 {}",
                Some(LeadingTime::Number(1_790_000_000)),
            ),
            (
                "1790000000123!?\t[1]",
                Some(LeadingTime::Number(1_790_000_000_123)),
            ),
            ("2026-09-21T10:00:00Z {}", Some(LeadingTime::Other)),
            ("2026-09-21 10:00:00.5+02:00 {}", Some(LeadingTime::Other)),
            ("99999999999999999999 {}", Some(LeadingTime::Other)),
            ("5{}", None),
            ("5 apples {}", None),
            ("{}", None),
            ("5", None),
            ("", None),
        ] {
            assert_eq!(leading_time(line.as_bytes()), expected, "{line}");
        }
    }

    #[test]
    fn a_tab_may_stand_behind_a_stamp() {
        let (stamp, message) = split_stamp(b"1790000000000000000!\t{}");
        let stamp = stamp.expect("a stamp");
        assert_eq!(
            (stamp.ts_recv, stamp.late),
            (Nanos(1_790_000_000_000_000_000), true)
        );
        assert_eq!(message, b"{}");
    }
}
