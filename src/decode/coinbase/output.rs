//! What events of Coinbase are made with, and the events that both readers make.

use crate::decode::decoded::Decoded;
use crate::decode::error::DecodeError;
use crate::decode::trade_order::oldest_first;
use crate::event::{Batch, Body, Depth, Level, Quote, Splice, Trade};
use crate::instrument::{InstrumentId, Instruments, is_name};
use crate::units::{Nanos, Price, Side, Size};

/// The venue's name in the names of instruments.
pub(super) const VENUE: &str = "COINBASE";

/// The time of an update whose time the venue does not know: levels of a snapshot may have it.
pub(super) const NO_TIME: &str = "1970-01-01T00:00:00Z";

/// What events are made with. A message may be about several instruments, of which the pipeline may list
/// some.
pub(super) struct Output<'o> {
    pub(super) instruments: &'o mut Instruments,
    pub(super) batch: &'o mut Batch,
    /// Events and levels of the batch before the message.
    before: (usize, usize),
    /// Why an instrument of the message has no events.
    left_out: Option<DecodeError>,
}

/// The levels of a book, whose sides come mixed. Bids lie in the batch at once, asks are added behind them.
pub(super) struct BookLevels {
    start: usize,
    asks: Vec<Level>,
}

impl BookLevels {
    pub(super) fn new(batch: &Batch) -> Self {
        Self {
            start: batch.levels.len(),
            asks: vec![],
        }
    }

    /// Adds a level.
    pub(super) fn push(&mut self, side: Side, level: Level, batch: &mut Batch) {
        match side {
            Side::Buy => batch.levels.push(level),
            Side::Sell => self.asks.push(level),
        }
    }
}

/// The side of a level in the venue's words.
pub(super) fn book_side(word: &[u8]) -> Option<Side> {
    match word {
        b"bid" => Some(Side::Buy),
        b"offer" => Some(Side::Sell),
        _ => None,
    }
}

/// The side that started a trade. The venue names that of the order that rested.
pub(super) fn taker_side(word: &[u8]) -> Option<Side> {
    match word {
        b"SELL" => Some(Side::Buy),
        b"BUY" => Some(Side::Sell),
        _ => None,
    }
}

impl<'o> Output<'o> {
    pub(super) fn new(instruments: &'o mut Instruments, batch: &'o mut Batch) -> Self {
        Self {
            before: (batch.events.len(), batch.levels.len()),
            left_out: None,
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
        if let Some(instrument) = self.instrument(symbol)? {
            self.batch.push(instrument, time, Body::Trade(trade));
        }
        Ok(())
    }

    /// Adds the best bid and offer.
    pub(super) fn quote(
        &mut self,
        symbol: &str,
        time: Nanos,
        bid: (Price, Size),
        ask: (Price, Size),
    ) -> Result<(), DecodeError> {
        let quote = Quote {
            bid_px: bid.0,
            bid_sz: bid.1,
            ask_px: ask.0,
            ask_sz: ask.1,
            sequence: 0,
        };
        if let Some(instrument) = self.instrument(symbol)? {
            self.batch.push(instrument, time, Body::Quote(quote));
        }
        Ok(())
    }

    /// Adds a book or a change of one. It has no numbers of its own: the connection's show what is missing.
    pub(super) fn book(
        &mut self,
        symbol: &str,
        time: Nanos,
        is_snapshot: bool,
        levels: &BookLevels,
    ) -> Result<(), DecodeError> {
        let start = levels.start;
        let bids = self.batch.levels.len() - start;
        let Some(instrument) = self.instrument(symbol)? else {
            self.batch.levels.truncate(start);
            return Ok(());
        };
        self.batch.levels.extend_from_slice(&levels.asks);
        let depth = Depth {
            start: start as u32,
            bids: bids as u32,
            asks: levels.asks.len() as u32,
            snapshot: is_snapshot.then_some(Splice::InOrder),
            ..Depth::default()
        };
        self.batch.push(instrument, time, Body::Depth(depth));
        Ok(())
    }

    /// The number of a symbol; none where the pipeline has no use for it.
    fn instrument(&mut self, symbol: &str) -> Result<Option<InstrumentId>, DecodeError> {
        if let Some(known) = self.instruments.known(symbol.as_bytes(), VENUE) {
            return Ok(Some(known));
        }
        if !is_name(symbol) {
            return Err(DecodeError::OutOfRange("product_id"));
        }
        match self.instruments.intern(symbol, VENUE) {
            Ok(instrument) => Ok(Some(instrument)),
            Err(error) => {
                self.left_out = Some(error.into());
                Ok(None)
            }
        }
    }
}
