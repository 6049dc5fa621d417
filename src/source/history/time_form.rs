//! How times are written in an archive.

use chrono::{DateTime, LocalResult, NaiveDate, NaiveDateTime, TimeZone};
use chrono_tz::Tz;

use super::cells::CellFault;
use super::mapping::HistoryUnit;
use crate::time::parse_rfc3339;
use crate::units::Nanos;

/// How the times of a column are written.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct TimeForm {
    /// Of numbers; none: the magnitude tells it.
    pub(super) unit: Option<HistoryUnit>,
    /// Of what has no zone; none: UTC.
    pub(super) zone: Option<Tz>,
    /// The day from whose local midnight numbers count; none: from 1970 in UTC.
    pub(super) day: Option<NaiveDate>,
    /// So many units are added to a number, and nanoseconds to every time.
    pub(super) later: (i64, i64),
    /// Rows may be so many nanoseconds earlier than one before them.
    pub(super) lateness_ns: i64,
}

impl TimeForm {
    /// The time of a number. One that is not plausible is given as nanoseconds of its unit, for the decoder
    /// to refuse.
    pub(super) fn of_number(&self, number: i64) -> Result<Nanos, CellFault> {
        let unit = self.unit.unwrap_or_else(|| unit_of(number));
        let number = number.saturating_add(self.later.0);
        let nanos = number.saturating_mul(unit.nanos());
        match self.day {
            Some(day) => self.of_clock(day, nanos),
            None => Ok(Nanos(nanos.saturating_add(self.later.1))),
        }
    }

    /// The time of a number with a fraction, to the nanosecond that is nearest.
    pub(super) fn of_float(&self, number: f64) -> Result<Nanos, CellFault> {
        if !number.is_finite() {
            return Err(CellFault::BadNumber);
        }
        if number.fract() == 0.0 {
            return self.of_number(number as i64);
        }
        let unit = self.unit.unwrap_or_else(|| unit_of(number as i64)).nanos();
        let (whole, fraction) = (number.trunc(), number.fract());
        let of_fraction = (fraction * unit as f64).round() as i64;
        let Nanos(whole) = self.of_number(whole as i64)?;
        Ok(Nanos(whole.saturating_add(of_fraction)))
    }

    /// The time of a number with a fraction that is written out, as `1704067203.123456789`, to the nearest
    /// nanosecond: no float holds its digits.
    fn of_decimal(&self, text: &str) -> Option<Result<Nanos, CellFault>> {
        let (whole, fraction) = text.split_once('.')?;
        let digits = fraction.get(..fraction.len().min(FRACTION_DIGITS))?;
        if whole.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let whole: i64 = whole.parse().ok()?;
        let numerator: i128 = format!("0{digits}").parse().ok()?;
        let denominator = 10_i128.pow(digits.len() as u32);
        let unit = self.unit.unwrap_or_else(|| unit_of(whole)).nanos();
        let nanos = (numerator * i128::from(unit) + denominator / 2) / denominator;
        let nanos = i64::try_from(nanos).ok()?;
        let signed = match text.starts_with('-') {
            true => -nanos,
            false => nanos,
        };
        let time = self.of_number(whole);
        Some(time.map(|Nanos(time)| Nanos(time.saturating_add(signed))))
    }

    /// A moment of the clock on a wall, so many nanoseconds since 1970 as if it were UTC. Where the clock
    /// shows it twice, it is the first one: see [`TimeForm::after`].
    pub(super) fn of_local(&self, nanos: i64) -> Result<Nanos, CellFault> {
        let Some(zone) = self.zone else {
            return Ok(Nanos(nanos.saturating_add(self.later.1)));
        };
        let local = DateTime::from_timestamp_nanos(nanos).naive_utc();
        let time = zone.from_local_datetime(&local).earliest();
        let time = time.ok_or(CellFault::Skipped)?.timestamp_nanos_opt();
        let time = time.ok_or(CellFault::OutOfRange)?;
        Ok(Nanos(time.saturating_add(self.later.1)))
    }

