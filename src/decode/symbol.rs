//! The numbers of the symbols in a venue's messages.

use super::error::DecodeError;
use crate::instrument::{InstrumentId, Instruments, is_name};

/// The number of a venue's symbol, which stands in this field. No symbol is empty, or has a blank or a dot
/// at either end.
pub(super) fn instrument(
    instruments: &mut Instruments,
    venue: &str,
    field: &'static str,
    symbol: &str,
) -> Result<InstrumentId, DecodeError> {
    match instruments.known(symbol.as_bytes(), venue) {
        Some(known) => Ok(known),
        None if !is_name(symbol) => Err(DecodeError::OutOfRange(field)),
        None => Ok(instruments.intern(symbol, venue)?),
    }
}
