//! Alpaca's streams, hosts and paths, and how it writes symbols.

use crate::decode::venue_feed::{Brings, Hosts, VenueStream};

/// The streams that are read. Corrections and cancellations come with the trades.
pub(super) const STREAMS: &[VenueStream] = &[
    VenueStream::new("trades", Brings::Trades),
    VenueStream::new("quotes", Brings::Quotes),
    VenueStream::new("bars", Brings::Bars),
    VenueStream::new("updatedBars", Brings::Bars),
    VenueStream::new("statuses", Brings::Notices),
    VenueStream::new("corrections", Brings::Notices),
    VenueStream::new("cancelErrors", Brings::Notices),
    VenueStream::new(NEWS, Brings::News),
];

const NEWS: &str = "news";

pub(super) const HOSTS: Hosts = Hosts {
    own: &["alpaca.markets"],
    others: &[
        ("api.alpaca.markets", "orders and accounts"),
        ("paper-api.alpaca.markets", "orders and accounts"),
    ],
};

const NEWS_PATH: &str = "/v1beta1/news";
const STOCKS_PATH: &str = "/v2/iex";

/// The path of these streams: of the feed of stocks that every account may read, or of the news.
pub(super) fn path(streams: &[String]) -> &'static str {
    match streams.iter().all(|stream| stream == NEWS) {
        true => NEWS_PATH,
        false => STOCKS_PATH,
    }
}

/// What is wrong with a path.
pub(super) fn path_fault(written: &str, streams: &[String]) -> Option<String> {
    let is_news = path(streams) == NEWS_PATH;
    match (is_news, written) {
        (true, NEWS_PATH) => None,
        (true, _) => Some(format!(
            "headlines are at `{NEWS_PATH}`, which is added; leave the path out"
        )),
        (false, _) if written.starts_with("/v2/") => None,
        (false, _) => Some(format!(
            "stocks are at `{STOCKS_PATH}`, which is added to an address without a path, `/v2/sip`, \
             `/v2/delayed_sip` and `/v2/test`"
        )),
    }
}

/// Why one connection cannot have all of these streams.
pub(super) fn refusal(streams: &[String]) -> Option<String> {
    let has_news = streams.iter().any(|stream| stream == NEWS);
    (has_news && path(streams) != NEWS_PATH).then(|| {
        "the venue sends headlines by another address than the others; make a pipeline for each"
            .into()
    })
}

/// `BRK.B` for `brk/b` and `BRK-B`.
pub(super) fn spelling(symbol: &str) -> String {
    let symbol = symbol.to_ascii_uppercase();
    match symbol.split_once(['/', '-', '_']) {
        Some((stock, class)) if class.len() == 1 => format!("{stock}.{class}"),
        _ => symbol.replace(['/', '-', '_'], ""),
    }
}