    /// When a day begins, so many nanoseconds since 1970 as if it were UTC: at its first moment, where the
    /// clock skips midnight.
    pub(super) fn of_day(&self, nanos: i64) -> Result<Nanos, CellFault> {
        match self.of_local(nanos) {
            Err(CellFault::Skipped) => self.of_local(nanos.saturating_add(HOUR_NS)),
            time => time,
        }
    }

    /// A time of [`TimeForm::of_local`] in a file that is sorted: the clock shows it a second time where the
    /// first one would be behind the row before.
    pub(super) fn after(&self, time: Nanos, before: Nanos) -> Nanos {
        let slack = self.lateness_ns.min(HOUR_NS / 2);
        match time.0 < before.0.saturating_sub(slack) {
            true => self.shown_again(time).unwrap_or(time),
            false => time,
        }
    }

    /// When the clock shows a second time what it shows at a time; none where it shows it once.
    pub(super) fn shown_again(&self, time: Nanos) -> Option<Nanos> {
        let zone = self.zone?;
        let time = time.0.saturating_sub(self.later.1);
        let local = DateTime::from_timestamp_nanos(time)
            .with_timezone(&zone)
            .naive_local();
        let again = match zone.from_local_datetime(&local) {
            LocalResult::Ambiguous(_, again) => again.timestamp_nanos_opt()?,
            _ => return None,
        };
        (again > time).then_some(Nanos(again.saturating_add(self.later.1)))
    }

    /// Whether a text is a time of the clock on a wall, rather than one that says how far it is from UTC.
    pub(super) fn is_of_clock(&self, text: &str) -> bool {
        let text = text.trim();
        match text.parse::<f64>() {
            Ok(_) => self.day.is_some() || written_day(text).is_some(),
            Err(_) => !has_offset(text),
        }
    }

    /// The time of a text: a number, RFC 3339, or a day and a time without zone.
    pub(super) fn of_text(&self, text: &str) -> Result<Nanos, CellFault> {
        let text = text.trim();
        if text.is_empty() {
            return Err(CellFault::Missing);
        }
        // Where numbers have a unit, one of eight digits may look like a day.
        let may_be_day = self.unit.is_none() && self.day.is_none();
        if let Some(day) = written_day(text).filter(|_| may_be_day) {
            return self.of_day(nanos_of(day).ok_or(CellFault::OutOfRange)?);
        }
        if let Ok(number) = text.parse::<i64>() {
            return self.of_number(number);
        }
        if let Some(time) = self.of_decimal(text) {
            return time;
        }
        if let Ok(number) = text.parse::<f64>() {
            return self.of_float(number);
        }
        let Ok(Nanos(time)) = parse_rfc3339(text) else {
            let lean = NaiveDateTime::parse_from_str(text, "%Y%m%d %H:%M");
            let lean = lean.map_err(|_| CellFault::BadNumber)?;
            return self.of_local(nanos_of(lean).ok_or(CellFault::OutOfRange)?);
        };
        match has_offset(text) {
            true => Ok(Nanos(time.saturating_add(self.later.1))),
            false if text.len() <= DAY_CHARS => self.of_day(time),
            false => self.of_local(time),
        }
    }

    /// A time of the clock of a day: nanoseconds since its local midnight, as the clock shows them.
    fn of_clock(&self, day: NaiveDate, nanos: i64) -> Result<Nanos, CellFault> {
        let midnight = day.and_hms_opt(0, 0, 0).and_then(nanos_of);
        let local = midnight.and_then(|midnight| midnight.checked_add(nanos));
        self.of_local(local.ok_or(CellFault::OutOfRange)?)
    }
}

/// Digits behind the point that are read: those behind them are parts of no nanosecond.
const FRACTION_DIGITS: usize = 18;

/// The unit in which a number is a time of the years 1971 to 2099: the ranges do not meet.
fn unit_of(number: i64) -> HistoryUnit {
    match number.unsigned_abs() {
        0..10_000_000_000 => HistoryUnit::Seconds,
        10_000_000_000..10_000_000_000_000 => HistoryUnit::Milliseconds,
        10_000_000_000_000..10_000_000_000_000_000 => HistoryUnit::Microseconds,
        _ => HistoryUnit::Nanoseconds,
    }
}

