//! How to subscribe at Coinbase, what it allows, and how to get a snapshot.

use std::time::Duration;

use serde_json::json;

use super::streams::HEARTBEATS;
use crate::decode::venue::{Addresses, SnapshotRequest, Subscription, VenueLimits, Wanted};

/// Market data alone, without an account. Snapshots come by the websocket.
pub(super) const ADDRESSES: Addresses = Addresses {
    websocket: "wss://advanced-trade-ws.coinbase.com",
    rest: "",
};

/// Eight connections and eight messages a second. A snapshot of BTC-USD has 4.8 MB. A missing frame makes
/// the books of its whole connection doubtful, so that there should not be too many of them.
pub(super) const LIMITS: VenueLimits = VenueLimits {
    streams_max: 300,
    connection_age_max: Duration::from_secs(365 * 24 * 3_600),
    attempts_max: 8,
    attempts_window: Duration::from_secs(1),
    weight_max: 1,
    weight_window: Duration::from_secs(1),
    messages_max: 8,
    messages_window: Duration::from_secs(1),
    message_bytes_max: 32 << 20,
};

/// Heartbeats come once a second.
pub(super) const SILENT_MAX: Duration = Duration::from_secs(10);

/// A message for each channel, as the venue asks for: `market_trades`, `ticker`, `level2`. Heartbeats
/// come first: without them a channel ends after a minute without updates.
pub(super) fn of_streams(wanted: &Wanted<'_>) -> Subscription {
    let heartbeats = json!({"type": "subscribe", "channel": HEARTBEATS}).to_string();
    let channels = wanted.streams.iter().filter(|stream| *stream != HEARTBEATS);
    let requests = channels.map(|channel| request("subscribe", channel, wanted.symbols));
    Subscription {
        address: wanted.url.to_owned(),
        messages: std::iter::once(heartbeats).chain(requests).collect(),
        ..Subscription::default()
    }
}

pub(super) fn has_book(streams: &[String]) -> bool {
    streams.iter().any(|stream| stream == "level2")
}

/// The venue sends a snapshot after each new subscription.
pub(super) fn snapshot_request(symbol: &str) -> SnapshotRequest {
    let products = [symbol.to_owned()];
    let request = |kind| request(kind, "level2", &products);
    SnapshotRequest::Send(vec![request("unsubscribe"), request("subscribe")])
}

fn request(kind: &str, channel: &str, products: &[String]) -> String {
    json!({"type": kind, "product_ids": products, "channel": channel}).to_string()
}
