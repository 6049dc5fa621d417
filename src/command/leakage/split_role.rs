//! What a row is in a split or a fold: trained on, held out, or neither.

/// What a row is in one split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SplitRole {
    /// The model learns from it.
    Train,
    /// The model is chosen by it.
    Validation,
    /// The model is judged by it.
    Test,
    /// Purged, in the embargo, excluded, or not used.
    Neither,
}

impl SplitRole {
    /// All, in the order of [`Self::index`].
    pub(super) const COUNT: usize = 4;

    /// The role that a word of the split `name` means; none of words that are not known.
    pub(super) fn of_word(name: &str, word: &str) -> Option<Self> {
        let word = word.trim().to_ascii_lowercase();
        Some(match word.as_str() {
            "train" | "training" | "fit" => Self::Train,
            "validation" | "validate" | "valid" | "val" | "dev" => Self::Validation,
            "test" | "testing" | "holdout" | "hold_out" | "hold-out" | "oos" => Self::Test,
            "purge" | "purged" | "embargo" | "embargoed" | "excluded" | "unused" | "none" | "" => {
                Self::Neither
            }
            // A column of flags, such as `is_train`.
            "true" | "false" => match (word == "true", name.to_ascii_lowercase()) {
                (is_so, name) if name.contains("train") => {
                    [Self::Test, Self::Train][usize::from(is_so)]
                }
                (is_so, name) if name.contains("test") => {
                    [Self::Train, Self::Test][usize::from(is_so)]
                }
                _ => return None,
            },
            _ => return None,
        })
    }

    /// Whether a model must know nothing of the row.
    pub(super) fn is_held_out(self) -> bool {
        matches!(self, Self::Validation | Self::Test)
    }

    pub(super) fn index(self) -> usize {
        match self {
            Self::Train => 0,
            Self::Validation => 1,
            Self::Test => 2,
            Self::Neither => 3,
        }
    }
}

/// The bits that are set: the numbers of splits.
pub(super) fn bits(mut mask: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let bit = mask.trailing_zeros() as usize;
        (mask != 0).then(|| {
            mask &= mask - 1;
            bit
        })
    })
}
