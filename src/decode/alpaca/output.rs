//! What events of Alpaca are made with.

use crate::decode::error::DecodeError;
use crate::decode::symbol;
use crate::event::Batch;
use crate::instrument::{InstrumentId, Instruments};

/// The venue's name in the names of instruments.
pub(super) const VENUE: &str = "ALPACA";

/// What events are made with: the names of instruments, and the batch for the events.
pub(super) struct Output<'o> {
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
        symbol::instrument(self.instruments, VENUE, field, symbol)
    }
}
