//! `[split]`: how `foretick features` divides rows into training, validation and test.

use serde::Deserialize;

/// `[split]`: how `foretick features` divides rows into training, validation and test, by time, by group, or
/// both, so that no label and no window reaches over a border.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SplitConfig {
    /// Rows from this time on, up to `test_from`, are `validation`. RFC 3339, or nanoseconds since the epoch.
    /// Not given: no row is.
    pub validation_from: Option<String>,
    /// Rows before this time are `train` (or `validation`), later ones `test`; rows whose label or window
    /// reaches across it are `purge`. RFC 3339, or nanoseconds since the epoch. Not given: no row is `test`.
    pub test_from: Option<String>,
    /// The number of rows in a window of the model to be trained. A row whose window begins before a border
    /// is `purge` after it. Default: `1`.
    pub steps: Option<u64>,
    /// Rows that are less than this before a border are `purge` even where their labels end earlier, in
    /// milliseconds of event time. Default: `0`, by labels and windows alone.
    pub purge_ms: i64,
    /// Rows that are less than this after a border, and training rows of folds that are less than this after
    /// the end of a test's labels, are `embargo`, in milliseconds of event time. Default: `0`.
    pub embargo_ms: i64,
    /// What no two sides of a border may share. Not given: rows are divided by time alone.
    pub group_by: Option<GroupBy>,
    /// The share of the groups that are `validation`, from 0 to 1, by a hash of their names. Needs
    /// `group_by`. Not given: groups are divided by time.
    pub validation_share: Option<f64>,
    /// The share of the groups that are `test`. Needs `group_by`. Not given: groups are divided by time.
    pub test_share: Option<f64>,
    /// The qualities of windows that stay in `train`, `validation` and `test`; rows of others are `excluded`.
    /// Default: `["ok"]`.
    pub qualities: Option<Vec<String>>,
    /// Folds of the rows before `validation_from`, or `test_from`, for cross-validation.
    pub folds: Option<FoldsConfig>,
}

/// `[split.folds]`: folds for cross-validation: time is cut into blocks of equal length, and each fold tests
/// some of them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FoldsConfig {
    /// How folds are made of blocks. Required.
    pub kind: FoldsKind,
    /// The number of blocks. Required; 2 at least.
    pub blocks: usize,
    /// How many blocks a combinatorial fold tests. Default: `2`.
    #[serde(default = "test_blocks")]
    pub test_blocks: usize,
    /// How many blocks before its test a fold of `walk_forward` is trained on. Not given: all.
    pub train_blocks: Option<usize>,
    /// When the first block begins. Not given: at the first event, which is found by reading the inputs once
    /// more.
    pub from: Option<String>,
    /// When the last block ends, which is not after `validation_from` or `test_from`. Not given: at the first
    /// of these, or after the last event.
    pub to: Option<String>,
}

/// How folds are made of blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FoldsKind {
    /// Each block but the first is tested by a fold that is trained on the blocks before it.
    WalkForward,
    /// Each choice of `test_blocks` blocks is tested by a fold that is trained on all others.
    Combinatorial,
}

/// What no two sides of a border may share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupBy {
    /// The instrument, firm or applicant.
    Key,
    /// The headline: items whose word pieces are near-duplicates by `news.fold_similarity` are one group.
    Text,
}

fn test_blocks() -> usize {
    2
}
