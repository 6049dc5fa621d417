//! How to subscribe at Kraken, what it allows, and how to get a snapshot.

use std::time::Duration;

use serde_json::{Value, json};

use super::streams::VERSION_2;
use crate::decode::venue::{Addresses, SnapshotRequest, Subscription, VenueLimits, Wanted};

/// Market data alone, without an account. Snapshots come by the websocket.
pub(super) const ADDRESSES: Addresses = Addresses {
    websocket: "wss://ws.kraken.com",
    rest: "",
};

/// The venue documents none but on connections: its limit of messages adapts, and answers `Exceeded msg
/// rate`.
pub(super) const LIMITS: VenueLimits = VenueLimits {
    streams_max: 1_000,
    connection_age_max: Duration::from_secs(365 * 24 * 3_600),
    attempts_max: 150,
    attempts_window: Duration::from_secs(600),
    weight_max: 1,
    weight_window: Duration::from_secs(1),
    messages_max: 5,
    messages_window: Duration::from_secs(1),
    message_bytes_max: 4 << 20,
};

/// A heartbeat comes each second in which nothing else does.
pub(super) const SILENT_MAX: Duration = Duration::from_secs(10);

/// A message for each stream: `trade`, `ticker`, `book`, or `book:100` for another depth than ten levels.
pub(super) fn of_streams(wanted: &Wanted<'_>) -> Subscription {
    let symbols = json!(wanted.symbols);
    let request = |stream: &String| request("subscribe", stream, &symbols);
    Subscription {
        address: address(wanted.url),
        messages: wanted.streams.iter().map(request).collect(),
        ..Subscription::default()
    }
}

/// The path of version 2, unless the address has a path itself.
fn address(url: &str) -> String {
    let has_path = url.splitn(4, '/').nth(3).is_some();
    format!("{url}{}", if has_path { "" } else { VERSION_2 })
}

pub(super) fn has_book(streams: &[String]) -> bool {
    streams.iter().any(|stream| channel_of(stream).0 == "book")
}

/// The venue sends a snapshot after each new subscription.
pub(super) fn snapshot_request(symbol: &str, streams: &[String]) -> SnapshotRequest {
    let is_book = |stream: &&String| channel_of(stream).0 == "book";
    let stream = streams.iter().find(is_book);
    let stream = stream.map_or("book", String::as_str);
    let request = |method| request(method, stream, &json!([symbol]));
    SnapshotRequest::Send(vec![request("unsubscribe"), request("subscribe")])
}

fn request(method: &str, stream: &str, symbols: &Value) -> String {
    let (channel, depth) = channel_of(stream);
    let mut params = json!({"channel": channel, "symbol": symbols});
    if channel == "book" {
        // What is no number is left to the venue to refuse.
        params["depth"] = depth
            .parse::<u16>()
            .map_or_else(|_| depth.into(), Value::from);
    }
    if method == "subscribe" {
        // Trades come without a snapshot unless one is requested. The recent ones close the gap of a
        // reconnection.
        params["snapshot"] = true.into();
        if channel == "ticker" {
            // Otherwise it comes with each trade, not with each quote.
            params["event_trigger"] = "bbo".into();
        }
    }
    json!({"method": method, "params": params}).to_string()
}

/// The channel of a stream, and the depth of a book.
fn channel_of(stream: &str) -> (&str, &str) {
    stream.split_once(':').unwrap_or((stream, "10"))
}
