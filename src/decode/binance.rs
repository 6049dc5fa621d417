//! Binance's spot market and its USD-M futures: trades, best bid and offer, depth diffs, REST snapshots, and
//! notices of the server.
//!
//! Two venues that write nearly the same messages. Changes of a book of futures name the one before them. A
//! message that shows the other market is none of this one.
//!
//! Source of all forms and rules: of spot, the venue's `web-socket-streams.md` and `rest-api.md` of July
//! 2026; of futures, its pages on USDⓈ-M futures, with the notice of March 2026 on new addresses.

mod books;
mod mapping;
mod market;
mod output;
mod routing;
mod streams;
mod subscription;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod usdm_tests;
mod usual;
#[cfg(test)]
mod usual_tests;
mod wire;

use std::borrow::Cow;

use self::market::BinanceMarket;
use super::decoded::Decoded;
use super::error::DecodeError;
use super::stream_state::StreamState;
use super::venue::{
    Addresses, BookProof, BookUpdates, Proof, Reaction, SnapshotRequest, Subscription, Venue,
    VenueLimits, Wanted,
};
use super::venue_feed::{Hosts, VenueStream};
use crate::event::{Batch, TradeIds};
use crate::instrument::Instruments;

/// A market of Binance.
#[derive(Clone, Copy, Debug)]
pub(super) struct Binance {
    market: BinanceMarket,
}

/// The spot market.
pub(super) const SPOT: Binance = Binance {
    market: BinanceMarket::Spot,
};

/// The futures that are margined in dollars.
pub(super) const USDM: Binance = Binance {
    market: BinanceMarket::UsdMargined,
};

impl Venue for Binance {
    fn name(&self) -> &'static str {
        self.market.venue()
    }

    fn spelling(&self, symbol: &str) -> String {
        streams::spelling(symbol)
    }

    fn symbol_examples(&self) -> &'static str {
        match self.market {
            BinanceMarket::Spot => "BTCUSDT",
            BinanceMarket::UsdMargined => "BTCUSDT, BTCUSDT_270326",
        }
    }

    fn addresses(&self) -> Addresses {
        subscription::addresses(self.market)
    }

    fn hosts(&self) -> Hosts {
        streams::hosts(self.market)
    }

    fn path_fault(&self, path: &str, streams: &[String]) -> Option<String> {
        streams::path_fault(self.market, path, streams)
    }

    fn streams(&self) -> &'static [VenueStream] {
        streams::streams(self.market)
    }

    fn usual_streams(&self) -> &'static [&'static str] {
        &["trade", "bookTicker", "depth@100ms"]
    }

    fn limits(&self) -> VenueLimits {
        subscription::limits(self.market)
    }

    fn proof(&self) -> Proof {
        Proof {
            book: match self.market {
                BinanceMarket::Spot => BookProof::SymbolNumbers,
                BinanceMarket::UsdMargined => BookProof::Chain,
            },
            trades: Some(TradeIds::Successive),
        }
    }

    fn subscription(&self, wanted: &Wanted<'_>) -> Subscription {
        subscription::combined(self.market, wanted)
    }

    fn refusal(&self, streams: &[String]) -> Option<String> {
        subscription::refusal(self.market, streams)
    }

    fn reaction(&self, message: &[u8]) -> Reaction {
        match routing::is_shutdown(message) {
            true => Reaction::Reconnect,
            false => routing::error_words(message).map_or(Reaction::None, Reaction::Told),
        }
    }

    fn recognises(&self, message: &[u8]) -> bool {
        routing::recognises(self.market, message)
    }

    fn symbol_of<'m>(&self, message: &'m [u8]) -> Option<Cow<'m, str>> {
        routing::symbol_of(message)
    }

    fn is_quote(&self, message: &[u8]) -> bool {
        routing::is_quote(message)
    }

    fn book_change_of<'m>(&self, message: &'m [u8]) -> Option<Cow<'m, str>> {
        routing::book_change_of(message)
    }

    fn updates_of<'m>(&self, message: &'m [u8]) -> Option<BookUpdates<'m>> {
        routing::updates_of(self.market, message)
    }

    fn unnamed_snapshot(&self, message: &[u8]) -> Option<u64> {
        routing::unnamed_snapshot(message)
    }

    fn needs_snapshot(&self, stream: &str) -> bool {
        routing::is_diff_stream(stream)
    }

    fn snapshot_request(&self, symbol: &str, _: &[String]) -> SnapshotRequest {
        subscription::snapshot_request(self.market, symbol)
    }

    fn snapshot_message(&self, symbol: &str, body: &[u8]) -> Vec<u8> {
        subscription::snapshot_message(symbol, body)
    }

    fn decode(
        &self,
        message: &[u8],
        stream: &mut StreamState,
        instruments: &mut Instruments,
        batch: &mut Batch,
    ) -> Result<Decoded, DecodeError> {
        let mut out = output::Output {
            market: self.market,
            updates: &mut stream.updates,
            instruments,
            batch,
        };
        mapping::decode(message, &mut out)
    }
}
