//! Which shard a frame belongs to, by a look at its bytes.
//!
//! No JSON is parsed: the instrument's name is found by its key. Live feeds and file replay place names by
//! the same function, so that a key lives on the same shard however its frames arrive.

use super::control;
use super::format::Format;
use super::text::text_of;
use super::venues::Venues;

/// Finds the symbols that frames name, in every format. Remembers the format of each stream.
#[derive(Debug, Default)]
pub struct SymbolFinder {
    venues: Venues,
    /// By stream.
    formats: Vec<Option<Format>>,
}

impl SymbolFinder {
    /// Finds symbols in the messages of these venues, and in our own topics.
    #[must_use]
    pub fn new(venues: Venues) -> Self {
        Self {
            venues,
            formats: vec![],
        }
    }

    /// The symbol, instrument, applicant or obligor that a frame of this stream names, as written.
    pub fn symbol_of<'f>(&mut self, stream: u16, frame: &'f [u8]) -> Option<&'f [u8]> {
        if frame.starts_with(control::PREFIX) {
            return text_of(frame, b"\"symbol\"");
        }
        let at = usize::from(stream);
        if at >= self.formats.len() {
            self.formats.resize(at + 1, None);
        }
        let format = self.formats[at].or_else(|| Format::of(frame, &self.venues));
        let symbol = match format {
            Some(Format::Venue(venue)) => venue.symbol_of(frame),
            Some(Format::Topic) | None => topic_key(frame),
        };
        if symbol.is_some() {
            self.formats[at] = format;
        }
        symbol
    }
}

/// The shard of a symbol: FNV-1a of its upper-case letters up to the first dot, modulo `shards`.
///
/// What follows the dot is the venue (`BTCUSDT.BINANCE`), which not every feed names.
#[must_use]
pub fn shard_of(symbol: &[u8], shards: usize) -> usize {
    let end = memchr::memchr(b'.', symbol).unwrap_or(symbol.len());
    (name_hash(&symbol[..end]) % shards as u64) as usize
}

/// FNV-1a of the upper-case letters: the same for `btcusdt` and `BTCUSDT`.
pub(crate) fn name_hash(name: &[u8]) -> u64 {
    name.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte.to_ascii_uppercase())).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The key of a record of one of our topics.
fn topic_key(record: &[u8]) -> Option<&[u8]> {
    TOPIC_KEYS.iter().find_map(|key| text_of(record, key))
}

const TOPIC_KEYS: [&[u8]; 4] = [
    b"\"symbol\"",
    b"\"instrument\"",
    b"\"applicant\"",
    b"\"obligor\"",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_in_messages_of_every_format() {
        for (bytes, name) in [
            (
                r#"{"stream":"btcusdt@trade","data":{"e":"trade","s":"BTCUSDT"}}"#,
                "btcusdt",
            ),
            (r#"{"e":"trade","E":1,"s":"BNBBTC","t":1}"#, "BNBBTC"),
            (
                r#"{"stream":"!bookTicker","data":{"u":1,"s":"ETHUSDT"}}"#,
                "ETHUSDT",
            ),
            (r#"{"symbol": "BTCUSDT", "price": "1"}"#, "BTCUSDT"),
            (
                r#"{"ts_event":1,"e":"s","instrument" : "BTCUSDT.BINANCE"}"#,
                "BTCUSDT.BINANCE",
            ),
            (r#"{"ts_event":1,"s":"x","obligor":"17"}"#, "17"),
            (
                r#"{"foretick":"gap","symbol":"BTCUSDT","venue":"BINANCE"}"#,
                "BTCUSDT",
            ),
        ] {
            let mut finder = SymbolFinder::default();
            let found = finder.symbol_of(0, bytes.as_bytes());
            assert_eq!(found, Some(name.as_bytes()), "{bytes}");
        }
    }

    #[test]
    fn a_frame_that_names_no_instrument_has_no_symbol() {
        for bytes in [
            "",
            "{",
            r#"{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1}}"#,
            r#"{"text":"he wrote \"symbol\":\"BTCUSDT\""}"#,
            r#"{"s":"#,
            r#"{"s":""}"#,
            r#"{"s":7}"#,
            r#"{"foretick":"gap","reason":"reconnect"}"#,
        ] {
            let found = SymbolFinder::default().symbol_of(0, bytes.as_bytes());
            assert_eq!(found, None, "{bytes}");
        }
    }

    #[test]
    fn a_symbol_has_one_shard_however_it_is_written() {
        let shard = shard_of(b"btcusdt", 7);
        assert_eq!(shard_of(b"BTCUSDT", 7), shard);
        assert_eq!(shard_of(b"BTCUSDT.BINANCE", 7), shard);
        // Published values of FNV-1a: the shard of a key must survive an upgrade.
        assert_eq!(name_hash(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(name_hash(b"a"), 0xaf63_fc4c_8602_22ec);
    }
}
