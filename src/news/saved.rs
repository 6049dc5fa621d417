//! The items that were seen, as they are saved with the state of a partition: by the names of instruments.

use serde::{Deserialize, Serialize};

/// What was seen of a partition's items.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedItems {
    /// The items, in the order of their arrival.
    pub(super) items: Vec<SavedItem>,
    /// By instrument, its newest headlines.
    pub(super) headlines: Vec<(String, Vec<SavedHeadline>)>,
}

/// An item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SavedItem {
    pub(super) id: String,
    pub(super) revision: u64,
    pub(super) text: u64,
    /// The instruments for which it is news.
    pub(super) of: Vec<String>,
}

/// The words of an item's headline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SavedHeadline {
    pub(super) number: u64,
    pub(super) ts: i64,
    pub(super) words: Vec<u32>,
}

impl SavedItems {
    /// Whether there is nothing to save.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty() && self.headlines.is_empty()
    }
}
