//! A `[[feature]]` table as written.

use serde::{Deserialize, Serialize};

use super::error::FeatureError;
use super::kind::{FeatureKind, Phase, Unit};
use crate::schema::RecordField;

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
    /// Length of the window in values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<usize>,
    /// Length of the window in milliseconds of event time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window_ms: Option<i64>,
    /// Levels of the book a side.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub levels: Option<usize>,
    /// Weight of the newest value of an `ema`, in (0, 1].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alpha: Option<f64>,
    /// Time after which a value of an `ema` weighs half, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub half_life_ms: Option<i64>,
    /// `price` (default) or `bps` of the mid, for `spread` and `microprice`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<Unit>,
    /// `sine` (default) or `cosine`, for `time_of_day`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// The series that `relative` compares with, as `of` names series.
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
            window: None,
            window_ms: None,
            levels: None,
            alpha: None,
            half_life_ms: None,
            unit: None,
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

    pub(super) fn error(&self, what: &str) -> FeatureError {
        FeatureError {
            feature: self.name.clone(),
            what: what.to_owned(),
        }
    }
}
