//! Gaps as data: what became known of the inputs of an instrument, for the topic `md.gaps.v1`.

use crate::event::GapReason;
use crate::frame::Origin;
use crate::instrument::InstrumentId;
use crate::units::Nanos;

/// A gap that was found, or that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GapRecord {
    /// The instrument.
    pub instrument: InstrumentId,
    /// The latest event time known of it; undefined before its first event with a time.
    pub ts_event: Nanos,
    /// The frame that showed it.
    pub origin: Origin,
    /// What it showed.
    pub change: GapChange,
}

/// What became known of a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GapChange {
    /// What is suspect.
    pub input: GapInput,
    /// Why.
    pub reason: GapReason,
    /// How many messages are missing; 0 where that is unknown.
    pub missing: u64,
    /// The time of the last proof that nothing was missing; undefined where there was none.
    pub from: Nanos,
    /// The time of the proof that ended it; none while it is open.
    pub to: Option<Nanos>,
}

/// The inputs of an instrument that a gap makes suspect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum GapInput {
    /// All of them.
    All,
    /// Its book.
    Book,
    /// Its quotes.
    Quotes,
    /// Its trades, and what is computed of them.
    Trades,
}

impl GapInput {
    /// As records have it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Book => "book",
            Self::Quotes => "quotes",
            Self::Trades => "trades",
        }
    }
}
