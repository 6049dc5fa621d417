//! Which shard a frame belongs to, by a look at its bytes.
//!
//! No JSON is parsed: the name is found by its key. Live feeds and file replay call the same two
//! functions, so that a key lives on the same shard however its frames arrive.

use memchr::memmem;

/// The symbol or instrument that a message names, as written.
///
/// Looks for Binance's `"stream":"btcusdt@trade"` at the start, then for the keys `s`, `symbol`,
/// `instrument`, `applicant` and `obligor`. Quotes inside JSON strings are escaped, so no text can pass for
/// a key.
#[must_use]
pub fn symbol_of(bytes: &[u8]) -> Option<&[u8]> {
    if let Some(stream) = stream_of(bytes)
        && let Some(at) = memchr::memchr(b'@', stream)
        && stream[0] != b'!'
    {
        return Some(&stream[..at]);
    }
    KEYS.iter().find_map(|key| text_value(bytes, key))
}

/// The name of a combined stream's message: `btcusdt@bookTicker`.
#[must_use]
pub fn stream_of(bytes: &[u8]) -> Option<&[u8]> {
    text_value(&bytes[..bytes.len().min(STREAM_WITHIN)], b"\"stream\"")
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

/// The text behind `key` (given with its quotes); empty text counts as none.
fn text_value<'a>(bytes: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    memmem::find_iter(bytes, key).find_map(|at| {
        let rest = bytes[at + key.len()..].trim_ascii_start();
        let value = rest.strip_prefix(b":")?.trim_ascii_start();
        let value = value.strip_prefix(b"\"")?;
        let end = memchr::memchr(b'"', value)?;
        (end > 0).then(|| &value[..end])
    })
}

const KEYS: [&[u8]; 5] = [
    b"\"s\"",
    b"\"symbol\"",
    b"\"instrument\"",
    b"\"applicant\"",
    b"\"obligor\"",
];

/// Binance puts the stream's name first; its longest name is well below this.
const STREAM_WITHIN: usize = 96;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found() {
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
            (
                r#"1700000000 {"symbol": "BTCUSDT", "price": "1"}"#,
                "BTCUSDT",
            ),
            (
                r#"{"e":"s","instrument" : "BTCUSDT.BINANCE"}"#,
                "BTCUSDT.BINANCE",
            ),
        ] {
            assert_eq!(
                symbol_of(bytes.as_bytes()),
                Some(name.as_bytes()),
                "{bytes}"
            );
        }
    }

    #[test]
    fn what_names_nobody_is_nobodys() {
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
            assert_eq!(symbol_of(bytes.as_bytes()), None, "{bytes}");
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
