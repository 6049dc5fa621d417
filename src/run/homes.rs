//! Which partition of the input the records of each instrument come from.
//!
//! All records of an instrument are in one partition, where producers key them by instrument. Its state
//! belongs to that partition: it is saved with its offsets, and moves with it to another instance.

use tracing::warn;

use crate::event::{Batch, Body};
use crate::instrument::{InstrumentId, Instruments};

/// The partition of each instrument, by its number.
#[derive(Debug, Default)]
pub(super) struct Homes {
    partitions: Vec<i32>,
    /// The partition of the economic figures.
    figures: Option<i32>,
    /// Whether it was told that an instrument comes from two partitions.
    has_warned: bool,
}

/// Of an instrument that no record has named yet.
const NONE: i32 = -1;

impl Homes {
    /// Notes where the events of a batch come from.
    pub(super) fn note(&mut self, batch: &Batch, instruments: &Instruments) {
        // Nothing is kept of instruments whose names hold for one batch.
        if instruments.are_per_batch() {
            return;
        }
        for event in &batch.events {
            let partition = batch.origins[event.frame as usize].partition;
            // Ticks and snapshots over REST are of no partition.
            if partition < 0 {
                continue;
            }
            if event.instrument == InstrumentId::ALL {
                if matches!(event.body, Body::Figure(_)) {
                    self.figures = Some(partition);
                }
                continue;
            }
            let home = self.home(event.instrument);
            let first = *home;
            if first == NONE {
                *home = partition;
            } else if first != partition && !self.has_warned {
                self.has_warned = true;
                warn!(
                    instrument = instruments.name(event.instrument),
                    first,
                    partition,
                    "records of one instrument come from two partitions, so that their order \
                     is not kept and its state cannot follow a partition: key the records by instrument"
                );
            }
        }
    }

    /// An instrument whose state was restored belongs to this partition.
    pub(super) fn set(&mut self, instrument: InstrumentId, partition: i32) {
        *self.home(instrument) = partition;
    }

    /// The economic figures belong to this partition.
    pub(super) fn set_figures(&mut self, partition: i32) {
        self.figures = Some(partition);
    }

    /// The instruments of a partition.
    pub(super) fn of(&self, partition: i32) -> impl Iterator<Item = InstrumentId> {
        let numbered = (0_u32..).zip(&self.partitions);
        numbered.filter_map(move |(id, &home)| (home == partition).then_some(InstrumentId(id)))
    }

    /// Whether the economic figures are of this partition.
    pub(super) fn has_figures(&self, partition: i32) -> bool {
        self.figures == Some(partition)
    }

    /// Forgets a partition.
    pub(super) fn forget(&mut self, partition: i32) {
        for home in self
            .partitions
            .iter_mut()
            .filter(|home| **home == partition)
        {
            *home = NONE;
        }
        self.figures.take_if(|home| *home == partition);
    }

    fn home(&mut self, instrument: InstrumentId) -> &mut i32 {
        let at = instrument.index();
        if at >= self.partitions.len() {
            self.partitions.resize(at + 1, NONE);
        }
        &mut self.partitions[at]
    }
}
