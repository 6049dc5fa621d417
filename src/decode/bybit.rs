//! Bybit v5: trades, best bid and offer, books of up to 1,000 levels, and answers of the server, on the spot,
//! linear and inverse markets.
//!
//! The messages of a book are numbered one by one. Options are not read: their trades come by the base
//! currency. Source of all forms and rules: the venue's documentation of v5, `websocket/public`, of July
//! 2026.

mod mapping;
mod retail_levels;
mod routing;
mod streams;
mod subscription;
#[cfg(test)]
mod tests;
mod topic;
mod wire;

use std::borrow::Cow;

use super::decoded::Decoded;
use super::error::DecodeError;
use super::output::Output;
use super::stream_state::StreamState;
use super::venue::{
    Addresses, BookProof, Keepalive, Proof, Reaction, SnapshotRequest, Subscription, Venue,
    VenueLimits, Wanted,
};
use super::venue_feed::{Hosts, VenueStream};
use crate::event::{Batch, TradeIds};
use crate::instrument::Instruments;

/// Bybit: the path of the address says which market it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bybit;

impl Venue for Bybit {
    fn name(&self) -> &'static str {
        "BYBIT"
    }

    fn spelling(&self, symbol: &str) -> String {
        streams::spelling(symbol)
    }

    fn symbol_examples(&self) -> &'static str {
        "BTCUSDT, BTC-27DEC24"
    }

    fn addresses(&self) -> Addresses {
        subscription::ADDRESSES
    }

    fn hosts(&self) -> Hosts {
        streams::HOSTS
    }

    fn path_fault(&self, path: &str, _: &[String]) -> Option<String> {
        streams::path_fault(path)
    }

    fn streams(&self) -> &'static [VenueStream] {
        streams::STREAMS
    }

    fn usual_streams(&self) -> &'static [&'static str] {
        &["publicTrade", "orderbook.1", "orderbook.50"]
    }

    fn limits(&self) -> VenueLimits {
        subscription::LIMITS
    }

    fn proof(&self) -> Proof {
        Proof {
            book: BookProof::SymbolNumbers,
            trades: Some(TradeIds::Distinct),
        }
    }

    fn keepalive(&self) -> Keepalive {
        subscription::KEEPALIVE
    }

    fn subscription(&self, wanted: &Wanted<'_>) -> Subscription {
        subscription::requests(wanted)
    }

    fn reaction(&self, message: &[u8]) -> Reaction {
        routing::reaction(message)
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

    /// Snapshots come by the stream itself.
    fn book_change_of<'m>(&self, _: &'m [u8]) -> Option<Cow<'m, str>> {
        None
    }

    fn needs_snapshot(&self, _: &str) -> bool {
        false
    }

    fn has_book(&self, streams: &[String]) -> bool {
        subscription::has_book(streams)
    }

    fn snapshot_request(&self, symbol: &str, streams: &[String]) -> SnapshotRequest {
        subscription::snapshot_request(symbol, streams)
    }

    fn snapshot_message(&self, _: &str, body: &[u8]) -> Vec<u8> {
        body.to_vec()
    }

    fn decode(
        &self,
        message: &[u8],
        stream: &mut StreamState,
        instruments: &mut Instruments,
        batch: &mut Batch,
    ) -> Result<Decoded, DecodeError> {
        let mut out = Output {
            venue: self.name(),
            stream,
            instruments,
            batch,
        };
        mapping::decode(message, &mut out)
    }
}
