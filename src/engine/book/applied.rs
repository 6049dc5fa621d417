//! What a depth event did to a book.

use crate::event::GapReason;

/// What a depth event did to the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// The levels changed.
    Changed,
    /// A snapshot replaced the book, and the waiting diffs that follow it were applied.
    Spliced {
        /// Diffs dropped because the snapshot holds them.
        dropped: u64,
    },
    /// The venue has begun to number anew, and a snapshot of the new numbers has replaced the book.
    Renumbered,
    /// The diff waits for a snapshot.
    Waiting,
    /// The diff is a copy, or the diff or snapshot is older than the book: nothing changed.
    Stale,
    /// The book has the change already, by a snapshot or by the connection before: nothing changed.
    Held,
    /// The snapshot is older than the first waiting diff: a newer one is needed.
    TooOld,
    /// The change says that nothing has changed, and that nothing is missing.
    Unchanged,
    /// The book is frozen as it was, until a new snapshot.
    Gap {
        /// Why: updates are missing, the venue has begun to number anew, or the checksum is another one.
        reason: GapReason,
        /// How many updates are missing; 0 where that is unknown.
        missing: u64,
    },
}

impl Applied {
    /// Whether levels were set.
    pub(super) fn has_changed(self) -> bool {
        matches!(
            self,
            Self::Changed | Self::Spliced { .. } | Self::Renumbered
        )
    }
}
