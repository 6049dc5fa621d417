//! Since when inputs of an instrument are suspect: from the last proof before a gap to the proof that ends
//! it.
//!
//! It decides no quality: see `gaps`.

use serde::{Deserialize, Serialize};

use super::gap_record::{GapChange, GapInput};
use crate::event::GapReason;
use crate::units::Nanos;

/// The open gaps of an instrument, and what has changed in them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Suspicions {
    /// Of book and quotes, or of all inputs. Further gaps until its end lengthen it.
    market: Option<Suspicion>,
    /// Of trades that were dropped under overload.
    trades: Option<Suspicion>,
    /// Changes by the event that is worked on. Empty, and without memory, where there is no gap.
    #[serde(skip)]
    changes: Vec<GapChange>,
}

/// An open gap.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Suspicion {
    input: GapInput,
    /// Why it began.
    reason: GapReason,
    missing: u64,
    from: Nanos,
}

impl Suspicions {
    /// Opens a gap. Where one is open, it goes on from its own beginning.
    pub(super) fn begin(&mut self, input: GapInput, reason: GapReason, missing: u64, from: Nanos) {
        let slot = match input {
            GapInput::Trades => &mut self.trades,
            GapInput::All | GapInput::Book | GapInput::Quotes => &mut self.market,
        };
        let open = slot.get_or_insert(Suspicion {
            input,
            reason,
            missing: 0,
            from,
        });
        open.missing = open.missing.saturating_add(missing);
        if input == GapInput::All {
            open.input = input;
        }
        self.changes.push(GapChange {
            input,
            reason,
            missing,
            from: open.from,
            to: None,
        });
    }

    /// Notes a gap that has ended where it was found.
    pub(super) fn note(
        &mut self,
        input: GapInput,
        reason: GapReason,
        missing: u64,
        (from, to): (Nanos, Nanos),
    ) {
        self.changes.push(GapChange {
            input,
            reason,
            missing,
            from,
            to: Some(to),
        });
    }

    /// The book, or what there is instead of one, is whole.
    pub(super) fn end_market(&mut self, to: Nanos) {
        if let Some(open) = self.market.take() {
            self.end(open, to);
        }
    }

    /// A trade came after those that were dropped.
    pub(super) fn end_trades(&mut self, to: Nanos) {
        if let Some(open) = self.trades.take() {
            self.end(open, to);
        }
    }

    fn end(&mut self, open: Suspicion, to: Nanos) {
        let Suspicion {
            input,
            reason,
            missing,
            from,
        } = open;
        self.note(input, reason, missing, (from, to));
    }

    /// What the event has changed, in order.
    pub(crate) fn take_changes(&mut self) -> impl Iterator<Item = GapChange> {
        self.changes.drain(..)
    }

    /// Whether the event has changed anything.
    pub(crate) fn have_changed(&self) -> bool {
        !self.changes.is_empty()
    }
}

/// A time of which `i64::MIN` says that there is none.
pub(super) fn time_of(ts: i64) -> Nanos {
    match ts {
        i64::MIN => Nanos::UNDEFINED,
        ts => Nanos(ts),
    }
}
