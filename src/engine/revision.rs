//! A signal as one of the revisions of an event's signal: its number, and what it says anew.

use super::past::Published;
use super::pending::PendingSignal;
use super::state::InstrumentStates;
use crate::frame::Origin;
use crate::signal::Signal;
use crate::signal::quality::Quality;

/// What a signal is a revision of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Revision {
    /// The frame of its event.
    pub(super) origin: Origin,
    /// Where it is kept what was published of that.
    pub(super) slot: u32,
}

impl Revision {
    /// Numbers a signal; false where it says again what was published last.
    pub(super) fn number(self, signal: &mut Signal, instruments: &mut InstrumentStates) -> bool {
        let state = instruments.state_mut(signal.instrument);
        let Some(published) = state.and_then(|state| state.published(self.slot)) else {
            return true;
        };
        let mut new = Published {
            outputs: signal.outputs,
            reasons: signal.reasons,
            quality: signal.quality,
            revision: 0,
        };
        if let Some(before) = published {
            if new.is_same(before) {
                return false;
            }
            new.revision = before.revision + 1;
        }
        signal.revision = new.revision;
        *published = Some(new);
        true
    }

    /// The signal that takes back the one published before, if there was one: with its outputs, and a quality
    /// that says not to act on them.
    pub(super) fn take_back(
        self,
        pending: &PendingSignal,
        instruments: &mut InstrumentStates,
    ) -> Option<Signal> {
        let state = instruments.state_mut(pending.row.instrument)?;
        let before = (*state.published(self.slot)?)?;
        let mut signal = pending.signal(before.outputs, &[], self.origin);
        (signal.reasons, signal.quality) = (before.reasons, Quality::Gap);
        self.number(&mut signal, instruments).then_some(signal)
    }
}
