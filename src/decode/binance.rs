//! Binance spot: trades, best bid and offer, depth diffs, REST snapshots, and notices of the server.
//!
//! Source of all forms and rules: the venue's `web-socket-streams.md` and `rest-api.md` of July 2026. Futures
//! chain their diffs otherwise and are refused.

mod mapping;
mod output;
mod routing;
mod subscription;
#[cfg(test)]
mod tests;
mod wire;

use std::borrow::Cow;

use super::decoded::Decoded;
use super::error::DecodeError;
use super::stream_state::StreamState;
use super::venue::{
    Addresses, BookProof, BookUpdates, Proof, Reaction, SnapshotRequest, Subscription, Venue,
    VenueLimits, Wanted,
};
use crate::event::{Batch, TradeIds};
use crate::instrument::Instruments;

/// The spot market of Binance.
#[derive(Clone, Copy, Debug)]
pub(super) struct Binance;

impl Venue for Binance {
    fn name(&self) -> &'static str {
        output::VENUE
    }

    fn spelling(&self, symbol: &str) -> String {
        // Others write `BTC/USDT` and `btc-usdt`; the venue's only sign is that of `BTCUSDT_240329`.
        let is_part = |letter: &char| {
            *letter == '_' || !letter.is_ascii_punctuation() && !letter.is_whitespace()
        };
        let symbol: String = symbol.chars().filter(is_part).collect();
        symbol.to_ascii_uppercase()
    }

    fn addresses(&self) -> Addresses {
        subscription::ADDRESSES
    }

    fn usual_streams(&self) -> &'static [&'static str] {
        &["trade", "bookTicker", "depth@100ms"]
    }

    fn limits(&self) -> VenueLimits {
        subscription::LIMITS
    }

    fn proof(&self) -> Proof {
        Proof {
            book: BookProof::SymbolNumbers,
            trades: Some(TradeIds::Successive),
        }
    }

    fn subscription(&self, wanted: &Wanted<'_>) -> Subscription {
        subscription::combined(wanted)
    }

    fn reaction(&self, message: &[u8]) -> Reaction {
        match routing::is_shutdown(message) {
            true => Reaction::Reconnect,
            false => Reaction::None,
        }
    }

    fn recognises(&self, message: &[u8]) -> bool {
        routing::recognises(message)
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
        routing::updates_of(message)
    }

    fn unnamed_snapshot(&self, message: &[u8]) -> Option<u64> {
        routing::unnamed_snapshot(message)
    }

    fn needs_snapshot(&self, stream: &str) -> bool {
        routing::is_diff_stream(stream)
    }

    fn snapshot_request(&self, symbol: &str, _: &[String]) -> SnapshotRequest {
        subscription::snapshot_request(symbol)
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
            updates: &mut stream.updates,
            instruments,
            batch,
        };
        mapping::decode(message, &mut out)
    }
}
