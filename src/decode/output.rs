//! What events of a venue are made with: the names of instruments, what earlier messages of the connection
//! left behind, and the batch for the events.

use super::error::DecodeError;
use super::stream_state::StreamState;
use super::symbol;
use crate::event::{Batch, Body, Level, Quote};
use crate::instrument::Instruments;
use crate::units::{Nanos, Price, Size};

/// What events of a venue are made with.
pub(super) struct Output<'o> {
    /// The venue's name in the names of instruments.
    pub(super) venue: &'static str,
    /// Of the connection by which the message came.
    pub(super) stream: &'o mut StreamState,
    pub(super) instruments: &'o mut Instruments,
    pub(super) batch: &'o mut Batch,
}

impl Output<'_> {
    /// Adds an event about a symbol, which stands in this field.
    pub(super) fn push(
        &mut self,
        (field, text): (&'static str, &str),
        ts_event: Nanos,
        body: Body,
    ) -> Result<(), DecodeError> {
        let instrument = symbol::instrument(self.instruments, self.venue, field, text)?;
        self.batch.push(instrument, ts_event, body);
        Ok(())
    }

    /// Where the levels that come next start in the batch.
    pub(super) fn levels_start(&self) -> u32 {
        self.batch.levels.len() as u32
    }

    /// Takes levels out of the batch, so many bids and then asks, and makes a quote of the first of each
    /// side.
    pub(super) fn take_quote(&mut self, start: u32, bids: u32) -> Quote {
        let levels = &self.batch.levels[start as usize..];
        let (bids, asks) = levels.split_at(bids as usize);
        let ((bid_px, bid_sz), (ask_px, ask_sz)) = (first(bids), first(asks));
        self.batch.levels.truncate(start as usize);
        Quote {
            bid_px,
            bid_sz,
            ask_px,
            ask_sz,
            // Numbers of quotes are of another series than those of books: times tell which is newer.
            sequence: 0,
        }
    }
}

/// The first level that is not empty.
pub(super) fn first(side: &[Level]) -> (Price, Size) {
    let level = side.iter().find(|level| level.size > Size::ZERO);
    level.map_or((Price::UNDEFINED, Size::ZERO), |level| {
        (level.price, level.size)
    })
}
