//! Where Alpaca is, what it allows, and how to subscribe, in text or in MessagePack.
//!
//! Source: the venue's pages on its websocket streams of 2026 and its own client libraries.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::packed::{SentText, map};
use super::streams::path;
use crate::decode::venue::{Addresses, Subscription, VenueLimits, Wanted};

/// The host of all feeds.
pub(super) const ADDRESSES: Addresses = Addresses {
    websocket: "wss://stream.data.alpaca.markets",
    rest: "",
};

/// The number of symbols depends on the plan: what is beyond it the venue refuses in words. It names neither
/// an age of connections nor a number of attempts; these are such that a fault does no harm.
pub(super) const LIMITS: VenueLimits = VenueLimits {
    streams_max: 100_000,
    connection_age_max: Duration::from_secs(365 * 24 * 3_600),
    attempts_max: 60,
    attempts_window: Duration::from_secs(300),
    weight_max: 1,
    weight_window: Duration::from_secs(60),
    messages_max: 10,
    messages_window: Duration::from_secs(1),
    message_bytes_max: 4 << 20,
};

/// Subscribes by text. Credentials go in headers: the connection is authenticated when it is opened.
pub(super) fn text(wanted: &Wanted<'_>) -> Subscription {
    let message = |symbols: &[String]| {
        let mut message = Map::new();
        message.insert("action".into(), "subscribe".into());
        for stream in streams(wanted) {
            message.insert(stream.clone(), json!(symbols));
        }
        Value::Object(message).to_string()
    };
    Subscription {
        messages: wanted.symbols.chunks(SYMBOLS_MAX).map(message).collect(),
        ..opened(wanted)
    }
}

/// Subscribes in MessagePack; the venue then answers in it.
pub(super) fn packed(wanted: &Wanted<'_>) -> Subscription {
    let message = |symbols| {
        let mut pairs = vec![("action", SentText::One("subscribe"))];
        pairs.extend(streams(wanted).map(|stream| (stream.as_str(), SentText::Many(symbols))));
        map(&pairs)
    };
    let mut subscription = opened(wanted);
    let packed = ("content-type", "application/msgpack".to_owned());
    subscription.headers.push(packed);
    subscription.binary_messages = wanted.symbols.chunks(SYMBOLS_MAX).map(message).collect();
    subscription
}

fn opened(wanted: &Wanted<'_>) -> Subscription {
    let account = wanted.credentials.into_iter().flat_map(|account| {
        [
            ("apca-api-key-id", account.key.clone()),
            ("apca-api-secret-key", account.secret.clone()),
        ]
    });
    Subscription {
        address: address(wanted),
        headers: account.collect(),
        ..Subscription::default()
    }
}

/// The address as it is where it names a feed (`…/v2/sip`); otherwise that of the news, or of the feed that
/// every account may read.
fn address(wanted: &Wanted<'_>) -> String {
    let host = wanted
        .url
        .split_once("://")
        .map_or(wanted.url, |(_, host)| host);
    if host.contains('/') {
        return wanted.url.to_owned();
    }
    format!("{}{}", wanted.url, path(wanted.streams))
}

/// The streams to ask for. Corrections and cancellations come with the trades, and are no streams to ask for.
fn streams<'w>(wanted: &Wanted<'w>) -> impl Iterator<Item = &'w String> {
    let come_along = |stream: &&String| matches!(stream.as_str(), "corrections" | "cancelErrors");
    wanted
        .streams
        .iter()
        .filter(move |stream| !come_along(stream))
}

/// Symbols of one message: longer lists are spread over several, because the venue's own clients send at most
/// 32 KiB at once.
const SYMBOLS_MAX: usize = 400;
