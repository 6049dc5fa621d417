//! What events of Binance are made with.

use super::market::BinanceMarket;
use crate::decode::decoded::Decoded;
use crate::decode::error::DecodeError;
use crate::decode::last_updates::LastUpdates;
use crate::decode::symbol;
use crate::event::Batch;
use crate::instrument::{InstrumentId, Instruments};

/// What events are made with: the market that is read, the numbers of books, the names of instruments, and
/// the batch for the events.
pub(super) struct Output<'o> {
    pub(super) market: BinanceMarket,
    pub(super) updates: &'o mut LastUpdates,
    pub(super) instruments: &'o mut Instruments,
    pub(super) batch: &'o mut Batch,
}

impl Output<'_> {
    /// The number of a symbol, which stands in this field.
    pub(super) fn instrument(
        &mut self,
        field: &'static str,
        symbol: &str,
    ) -> Result<InstrumentId, DecodeError> {
        let venue = self.market.venue();
        symbol::instrument(self.instruments, venue, field, symbol)
    }

    /// The instrument of the market whose newest updates hold this number, if it is one.
    pub(super) fn instrument_of(&self, number: u64) -> Option<InstrumentId> {
        let is_of_market = |id| self.instruments.is_at(id, self.market.venue());
        self.updates.instrument_of(number, is_of_market)
    }

    /// Refuses a message that shows another market than the one that is read.
    pub(super) fn admit(&self, shown: Option<BinanceMarket>) -> Result<(), DecodeError> {
        match shown {
            Some(market) if market != self.market => Err(DecodeError::UnknownType),
            _ => Ok(()),
        }
    }

    /// Refuses events about another symbol than that in the name of their stream, by which messages are
    /// spread over shards.
    pub(super) fn of_stream(&self, stream: &str, decoded: Decoded) -> Result<Decoded, DecodeError> {
        let symbol = stream.split_once('@').map_or("", |(symbol, _)| symbol);
        // Other letters may be written otherwise in a name.
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if decoded == Decoded::Events
            && let Some(event) = self.batch.events.last()
            && !symbol.is_empty()
            && symbol.bytes().all(is_plain)
        {
            let name = self.instruments.name(event.instrument).as_bytes();
            let told = name.get(..symbol.len());
            let is_same = told.is_some_and(|told| told.eq_ignore_ascii_case(symbol.as_bytes()));
            if !is_same || name.get(symbol.len()) != Some(&b'.') {
                return Err(DecodeError::OutOfRange("stream"));
            }
        }
        Ok(decoded)
    }
}
