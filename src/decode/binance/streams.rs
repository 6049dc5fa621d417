//! Binance's streams, hosts and paths, and how it writes symbols.

use super::market::BinanceMarket;
use super::subscription::{COMBINED, entry};
use crate::decode::venue_feed::{Brings, Hosts, VenueStream};

/// The streams of both markets. Books of changes have as many levels as the snapshot by REST.
pub(super) fn streams(market: BinanceMarket) -> &'static [VenueStream] {
    match market {
        BinanceMarket::Spot => SPOT,
        BinanceMarket::UsdMargined => USDM,
    }
}

const SPOT: &[VenueStream] = &[
    VenueStream::new("trade", Brings::Trades),
    VenueStream::new("aggTrade", Brings::Trades),
    VenueStream::new("bookTicker", Brings::Quotes),
    VenueStream::new("depth@100ms", Brings::Book(5_000)),
    VenueStream::new("depth", Brings::Book(5_000)),
    VenueStream::new("depth@1000ms", Brings::Book(5_000)),
    VenueStream::new("depth5", Brings::Book(5)),
    VenueStream::new("depth5@100ms", Brings::Book(5)),
    VenueStream::new("depth5@1000ms", Brings::Book(5)),
    VenueStream::new("depth10", Brings::Book(10)),
    VenueStream::new("depth10@100ms", Brings::Book(10)),
    VenueStream::new("depth10@1000ms", Brings::Book(10)),
    VenueStream::new("depth20", Brings::Book(20)),
    VenueStream::new("depth20@100ms", Brings::Book(20)),
    VenueStream::new("depth20@1000ms", Brings::Book(20)),
];

const USDM: &[VenueStream] = &[
    VenueStream::new("trade", Brings::Trades),
    VenueStream::new("aggTrade", Brings::Trades),
    VenueStream::new("bookTicker", Brings::Quotes),
    VenueStream::new("depth@100ms", Brings::Book(1_000)),
    VenueStream::new("depth", Brings::Book(1_000)),
    VenueStream::new("depth@0ms", Brings::Book(1_000)),
    VenueStream::new("depth@250ms", Brings::Book(1_000)),
    VenueStream::new("depth@500ms", Brings::Book(1_000)),
    VenueStream::new("depth5", Brings::Book(5)),
    VenueStream::new("depth5@100ms", Brings::Book(5)),
    VenueStream::new("depth5@250ms", Brings::Book(5)),
    VenueStream::new("depth5@500ms", Brings::Book(5)),
    VenueStream::new("depth10", Brings::Book(10)),
    VenueStream::new("depth10@100ms", Brings::Book(10)),
    VenueStream::new("depth10@250ms", Brings::Book(10)),
    VenueStream::new("depth10@500ms", Brings::Book(10)),
    VenueStream::new("depth20", Brings::Book(20)),
    VenueStream::new("depth20@100ms", Brings::Book(20)),
    VenueStream::new("depth20@250ms", Brings::Book(20)),
    VenueStream::new("depth20@500ms", Brings::Book(20)),
];

/// The hosts of a market.
pub(super) fn hosts(market: BinanceMarket) -> Hosts {
    match market {
        BinanceMarket::Spot => Hosts {
            own: &["binance.com", "binance.vision", "binance.us", "binance.me"],
            others: &[
                ("dstream.binance.com", "futures margined in coins"),
                ("dapi.binance.com", "futures margined in coins"),
                ("ws-api.binance.com", "requests of accounts"),
                ("ws-fapi.binance.com", "requests of accounts"),
                ("stream-sbe.binance.com", "binary messages (SBE)"),
            ],
        },
        BinanceMarket::UsdMargined => Hosts {
            own: &[
                "fstream.binance.com",
                "fstream-auth.binance.com",
                "fstream-mm.binance.com",
                "fapi.binance.com",
                "binancefuture.com",
            ],
            others: &[("dstream.binancefuture.com", "futures margined in coins")],
        },
    }
}

/// What is wrong with a path: one of combined streams is added to each address.
pub(super) fn path_fault(market: BinanceMarket, path: &str, streams: &[String]) -> Option<String> {
    let entry = entry(market, streams.first().map_or("", String::as_str));
    let is_known = path == COMBINED || path == entry || path == format!("{entry}{COMBINED}");
    (!is_known).then(|| {
        format!("combined streams are at `{entry}{COMBINED}`, which is added; leave the path out")
    })
}

/// `BTCUSDT` for `BTC/USDT`, `btc-usdt` and `BTC_USDT`. The venue's only sign is that of `BTCUSDT_240329`.
pub(super) fn spelling(symbol: &str) -> String {
    let is_part =
        |letter: &char| *letter == '_' || !letter.is_ascii_punctuation() && !letter.is_whitespace();
    let symbol: String = symbol.chars().filter(is_part).collect();
    let symbol = symbol.to_ascii_uppercase();
    match symbol.rsplit_once('_') {
        Some((pair, day)) if !day.is_empty() && day.bytes().all(|byte| byte.is_ascii_digit()) => {
            format!("{}_{day}", pair.replace('_', ""))
        }
        _ => symbol.replace('_', ""),
    }
}
