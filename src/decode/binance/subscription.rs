//! How to subscribe at Binance, what it allows, and how to get a snapshot.

use std::time::Duration;

use super::mapping::SNAPSHOT_STREAM;
use super::market::BinanceMarket;
use super::routing::{is_diff_stream, is_partial_book};
use crate::decode::text::percent_encoded;
use crate::decode::venue::{Addresses, SnapshotRequest, Subscription, VenueLimits, Wanted};

/// The public addresses of a market; of spot those that have market data alone, without an account.
pub(super) fn addresses(market: BinanceMarket) -> Addresses {
    match market {
        BinanceMarket::Spot => Addresses {
            websocket: "wss://data-stream.binance.vision",
            rest: "https://data-api.binance.vision",
        },
        BinanceMarket::UsdMargined => Addresses {
            websocket: "wss://fstream.binance.com",
            rest: "https://fapi.binance.com",
        },
    }
}

/// What a market allows a client.
pub(super) fn limits(market: BinanceMarket) -> VenueLimits {
    let (weight_max, messages_max) = match market {
        BinanceMarket::Spot => (6_000, 5),
        BinanceMarket::UsdMargined => (2_400, 10),
    };
    VenueLimits {
        streams_max: 1_024,
        connection_age_max: Duration::from_secs(24 * 3_600),
        attempts_max: 300,
        attempts_window: Duration::from_secs(300),
        weight_max,
        weight_window: Duration::from_secs(60),
        messages_max,
        messages_window: Duration::from_secs(1),
        message_bytes_max: 4 << 20,
    }
}

/// The path of several streams on one connection.
pub(super) const COMBINED: &str = "/stream";

/// All streams of a connection are named in its address.
pub(super) fn combined(market: BinanceMarket, wanted: &Wanted<'_>) -> Subscription {
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
    let entry = entry(market, streams.first().map_or("", String::as_str));
    // The address may have been written with a part of the path, or all of it.
    let base = url.strip_suffix(COMBINED).unwrap_or(url);
    let base = base.strip_suffix(entry).unwrap_or(base);
    Subscription {
        address: format!("{base}{entry}{COMBINED}?streams={}", names.join("/")),
        ..Subscription::default()
    }
}

/// Why these streams cannot share a connection; none where they can.
pub(super) fn refusal(market: BinanceMarket, streams: &[String]) -> Option<String> {
    let first = streams.first()?;
    let other = streams
        .iter()
        .find(|stream| entry(market, stream) != entry(market, first))?;
    Some(format!(
        "the venue sends `{first}` and `{other}` by different connections, and nothing at all of one that is \
         named on the other's; make a pipeline for each, or replace `aggTrade` by `trade`"
    ))
}

/// The part of the address that a stream has. Futures have two since April 2026: what the matching engine
/// sends, and what is computed of it.
pub(super) fn entry(market: BinanceMarket, stream: &str) -> &'static str {
    let is_matching = matches!(stream, "trade" | "bookTicker")
        || is_diff_stream(stream)
        || is_partial_book(stream);
    match market {
        BinanceMarket::Spot => "",
        BinanceMarket::UsdMargined if is_matching => "/public",
        BinanceMarket::UsdMargined => "/market",
    }
}

/// The request of a whole book, of the most levels that the market gives.
pub(super) fn snapshot_request(market: BinanceMarket, symbol: &str) -> SnapshotRequest {
    let symbol = percent_encoded(&symbol.to_ascii_uppercase());
    let (path, levels, weight) = match market {
        BinanceMarket::Spot => ("/api/v3/depth", 5_000, 250),
        BinanceMarket::UsdMargined => ("/fapi/v1/depth", 1_000, 20),
    };
    SnapshotRequest::Get {
        path: format!("{path}?symbol={symbol}&limit={levels}"),
        weight,
    }
}

/// The answer names no symbol, so it becomes a message of a stream that does.
pub(super) fn snapshot_message(symbol: &str, body: &[u8]) -> Vec<u8> {
    let symbol = symbol.to_ascii_lowercase();
    let stream = serde_json::Value::from(format!("{symbol}{SNAPSHOT_STREAM}"));
    let head = format!(r#"{{"stream":{stream},"data":"#);
    [head.as_bytes(), body.trim_ascii_end(), b"}"].concat()
}
