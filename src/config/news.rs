//! `[news]`: how headlines become rows, and their scores averages.

use std::path::PathBuf;

use serde::Deserialize;

/// `[news]`. Files are below the pipeline's folder.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewsConfig {
    /// The file of the model's vocabulary: one word piece on each line, `[PAD]` first. Required.
    pub vocabulary: PathBuf,
    /// The CSV file of the instruments that headlines mention, with the columns `symbol`, `cashtag`, `names`.
    /// Not given: an item concerns only the instruments that it lists itself.
    pub names: Option<PathBuf>,
    /// The primary language subtag that is read; items in other languages are dropped and counted. Default:
    /// `"en"`.
    #[serde(default = "language")]
    pub language: String,
    /// The instrument of items that concern no known instrument. Not given: these items are dropped and
    /// counted.
    pub unrouted: Option<String>,
    /// The time after which a score counts half in its instrument's average, in milliseconds. Required; above
    /// zero.
    pub half_life_ms: i64,
    /// How far apart in time two headlines may be to count as copies, in milliseconds. Default: `86400000` (a
    /// day).
    #[serde(default = "fold_ms")]
    pub fold_ms: i64,
    /// The Jaccard index of their words from which two headlines about an instrument count as copies, above 0
    /// and at most 1. Default: `0.6`.
    #[serde(default = "fold_similarity")]
    pub fold_similarity: f64,
}

impl NewsConfig {
    /// The half-life of averages in nanoseconds.
    #[must_use]
    pub fn half_life_ns(&self) -> i64 {
        self.half_life_ms.saturating_mul(1_000_000)
    }
}

fn language() -> String {
    "en".into()
}

fn fold_ms() -> i64 {
    86_400_000
}

fn fold_similarity() -> f64 {
    0.6
}
