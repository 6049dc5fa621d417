//! `[row]`: which events make rows.

use serde::Deserialize;

/// `[row]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowConfig {
    /// The kind of event that makes a row: `trade`, `quote`, `book`, `bar`, `news`, `statement` or
    /// `application`. Required.
    pub on: RowOn,
    /// A signal is made at every `every`-th row of an instrument. Default: `1`, which scores every row.
    #[serde(default = "every")]
    pub every: u64,
    /// How old book and quote may be before a signal is marked `stale`, in milliseconds of event time.
    /// Default: `5000`.
    #[serde(default = "stale_after_ms")]
    pub stale_after_ms: i64,
    /// The longest time between two events that make rows of one instrument, in milliseconds of event time.
    /// After a longer silence rows are marked `gap` while one of their windows holds values of both sides,
    /// and no label reaches across. A row that follows the one before by more, because the events between
    /// lacked a feature, is marked `gap` too. Above 0. Default: `60000` for `on = "quote"` and `"book"`,
    /// `600000` for `"trade"`, `864000000` for `"bar"` (ten days: weekends and holidays are no silence).
    /// Records have no silence.
    pub max_gap_ms: Option<i64>,
    /// Whether signals are made, marked `warming`, before all windows have been full once. Default: `true`.
    #[serde(default = "while_warming")]
    pub while_warming: bool,
    /// What becomes of trades, quotes and bars that come later than `source.lateness_ms` allows: `update`
    /// uses them, at the latest time known; `drop` does not; `correct` puts them in their place, and
    /// publishes again each signal that they change. `drop` and `correct` need a lateness. Book changes are
    /// always used as they come: they follow numbers, not times. Default: `"update"`, which leaves nothing
    /// out.
    #[serde(default)]
    pub late: RowLate,
    /// With `late = "correct"`, how much earlier than the latest event of its instrument an event may be to
    /// be put in its place, in milliseconds; one that comes later still is used as `update` says. The events
    /// of that long are kept in memory, 65,536 an instrument at most. Required with `correct`; above
    /// `source.lateness_ms`.
    pub correct_ms: Option<u64>,
}

/// What becomes of late events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowLate {
    /// They are used, at the latest time known.
    #[default]
    Update,
    /// They are not used.
    Drop,
    /// They are put in their place, and signals that they change are published again.
    Correct,
}

impl RowConfig {
    /// `max_gap_ms`, or its default.
    #[must_use]
    pub fn max_gap_ms(&self) -> i64 {
        self.max_gap_ms.unwrap_or(match self.on {
            RowOn::Quote | RowOn::Book => 60_000,
            RowOn::Trade => 600_000,
            RowOn::Bar => 864_000_000,
            RowOn::Application | RowOn::Statement | RowOn::News => i64::MAX,
        })
    }
}

fn every() -> u64 {
    1
}

fn stale_after_ms() -> i64 {
    5_000
}

fn while_warming() -> bool {
    true
}

/// The kind of event that makes a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowOn {
    /// Each trade.
    Trade,
    /// Each quote.
    Quote,
    /// Each change of the book.
    Book,
    /// Each loan application.
    Application,
    /// Each financial statement; a window holds a company's last periods.
    Statement,
    /// Each bar.
    Bar,
    /// Each headline, once for each instrument that it concerns.
    News,
}

impl RowOn {
    /// The topic that holds these events, which is the default of `source.topics`.
    #[must_use]
    pub fn default_topic(self) -> &'static str {
        match self {
            Self::Application => "credit.applications.v1",
            Self::Statement => "credit.statements.v1",
            Self::News => "news.items.v1",
            Self::Bar => "md.bars.v1",
            Self::Trade | Self::Quote | Self::Book => "md.trades.v1",
        }
    }
}
