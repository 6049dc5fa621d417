//! The symbols of venues: their numbers, and the currencies in them.

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

/// Base and quote currency of a symbol in capital letters that has no sign between them: `BTC` and `USDT` of
/// `BTCUSDT`; none where its end is no usual quote currency.
pub(super) fn pair(symbol: &str) -> Option<(&str, &str)> {
    let quote = QUOTES.iter().find(|quote| {
        let base = symbol.strip_suffix(**quote);
        base.is_some_and(|base| base.len() > 1)
    })?;
    Some((symbol.strip_suffix(quote)?, quote))
}

/// The currencies that are usual behind another one; those that end in another one of the list come first.
const QUOTES: [&str; 16] = [
    "FDUSD", "USDT", "USDC", "PYUSD", "RLUSD", "USDG", "EURC", "USD", "EUR", "GBP", "JPY", "AUD",
    "CAD", "CHF", "BTC", "ETH",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_symbol_is_cut_before_its_quote_currency() {
        assert_eq!(pair("BTCUSDT"), Some(("BTC", "USDT")));
        assert_eq!(pair("ETHBTC"), Some(("ETH", "BTC")));
        assert_eq!(pair("USDTUSD"), Some(("USDT", "USD")));
        assert_eq!(pair("USDT"), None);
        assert_eq!(pair("AAPL"), None);
    }
}
