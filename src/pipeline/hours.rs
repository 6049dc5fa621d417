//! When the market of a feed is open.

use chrono::{NaiveDate, NaiveTime, Weekday};
use chrono_tz::Tz;

use crate::config::{ConfigFault, HoursConfig};
use crate::source::websocket::hours::MarketHours;

/// The hours of `[source.websocket.hours]`.
///
/// # Errors
/// Where a zone, a time, a day or a date is none, or the market closes before it opens.
pub(super) fn hours(hours: &HoursConfig) -> Result<MarketHours, ConfigFault> {
    let fault =
        |key: &str, what: String| ConfigFault::at(format!("source.websocket.hours.{key}"), what);
    let zone: Tz = hours.zone.parse().map_err(|_| {
        let what = format!(
            "`{}` is no time zone; write its IANA name, such as `America/New_York`",
            hours.zone
        );
        fault("zone", what)
    })?;
    let time = |key: &str, text: &str| {
        NaiveTime::parse_from_str(text, "%H:%M")
            .map_err(|_| fault(key, format!("`{text}` is no time of day; write `09:30`")))
    };
    let (open, close) = (time("open", &hours.open)?, time("close", &hours.close)?);
    if close <= open {
        let what = "the market closes before it opens; give both times of one day".to_owned();
        return Err(fault("close", what));
    }
    if hours.days.is_empty() {
        let what = "the market would never open; name its days, as [\"mon\"]".to_owned();
        return Err(fault("days", what));
    }
    let day = |(at, text): (usize, &String)| {
        text.parse::<Weekday>().map_err(|_| {
            fault(
                &format!("days[{at}]"),
                format!("`{text}` is no day; write `mon`"),
            )
        })
    };
    let holiday = |(at, text): (usize, &String)| {
        NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| {
            let what = format!("`{text}` is no date; write `2026-12-25`");
            fault(&format!("holidays[{at}]"), what)
        })
    };
    Ok(MarketHours {
        zone,
        open,
        close,
        days: hours
            .days
            .iter()
            .enumerate()
            .map(day)
            .collect::<Result<_, _>>()?,
        holidays: hours
            .holidays
            .iter()
            .enumerate()
            .map(holiday)
            .collect::<Result<_, _>>()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_that_cannot_be_are_refused() {
        let written = HoursConfig {
            zone: "America/New_York".into(),
            open: "09:30".into(),
            close: "16:00".into(),
            days: vec!["mon".into(), "Friday".into()],
            holidays: vec!["2026-12-25".into()],
        };
        let read = hours(&written).unwrap();
        assert_eq!(read.days, [Weekday::Mon, Weekday::Fri]);
        let refused = |change: fn(&mut HoursConfig)| {
            let mut changed = written.clone();
            change(&mut changed);
            hours(&changed).unwrap_err().key
        };
        let key = |name: &str| format!("source.websocket.hours.{name}");
        assert_eq!(refused(|h| h.zone = "EST5".into()), key("zone"));
        assert_eq!(refused(|h| h.open = "9.30".into()), key("open"));
        assert_eq!(refused(|h| h.close = "09:00".into()), key("close"));
        assert_eq!(refused(|h| h.days.clear()), key("days"));
        assert_eq!(refused(|h| h.days[1] = "day".into()), key("days[1]"));
        assert_eq!(
            refused(|h| h.holidays[0] = "25.12.".into()),
            key("holidays[0]")
        );
    }
}
