//! Whether the records of a file are in the order of their times: of receive times, else of venue times.

use std::collections::BTreeMap;

use crate::event::Batch;
use crate::units::Nanos;

/// The times of the records of each file.
#[derive(Default)]
pub(super) struct FileOrder {
    /// The time of the last record, by file.
    last: BTreeMap<u16, Nanos>,
    /// Records that are earlier than the one before them in their file.
    pub(super) out_of_order: u64,
}

impl FileOrder {
    /// Takes the events of a frame.
    pub(super) fn take(&mut self, batch: &Batch) {
        let Some(event) = batch.events.first() else {
            return;
        };
        let origin = batch.origins[event.frame as usize];
        let time = match origin.ts_recv {
            Nanos::UNDEFINED => event.ts_event,
            received => received,
        };
        if time == Nanos::UNDEFINED {
            return;
        }
        let before = self.last.insert(origin.stream, time);
        self.out_of_order += u64::from(before.is_some_and(|before| time < before));
    }
}
