//! How to subscribe at Bybit, what it allows, and how to get a snapshot.

use std::time::Duration;

use serde_json::json;

use super::streams::SPOT;
use super::topic::TopicKind;
use crate::decode::venue::{
    Addresses, Keepalive, SnapshotRequest, Subscription, VenueLimits, Wanted,
};

/// Public topics; snapshots come by them.
pub(super) const ADDRESSES: Addresses = Addresses {
    websocket: "wss://stream.bybit.com",
    rest: "",
};

pub(super) const LIMITS: VenueLimits = VenueLimits {
    // The topics of a connection may have 21,000 characters.
    streams_max: 500,
    connection_age_max: Duration::MAX,
    attempts_max: 500,
    // 500 within 5 minutes; after a refusal (403) nothing may be asked for 10.
    attempts_window: Duration::from_secs(600),
    weight_max: 1,
    weight_window: Duration::from_secs(1),
    // None is published for public topics.
    messages_max: 20,
    messages_window: Duration::from_secs(1),
    message_bytes_max: 1 << 20,
};

/// The venue closes a connection without a ping, and answers one.
pub(super) const KEEPALIVE: Keepalive = Keepalive {
    send: Some((r#"{"op":"ping"}"#, Duration::from_secs(20))),
    silent_max: Some(Duration::from_secs(30)),
};

/// A request for each symbol: where the venue does not know one, it refuses the whole request.
pub(super) fn requests(wanted: &Wanted<'_>) -> Subscription {
    let of_symbol = |symbol: &String| {
        let topics: Vec<String> = wanted
            .streams
            .iter()
            .map(|stream| topic(stream, symbol))
            .collect();
        let requests = topics
            .chunks(REQUEST_TOPICS)
            .map(|topics| request("subscribe", topics));
        requests.collect::<Vec<_>>()
    };
    Subscription {
        address: address(wanted.url),
        messages: wanted.symbols.iter().flat_map(of_symbol).collect(),
        ..Subscription::default()
    }
}

pub(super) fn has_book(streams: &[String]) -> bool {
    let is_book = |stream: &String| TopicKind::of(stream).is_some_and(TopicKind::is_book);
    streams.iter().any(is_book)
}

/// Subscribes to the books of a symbol again: each subscription begins with a snapshot.
pub(super) fn snapshot_request(symbol: &str, streams: &[String]) -> SnapshotRequest {
    let is_book = |stream: &&String| TopicKind::of(stream).is_some_and(TopicKind::is_book);
    let books = streams.iter().filter(is_book);
    let topics: Vec<String> = books.map(|stream| topic(stream, symbol)).collect();
    let messages = ["unsubscribe", "subscribe"].map(|op| request(op, &topics));
    SnapshotRequest::Send(messages.into())
}

fn request(op: &str, topics: &[String]) -> String {
    json!({"op": op, "args": topics}).to_string()
}

fn topic(stream: &str, symbol: &str) -> String {
    format!("{stream}.{symbol}")
}

/// The path says which market it is: `/v5/public/linear`. The spot market where the address has none.
fn address(url: &str) -> String {
    let has_path = url.splitn(4, '/').nth(3).is_some();
    format!("{url}{}", if has_path { "" } else { SPOT })
}

/// Topics in a request of the spot market; others allow more.
const REQUEST_TOPICS: usize = 10;
