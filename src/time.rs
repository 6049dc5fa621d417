//! Times as they are written: RFC 3339, days, integers; and whether an integer can be a time in nanoseconds.
//!
//! Reads no clock.

use std::fmt;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime};

use crate::units::Nanos;

/// An integer that can hardly be a time in nanoseconds since the epoch, with what it is likely to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImplausibleTime {
    /// The integer.
    pub value: i64,
    /// What would make it a plausible time; none where nothing does.
    pub likely: Option<LikelyUnit>,
}

/// What an integer is likely to be that is no time in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LikelyUnit {
    /// Seconds since the epoch.
    Seconds,
    /// Milliseconds since the epoch.
    Milliseconds,
    /// Microseconds since the epoch.
    Microseconds,
    /// Days since the epoch.
    Days,
    /// A day, as `20150301`.
    WrittenDay,
    /// A day and a time, as `20150301093000`.
    WrittenTime,
    /// A year, as `2015`.
    Year,
}

impl Nanos {
    /// The time that so many nanoseconds since the epoch are, if it is in the years 1971 to 2099. The numbers
    /// below are what other units give when they are read as nanoseconds: microseconds of the year 2099 are a
    /// day of February 1970.
    ///
    /// # Errors
    /// [`ImplausibleTime`], which names the likely unit.
    pub fn plausible(nanos: i64) -> Result<Self, ImplausibleTime> {
        if is_plausible(nanos) {
            return Ok(Self(nanos));
        }
        let likely = |&unit: &LikelyUnit| nanos_of(nanos, unit).is_some_and(is_plausible);
        Err(ImplausibleTime {
            value: nanos,
            likely: LikelyUnit::ALL.iter().copied().find(|unit| likely(unit)),
        })
    }
}

/// Reads RFC 3339 with any offset. Also read: no offset, which is UTC; an offset without its colon or its
/// minutes; a day alone, which begins at midnight UTC. Digits after the ninth decimal are cut off.
#[must_use]
pub fn parse_rfc3339(text: &str) -> Option<Nanos> {
    if let Ok(day) = text.parse::<NaiveDate>() {
        let is_written_out = text.len() == "2015-03-01".len();
        return day
            .and_hms_opt(0, 0, 0)
            .filter(|_| is_written_out)
            .and_then(nanos_utc);
    }
    let with_offset = DateTime::parse_from_rfc3339(text)
        .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f%#z"))
        .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%#z"));
    match with_offset {
        Ok(time) => time.timestamp_nanos_opt().map(Nanos),
        Err(_) => NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f")
            .or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f"))
            .ok()
            .and_then(nanos_utc),
    }
}

/// Numbers of rows, which stand for times where a table has none, lie below. As nanoseconds they are the
/// first second of 1970.
pub const ROW_NUMBERS: i64 = 1_000_000_000;

/// Parses a plausible time: RFC 3339, a day, or nanoseconds since the epoch.
///
/// # Errors
/// A message that says what to write instead.
pub fn parse_time(text: &str) -> Result<Nanos, String> {
    if let Ok(nanos) = text.parse::<i64>() {
        return Nanos::plausible(nanos).map_err(|error| error.to_string());
    }
    let time = parse_rfc3339(text).ok_or_else(|| {
        format!(
            "`{text}` is not a time; write it as 2024-08-09T00:00:00Z (any offset, as +02:00), or as nanoseconds"
        )
    })?;
    Nanos::plausible(time.0)
        .map_err(|_| format!("`{text}` is not in the years 1971 to 2099; correct the year"))
}

impl LikelyUnit {
    /// In the order in which they are tried: written days and times first, which are no plausible other unit.
    const ALL: [Self; 7] = [
        Self::WrittenDay,
        Self::WrittenTime,
        Self::Year,
        Self::Days,
        Self::Seconds,
        Self::Milliseconds,
        Self::Microseconds,
    ];
}

impl fmt::Display for ImplausibleTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.value;
        write!(f, "{value} is not a time in nanoseconds since 1970")?;
        let Some(unit) = self.likely else {
            let year = DateTime::from_timestamp_nanos(value).year();
            return write!(f, ": it would be in the year {year}");
        };
        let time =
            nanos_of(value, unit).map(|nanos| DateTime::from_timestamp_nanos(nanos).date_naive());
        let time = time.unwrap_or_default();
        match unit {
            LikelyUnit::Seconds => write!(f, ": it looks like seconds ({time}); append 000000000"),
            LikelyUnit::Milliseconds => {
                write!(f, ": it looks like milliseconds ({time}); append 000000")
            }
            LikelyUnit::Microseconds => {
                write!(f, ": it looks like microseconds ({time}); append 000")
            }
            LikelyUnit::Days => write!(f, ": it looks like days since 1970; write {time}"),
            LikelyUnit::WrittenDay => write!(f, ": it looks like a day; write {time}"),
            LikelyUnit::WrittenTime => {
                write!(
                    f,
                    ": it looks like a day and a time; write {time}T00:00:00Z, with its time"
                )
            }
            LikelyUnit::Year => write!(f, ": it looks like a year; write a day, as {value}-12-31"),
        }
    }
}

