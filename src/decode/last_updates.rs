//! The newest book updates of each instrument of a stream.
//!
//! Names the instrument of a snapshot that was recorded without its symbol, if the numbers leave no doubt.

use rustc_hash::FxHashMap;

use crate::instrument::InstrumentId;

/// The numbers of the newest book updates of each instrument of one stream.
#[derive(Clone, Debug, Default)]
pub struct LastUpdates {
    by_instrument: FxHashMap<InstrumentId, Updates>,
}

/// The updates `first..=last`, all seen.
#[derive(Clone, Copy, Debug)]
struct Updates {
    first: u64,
    last: u64,
}

impl LastUpdates {
    /// Notes a book change that covers the updates `first..=last` of an instrument.
    pub fn note(&mut self, instrument: InstrumentId, first: u64, last: u64) {
        let new = Updates { first, last };
        let seen = self.by_instrument.entry(instrument).or_insert(new);
        let follows = (seen.first..=seen.last.saturating_add(1)).contains(&first);
        let begin = if follows { seen.first } else { first };
        *seen = Updates {
            first: begin.max(last.saturating_sub(NEWEST)),
            last,
        };
    }

    /// The one instrument of those that `may_be` among whose newest updates the update `number` is; none
    /// where it is among those of no instrument, or of several.
    #[must_use]
    pub fn instrument_of(
        &self,
        number: u64,
        may_be: impl Fn(InstrumentId) -> bool,
    ) -> Option<InstrumentId> {
        let holds = |updates: &Updates| (updates.first..=updates.last).contains(&number);
        let mut found = self
            .by_instrument
            .iter()
            .filter(|(id, seen)| holds(seen) && may_be(**id));
        let (instrument, _) = found.next()?;
        found.next().is_none().then_some(*instrument)
    }
}

/// Updates of an instrument that count as its newest. A snapshot is fetched within seconds of an update; a
/// busy book has some thousand updates a second.
const NEWEST: u64 = 20_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_belongs_to_the_instrument_whose_updates_hold_it() {
        let mut updates = LastUpdates::default();
        let (one, other) = (InstrumentId(0), InstrumentId(1));
        let any = |_| true;
        updates.note(one, 100, 104);
        updates.note(one, 105, 109);
        updates.note(other, 300, 309);
        assert_eq!(updates.instrument_of(100, any), Some(one));
        assert_eq!(updates.instrument_of(109, any), Some(one));
        assert_eq!(updates.instrument_of(305, any), Some(other));
        for beside in [99, 110, 299, 310] {
            assert_eq!(updates.instrument_of(beside, any), None, "{beside}");
        }
        updates.note(other, 105, 105);
        assert_eq!(updates.instrument_of(105, any), None, "of both");
        assert_eq!(updates.instrument_of(105, |id| id == one), Some(one));
        updates.note(one, 1_000, 1_001);
        assert_eq!(updates.instrument_of(100, any), None, "after a gap");
        updates.note(one, 1_002, 90_000);
        assert_eq!(updates.instrument_of(1_001, any), None, "too old");
    }
}
