//! Kraken spot, websocket version 2: trades, best bid and offer, the book with its checksum, and notices.
//!
//! Sources: the venue's `spot-websocket-v2` reference and its guide `book-checksum-v2`, as of November
//! 2026. Version 1, whose messages are lists, and Kraken's futures are not read.

mod mapping;
mod output;
mod routing;
mod streams;
mod subscription;
#[cfg(test)]
mod tests;
mod usual;
mod wire;

use std::borrow::Cow;

use super::decoded::Decoded;
use super::error::DecodeError;
use super::message_output::MessageOutput;
use super::stream_state::StreamState;
use super::venue::{
    Addresses, BookProof, Keepalive, Proof, Reaction, SnapshotRequest, Subscription, Venue,
    VenueLimits, Wanted,
};
use super::venue_feed::{Hosts, VenueStream};
use crate::event::{Batch, TradeIds};
use crate::instrument::Instruments;

/// The spot market of Kraken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kraken;

impl Venue for Kraken {
    fn name(&self) -> &'static str {
        output::VENUE
    }

    fn spelling(&self, symbol: &str) -> String {
        streams::spelling(symbol)
    }

    fn symbol_examples(&self) -> &'static str {
        "BTC/USD"
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
        &["trade", "ticker", "book"]
    }

    fn limits(&self) -> VenueLimits {
        subscription::LIMITS
    }

    fn proof(&self) -> Proof {
        Proof {
            book: BookProof::Checksum,
            trades: Some(TradeIds::Successive),
        }
    }

    fn keepalive(&self) -> Keepalive {
        Keepalive {
            send: None,
            silent_max: Some(subscription::SILENT_MAX),
        }
    }

    fn refusal(&self, streams: &[String]) -> Option<String> {
        streams::refusal(streams)
    }

    fn subscription(&self, wanted: &Wanted<'_>) -> Subscription {
        subscription::of_streams(wanted)
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

    fn names_several(&self, message: &[u8]) -> bool {
        routing::names_several(message)
    }

    fn is_quote(&self, message: &[u8]) -> bool {
        routing::is_quote(message)
    }

    fn book_change_of<'m>(&self, message: &'m [u8]) -> Option<Cow<'m, str>> {
        routing::book_change_of(message)
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
        let out = MessageOutput::new((output::VENUE, output::SYMBOL), stream, instruments, batch);
        mapping::decode(message, out)
    }
}