impl std::error::Error for ImplausibleTime {}

fn is_plausible(nanos: i64) -> bool {
    (FIRST..END).contains(&nanos)
}

/// The time in nanoseconds that `value` is in this unit; none where it cannot be one.
fn nanos_of(value: i64, unit: LikelyUnit) -> Option<i64> {
    let day = |year: i64, month: i64, day: i64| {
        let (year, month, day) = (
            year.try_into().ok()?,
            month.try_into().ok()?,
            day.try_into().ok()?,
        );
        let day = NaiveDate::from_ymd_opt(year, month, day)?.and_hms_opt(0, 0, 0)?;
        nanos_utc(day).map(|nanos| nanos.0)
    };
    let written = |value: i64| day(value / 10_000, value / 100 % 100, value % 100);
    match unit {
        LikelyUnit::Seconds => value.checked_mul(1_000_000_000),
        LikelyUnit::Milliseconds => value.checked_mul(1_000_000),
        LikelyUnit::Microseconds => value.checked_mul(1_000),
        LikelyUnit::Days => value.checked_mul(86_400_000_000_000),
        LikelyUnit::WrittenDay => written(value),
        LikelyUnit::WrittenTime => written(value / 1_000_000),
        LikelyUnit::Year => day(value, 12, 31),
    }
}

fn nanos_utc(time: NaiveDateTime) -> Option<Nanos> {
    time.and_utc().timestamp_nanos_opt().map(Nanos)
}

/// 1971-01-01.
const FIRST: i64 = 365 * 86_400_000_000_000;
/// 2100-01-01.
const END: i64 = 4_102_444_800_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_integer_in_another_unit_is_refused_with_the_unit() {
        use LikelyUnit as Unit;
        for (value, likely, word) in [
            (1_625_047_200, Some(Unit::Seconds), "seconds (2021-06-30)"),
            (
                1_625_047_200_123,
                Some(Unit::Milliseconds),
                "milliseconds (2021-06-30)",
            ),
            (
                1_625_047_200_123_456,
                Some(Unit::Microseconds),
                "microseconds",
            ),
            (20_150_301, Some(Unit::WrittenDay), "write 2015-03-01"),
            (20_150_301_093_000, Some(Unit::WrittenTime), "2015-03-01T"),
            (2015, Some(Unit::Year), "2015-12-31"),
            (16_495, Some(Unit::Days), "write 2015-03-01"),
            (0, None, "year 1970"),
            (-1, None, "year 1969"),
            (i64::MAX, None, "year 2262"),
            (i64::MIN, None, "year 1677"),
            (4_102_444_800_000_000_000, None, "year 2100"),
        ] {
            let error = Nanos::plausible(value).unwrap_err();
            assert_eq!(error.likely, likely, "{value}");
            assert!(error.to_string().contains(word), "{error}");
        }
        for nanos in [31_536_000_000_000_000, 1_625_047_200_123_456_789, END - 1] {
            assert_eq!(Nanos::plausible(nanos), Ok(Nanos(nanos)));
        }
    }

    #[test]
    fn every_offset_is_read() {
        let noon = Nanos(1_625_054_400_000_000_000);
        for text in [
            "2021-06-30T12:00:00Z",
            "2021-06-30t12:00:00z",
            "2021-06-30 12:00:00",
            "2021-06-30T12:00:00.000000000",
            "2021-06-30T14:00:00+02:00",
            "2021-06-30T06:30:00-05:30",
            "2021-07-01T02:00:00.0+14:00",
            "2021-06-30 12:00:00+00:00",
            "2021-06-30 12:00:00+00",
            "2021-06-30T14:00:00+0200",
        ] {
            assert_eq!(parse_rfc3339(text), Some(noon), "{text}");
        }
        assert_eq!(
            parse_rfc3339("2021-06-30"),
            Some(Nanos(noon.0 - 43_200_000_000_000))
        );
        let nine = parse_rfc3339("2021-06-30T12:00:00.1234567899Z");
        assert_eq!(nine, Some(Nanos(noon.0 + 123_456_789)));
        for text in [
            "noon",
            "",
            "31.03.2015",
            "2015-13-31",
            "2021-02-29",
            "2015-3-1",
            "9999-01-01",
            "20210630",
        ] {
            assert_eq!(parse_rfc3339(text), None, "{text}");
        }
    }

    #[test]
    fn times_on_the_command_line_may_be_days_or_nanoseconds() {
        let error = parse_time("1970-01-01T00:00:01Z").unwrap_err();
        assert!(error.contains("1971 to 2099"), "{error}");
        let nanos = 1_700_000_000_000_000_000;
        assert_eq!(parse_time(&nanos.to_string()), Ok(Nanos(nanos)));
        assert!(
            parse_time("1700000000000")
                .unwrap_err()
                .contains("milliseconds")
        );
        let error = parse_time("noon").unwrap_err();
        assert!(error.contains("2024-08-09T00:00:00Z"), "{error}");
    }
}
