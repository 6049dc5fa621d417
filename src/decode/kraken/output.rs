//! What events of Kraken are made with, and the events that both readers make.

use crate::decode::amount::Written;
use crate::decode::decoded::Decoded;
use crate::decode::error::DecodeError;
use crate::decode::stream_state::StreamState;
use crate::decode::trade_order::oldest_first;
use crate::event::{Batch, Body, Checksum, ChecksumForm, Depth, Quote, Splice, Trade};
use crate::instrument::{InstrumentId, Instruments, is_name};
use crate::units::{Nanos, Price, Size};

/// The venue's name in the names of instruments.
pub(super) const VENUE: &str = "KRAKEN";

/// What events are made with. A message may be about several instruments, of which the pipeline may list
/// some.
pub(super) struct Output<'o> {
    pub(super) stream: &'o mut StreamState,
    pub(super) instruments: &'o mut Instruments,
    pub(super) batch: &'o mut Batch,
    /// Events and levels of the batch before the message.
    before: (usize, usize),
    /// Why an instrument of the message has no events.
    left_out: Option<DecodeError>,
}

/// The levels of a book as far as they are read; they lie in the batch.
#[derive(Clone, Copy, Default)]
pub(super) struct BookLevels {
    /// How many bids.
    pub(super) bids: u32,
    /// How many asks, behind the bids.
    pub(super) asks: u32,
    /// The most decimal places of a price and of a size. The venue writes all that a symbol has.
    places: (u8, u8),
}

/// The rest of a book message.
pub(super) struct BookHead<'a> {
    pub(super) symbol: &'a str,
    pub(super) time: Nanos,
    pub(super) is_snapshot: bool,
    pub(super) checksum: u32,
}

impl BookLevels {
    /// Notes how a level is written.
    pub(super) fn note(&mut self, price: Written<'_>, size: Written<'_>) {
        let (of_price, of_size) = self.places;
        self.places = (of_price.max(places(price)), of_size.max(places(size)));
    }

    /// What the book must add up to; none where no level shows how many places the checksum's digits have.
    fn checksum(self, value: u32) -> Option<Checksum> {
        let (price_places, size_places) = self.places;
        let form = ChecksumForm::Digits {
            price_places,
            size_places,
        };
        (self.bids + self.asks > 0).then_some(Checksum { value, form })
    }
}

impl<'o> Output<'o> {
    pub(super) fn new(
        stream: &'o mut StreamState,
        instruments: &'o mut Instruments,
        batch: &'o mut Batch,
    ) -> Self {
        Self {
            before: (batch.events.len(), batch.levels.len()),
            left_out: None,
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

    /// Adds a book or a change of one; its levels are the last of the batch.
    pub(super) fn book(
        &mut self,
        head: &BookHead<'_>,
        levels: BookLevels,
    ) -> Result<(), DecodeError> {
        let start = self.batch.levels.len() - (levels.bids + levels.asks) as usize;
        let Some(instrument) = self.instrument(head.symbol)? else {
            self.batch.levels.truncate(start);
            return Ok(());
        };
        let keep = || {
            let promised = self.stream.depth_of(head.symbol);
            promised.unwrap_or_else(|| least_depth(levels.bids.max(levels.asks)))
        };
        let depth = Depth {
            start: start as u32,
            bids: levels.bids,
            asks: levels.asks,
            snapshot: head.is_snapshot.then_some(Splice::InOrder),
            keep: if head.is_snapshot { keep() } else { 0 },
            checksum: levels.checksum(head.checksum),
            ..Depth::default()
        };
        self.batch.push(instrument, head.time, Body::Depth(depth));
        Ok(())
    }

    /// The number of a symbol; none where the pipeline has no use for it.
    fn instrument(&mut self, symbol: &str) -> Result<Option<InstrumentId>, DecodeError> {
        if let Some(known) = self.instruments.known(symbol.as_bytes(), VENUE) {
            return Ok(Some(known));
        }
        if !is_name(symbol) {
            return Err(DecodeError::OutOfRange("symbol"));
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

/// The smallest depth that one can subscribe to and that holds so many levels; 0 where none does.
fn least_depth(levels: u32) -> u16 {
    let mut depths = DEPTHS.into_iter();
    let holds = |depth: &u16| u32::from(*depth) >= levels;
    depths.find(holds).unwrap_or_default()
}

/// The depths of a book that one can subscribe to.
const DEPTHS: [u16; 5] = [10, 25, 100, 500, 1_000];

/// Decimal places that a number is written with.
fn places(number: Written<'_>) -> u8 {
    let digits = number.digits;
    let point = memchr::memchr(b'.', digits);
    point.map_or(0, |at| (digits.len() - at - 1).min(usize::from(u8::MAX))) as u8
}
