//! What a snapshot says of itself.

use serde::{Deserialize, Serialize};

/// Of what a snapshot is: it fits only a run of the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateIdentity {
    /// The pipeline's name.
    pub pipeline: String,
    /// The consumer group, whose commits its offsets belong to.
    pub group: String,
    /// SHA-256 of the model.
    pub model_sha256: String,
    /// SHA-256 of the features and their formulas.
    pub features_sha256: String,
    /// SHA-256 of the settings that decide what state means: rows, windows, normalisation.
    pub settings_sha256: String,
    /// The engine's version: another one may keep other state.
    pub engine_version: String,
}

/// How far a topic's partition had been worked on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopicPosition {
    /// The topic.
    pub topic: String,
    /// The offset of the next record.
    pub next: i64,
}

/// What a snapshot says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateHeader {
    /// Of what it is.
    #[serde(flatten)]
    pub identity: StateIdentity,
    /// The partition, of each topic that is read.
    pub partition: i32,
    /// By topic, the offset behind which it was taken.
    pub positions: Vec<TopicPosition>,
    /// When it was taken, in nanoseconds since the UNIX epoch.
    pub saved_at: i64,
    /// How many instruments it holds.
    pub instruments: usize,
}

impl StateIdentity {
    /// Why a snapshot of `other` is not one of this run; none where it is.
    #[must_use]
    pub fn differs(&self, other: &Self) -> Option<&'static str> {
        let differences = [
            (self.pipeline != other.pipeline, "it is of another pipeline"),
            (self.group != other.group, "it is of another consumer group"),
            (
                self.engine_version != other.engine_version,
                "it is of another version of the engine",
            ),
            (
                self.model_sha256 != other.model_sha256,
                "it is of another model",
            ),
            (
                self.features_sha256 != other.features_sha256,
                "it is of other features",
            ),
            (
                self.settings_sha256 != other.settings_sha256,
                "rows, windows or normalisation were set otherwise",
            ),
        ];
        let found = differences.into_iter().find(|(differs, _)| *differs);
        found.map(|(_, what)| what)
    }
}
