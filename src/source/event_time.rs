//! The time of an event in a message that is not decoded, and whether it is far ahead of the messages
//! around it.
//!
//! Files without receive times, and several Kafka topics, are read in the order of these times.

use crate::decode::text::{Raw, members};
use crate::time::parse_time;
use crate::units::Nanos;

/// The time of the event of a message: `ts_event`, or the venue's `T` or `E`. None where it has no
/// plausible one.
pub(super) fn event_time(message: &[u8]) -> Option<Nanos> {
    if let Some(rest) = message.strip_prefix(b"{\"ts_event\":")
        && rest
            .get(NANOS_DIGITS)
            .is_some_and(|byte| !byte.is_ascii_digit())
        && let Some(nanos) = digits(&rest[..NANOS_DIGITS])
    {
        return Nanos::plausible(nanos).ok();
    }
    members(message).find_map(|(key, value)| match key.is("data") {
        true => members(value.0).find_map(|(key, value)| venue_time(key, value)),
        false if key.is("ts_event") => Some(written_time(value)),
        false => venue_time(key, value),
    })?
}

/// Digits of a time in nanoseconds since the year 2001.
const NANOS_DIGITS: usize = 19;

fn digits(text: &[u8]) -> Option<i64> {
    text.iter().try_fold(0_i64, |value, byte| {
        let digit = byte.wrapping_sub(b'0');
        (digit < 10).then(|| value.checked_mul(10)?.checked_add(i64::from(digit)))?
    })
}

fn written_time(value: Raw<'_>) -> Option<Nanos> {
    match value.text() {
        Some(text) => parse_time(&text).ok(),
        None => Nanos::plausible(digits(value.0)?).ok(),
    }
}

/// Milliseconds or microseconds under `T` or `E`, whichever comes first; the inner option is none where
/// they are not plausible.
fn venue_time(key: Raw<'_>, value: Raw<'_>) -> Option<Option<Nanos>> {
    if !key.is("T") && !key.is("E") {
        return None;
    }
    let time = digits(value.0)?;
    let nanos = |scale| Nanos::plausible(time.checked_mul(scale)?).ok();
    Some(nanos(1_000_000).or_else(|| nanos(1_000)))
}

/// Finds lines whose time is far ahead of the lines around them.
#[derive(Debug, Default)]
pub(super) struct JumpCheck {
    /// How far ahead is too far; none where times are not compared.
    pub(super) max_jump_ns: Option<i64>,
    /// The time of the last line that was not too far ahead, or of a line that began like it.
    last: Option<Nanos>,
    /// How the last line began, if the time came first.
    beginning: [u8; BEGINNING],
}

/// Bytes of `{"ts_event":` and seven of nineteen digits: lines that begin alike are within 10¹² ns, 17
/// minutes.
const BEGINNING: usize = b"{\"ts_event\":".len() + 7;
/// Where this is the limit or more, lines that begin alike need no further look.
const COARSE_NS: i64 = 3_600_000_000_000;

impl JumpCheck {
    /// Whether a line is so far ahead of the line before that the next one must be asked.
    pub(super) fn is_jump(&mut self, line: &[u8]) -> bool {
        let Some(max_jump) = self.max_jump_ns else {
            return false;
        };
        let beginning = line.first_chunk::<BEGINNING>();
        if beginning == Some(&self.beginning) {
            return false;
        }
        let Some(time) = event_time(line) else {
            return false;
        };
        let is_jump = self.last.is_some_and(|last| time.since(last) > max_jump);
        if !is_jump {
            self.note(time, line);
        }
        is_jump
    }

