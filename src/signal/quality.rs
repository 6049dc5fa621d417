//! How far a signal's inputs can be trusted.

use serde::{Deserialize, Serialize};

/// How far a signal's inputs can be trusted, from best to worst. A signal has the worst quality of the rows
/// in its window, or that of itself: `Late` is said of signals, never of rows.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum Quality {
    /// Complete and fresh.
    #[default]
    Ok,
    /// Sound, but it left too late to act on: after its `valid_until`, or its input was older by then than
    /// the pipeline allows.
    Late,
    /// A feature's window has not covered its span yet.
    Warming,
    /// The book or quote is older than the pipeline allows, the instrument fell silent, or trading is halted.
    Stale,
    /// Under overload we dropped frames ourselves, a headline could not be read in full, or a trade was
    /// corrected or cancelled after it had been reported.
    Degraded,
    /// The book's best bid is at or above its best ask, or a quote's bid is above its ask.
    Crossed,
    /// Frames are missing: the numbering jumped or fell, the connection was lost, or nothing came for longer
    /// than the pipeline allows.
    Gap,
}

impl Quality {
    /// All qualities, best first.
    pub const ALL: [Self; 7] = [
        Self::Ok,
        Self::Late,
        Self::Warming,
        Self::Stale,
        Self::Degraded,
        Self::Crossed,
        Self::Gap,
    ];

    /// Whether a signal of this quality may be acted on. Any other carries no label, and causes no alert.
    #[must_use]
    pub fn may_be_acted_on(self) -> bool {
        self == Self::Ok
    }

    /// The word used in messages.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Late => "late",
            Self::Warming => "warming",
            Self::Stale => "stale",
            Self::Degraded => "degraded",
            Self::Crossed => "crossed",
            Self::Gap => "gap",
        }
    }
}
