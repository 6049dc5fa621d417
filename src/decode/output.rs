//! What events of a venue are made with: the names of instruments, what earlier messages of the connection
//! left behind, and the batch for the events.

use super::error::DecodeError;
use super::stream_state::StreamState;
use crate::event::{Batch, Body, Level, Quote};
use crate::instrument::{InstrumentId, Instruments, is_name};
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
    /// Adds an event about a symbol, which stands in this field. No symbol is empty, or has a blank or a dot
    /// at either end.
    pub(super) fn push(
        &mut self,
        (field, symbol): (&'static str, &str),
        ts_event: Nanos,
        body: Body,
    ) -> Result<(), DecodeError> {
        let instrument = self.instrument(field, symbol)?;
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

    fn instrument(
        &mut self,
        field: &'static str,
        symbol: &str,
    ) -> Result<InstrumentId, DecodeError> {
        match self.instruments.known(symbol.as_bytes(), self.venue) {
            Some(known) => Ok(known),
            None if !is_name(symbol) => Err(DecodeError::OutOfRange(field)),
            None => Ok(self.instruments.intern(symbol, self.venue)?),
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
