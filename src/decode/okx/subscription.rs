//! How to subscribe at OKX, what it allows, and how to get a snapshot.

use std::time::Duration;

use serde_json::json;

use super::channel::Channel;
use super::streams::path;
use crate::decode::venue::{
    Addresses, Keepalive, SnapshotRequest, Subscription, VenueLimits, Wanted,
};

/// Public channels; snapshots come by them.
pub(super) const ADDRESSES: Addresses = Addresses {
    websocket: "wss://ws.okx.com:8443",
    rest: "",
};

pub(super) const LIMITS: VenueLimits = VenueLimits {
    // All channels of a connection must fit 64 KiB.
    streams_max: 1_000,
    connection_age_max: Duration::MAX,
    attempts_max: 3,
    attempts_window: Duration::from_secs(1),
    weight_max: 1,
    weight_window: Duration::from_secs(1),
    // Of requests to subscribe and unsubscribe.
    messages_max: 480,
    messages_window: Duration::from_secs(3_600),
    message_bytes_max: 1 << 20,
};

/// The venue closes a connection on which it has sent nothing for 30 seconds, unless it gets a `ping`, which
/// it answers.
pub(super) const KEEPALIVE: Keepalive = Keepalive {
    send: Some(("ping", Duration::from_secs(20))),
    silent_max: Some(Duration::from_secs(30)),
};

/// All channels of all symbols, in few requests, because requests are what the venue limits. An instrument
/// that it does not know is refused by itself.
pub(super) fn requests(wanted: &Wanted<'_>) -> Subscription {
    let args = wanted.symbols.iter().flat_map(|symbol| {
        let of_symbol = |channel: &String| arg(channel, symbol);
        wanted.streams.iter().map(of_symbol)
    });
    let args: Vec<_> = args.collect();
    let messages = args
        .chunks(REQUEST_ARGS)
        .map(|args| request("subscribe", args));
    Subscription {
        address: address(wanted),
        messages: messages.collect(),
        ..Subscription::default()
    }
}

pub(super) fn has_book(streams: &[String]) -> bool {
    streams
        .iter()
        .any(|name| Channel::of(name) == Some(Channel::Book))
}

/// Subscribes to the books of a symbol again: each subscription begins with a snapshot.
pub(super) fn snapshot_request(symbol: &str, streams: &[String]) -> SnapshotRequest {
    let books = streams
        .iter()
        .filter(|name| Channel::of(name) == Some(Channel::Book));
    let args: Vec<_> = books.map(|channel| arg(channel, symbol)).collect();
    let messages = ["unsubscribe", "subscribe"].map(|op| request(op, &args));
    SnapshotRequest::Send(messages.into())
}

fn request(op: &str, args: &[serde_json::Value]) -> String {
    json!({"op": op, "args": args}).to_string()
}

fn arg(channel: &str, symbol: &str) -> serde_json::Value {
    json!({"channel": channel, "instId": symbol})
}

/// The channels' path, unless the address has a path itself.
fn address(wanted: &Wanted<'_>) -> String {
    let url = wanted.url;
    let has_path = url.splitn(4, '/').nth(3).is_some();
    let path = if has_path { "" } else { path(wanted.streams) };
    format!("{url}{path}")
}

/// Channels in a request. One has some 60 bytes.
const REQUEST_ARGS: usize = 200;
