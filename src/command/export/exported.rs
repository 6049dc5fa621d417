//! What an export wrote, for people and for programs.

use std::collections::BTreeMap;
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
    /// Rows of the split `validation`.
    pub validation: u64,
    /// Rows of the split `test`.
    pub test: u64,
    /// Rows of no part: their label, window or group reaches over a border.
    pub purge: u64,
    /// Rows of no part: they come soon after a border.
    pub embargo: u64,
    /// Rows of no part, whatever their time.
    pub excluded: u64,
    /// Why: the quality of their window, `not_scored` (live would pass them over), or `unlabelled`.
    pub excluded_by: BTreeMap<&'static str, u64>,
    /// Rows without any label: the price was unknown at the row or at its horizon, or a gap, a silence or the
    /// end of the data lies between.
    pub unlabelled: u64,
    /// The most rows that waited for their labels at a time.
    pub held: u64,
    /// Folds.
    pub folds: u64,
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

/// An export without a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "while making rows of the input: it made none; `foretick inspect` shows what it holds, and `foretick replay` what \
     its books wait for"
)]
pub struct NoRows;

impl Exported {
    /// Whether there is a row.
    ///
    /// # Errors
    /// [`NoRows`].
    pub fn check_rows(&self) -> Result<(), NoRows> {
        match self.rows {
            0 => Err(NoRows),
            _ => Ok(()),
        }
    }

    /// Counts a row of a part; `why` says why it is excluded, if it is.
    pub(super) fn count(&mut self, split: &str, why: Option<&'static str>) {
        self.rows += 1;
        let part = match split {
            "train" => &mut self.train,
            "validation" => &mut self.validation,
            "test" => &mut self.test,
            "purge" => &mut self.purge,
            "embargo" => &mut self.embargo,
            _ => &mut self.excluded,
        };
        *part += 1;
        if let Some(why) = why {
            *self.excluded_by.entry(why).or_default() += 1;
        }
    }
}

impl fmt::Display for Exported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            rows,
            train,
            validation,
            test,
            purge,
            embargo,
            excluded,
            excluded_by,
            unlabelled,
            held,
            folds,
            unread,
            features_sha256,
            frames: _,
            readability: _,
        } = self;
        writeln!(
            f,
            "{rows} rows: {train} train, {validation} validation, {test} test"
        )?;
        writeln!(f, "{purge} purged at borders, {embargo} embargoed")?;
        let reasons = excluded_by.iter();
        let reasons: Vec<String> = reasons.map(|(why, rows)| format!("{rows} {why}")).collect();
        match reasons.is_empty() {
            true => writeln!(f, "{excluded} excluded")?,
            false => writeln!(f, "{excluded} excluded: {}", reasons.join(", "))?,
        }
        writeln!(
            f,
            "{unlabelled} without a label, {held} held at most, {unread} frames not read"
        )?;
        if *folds > 0 {
            writeln!(f, "{folds} folds")?;
        }
        writeln!(f, "features {features_sha256}")
    }
}
