//! `[state]`: what outlives a restart.

use std::path::PathBuf;

use serde::Deserialize;

/// `[state]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StateConfig {
    /// The folder of snapshots of a run that reads Kafka, relative to the working folder: windows, averages,
    /// books and episodes of alerts, one file a partition of the topics. Instances of one group may share it.
    /// Not given: after a restart the topics are read again from the oldest record that they keep, or as far
    /// back as `source.rebuild_ms` says, without publishing.
    pub dir: Option<PathBuf>,
    /// How often snapshots are written, in milliseconds. What was read since the last one is read again
    /// after a restart. Default: `10000`.
    pub every_ms: u64,
}

impl Default for StateConfig {
    fn default() -> Self {
        Self {
            dir: None,
            every_ms: 10_000,
        }
    }
}
