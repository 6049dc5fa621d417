//! `[source.websocket.hours]`: when the market is open.

use serde::Deserialize;

/// `[source.websocket.hours]`: when the market is open. A feed that is silent while it is closed is no
/// fault. A session ends on the day on which it begins, and each day has the same hours: on a day that closes
/// early, the feed counts as silent from then until `close`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HoursConfig {
    /// The time zone of `open` and `close`, by its name in the IANA database: `America/New_York`. Required.
    pub zone: String,
    /// When the market opens: `09:30`. Required.
    pub open: String,
    /// When it closes, on the same day: `16:00`. Required.
    pub close: String,
    /// The days on which it opens, at least one. Default: `["mon", "tue", "wed", "thu", "fri"]`.
    #[serde(default = "weekdays")]
    pub days: Vec<String>,
    /// Days on which it stays closed: `2026-12-25`. Default: `[]`.
    #[serde(default)]
    pub holidays: Vec<String>,
}

fn weekdays() -> Vec<String> {
    ["mon", "tue", "wed", "thu", "fri"].map(String::from).into()
}
