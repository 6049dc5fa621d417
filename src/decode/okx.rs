//! OKX v5: trades, best bid and offer, books of up to 400 levels, and notices of the server.
//!
//! The changes of a book name the change before them. Source of all forms and rules: the venue's "OKX API
//! guide", v5, of 2026.

mod channel;
mod mapping;
mod routing;
mod streams;
mod subscription;
#[cfg(test)]
mod tests;
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

/// OKX: spot, swaps and futures have one address, and differ by symbol.
#[derive(Clone, Copy, Debug)]
pub(super) struct Okx;

impl Venue for Okx {
    fn name(&self) -> &'static str {
        "OKX"
    }

    fn spelling(&self, symbol: &str) -> String {
        streams::spelling(symbol)
    }

    fn symbol_examples(&self) -> &'static str {
        "BTC-USDT, BTC-USDT-SWAP"
    }

    fn addresses(&self) -> Addresses {
        subscription::ADDRESSES
    }

    fn hosts(&self) -> Hosts {
        streams::HOSTS
    }

    fn path_fault(&self, path: &str, streams: &[String]) -> Option<String> {
        streams::path_fault(path, streams)
    }

    fn streams(&self) -> &'static [VenueStream] {
        streams::STREAMS
    }

    fn usual_streams(&self) -> &'static [&'static str] {
        &["trades", "bbo-tbt", "books"]
    }

    fn limits(&self) -> VenueLimits {
        subscription::LIMITS
    }

    fn proof(&self) -> Proof {
        Proof {
            book: BookProof::Chain,
            trades: Some(TradeIds::Rising),
        }
    }

    fn keepalive(&self) -> Keepalive {
        subscription::KEEPALIVE
    }

    fn refusal(&self, streams: &[String]) -> Option<String> {
        streams::refusal(streams)
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
