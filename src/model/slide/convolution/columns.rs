//! The last columns of every filter of one key.

use serde::{Deserialize, Serialize};

use crate::model::slide::cells;

/// The last columns of each source (the rows, then each filter) of one key, as many as a filter or the head
/// looks back.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct ColumnCache {
    /// A ring of columns for each source, one behind the other.
    #[serde(with = "cells")]
    pub(super) cells: Vec<f32>,
    /// Rows appended so far.
    pub(super) rows_seen: u64,
}
