//! The last book update of each instrument of a stream.
//!
//! Names the instrument of a snapshot that was recorded without its symbol.

use rustc_hash::FxHashMap;

use crate::instrument::InstrumentId;

/// The number of the last book update of each instrument of one stream.
#[derive(Clone, Debug, Default)]
pub struct LastUpdates {
    by_instrument: FxHashMap<InstrumentId, u64>,
}

impl LastUpdates {
    /// Notes the number of an instrument's newest update.
    pub fn note(&mut self, instrument: InstrumentId, number: u64) {
        self.by_instrument.insert(instrument, number);
    }

    /// The one instrument whose updates are numbered near `number`; none where several are. Venues number
    /// the books of different instruments far apart.
    #[must_use]
    pub fn instrument_near(&self, number: u64) -> Option<InstrumentId> {
        let mut near = self
            .by_instrument
            .iter()
            .filter(|(_, last)| last.abs_diff(number) < NEAR);
        let (instrument, _) = near.next()?;
        near.next().is_none().then_some(*instrument)
    }
}

/// A snapshot is fetched within seconds of an update; the busiest book has some 10,000 updates a second.
const NEAR: u64 = 1_000_000;
