//! `[label]`: what really happened after a row.

use std::fmt;
use std::path::PathBuf;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// `[label]`: what really happened after a row, as `foretick features` writes it. One table `[label]`, or
/// one `[[label]]` with a `name` for each of several labels.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabelConfig {
    /// The label's column; `NAME_value` and `NAME_end` stand beside it. Default: `label`, whose value is
    /// `move_bps`, for a single table; several tables need names.
    pub name: Option<String>,
    /// What is looked at. Default: `"mid_move"`.
    #[serde(default)]
    pub kind: LabelKindName,
    /// How long after the row is looked, in milliseconds of event time; above zero. Required, except for
    /// `next_bar` and `next_session`, and where `horizon_rows` is given.
    pub horizon_ms: Option<i64>,
    /// How many rows of the instrument after the row are looked at, in the place of `horizon_ms`, for moves;
    /// for `next_bar` how many bars. Not given: `horizon_ms`, and 1 for `next_bar`.
    pub horizon_rows: Option<u64>,
    /// A move by more than this is labelled `up` or `down`, else `flat`, in basis points. Required for moves.
    pub threshold_bps: Option<f64>,
    /// The price that is followed. Default: `mid`; `trade` for `trade_move`, `next_bar`, and where rows are
    /// of bars.
    pub price: Option<PriceName>,
    /// What a `smoothed_move` compares the mean of the future with. Default: `"now"`.
    #[serde(default)]
    pub against: Against,
    /// The upper barrier of a `triple_barrier`, in basis points above the price at the row. Not given:
    /// `take_profit`, or no upper barrier.
    pub take_profit_bps: Option<f64>,
    /// The lower barrier, in basis points below the price at the row. Not given: `stop_loss`, or no lower
    /// barrier.
    pub stop_loss_bps: Option<f64>,
    /// The upper barrier as a multiple of the feature `of`. Not given: `take_profit_bps`.
    pub take_profit: Option<f64>,
    /// The lower barrier as a multiple of the feature `of`. Not given: `stop_loss_bps`.
    pub stop_loss: Option<f64>,
    /// The feature that `take_profit` and `stop_loss` are multiples of: a volatility, as a fraction of the
    /// price at the row, such as `realised_volatility` of log returns. It must be a column.
    pub of: Option<String>,
    /// The time zone of the sessions of `next_session`, by its name in the IANA database. Required for it.
    pub zone: Option<String>,
    /// When a session begins on the clock of `zone`: `09:30`. Default: `00:00`.
    pub open: Option<String>,
    /// When a session ends on the clock of `zone`: prices after it are not those of the session. Default:
    /// `00:00`.
    pub close: Option<String>,
    /// The file of failures of `default_within`: JSON lines with the key (`key` or `obligor`) and the time
    /// `ts_failure`, as `evaluate --labels` reads them. Required for it.
    pub outcomes: Option<PathBuf>,
    /// The time up to which all failures are known: rows whose horizon reaches beyond it have no label.
    /// Default: the latest time in the file of failures.
    pub known_until: Option<String>,
    /// The same as `split.test_from`, for a single table.
    pub test_from: Option<String>,
    /// The same as `split.steps`, for a single table.
    pub steps: Option<u64>,
}

/// What a label looks at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LabelKindName {
    /// How far the mid moved over the horizon.
    #[default]
    MidMove,
    /// How far the last trade's price moved over the horizon.
    TradeMove,
    /// How far the mean price of the rows of the horizon is from the price at the row, or from the mean of
    /// as many rows before.
    SmoothedMove,
    /// Which of an upper barrier, a lower one and the end of the horizon is met first.
    TripleBarrier,
    /// How far the price moved from this bar's close to that of the next bar, or of the `horizon_rows`th.
    NextBar,
    /// How far the price moved to the last one of the next session.
    NextSession,
    /// The realised volatility over the horizon, a number.
    Volatility,
    /// Whether the firm of a statement fails within the horizon.
    DefaultWithin,
}

/// The price that a label follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PriceName {
    /// The middle of best bid and best ask.
    Mid,
    /// The price of the last trade, or the close of the last bar.
    Trade,
}

/// What the mean of the future is compared with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Against {
    /// The price at the row.
    #[default]
    Now,
    /// The mean over the rows of as long before, this one included.
    Past,
}

/// Reads one table, or a list of tables.
pub(super) fn one_or_more<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<LabelConfig>, D::Error> {
    struct OneOrMore;
    impl<'de> Visitor<'de> for OneOrMore {
        type Value = Vec<LabelConfig>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a table [label], or tables [[label]]")
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
            LabelConfig::deserialize(MapAccessDeserializer::new(map)).map(|one| vec![one])
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            let mut all = vec![];
            while let Some(one) = seq.next_element()? {
                all.push(one);
            }
            Ok(all)
        }
    }
    deserializer.deserialize_any(OneOrMore)
}
