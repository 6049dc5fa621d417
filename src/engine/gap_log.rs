//! The gaps that a batch has shown, until they are handed on. Bounded; without gaps it holds no memory.

use super::row::{EventCounts, GapRecord, MarketState};
use crate::event::GapReason;
use crate::frame::Origin;
use crate::instrument::InstrumentId;
use crate::units::Nanos;

/// Gap records that wait to be handed on, in the order of their events.
#[derive(Debug, Default)]
pub(super) struct GapLog {
    records: Vec<GapRecord>,
    /// Why and when the last gap of a whole feed was found.
    last: Option<(GapReason, Nanos)>,
}

/// Records that may wait; more are counted and lost. A lost connection gives one for each instrument.
const RECORDS_MAX: usize = 1 << 17;

impl GapLog {
    /// Takes what the last event of an instrument has shown.
    pub(super) fn take_from(
        &mut self,
        market: &mut MarketState,
        instrument: InstrumentId,
        origin: Origin,
        counts: &mut EventCounts,
    ) {
        if !market.suspicions.have_changed() {
            return;
        }
        let ts_event = market.latest();
        for change in market.suspicions.take_changes() {
            if self.records.len() == RECORDS_MAX {
                counts.unreported_gaps += 1;
                continue;
            }
            self.records.push(GapRecord {
                instrument,
                ts_event,
                origin,
                change,
            });
        }
    }

    /// Whether a gap of a whole feed is a copy of the last one: a capture of a run on several shards has the
    /// frame of each.
    pub(super) fn is_copy(&mut self, reason: GapReason, ts_recv: Nanos) -> bool {
        let before = self.last.replace((reason, ts_recv));
        before == self.last && ts_recv != Nanos::UNDEFINED
    }

    /// Appends the records that wait.
    pub(super) fn take(&mut self, records: &mut Vec<GapRecord>) {
        records.append(&mut self.records);
    }
}
