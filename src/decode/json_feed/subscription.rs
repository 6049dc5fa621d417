//! The messages and the address of a described feed, with the symbols in their places.

use super::mapping::Mapping;
use crate::decode::text::percent_encoded;
use crate::decode::venue::{Subscription, VenueLimits, Wanted};
use std::time::Duration;

/// Stands for a symbol.
const ONE: &str = "{symbol}";
/// Stands for all symbols.
const ALL: &str = "{symbols}";

/// Nothing is known of what the feed allows; these harm nobody.
pub(super) const LIMITS: VenueLimits = VenueLimits {
    streams_max: 30_000,
    connection_age_max: Duration::from_secs(24 * 3_600),
    attempts_max: 30,
    attempts_window: Duration::from_secs(60),
    weight_max: 1,
    weight_window: Duration::from_secs(1),
    messages_max: 5,
    messages_window: Duration::from_secs(1),
    message_bytes_max: 4 << 20,
};

/// The address, and the messages to send.
pub(super) fn subscription(mapping: &Mapping, wanted: &Wanted<'_>) -> Subscription {
    let symbols = wanted.symbols.iter();
    let encoded: Vec<String> = symbols.map(|symbol| percent_encoded(symbol)).collect();
    let path = mapping.path.replace(ALL, &encoded.join(","));
    let messages = mapping.subscribe.iter();
    Subscription {
        address: format!("{}{path}", wanted.url),
        messages: messages
            .flat_map(|text| written(text, wanted.symbols))
            .collect(),
        ..Subscription::default()
    }
}

/// A message with these symbols in it: one message for each, or one message.
pub(super) fn written(text: &str, symbols: &[String]) -> Vec<String> {
    let quoted: Vec<String> = symbols.iter().map(|symbol| quoted(symbol)).collect();
    let text = text.replace(ALL, &quoted.join(","));
    match text.contains(ONE) {
        true => {
            let inner = quoted.iter().map(|symbol| &symbol[1..symbol.len() - 1]);
            inner.map(|symbol| text.replace(ONE, symbol)).collect()
        }
        false => vec![text],
    }
}

/// A word in braces that stands for nothing: `{symbool}`.
#[must_use]
pub fn unknown_word(text: &str) -> Option<String> {
    let mut rest = text;
    while let Some((_, behind)) = rest.split_once('{') {
        if let Some((word, _)) = behind.split_once('}')
            && !word.is_empty()
            && word
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
            && !matches!(word, "symbol" | "symbols")
        {
            return Some(format!("{{{word}}}"));
        }
        rest = behind;
    }
    None
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
