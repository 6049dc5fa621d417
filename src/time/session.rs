//! Sessions: days of a market's own time zone, which begin at midnight or at another time of day.
//!
//! A session is a stretch of local time, whether anything is traded in it or not: weekends and holidays need
//! no list.

use chrono::{DateTime, Duration, NaiveDate, NaiveDateTime, NaiveTime, Timelike};
use chrono_tz::Tz;

/// The days of a market.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    zone: Tz,
    /// When a session begins, in minutes since midnight on the clock of the zone.
    open: u16,
    /// When it ends, the next time that the clock shows it.
    close: u16,
}

/// Why a zone or a time of day is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionFault(
    /// What is wrong with which key, and what to write instead.
    pub String,
);

impl Session {
    /// The sessions of a zone, from `open` to `close`; without these, from midnight to midnight.
    ///
    /// # Errors
    /// [`SessionFault`] where the zone or a time of day is none.
    pub fn new(zone: &str, open: Option<&str>, close: Option<&str>) -> Result<Self, SessionFault> {
        let name = zone;
        let zone = zone.parse().map_err(|_| {
            SessionFault(format!(
                "`zone = \"{name}\"` is no time zone; write its IANA name, such as `America/New_York`"
            ))
        })?;
        let time = |key: &str, text: Option<&str>| {
            let text = text.unwrap_or("00:00");
            let fault = || {
                SessionFault(format!(
                    "`{key} = \"{text}\"` is no time of day; write `09:30`"
                ))
            };
            let time = NaiveTime::parse_from_str(text, "%H:%M").map_err(|_| fault())?;
            Ok((time.hour() * 60 + time.minute()) as u16)
        };
        let (open, close) = (time("open", open)?, time("close", close)?);
        Ok(Self { zone, open, close })
    }

    /// The day on which the session of this time began. What is before the open on one day is of the day
    /// before.
    #[must_use]
    pub fn day(self, ts: i64) -> NaiveDate {
        let since_open = self.local(ts) - Duration::minutes(self.open.into());
        since_open.date()
    }

    /// Whether two times are of one session.
    #[must_use]
    pub fn is_same(self, one: i64, other: i64) -> bool {
        self.day(one) == self.day(other)
    }

    /// Nanoseconds since midnight on the clock of the zone.
    #[must_use]
    pub fn since_midnight(self, ts: i64) -> i64 {
        let time = self.local(ts).time();
        i64::from(time.num_seconds_from_midnight()) * SECOND + i64::from(time.nanosecond())
    }

    /// Whether the market is open at this time by the clock, from the session's beginning to its end, both
    /// included.
    #[must_use]
    pub fn is_open(self, ts: i64) -> bool {
        self.passed(ts) <= 1.0
    }

    /// How much of the session has passed: 0 when it opens, 1 when it closes, more after that.
    #[must_use]
    pub fn passed(self, ts: i64) -> f64 {
        let (open, close) = (i64::from(self.open), i64::from(self.close));
        // A session from one time to the same one takes a day.
        let length = (close - open - 1).rem_euclid(DAY_MINUTES) + 1;
        let passed = (self.since_midnight(ts) - open * MINUTE).rem_euclid(DAY_MINUTES * MINUTE);
        passed as f64 / (length * MINUTE) as f64
    }

    /// What the clock of the zone shows.
    fn local(self, ts: i64) -> NaiveDateTime {
        DateTime::from_timestamp_nanos(ts)
            .with_timezone(&self.zone)
            .naive_local()
    }
}

const SECOND: i64 = 1_000_000_000;
const MINUTE: i64 = 60 * SECOND;
const DAY_MINUTES: i64 = 24 * 60;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::parse_time;

    fn at(text: &str) -> i64 {
        parse_time(text).unwrap().0
    }

    #[test]
    fn a_session_begins_at_midnight_or_when_it_opens() {
        let days = Session::new("America/New_York", None, None).unwrap();
        // Midnight in New York is 5 o'clock in winter and 4 o'clock in summer.
        assert!(!days.is_same(at("2026-01-15T04:59:59Z"), at("2026-01-15T05:00:00Z")));
        assert!(days.is_same(at("2026-07-15T04:00:00Z"), at("2026-07-16T03:59:59Z")));
        let futures = Session::new("America/Chicago", Some("17:00"), Some("16:00")).unwrap();
        assert!(futures.is_same(at("2026-01-15T23:00:00Z"), at("2026-01-16T22:59:59Z")));
        assert!(!futures.is_same(at("2026-01-15T22:59:59Z"), at("2026-01-15T23:00:00Z")));
    }

    #[test]
    fn how_much_of_a_session_has_passed_is_told_by_its_own_clock() {
        let stocks = Session::new("America/New_York", Some("09:30"), Some("16:00")).unwrap();
        // On 8 March 2026 the clocks of New York went forward by an hour.
        for open in ["2026-03-06T14:30:00Z", "2026-03-09T13:30:00Z"] {
            assert_eq!(stocks.passed(at(open)), 0.0);
            assert_eq!(stocks.since_midnight(at(open)), 34_200 * SECOND);
        }
        assert_eq!(stocks.passed(at("2026-03-09T20:00:00Z")), 1.0);
        assert!(stocks.is_open(at("2026-03-09T20:00:00Z")));
        assert!(!stocks.is_open(at("2026-03-09T20:00:01Z")));
        assert!(!stocks.is_open(at("2026-03-09T13:29:59Z")));
        assert_eq!(stocks.passed(at("2026-03-09T16:45:00Z")), 0.5);
        let futures = Session::new("America/Chicago", Some("17:00"), Some("16:00")).unwrap();
        assert_eq!(futures.passed(at("2026-01-16T10:30:00Z")), 0.5);
    }

    #[test]
    fn what_is_no_zone_or_time_is_refused_by_its_key() {
        let fault = |zone, open, close| Session::new(zone, open, close).unwrap_err().0;
        assert!(fault("EST5", None, None).starts_with("`zone = "));
        assert!(fault("UTC", Some("9.30"), None).starts_with("`open = "));
        assert!(fault("UTC", None, Some("24:30")).starts_with("`close = "));
    }
}
