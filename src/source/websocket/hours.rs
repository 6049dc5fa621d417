//! When a market is open, so that a feed which is silent while it is closed is no fault.
//!
//! Pure: time comes as an argument.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeZone, Weekday};
use chrono_tz::Tz;

use crate::units::Nanos;

/// When a market is open: on some days of the week, from one time of day to another, but for holidays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarketHours {
    /// The zone of the times.
    pub zone: Tz,
    /// When it opens.
    pub open: NaiveTime,
    /// When it closes, later on the same day.
    pub close: NaiveTime,
    /// The days on which it opens.
    pub days: Vec<Weekday>,
    /// Days on which it stays closed.
    pub holidays: Vec<NaiveDate>,
}

impl MarketHours {
    /// Since when the market has been open; none where it is closed.
    #[must_use]
    pub fn open_since(&self, now: Nanos) -> Option<Nanos> {
        let local = DateTime::from_timestamp_nanos(now.0).with_timezone(&self.zone);
        let (day, time) = (local.date_naive(), local.time());
        let is_day = self.days.contains(&chrono::Datelike::weekday(&day));
        if !is_day || self.holidays.contains(&day) || time < self.open || time >= self.close {
            return None;
        }
        let opened = self.zone.from_local_datetime(&day.and_time(self.open));
        let opened = opened.earliest()?.timestamp_nanos_opt()?;
        Some(Nanos(opened))
    }

    /// How long the market has been open since `last`, in nanoseconds; 0 where it is closed.
    #[must_use]
    pub fn open_for(&self, last: Nanos, now: Nanos) -> i64 {
        match self.open_since(now) {
            Some(opened) => now.since(last.max(opened)),
            None => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::parse_time;

    fn new_york() -> MarketHours {
        let time = |hour, minute| NaiveTime::from_hms_opt(hour, minute, 0).unwrap();
        MarketHours {
            zone: Tz::America__New_York,
            open: time(9, 30),
            close: time(16, 0),
            days: vec![
                Weekday::Mon,
                Weekday::Tue,
                Weekday::Wed,
                Weekday::Thu,
                Weekday::Fri,
            ],
            holidays: vec![NaiveDate::from_ymd_opt(2026, 11, 26).unwrap()],
        }
    }

    #[test]
    fn silence_counts_while_the_market_is_open() {
        let hours = new_york();
        let at = |text| parse_time(text).unwrap();
        let seconds = |last, now| hours.open_for(at(last), at(now)) / 1_000_000_000;
        // Summer and winter time.
        assert_eq!(seconds("2026-07-01T13:00:00Z", "2026-07-01T13:31:00Z"), 60);
        assert_eq!(seconds("2026-12-01T14:00:00Z", "2026-12-01T14:31:00Z"), 60);
        assert_eq!(seconds("2026-12-01T14:30:30Z", "2026-12-01T14:31:00Z"), 30);
        for (closed, why) in [
            ("2026-12-01T14:29:59Z", "before the opening"),
            ("2026-12-01T21:00:00Z", "after the close"),
            ("2026-11-28T15:00:00Z", "a Saturday"),
            ("2026-11-26T15:00:00Z", "a holiday"),
        ] {
            assert_eq!(seconds("2026-01-01T00:00:00Z", closed), 0, "{why}");
        }
    }
}
