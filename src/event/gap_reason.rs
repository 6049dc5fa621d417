//! Why messages are missing: the reasons of gaps, and their words.

use serde::{Deserialize, Serialize};

/// Why messages are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum GapReason {
    /// The venue's numbering jumped.
    Sequence,
    /// The venue began to number anew.
    Renumbered,
    /// The book does not add up to the venue's checksum.
    Checksum,
    /// The connection was lost.
    Reconnect,
    /// They were dropped here under overload.
    Overflow,
    /// The broker removed them before they were read.
    Retention,
}

impl GapReason {
    /// All reasons.
    pub const ALL: [Self; 6] = [
        Self::Sequence,
        Self::Renumbered,
        Self::Checksum,
        Self::Reconnect,
        Self::Overflow,
        Self::Retention,
    ];

    /// As frames of ours and records have it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Sequence => "sequence",
            Self::Renumbered => "renumbered",
            Self::Checksum => "checksum",
            Self::Reconnect => "reconnect",
            Self::Overflow => "overflow",
            Self::Retention => "retention",
        }
    }
}
