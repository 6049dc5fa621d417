//! Why a set of features makes no sense.

/// Why a set of features makes no sense; names the feature at fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("feature `{feature}`: {what}")]
pub struct FeatureError {
    /// Its name.
    pub feature: String,
    /// What is wrong and what to write instead.
    pub what: String,
}
