//! Bybit's streams, hosts and paths, and how it writes symbols.

use crate::decode::venue_feed::{Brings, Hosts, VenueStream};

/// The topics that are read, without their symbols.
pub(super) const STREAMS: &[VenueStream] = &[
    VenueStream::new("publicTrade", Brings::Trades),
    VenueStream::new("orderbook.1", Brings::Quotes),
    VenueStream::new("orderbook.50", Brings::Book(50)),
    VenueStream::new("orderbook.200", Brings::Book(200)),
    VenueStream::new("orderbook.1000", Brings::Book(1_000)),
    VenueStream::new("orderbook.rpi", Brings::Book(50)),
];

pub(super) const HOSTS: Hosts = Hosts {
    own: &[
        "bybit.com",
        "bybit.eu",
        "bybit.kz",
        "bybit.nl",
        "bybit-tr.com",
        "bybitgeorgia.ge",
        "bytick.com",
    ],
    others: &[("api.bybit.com", "requests by REST")],
};

/// The path of the market that is read where an address has none.
pub(super) const SPOT: &str = "/v5/public/spot";

/// What is wrong with a path: it says which market it is.
pub(super) fn path_fault(path: &str) -> Option<String> {
    let is_market = |market| matches!(market, "spot" | "linear" | "inverse" | "spread");
    let market = path.strip_prefix("/v5/public/");
    (!market.is_some_and(is_market)).then(|| {
        format!(
            "public streams that are read are at `{SPOT}`, which is added to an address without a path, and at \
             `/v5/public/linear`, `/v5/public/inverse` and `/v5/public/spread`"
        )
    })
}

/// `BTC/USDT` and `BTC-PERP` are the venue's `BTCUSDT` and `BTCPERP`; `BTC-27DEC24` is its own, and so is the
/// spread `SOLUSDT_SOL/USDT`.
pub(super) fn spelling(symbol: &str) -> String {
    let symbol = symbol.to_ascii_uppercase();
    let signs: &[char] = match symbol.contains('/') {
        true => &['/', '-'],
        false => &['/', '-', '_'],
    };
    match symbol.split_once(signs) {
        Some((base, quote))
            if !base.contains('_') && quote.bytes().all(|byte| byte.is_ascii_uppercase()) =>
        {
            format!("{base}{quote}")
        }
        _ => symbol,
    }
}