/// A day as `20150301`, which no number of seconds of these years is.
fn written_day(text: &str) -> Option<NaiveDateTime> {
    if text.len() != 8 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    NaiveDate::parse_from_str(text, "%Y%m%d")
        .ok()?
        .and_hms_opt(0, 0, 0)
}

/// Whether a time says how far it is from UTC, behind its day.
fn has_offset(text: &str) -> bool {
    let clock = text.get(DAY_CHARS..).unwrap_or_default();
    clock.contains(['Z', 'z', '+', '-'])
}

fn nanos_of(time: NaiveDateTime) -> Option<i64> {
    time.and_utc().timestamp_nanos_opt()
}

/// Characters of a day without a time, as `2015-03-01`.
const DAY_CHARS: usize = 10;
const HOUR_NS: i64 = 3_600_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: i64 = 1_427_803_200_000_000_000;

    fn form(zone: Option<Tz>) -> TimeForm {
        TimeForm {
            zone,
            ..TimeForm::default()
        }
    }

    #[test]
    fn the_magnitude_tells_the_unit() {
        let form = form(None);
        for text in [
            "1427803200",
            "1427803200000",
            "1427803200000000",
            "1427803200000000000",
            "1427803200.0",
            "2015-03-31T12:00:00Z",
            "2015-03-31 12:00:00",
            "2015-03-31 14:00:00+02:00",
            "20150331 12:00",
        ] {
            assert_eq!(form.of_text(text), Ok(Nanos(NOON)), "{text}");
        }
        assert_eq!(form.of_text("1427803200.25"), Ok(Nanos(NOON + 250_000_000)));
        // No float has these digits.
        for (text, nanos) in [
            ("1427803200.123456789", 123_456_789),
            ("1427803200123.456789", 123_456_789),
            ("1427803200123456.7895", 123_456_790),
            ("1427803200.1234567894999999999999999", 123_456_789),
            ("1427803200.", 0),
            ("1.4278032005e9", 500_000_000),
        ] {
            assert_eq!(form.of_text(text), Ok(Nanos(NOON + nanos)), "{text}");
        }
        assert_eq!(form.of_text("-1.25"), Ok(Nanos(-1_250_000_000)));
        assert_eq!(form.of_text("1427803200.12x"), Err(CellFault::BadNumber));
        let midnight = Nanos(NOON - 43_200_000_000_000);
        assert_eq!(form.of_text("20150331"), Ok(midnight));
        assert_eq!(form.of_text("2015-03-31"), Ok(midnight));
        assert_eq!(form.of_text("31.03.2015"), Err(CellFault::BadNumber));
        assert_eq!(form.of_text(" "), Err(CellFault::Missing));
        assert_eq!(form.of_text("nan"), Err(CellFault::BadNumber));
    }

    /// Offsets of New York: −5 hours in winter, −4 in summer.
    #[test]
    fn what_has_no_zone_is_of_the_zone_that_is_told() {
        let form = form(Some(chrono_tz::America::New_York));
        for (text, expected) in [
            ("2015-03-31 08:00:00", NOON),
            ("2015-03-31 12:00:00Z", NOON),
            ("2015-01-31 12:00:00", 1_422_723_600_000_000_000),
            // Twice: the first one.
            ("2015-11-01 01:30:00", 1_446_355_800_000_000_000),
        ] {
            assert_eq!(form.of_text(text), Ok(Nanos(expected)), "{text}");
        }
    }

    #[test]
    fn numbers_may_count_from_midnight() {
        let form = TimeForm {
            unit: Some(HistoryUnit::Milliseconds),
            day: NaiveDate::from_ymd_opt(2013, 10, 7),
            ..form(Some(chrono_tz::America::New_York))
        };
        let expected = 1_381_152_600_123_000_000;
        assert_eq!(
            form.of_number(34_200_123),
            Ok(Nanos(expected)),
            "9:30:00.123"
        );
        // No day of the year 3420.
        let expected = Ok(Nanos(expected + 1_000_000_000));
        assert_eq!(form.of_text("34201123"), expected, "9:30:01.123");
    }
}
