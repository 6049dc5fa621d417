//! Which shard a frame belongs to, by a look at its bytes.
//!
//! No JSON is parsed: the instrument's name is found by its key. Live feeds and file replay place names by
//! the same function, so that a key lives on the same shard however its frames arrive.

use std::borrow::Cow;

use super::control;
use super::format::is_of_topic;
pub(crate) use super::shard::name_hash;
pub use super::shard::shard_of;
use super::text::{members, text_of};
use super::venue::Venue;
use super::venues::Venues;
use crate::frame::packed::{is_packed, name_of};

/// Finds the symbols that frames name, in every format. Remembers the venue of each stream.
#[derive(Debug, Default)]
pub struct SymbolFinder {
    venues: Venues,
    /// By stream: the venue of the last message that named a symbol.
    last: Vec<Option<&'static dyn Venue>>,
}

impl SymbolFinder {
    /// Finds symbols in the messages of these venues, and in our own topics.
    #[must_use]
    pub fn new(venues: Venues) -> Self {
        Self {
            venues,
            last: vec![],
        }
    }

    /// The symbol, instrument, applicant or obligor that a frame of this stream names, without escapes.
    pub fn symbol_of<'f>(&mut self, stream: u16, frame: &'f [u8]) -> Option<Cow<'f, str>> {
        if is_packed(frame) {
            return name_of(frame).map(Cow::Borrowed);
        }
        if control::is_control(frame) {
            return text_of(frame, "symbol");
        }
        if is_of_topic(frame) {
            return topic_key(frame);
        }
        let at = usize::from(stream);
        if at >= self.last.len() {
            self.last.resize(at + 1, None);
        }
        let last = &mut self.last[at];
        // The venue as before; another one where that does not find its way in the message.
        if let Some(symbol) = last.and_then(|venue| venue.symbol_of(frame)) {
            return Some(symbol);
        }
        match self.venues.recognise(frame) {
            Some(venue) => {
                let symbol = venue.symbol_of(frame)?;
                *last = Some(venue);
                Some(symbol)
            }
            None => topic_key(frame),
        }
    }
}

/// The key of a record of one of our topics.
fn topic_key(record: &[u8]) -> Option<Cow<'_, str>> {
    let is_key = |name: &super::text::Raw<'_>| TOPIC_KEYS.iter().any(|key| name.is(key));
    let mut keys = members(record).filter(|(name, _)| is_key(name));
    keys.find_map(|(_, value)| value.text().filter(|text| !text.is_empty()))
}

const TOPIC_KEYS: [&str; 4] = ["symbol", "instrument", "applicant", "obligor"];

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
                r#" {"data":{"e":"trade","s":"BTCUSDT"}, "stream":"btcusdt@trade"}"#,
                "btcusdt",
            ),
            (
                r#"{"of":{"symbol":"OTHER"},"ts_event":1,"s\u0079mbol":"\u6d4b\u8bd5USDT"}"#,
                "测试USDT",
            ),
            (
                r#"{"data":{"e":"depthUpdate","b":[["1","2"]],"s":"\u6d4b\u8bd5USDT"},"stream":"\u6d4b\u8bd5usdt@depth"}"#,
                "测试usdt",
            ),
            (r#"{ "foretick" : "gap", "symbol" : "BTCUSDT" }"#, "BTCUSDT"),
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
            assert_eq!(found.as_deref(), Some(name), "{bytes}");
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