    /// The time before a line that jumps, where `next`, the line after it, is back there: then the line's
    /// own time cannot be. Otherwise time has jumped, as it does over a night.
    pub(super) fn before_outlier(&mut self, line: &[u8], next: &[u8]) -> Option<Nanos> {
        let (max_jump, last) = (self.max_jump_ns?, self.last?);
        let is_back = event_time(next).is_some_and(|next| next.since(last).abs() <= max_jump);
        // Figures and sentiment may come before their time.
        let may_be_early = |(key, _): (Raw<'_>, _)| key.is("figure") || key.is("sentiment");
        if is_back && !members(line).any(may_be_early) {
            return Some(last);
        }
        self.note(event_time(line)?, line);
        None
    }

    fn note(&mut self, time: Nanos, line: &[u8]) {
        self.last = Some(time);
        let is_coarse = self
            .max_jump_ns
            .is_some_and(|max_jump| max_jump >= COARSE_NS);
        let beginning = line.first_chunk::<BEGINNING>().filter(|_| is_coarse);
        self.beginning = match beginning {
            Some(beginning) if beginning.starts_with(b"{\"ts_event\":") => *beginning,
            _ => [0; BEGINNING],
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_an_event_is_found() {
        let time = Some(Nanos(1_700_000_000_123_000_000));
        for message in [
            r#"{"ts_event":1700000000123000000,"x":1}"#,
            r#"{ "x":{"ts_event":5}, "ts_event" : "1700000000123000000" }"#,
            r#"{"x":"\"ts_event\":5","ts_event":"2023-11-14T22:13:20.123Z"}"#,
            r#"{"e":"trade","E":1700000000123,"T":1700000000122}"#,
            r#"{"stream":"x@trade","data":{"T":1700000000123000,"E":1700000000999}}"#,
        ] {
            assert_eq!(event_time(message.as_bytes()), time, "{message}");
        }
        for message in [
            r#"{"ts_event":1700000000123,"x":1}"#,
            r#"{"ts_event":17000000001230000000,"x":1}"#,
            r#"{"ts_event":null}"#,
            r#"{"ts_event":"noon"}"#,
            r#"{"E":7}"#,
            r#"{"ts_event":"#,
            "",
        ] {
            assert_eq!(event_time(message.as_bytes()), None, "{message}");
        }
    }

    #[test]
    fn a_line_is_an_outlier_where_the_next_one_is_back() {
        let line = |second: i64| {
            format!(
                r#"{{"ts_event":{}}}"#,
                (1_700_000_000 + second) * 1_000_000_000
            )
        };
        let outliers_by = |max_jump_ns: i64, seconds: &[i64]| {
            let mut check = JumpCheck {
                max_jump_ns: Some(max_jump_ns),
                ..JumpCheck::default()
            };
            let mut found = vec![];
            for (at, second) in seconds.iter().enumerate() {
                let next = seconds
                    .get(at + 1)
                    .map_or(String::new(), |next| line(*next));
                let line = line(*second);
                if check.is_jump(line.as_bytes())
                    && check
                        .before_outlier(line.as_bytes(), next.as_bytes())
                        .is_some()
                {
                    found.push(at);
                }
            }
            found
        };
        let outliers = |seconds: &[i64]| outliers_by(60_000_000_000, seconds);
        assert_eq!(outliers(&[0, 1, 9_000, 2, 3]), [2]);
        assert_eq!(outliers_by(COARSE_NS, &[0, 1, 9_000, 2, 3]), [2]);
        assert_eq!(outliers_by(COARSE_NS, &[0, 1, 3_000, 2, 3]), [0; 0]);
        assert_eq!(outliers(&[0, 1, 9_000, 9_001, 9_002]), [0; 0], "a night");
        assert_eq!(outliers(&[9_000, 0, 1]), [0; 0], "the first line");
        assert_eq!(
            outliers(&[5_000, 9_000, 0, 4_000]),
            [0; 0],
            "another instrument"
        );
        assert_eq!(outliers(&[0, 1, 9_000]), [0; 0], "the last line");
        let figure = br#"{"ts_event":1700009000000000000,"figure":"cpi"}"#;
        let mut check = JumpCheck {
            max_jump_ns: Some(60_000_000_000),
            last: Some(Nanos(1_700_000_000_000_000_000)),
            ..JumpCheck::default()
        };
        assert!(check.is_jump(figure));
        assert_eq!(check.before_outlier(figure, line(0).as_bytes()), None);
    }
}
