//! A `[[feature]]` table as written.

use serde::{Deserialize, Serialize};

use super::error::FeatureError;
use super::kind::FeatureKind;
use super::unit::{FlowSource, Overnight, Phase, RangeEstimator, Unit};
use crate::schema::RecordField;
use crate::time::session::{Session, SessionFault};

/// A `[[feature]]` table as written.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct FeatureSpec {
    /// The column's name.
    pub name: String,
    /// What it computes.
    pub kind: FeatureKind,
    /// The series it is computed from: the name of a feature above, or `price`, `size`,
    /// `signed_size` (of trades), `mid`, `microprice`, `spread` (of quotes), `open`, `high`, `low`, `close`,
    /// `volume` (of bars).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// How many values before it a `log_return` or a `difference` is compared with, or how many values an
    /// `atr` or an `rsi` is smoothed over. Default: `1`, and 14 for `atr` and `rsi`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub periods: Option<usize>,
    /// Length of the window in values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<usize>,
    /// Length of the window in milliseconds of event time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window_ms: Option<i64>,
    /// What is taken from the number of values that a deviation or a variance is divided by. Default: `0`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ddof: Option<usize>,
    /// Levels of the book a side.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub levels: Option<usize>,
    /// One level of the book alone, counted from 1 at the best, for `order_flow_imbalance`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<usize>,
    /// What an `order_flow_imbalance` follows: `book` (default) or `quotes`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<FlowSource>,
    /// How `range_volatility` is estimated: `parkinson` or `garman_klass`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimator: Option<RangeEstimator>,
    /// Volume of a bucket of `vpin`, in the base currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bucket: Option<f64>,
    /// Weight of the newest value of an `ema`, in (0, 1].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alpha: Option<f64>,
    /// Time after which a value of an `ema` weighs half, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub half_life_ms: Option<i64>,
    /// `price` (default) or `bps` of the mid, for `spread`, `microprice` and `depth_slope`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<Unit>,
    /// The time zone of `open` and `close` and of the time of day, by its name in the IANA database:
    /// `America/New_York`. Default: UTC for `time_of_day`; the others need it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// When a session begins on the clock of `zone`: `09:30`. Default: `00:00`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open: Option<String>,
    /// When a session ends on the clock of `zone`, on the next day where that is not after `open`: `16:00`.
    /// Default: `00:00`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub close: Option<String>,
    /// What a `log_return` or a `difference` from one session to the next is: `exclude`. Default: as any
    /// other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overnight: Option<Overnight>,
    /// `sine` (default), `cosine` or `seconds`, for `time_of_day`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// The series that `relative`, `ratio`, `correlation` and `beta` compare with, and that tells `as_of`
    /// when, as `of` names series.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// The economic figure, as `macro.figures.v1` names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub figure: Option<String>,
    /// The texts that a `field` may have; its value is the index in this list, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub categories: Option<Vec<String>>,
    /// The smallest value that a `field` may have; a record with a smaller one is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// The largest value that a `field` may have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// Columns that `tokens` makes of a headline, its begin and end marks included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<usize>,
    /// Whether a record without this `field` is refused instead of imputed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub needed: bool,
    /// Whether it is computed for other features only and is not a column of the row.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
}

impl FeatureSpec {
    pub(super) fn series(name: &str, kind: FeatureKind) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            of: None,
            periods: None,
            window: None,
            window_ms: None,
            ddof: None,
            levels: None,
            level: None,
            source: None,
            estimator: None,
            bucket: None,
            alpha: None,
            half_life_ms: None,
            unit: None,
            zone: None,
            open: None,
            close: None,
            overnight: None,
            phase: None,
            to: None,
            figure: None,
            categories: None,
            min: None,
            max: None,
            max_tokens: None,
            needed: false,
            hidden: true,
        }
    }

    pub(super) fn field(&self) -> Result<RecordField, FeatureError> {
        if self.hidden {
            return Err(self.error("is a field: `hidden` would leave nothing of it; take it out"));
        }
        let (min, max) = (
            self.min.unwrap_or(f64::NEG_INFINITY),
            self.max.unwrap_or(f64::INFINITY),
        );
        if min > max || min.is_nan() || max.is_nan() {
            return Err(self.error("`min` must not be above `max`"));
        }
        let name = self.of.as_ref().unwrap_or(&self.name);
        Ok(RecordField {
            name: Box::leak(name.clone().into_boxed_str()),
            categories: self.categories.clone().unwrap_or_default(),
            min,
            max,
            needed: self.needed,
        })
    }

    pub(super) fn tokens(&self, alone: bool) -> Result<usize, FeatureError> {
        if !alone || self.hidden {
            return Err(self.error("must be the only feature: the pieces are the row"));
        }
        match self.max_tokens {
            Some(most @ 4..=512) => Ok(most),
            _ => Err(self.error("needs `max_tokens`, in 4..=512")),
        }
    }

    /// The sessions of the market.
    pub(super) fn session(&self) -> Result<Session, FeatureError> {
        let Some(zone) = &self.zone else {
            return Err(
                self.error("needs `zone`: the time zone of the market, as `America/New_York`")
            );
        };
        let session = Session::new(zone, self.open.as_deref(), self.close.as_deref());
        session.map_err(|SessionFault(what)| self.error(&what))
    }

    /// The volume of a bucket in 1e-9 of the base currency.
    pub(super) fn bucket(&self) -> Result<i64, FeatureError> {
        let units = self.bucket.map(|volume| (volume * 1e9).round());
        match units {
            Some(units) if (1.0..9e18).contains(&units) => Ok(units as i64),
            _ => {
                Err(self.error("needs `bucket`: a volume above zero, of at most 9 decimal places"))
            }
        }
    }

    pub(super) fn error(&self, what: &str) -> FeatureError {
        FeatureError {
            feature: self.name.clone(),
            what: what.to_owned(),
        }
    }
}
