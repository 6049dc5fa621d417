//! What a frame looks like that could not be read, for people.
//!
//! Tells the kind of text, and of JSON the names of its keys; never a value.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::decode::Venues;
use crate::decode::venues::HostOwner;
use crate::frame::packed::{self, RowBody};

/// What the bytes look like, with what to do; the names of keys only with `names_keys`.
#[must_use]
pub fn looks_like(bytes: &[u8], names_keys: bool) -> String {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = match std::str::from_utf8(&bytes[..bytes.len().min(LOOKED_AT)]) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => {
            // The text is cut within a character.
            std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return "binary data, or text that is not UTF-8".into(),
    };
    let text = text.trim();
    let is_control = |byte: u8| byte.is_ascii_control() && !byte.is_ascii_whitespace();
    if text.is_empty() {
        return "a blank line".into();
    }
    if text.starts_with("8=FIX") {
        return "FIX messages, which are not read: write them as JSON lines of a topic".into();
    }
    if text.bytes().any(is_control) {
        return "binary data".into();
    }
    match text.as_bytes()[0] {
        b'{' => return object(bytes, names_keys),
        b'[' => {
            return "a JSON array: write its elements one on each line (`jq -c '.[]'`)".into();
        }
        b'<' => return "XML or HTML".into(),
        _ => {}
    }
    if text.starts_with("data:") || text.starts_with("event:") {
        return "server-sent events: take the JSON behind `data:`, one message on each line".into();
    }
    if let Some(venue) = venue_of(text) {
        let article = match venue.starts_with(['A', 'E', 'I', 'O']) {
            true => "an",
            false => "a",
        };
        return format!(
            "{article} {venue} capture of another program, whose messages stand behind other text: a line is one JSON \
             object, alone or behind its receive time in nanoseconds and a blank"
        );
    }
    if text.contains('{') {
        return "JSON behind other text, as in a log: a line is one JSON object, alone or behind its receive time in \
                nanoseconds and a blank"
            .into();
    }
    let separators = [
        ('\t', "tabs"),
        (';', "semicolons"),
        (',', "commas"),
        ('|', "bars"),
    ];
    match separators
        .iter()
        .find(|(separator, _)| text.contains(*separator))
    {
        Some((_, name)) => format!(
            "a table whose cells {name} separate: give the file a name that ends in .csv, .tsv or .txt, and say in \
             [source.table] what its columns mean"
        ),
        None => "text that is no JSON".into(),
    }
}

/// A row of an archive that could not be used: where the cell at fault stands, what stands there, and what is
/// wrong; else the row as its dead letter has it.
#[must_use]
pub fn row_shown(frame: &[u8], dead_letter: &[u8]) -> String {
    match packed::read(frame) {
        Some(row) if matches!(row.body, RowBody::Unreadable(_)) => row.cell.to_owned(),
        _ => format!("the row {}", String::from_utf8_lossy(dead_letter)),
    }
}

/// The venue whose address stands in a text, or whose message stands behind other text.
fn venue_of(text: &str) -> Option<&'static str> {
    let venues = Venues::default();
    if let Some((_, address)) = text.split_once("wss://") {
        let host = address.split(['/', ':', '?', ' ']).next()?;
        return match venues.owner_of(host) {
            HostOwner::Feed(venue) | HostOwner::Other(venue, _) => Some(venue.name()),
            HostOwner::Unknown => None,
        };
    }
    let message = &text.as_bytes()[text.find('{')?..];
    venues.recognise(message).map(|venue| venue.name())
}

fn object(bytes: &[u8], names_keys: bool) -> String {
    match serde_json::from_slice::<Keys>(bytes) {
        Ok(Keys(keys)) if names_keys => {
            let shown = keys.iter().take(KEYS_SHOWN).map(String::as_str);
            let more = if keys.len() > KEYS_SHOWN { ", …" } else { "" };
            let shown: Vec<&str> = shown.collect();
            format!("a JSON object with the keys {}{more}", shown.join(", "))
        }
        Ok(_) => "a JSON object".into(),
        Err(error) if error.is_eof() => {
            "JSON that is cut off, or one object over several lines: write each on one line (`jq -c .`)".into()
        }
        Err(_) => "malformed JSON".into(),
    }
}

/// The keys of an object, in their order.
struct Keys(Vec<String>);

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfMap;
        impl<'de> Visitor<'de> for OfMap {
            type Value = Keys;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Keys, M::Error> {
                let mut keys = vec![];
                while let Some((key, IgnoredAny)) = map.next_entry()? {
                    keys.push(key);
                }
                Ok(Keys(keys))
            }
        }
        deserializer.deserialize_map(OfMap)
    }
}

const LOOKED_AT: usize = 4_096;
const KEYS_SHOWN: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_of_text_is_told() {
        for (bytes, word) in [
            (&b"ts,price,size"[..], "commas"),
            (b"ts\tprice", "tabs"),
            (b"a;b;c", "semicolons"),
            (b"[{\"a\":1},", "array"),
            (b"{", "one object over several lines"),
            (b"{\"a\":1,\"b\":", "cut off"),
            (b"{\"a\" 1}", "malformed"),
            (b"{\"price\":1,\"qty\":{\"x\":2}}", "keys price, qty"),
            (b"2024-01-01 INFO {\"a\":1}", "behind other text"),
            (b"data: {\"a\":1}", "server-sent"),
            (b"8=FIX.4.4\x019=12\x01", "FIX"),
            (b"\x7fELF\x02\x01\x01\0\0", "binary"),
            (b"\xff\xfe\xfd", "binary"),
            (b"<html>", "HTML"),
            (b"  \r", "blank"),
            (b"hello", "no JSON"),
            (
                b"wss://ws.okx.com:8443/ws/v5/public <-> 1652459224.53",
                "an OKX capture",
            ),
            (
                b"1.5: {\"channel\":\"book\",\"type\":\"update\",\"data\":[]}",
                "a KRAKEN capture",
            ),
        ] {
            let said = looks_like(bytes, true);
            assert!(said.contains(word), "{}: {said}", bytes.escape_ascii());
        }
        let said = looks_like(b"{\"secret-1\":\"secret-2\"}", false);
        assert_eq!(said, "a JSON object");
        let said = looks_like(b"{\"key\":\"secret-2\"}", true);
        assert!(!said.contains("secret"), "{said}");
    }
}
