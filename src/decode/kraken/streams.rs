//! Kraken's streams, hosts and paths, and how it writes symbols.

use crate::decode::symbol::pair;
use crate::decode::venue_feed::{Brings, Hosts, VenueStream};

/// Its channels; `book` with the depths that the venue has.
pub(super) const STREAMS: &[VenueStream] = &[
    VenueStream::new("trade", Brings::Trades),
    VenueStream::new("ticker", Brings::Quotes),
    VenueStream::new("book", Brings::Book(10)),
    VenueStream::new("book:10", Brings::Book(10)),
    VenueStream::new("book:25", Brings::Book(25)),
    VenueStream::new("book:100", Brings::Book(100)),
    VenueStream::new("book:500", Brings::Book(500)),
    VenueStream::new("book:1000", Brings::Book(1_000)),
];

pub(super) const HOSTS: Hosts = Hosts {
    own: &["kraken.com"],
    others: &[
        ("futures.kraken.com", "Kraken's futures"),
        ("api.kraken.com", "requests by REST"),
    ],
};

/// The path of version 2.
pub(super) const VERSION_2: &str = "/v2";

/// What is wrong with a path.
pub(super) fn path_fault(path: &str) -> Option<String> {
    (path != VERSION_2).then(|| {
        format!("version 2 of the feed is at `{VERSION_2}`, which is added; leave the path out")
    })
}

/// Why one connection cannot have all of these streams: changes of a book do not say of which depth.
pub(super) fn refusal(streams: &[String]) -> Option<String> {
    let is_book = |stream: &&String| stream.split(':').next() == Some("book");
    let mut books = streams.iter().filter(is_book);
    let (one, other) = (books.next()?, books.next()?);
    Some(format!(
        "the venue does not say whether a change is of `{one}` or of `{other}`; name one depth of the book"
    ))
}

/// `BTC/USD` for `btc-usd`, `btc_usd`, `BTCUSD` and `XBT/USD`, and for `XXBTZUSD`, as the venue's REST
/// interface has it. Letters of both cases are kept: shares are written `AAPLx/USD`.
pub(super) fn spelling(symbol: &str) -> String {
    let symbol = symbol.replace(['-', '_'], "/");
    let is_lower = symbol == symbol.to_ascii_lowercase();
    let symbol = match is_lower {
        true => symbol.to_ascii_uppercase(),
        false => symbol,
    };
    let symbol = match symbol.contains('/') || symbol.is_empty() {
        true => symbol,
        false => with_slash(&symbol),
    };
    let currency = |name| match name {
        "XBT" => "BTC",
        "XDG" => "DOGE",
        _ => name,
    };
    let currencies: Vec<&str> = symbol.split('/').map(currency).collect();
    currencies.join("/")
}

/// A pair without a sign. The REST interface puts `X` before other currencies and `Z` before those of
/// countries.
fn with_slash(symbol: &str) -> String {
    let rest_pair = || {
        let (base, quote) = symbol.split_at_checked(4)?;
        Some((base.strip_prefix('X')?, quote.strip_prefix(['X', 'Z'])?))
            .filter(|(_, quote)| quote.len() == 3)
    };
    match rest_pair().or_else(|| pair(symbol)) {
        Some((base, quote)) => format!("{base}/{quote}"),
        None => format!("{symbol}/USD"),
    }
}
