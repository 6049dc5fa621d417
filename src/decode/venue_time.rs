//! Times of venues: whole numbers since the epoch, in milliseconds or microseconds, and RFC 3339.

use super::error::DecodeError;
use crate::time::{TimeFault, of_venue, parse_rfc3339};
use crate::units::Nanos;

/// Reads a time in milliseconds or microseconds, told apart by its size; `field` names it in an error.
pub(super) fn venue_time(field: &'static str, time: i64) -> Result<Nanos, DecodeError> {
    of_venue(time).map_err(|error| DecodeError::ImplausibleTime(field, error.likely))
}

/// Reads a time that is written out (RFC 3339); `field` names it in an error.
pub(super) fn written_time(field: &'static str, text: &str) -> Result<Nanos, DecodeError> {
    if let Some(time) = utc(text.as_bytes()) {
        return Ok(time);
    }
    // A date shows no other unit than it has.
    let implausible = DecodeError::ImplausibleTime(field, None);
    match parse_rfc3339(text) {
        Ok(time) => Nanos::plausible(time.0).map_err(|_| implausible),
        Err(TimeFault::OtherYear) => Err(implausible),
        Err(_) => Err(DecodeError::BadNumber(field)),
    }
}

/// Reads the form in which venues write a time, `2026-08-24T22:21:58.343688Z` with up to nine decimals,
/// of the years in which times are plausible. None for other texts, which may be times all the same.
pub(super) fn utc(text: &[u8]) -> Option<Nanos> {
    let (date, rest) = text.split_first_chunk::<19>()?;
    let number = |from: usize, to: usize| {
        let digit = |value: Option<i64>, byte: &u8| {
            let digit = i64::from(byte.wrapping_sub(b'0'));
            value.filter(|_| digit < 10).map(|value| 10 * value + digit)
        };
        date[from..to].iter().fold(Some(0), digit)
    };
    let signs = [date[4], date[7], date[10], date[13], date[16]];
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let is_time = signs == *b"--T::"
        && (1971..2100).contains(&year)
        && (1..=12).contains(&month)
        && (1..=days_in(year, month)).contains(&day)
        && (hour < 24 && minute < 60 && second < 60);
    if !is_time {
        return None;
    }
    let nanos = decimals(rest.strip_suffix(b"Z")?)?;
    let seconds = 86_400 * days_since_epoch(year, month, day) + 3_600 * hour + 60 * minute + second;
    Some(Nanos(1_000_000_000 * seconds + nanos))
}

/// A point and one to nine decimals of a second, or nothing, in nanoseconds.
fn decimals(text: &[u8]) -> Option<i64> {
    let Some(digits) = text.strip_prefix(b".") else {
        return text.is_empty().then_some(0);
    };
    if digits.is_empty() || digits.len() > 9 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let value = digits
        .iter()
        .fold(0, |value, digit| 10 * value + i64::from(digit - b'0'));
    Some(value * 10_i64.pow(9 - digits.len() as u32))
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Of the years in question, 2000 among them, each fourth one.
fn is_leap(year: i64) -> bool {
    year % 4 == 0
}

/// Days from 1970-01-01 to a day of the years 1971 to 2099.
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let leap_days = (year - 1_969) / 4;
    let of_year = BEFORE_MONTH[month as usize - 1] + i64::from(month > 2 && is_leap(year));
    365 * (year - 1_970) + leap_days + of_year + day - 1
}

/// Days of a year before each month, in a year that is no leap year.
const BEFORE_MONTH: [i64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_form_is_read_as_the_calendar_has_it() {
        let text = b"2026-08-24T22:34:13.793075885Z";
        assert_eq!(utc(text), Some(Nanos(1_787_610_853_793_075_885)));
        for year in 1971..2100 {
            for day in [
                "01-01", "02-28", "02-29", "03-01", "04-30", "04-31", "12-31", "13-01", "00-10",
                "06-00",
            ] {
                for time in ["00:00:00Z", "23:59:59.5Z", "12:34:56.123456789Z"] {
                    let text = format!("{year}-{day}T{time}");
                    assert_eq!(utc(text.as_bytes()), parse_rfc3339(&text).ok(), "{text}");
                }
            }
        }
        for text in [
            "",
            "2026-08-24T22:34:13",
            "2026-08-24T22:34:13.Z",
            "2026-08-24T22:34:13.1234567890Z",
            "2026-08-24T22:34:13.12x4Z",
            "2026-08-24T22:34:60Z",
            "2026-08-24T24:34:00Z",
            "2026-08-24 22:34:13Z",
            "2026-08-24T22:34:13+00:00",
            "1970-08-24T22:34:13Z",
            "+026-08-24T22:34:13Z",
        ] {
            assert_eq!(utc(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn other_ways_of_writing_a_time_mean_the_same() {
        let noon = Nanos(1_625_054_400_000_000_000);
        for text in [
            "2021-06-30T12:00:00Z",
            "2021-06-30T12:00:00.0000000009Z",
            "2021-06-30T14:00:00+02:00",
        ] {
            assert_eq!(written_time("time", text), Ok(noon), "{text}");
        }
        let implausible = DecodeError::ImplausibleTime("time", None);
        for (text, error) in [
            ("noon", DecodeError::BadNumber("time")),
            ("1700000000", DecodeError::BadNumber("time")),
            ("0001-01-01T00:00:00Z", implausible),
            ("1970-01-01T00:00:01Z", implausible),
        ] {
            assert_eq!(written_time("time", text), Err(error), "{text}");
        }
    }
}
