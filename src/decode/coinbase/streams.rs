//! Coinbase's channels and hosts, and how it writes products.

use crate::decode::symbol::pair;
use crate::decode::venue_feed::{ALL_LEVELS, Brings, Hosts, VenueStream};

/// The channel that keeps the others open, and is always subscribed to.
pub(super) const HEARTBEATS: &str = "heartbeats";

/// The channels that are read. `ticker_batch` has neither bid nor offer.
pub(super) const STREAMS: &[VenueStream] = &[
    VenueStream::new("market_trades", Brings::Trades),
    VenueStream::new("ticker", Brings::Quotes),
    VenueStream::new("level2", Brings::Book(ALL_LEVELS)),
    VenueStream::new(HEARTBEATS, Brings::Notices),
];

pub(super) const HOSTS: Hosts = Hosts {
    own: &["advanced-trade-ws.coinbase.com"],
    others: &[
        ("coinbase.com", "another feed of Coinbase"),
        (
            "exchange.coinbase.com",
            "Coinbase Exchange, whose messages are others",
        ),
        (
            "advanced-trade-ws-user.coinbase.com",
            "the orders of an account",
        ),
    ],
};

/// The feed is at the host itself.
pub(super) fn path_fault() -> Option<String> {
    Some("the feed has no path; leave it out".into())
}

/// `BTC-USD` for `btc/usd`, `btc_usd` and `BTCUSD`, and for `BTC-USDC`, whose market data the venue sends as
/// that of `BTC-USD`. Only two products have market data in USDC.
pub(super) fn spelling(symbol: &str) -> String {
    let product = symbol.replace(['/', '_'], "-").to_ascii_uppercase();
    let product = match (product.contains('-'), pair(&product)) {
        (false, Some((base, quote))) => format!("{base}-{quote}"),
        (false, None) if !product.is_empty() => format!("{product}-USD"),
        _ => product,
    };
    match product.strip_suffix("-USDC") {
        Some(base) if !IN_USDC.contains(&base) => format!("{base}-USD"),
        _ => product,
    }
}

/// What is traded against USDC alone.
const IN_USDC: [&str; 2] = ["USDT", "EURC"];
