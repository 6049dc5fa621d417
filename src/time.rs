//! Times as they are written: RFC 3339, days, integers; and whether an integer can be a time in nanoseconds.
//!
//! Reads no clock.

pub mod session;

use std::fmt;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, SecondsFormat};

use crate::decimal::{float, whole};
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
    /// Nanoseconds since the epoch, where another unit was told.
    Nanoseconds,
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

/// Why a text is no time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeFault {
    /// It is neither a time nor a number.
    NotATime,
    /// It is a time of a year before 1678 or after 2261, which 64 bits of nanoseconds do not hold.
    OtherYear,
    /// It is a number that 64 bits do not hold.
    TooLarge,
    /// It is a number with a fraction, and what it is likely to be, if that is no time in nanoseconds.
    Fraction(Option<LikelyUnit>),
}

/// Reads nanoseconds since the epoch, also as `1.7e18`, or else RFC 3339: see [`parse_rfc3339`]. The
/// time need not be plausible.
///
/// # Errors
/// [`TimeFault`].
pub fn parse_nanos(text: &str) -> Result<i64, TimeFault> {
    if let Some(whole) = whole(text) {
        return i64::try_from(whole).map_err(|_| TimeFault::TooLarge);
    }
    match float(text) {
        Ok(number) => {
            let error = Nanos::plausible(number as i64).err();
            Err(TimeFault::Fraction(error.and_then(|error| error.likely)))
        }
        Err(_) => parse_rfc3339(text).map(|time| time.0),
    }
}

/// Reads RFC 3339 with any offset. Also read: no seconds; no offset, which is UTC; an offset without its
/// colon or its minutes; a day alone, which begins at midnight UTC. Digits after the ninth decimal are
/// cut off.
///
/// # Errors
/// [`TimeFault::NotATime`] or [`TimeFault::OtherYear`].
pub fn parse_rfc3339(text: &str) -> Result<Nanos, TimeFault> {
    let of_year = |time: Option<Nanos>| time.ok_or(TimeFault::OtherYear);
    if let Ok(day) = text.parse::<NaiveDate>() {
        let is_written_out = text.len() == "2015-03-01".len();
        let midnight = day.and_hms_opt(0, 0, 0).filter(|_| is_written_out);
        return of_year(nanos_utc(midnight.ok_or(TimeFault::NotATime)?));
    }
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return of_year(time.timestamp_nanos_opt().map(Nanos));
    }
    let with_offset = |form: &&str| DateTime::parse_from_str(text, form).ok();
    if let Some(time) = WITH_OFFSET.iter().find_map(with_offset) {
        return of_year(time.timestamp_nanos_opt().map(Nanos));
    }
    let bare = |form: &&str| NaiveDateTime::parse_from_str(text, form).ok();
    match BARE.iter().find_map(bare) {
        Some(time) => of_year(nanos_utc(time)),
        None => Err(TimeFault::NotATime),
    }
}

/// Forms of a time with its offset, beside that of RFC 3339.
const WITH_OFFSET: [&str; 4] = [
    "%Y-%m-%d %H:%M:%S%.f%#z",
    "%Y-%m-%dT%H:%M:%S%.f%#z",
    "%Y-%m-%dT%H:%M%#z",
    "%Y-%m-%d %H:%M%#z",
];

/// Forms of a time without offset.
const BARE: [&str; 4] = [
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%d %H:%M",
];

/// The time that a venue's integer is: milliseconds until the year 5138, microseconds from 1973 on.
///
/// # Errors
/// [`ImplausibleTime`], which names no other unit than seconds.
#[inline]
pub fn of_venue(time: i64) -> Result<Nanos, ImplausibleTime> {
    let scale = if time < 100_000_000_000_000 {
        1_000_000
    } else {
        1_000
    };
    let nanos = time.checked_mul(scale).unwrap_or(-1);
    Nanos::plausible(nanos).map_err(|_| {
        let likely = Nanos::plausible(time).err().and_then(|error| error.likely);
        ImplausibleTime {
            value: time,
            likely: likely.filter(|unit| *unit == LikelyUnit::Seconds),
        }
    })
}

/// Numbers of rows, which stand for times where a table has none, lie below. As nanoseconds they are the
/// first second of 1970.
pub const ROW_NUMBERS: i64 = 1_000_000_000;

