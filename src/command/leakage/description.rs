//! What `foretick features` writes of a set into its metadata, under the key `foretick.set`.
//!
//! Read with patience: what is missing is unknown, and what is new is passed over.

use std::collections::HashMap;

use serde::Deserialize;

/// The JSON object of `foretick.set`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct SetDescription {
    pub(super) features: Vec<String>,
    pub(super) features_sha256: Option<String>,
    pub(super) steps: Option<usize>,
    pub(super) labels: Vec<DescribedLabel>,
    pub(super) split: Option<DescribedSplit>,
    pub(super) folds: Vec<DescribedFold>,
    pub(super) normalise: Option<DescribedNormaliser>,
    pub(super) inputs: Option<Vec<DescribedInput>>,
}

/// A label and its columns.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct DescribedLabel {
    pub(super) name: String,
    pub(super) column: Option<String>,
    pub(super) value_column: Option<String>,
    pub(super) end_column: Option<String>,
    pub(super) horizon_ms: Option<i64>,
}

/// How rows are split.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct DescribedSplit {
    pub(super) embargo_ms: Option<i64>,
}

/// A fold, which is a column.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct DescribedFold {
    pub(super) name: String,
}

/// What normalises the features.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct DescribedNormaliser {
    pub(super) kind: String,
    pub(super) fitted_from: Option<String>,
    pub(super) fitted_to: Option<String>,
}

/// A feature that is taken as of another time.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct DescribedInput {
    pub(super) feature: String,
    pub(super) known_column: Option<String>,
    pub(super) release: Option<String>,
}

impl SetDescription {
    /// What the metadata of a file say; none where they say nothing of a set.
    ///
    /// # Errors
    /// What is wrong with them.
    pub(super) fn read(metadata: &HashMap<String, String>) -> Result<Option<Self>, String> {
        let mut found = match metadata.get("foretick.set") {
            Some(text) => serde_json::from_str(text)
                .map_err(|error| format!("its metadata `foretick.set`: {error}; write it again"))?,
            None if metadata.contains_key("foretick.features") => Self::default(),
            None => return Ok(None),
        };
        let list = |key: &str| metadata.get(key).map(String::as_str);
        if found.features.is_empty()
            && let Some(features) = list("foretick.features")
        {
            found.features = serde_json::from_str(features)
                .map_err(|error| format!("its metadata `foretick.features`: {error}"))?;
        }
        let sha256 = list("foretick.features_sha256").map(str::to_owned);
        found.features_sha256 = found.features_sha256.or(sha256);
        let steps = list("foretick.steps").and_then(|text| text.parse().ok());
        found.steps = found.steps.or(steps);
        if found.labels.is_empty()
            && let Some(horizon) = list("foretick.horizon_ms")
        {
            found.labels.push(DescribedLabel {
                name: "label".into(),
                column: Some("label".into()),
                value_column: Some("move_bps".into()),
                end_column: Some("label_end".into()),
                horizon_ms: horizon.parse().ok(),
            });
        }
        Ok(Some(found))
    }
}
