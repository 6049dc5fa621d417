//! OKX's channels, hosts and paths, and how it writes instruments.

use crate::decode::symbol::pair;
use crate::decode::venue_feed::{Brings, Hosts, VenueStream};

/// The channels that need no log-in.
pub(super) const STREAMS: &[VenueStream] = &[
    VenueStream::new("trades", Brings::Trades),
    VenueStream::new(ALL_TRADES, Brings::Trades),
    VenueStream::new("bbo-tbt", Brings::Quotes),
    VenueStream::new("books5", Brings::Book(5)),
    VenueStream::new("books", Brings::Book(400)),
];

/// Trades one by one. They are the only ones of these at another path.
const ALL_TRADES: &str = "trades-all";

pub(super) const HOSTS: Hosts = Hosts {
    own: &["okx.com", "okex.com"],
    others: &[],
};

const PUBLIC: &str = "/ws/v5/public";
const BUSINESS: &str = "/ws/v5/business";

/// The path of these streams.
pub(super) fn path(streams: &[String]) -> &'static str {
    match streams.iter().all(|stream| stream == ALL_TRADES) {
        true => BUSINESS,
        false => PUBLIC,
    }
}

/// What is wrong with a path.
pub(super) fn path_fault(written: &str, streams: &[String]) -> Option<String> {
    let path = path(streams);
    (written != path).then(|| {
        format!(
            "{} are at `{path}`, which is added; leave the path out",
            streams.join(", ")
        )
    })
}

/// Why one connection cannot have all of these streams, or none can.
pub(super) fn refusal(streams: &[String]) -> Option<String> {
    let mut names = streams.iter();
    if let Some(closed) = names.find(|name| matches!(&***name, "books-l2-tbt" | "books50-l2-tbt")) {
        return Some(format!(
            "`{closed}` needs a log-in, which is not done here; write `books`"
        ));
    }
    let has_all = streams.iter().any(|stream| stream == ALL_TRADES);
    (has_all && path(streams) == PUBLIC).then(|| {
        format!(
            "the venue sends `{ALL_TRADES}` by another address than the others; make a pipeline for each, or \
             write `trades`"
        )
    })
}

/// `BTC-USDT` for `btc/usdt`, `BTC_USDT` and `BTCUSDT`. The venue has `_` in `BTC-USD_UM-SWAP`.
pub(super) fn spelling(symbol: &str) -> String {
    let symbol = symbol.replace('/', "-").to_ascii_uppercase();
    if symbol.contains('-') || symbol.is_empty() {
        return match (symbol.find('_'), symbol.find('-')) {
            (Some(other), Some(sign)) if other < sign => symbol.replacen('_', "-", 1),
            _ => symbol,
        };
    }
    match (symbol.contains('_'), pair(&symbol)) {
        (true, _) => symbol.replace('_', "-"),
        (false, Some((base, quote))) => format!("{base}-{quote}"),
        (false, None) => format!("{symbol}-USDT"),
    }
}
