//! What an export wrote, for people and for programs.

use std::fmt;

use serde::Serialize;

use crate::run::account::Account;
use crate::run::readability::Readability;

/// The result of an export.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Exported {
    /// Rows written.
    pub rows: u64,
    /// Rows of the split `train`.
    pub train: u64,
    /// Rows of the split `test`.
    pub test: u64,
    /// Rows of neither split: their label or window reaches over the border.
    pub purge: u64,
    /// Rows without a label: the mid was unknown at the row or at its horizon, or a gap, a silence or the end
    /// of the capture lies between.
    pub unlabelled: u64,
    /// Frames that could not be decoded or are not for this pipeline.
    pub unread: u64,
    /// Hash of the features' definitions.
    pub features_sha256: String,
    /// What became of the frames.
    #[serde(skip)]
    pub frames: Account,
    /// Whether the frames were readable.
    #[serde(skip)]
    pub readability: Readability,
}

impl fmt::Display for Exported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            rows,
            train,
            test,
            purge,
            unlabelled,
            unread,
            features_sha256,
            frames: _,
            readability: _,
        } = self;
        writeln!(
            f,
            "{rows} rows: {train} train, {test} test, {purge} purged at the border"
        )?;
        writeln!(f, "{unlabelled} without a label, {unread} frames not read")?;
        writeln!(f, "features {features_sha256}")
    }
}