/// A time as RFC 3339 has it, in UTC, with as many decimals as it needs.
#[must_use]
pub fn rfc3339(ts: Nanos) -> String {
    DateTime::from_timestamp_nanos(ts.0).to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// Parses a plausible time: RFC 3339, a day, or nanoseconds since the epoch.
///
/// # Errors
/// A message that says what to write instead.
pub fn parse_time(text: &str) -> Result<Nanos, String> {
    let other_year = || format!("`{text}` is not in the years 1971 to 2099; correct the year");
    let no_time = || {
        format!(
            "`{text}` is not a time; write it as 2024-08-09T00:00:00Z (any offset, as +02:00), or as nanoseconds"
        )
    };
    let is_number = whole(text).is_some();
    match parse_nanos(text) {
        Ok(nanos) => Nanos::plausible(nanos).map_err(|error| match is_number {
            true => error.to_string(),
            false => other_year(),
        }),
        Err(TimeFault::OtherYear) => Err(other_year()),
        Err(TimeFault::NotATime | TimeFault::TooLarge | TimeFault::Fraction(None)) => {
            Err(no_time())
        }
        Err(TimeFault::Fraction(Some(unit))) => Err(format!(
            "`{text}` looks like {} with a fraction; write it as a whole number of nanoseconds",
            unit.name()
        )),
    }
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

    /// The unit of an integer that is a plausible time in one; none of numbers that are times in none, and of
    /// days and years.
    #[must_use]
    pub fn of(value: i64) -> Option<Self> {
        let units = [
            Self::Nanoseconds,
            Self::Microseconds,
            Self::Milliseconds,
            Self::Seconds,
        ];
        units
            .into_iter()
            .find(|&unit| nanos_of(value, unit).is_some_and(is_plausible))
    }

    /// In words.
    fn name(self) -> &'static str {
        match self {
            Self::Seconds => "seconds",
            Self::Milliseconds => "milliseconds",
            Self::Microseconds => "microseconds",
            Self::Days => "days",
            Self::WrittenDay => "a written day",
            Self::WrittenTime => "a written day and time",
            Self::Year => "a year",
            Self::Nanoseconds => "nanoseconds",
        }
    }
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
            LikelyUnit::Nanoseconds => write!(f, ": it looks like nanoseconds ({time})"),
            LikelyUnit::Year => write!(f, ": it looks like a year; write a day, as {value}-12-31"),
        }
    }
}

impl std::error::Error for ImplausibleTime {}

/// Whether an integer is a day as `20150301`, of a year in which times are plausible.
#[must_use]
pub fn is_written_day(value: i64) -> bool {
    nanos_of(value, LikelyUnit::WrittenDay).is_some_and(is_plausible)
}

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
        LikelyUnit::Nanoseconds => Some(value),
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
            "2021-06-30T12:00Z",
            "2021-06-30 14:00+02:00",
            "2021-06-30T12:00",
        ] {
            assert_eq!(parse_rfc3339(text), Ok(noon), "{text}");
        }
        assert_eq!(
            parse_rfc3339("2021-06-30"),
            Ok(Nanos(noon.0 - 43_200_000_000_000))
        );
        let nine = parse_rfc3339("2021-06-30T12:00:00.1234567899Z");
        assert_eq!(nine, Ok(Nanos(noon.0 + 123_456_789)));
        for text in [
            "noon",
            "",
            "31.03.2015",
            "2015-13-31",
            "2021-02-29",
            "2015-3-1",
            "20210630",
        ] {
            assert_eq!(parse_rfc3339(text), Err(TimeFault::NotATime), "{text}");
        }
        for text in ["9999-01-01", "9999-12-31T00:00:00Z", "1066-10-14 09:00"] {
            assert_eq!(parse_rfc3339(text), Err(TimeFault::OtherYear), "{text}");
        }
    }

    #[test]
    fn a_number_with_a_fraction_is_refused_with_the_unit() {
        for (text, read) in [
            ("1.7e18", Ok(1_700_000_000_000_000_000)),
            ("1700000000000000000.0", Ok(1_700_000_000_000_000_000)),
            (
                "1700000000.123",
                Err(TimeFault::Fraction(Some(LikelyUnit::Seconds))),
            ),
            (
                "1700000000123.5",
                Err(TimeFault::Fraction(Some(LikelyUnit::Milliseconds))),
            ),
            ("1700000000000000000.5", Err(TimeFault::Fraction(None))),
            ("17000000000000000000", Err(TimeFault::TooLarge)),
            ("9999-12-31", Err(TimeFault::OtherYear)),
            ("2023-11-14T22:13:20Z", Ok(1_700_000_000_000_000_000)),
            ("noon", Err(TimeFault::NotATime)),
        ] {
            assert_eq!(parse_nanos(text), read, "{text}");
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
        for (text, word) in [
            ("9999-01-01", "1971 to 2099"),
            ("1700000000.5", "seconds with a fraction"),
        ] {
            let error = parse_time(text).unwrap_err();
            assert!(error.contains(word), "{error}");
        }
    }
}
