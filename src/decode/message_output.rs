//! What events are made with where a message may be about several instruments.
//!
//! The pipeline may list some of them: the others are left out, and a message about left out instruments
//! alone is refused.

use super::decoded::Decoded;
use super::error::DecodeError;
use super::stream_state::StreamState;
use super::symbol;
use super::trade_order::oldest_first;
use crate::event::{Batch, Body, Depth, Quote, Trade};
use crate::instrument::{InstrumentId, Instruments};
use crate::units::{Nanos, Price, Size};

/// What the events of one message are made with.
pub(super) struct MessageOutput<'o> {
    /// Of the connection by which the message came.
    pub(super) stream: &'o mut StreamState,
    pub(super) batch: &'o mut Batch,
    instruments: &'o mut Instruments,
    /// The venue's name in the names of instruments.
    venue: &'static str,
    /// The field that holds the symbol.
    field: &'static str,
    /// Events and levels of the batch before the message.
    before: (usize, usize),
    /// Why an instrument of the message has no events.
    left_out: Option<DecodeError>,
}

impl<'o> MessageOutput<'o> {
    /// For a message of this venue, whose symbols stand in this field.
    pub(super) fn new(
        (venue, field): (&'static str, &'static str),
        stream: &'o mut StreamState,
        instruments: &'o mut Instruments,
        batch: &'o mut Batch,
    ) -> Self {
        Self {
            before: (batch.events.len(), batch.levels.len()),
            left_out: None,
            venue,
            field,
            stream,
            instruments,
            batch,
        }
    }

    /// Takes back the events of the message.
    pub(super) fn take_back(&mut self) {
        self.batch.events.truncate(self.before.0);
        self.batch.levels.truncate(self.before.1);
        self.left_out = None;
    }

    /// All events of the message are made. A message that is about left out instruments alone is refused.
    pub(super) fn finish(self) -> Result<Decoded, DecodeError> {
        match self.left_out {
            Some(error) if self.batch.events.len() == self.before.0 => Err(error),
            _ => Ok(Decoded::Events),
        }
    }

    /// The same for a message of trades.
    pub(super) fn finish_trades(self) -> Result<Decoded, DecodeError> {
        oldest_first(&mut self.batch.events[self.before.0..]);
        self.finish()
    }

    /// Adds a trade.
    pub(super) fn trade(
        &mut self,
        symbol: &str,
        time: Nanos,
        trade: Trade,
    ) -> Result<(), DecodeError> {
        self.push(symbol, time, Body::Trade(trade))
    }

    /// Adds the best bid and offer.
    pub(super) fn quote(
        &mut self,
        symbol: &str,
        time: Nanos,
        (bid_px, bid_sz): (Price, Size),
        (ask_px, ask_sz): (Price, Size),
    ) -> Result<(), DecodeError> {
        let quote = Quote {
            bid_px,
            bid_sz,
            ask_px,
            ask_sz,
            sequence: 0,
        };
        self.push(symbol, time, Body::Quote(quote))
    }

    /// Adds a book or a change of one. Its levels are the last of the batch; those of an instrument that is
    /// left out go.
    pub(super) fn depth(
        &mut self,
        symbol: &str,
        time: Nanos,
        depth: Depth,
    ) -> Result<(), DecodeError> {
        match self.instrument(symbol)? {
            Some(instrument) => self.batch.push(instrument, time, Body::Depth(depth)),
            None => self.batch.levels.truncate(depth.start as usize),
        }
        Ok(())
    }

    fn push(&mut self, symbol: &str, time: Nanos, body: Body) -> Result<(), DecodeError> {
        if let Some(instrument) = self.instrument(symbol)? {
            self.batch.push(instrument, time, body);
        }
        Ok(())
    }

    /// The number of a symbol; none where the pipeline has no use for it.
    fn instrument(&mut self, symbol: &str) -> Result<Option<InstrumentId>, DecodeError> {
        match symbol::instrument(self.instruments, self.venue, self.field, symbol) {
            Ok(instrument) => Ok(Some(instrument)),
            Err(error @ DecodeError::OutOfRange(_)) => Err(error),
            Err(error) => {
                self.left_out = Some(error);
                Ok(None)
            }
        }
    }
}
