//! How to subscribe at Binance, what it allows, and how to get a snapshot.

use std::time::Duration;

use super::mapping::SNAPSHOT_STREAM;
use crate::decode::venue::{Addresses, SnapshotRequest, Subscription, VenueLimits, Wanted};

/// Market data alone, without an account.
pub(super) const ADDRESSES: Addresses = Addresses {
    websocket: "wss://data-stream.binance.vision",
    rest: "https://data-api.binance.vision",
};

pub(super) const LIMITS: VenueLimits = VenueLimits {
    streams_max: 1_024,
    connection_age_max: Duration::from_secs(24 * 3_600),
    attempts_max: 300,
    attempts_window: Duration::from_secs(300),
    weight_max: 6_000,
    weight_window: Duration::from_secs(60),
    messages_max: 5,
    messages_window: Duration::from_secs(1),
    message_bytes_max: 4 << 20,
};

/// All streams of a connection are named in its address.
pub(super) fn combined(wanted: &Wanted<'_>) -> Subscription {
    let Wanted {
        url,
        symbols,
        streams,
        ..
    } = *wanted;
    let names = symbols.iter().flat_map(|symbol| {
        let symbol = percent_encoded(&symbol.to_ascii_lowercase());
        streams
            .iter()
            .map(move |stream| format!("{symbol}@{stream}"))
    });
    let names: Vec<String> = names.collect();
    Subscription {
        address: format!("{url}/stream?streams={}", names.join("/")),
        ..Subscription::default()
    }
}

pub(super) fn snapshot_request(symbol: &str) -> SnapshotRequest {
    let symbol = percent_encoded(&symbol.to_ascii_uppercase());
    SnapshotRequest::Get {
        path: format!("/api/v3/depth?symbol={symbol}&limit={LEVELS}"),
        weight: WEIGHT,
    }
}

/// The answer names no symbol, so it becomes a message of a stream that does.
pub(super) fn snapshot_message(symbol: &str, body: &[u8]) -> Vec<u8> {
    let symbol = symbol.to_ascii_lowercase();
    let stream = serde_json::Value::from(format!("{symbol}{SNAPSHOT_STREAM}"));
    let head = format!(r#"{{"stream":{stream},"data":"#);
    [head.as_bytes(), body.trim_ascii_end(), b"}"].concat()
}

/// A symbol as part of an address (RFC 3986): some have Chinese letters.
fn percent_encoded(symbol: &str) -> String {
    let encode = |byte: u8| match byte {
        b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    symbol.bytes().map(encode).collect()
}

/// Levels a side: the most that the venue gives, and what that counts.
const LEVELS: u32 = 5_000;
const WEIGHT: u32 = 250;
