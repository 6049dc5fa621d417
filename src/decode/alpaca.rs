//! Alpaca: stocks of the United States (trades, quotes, bars, amendments, halts) and news, in JSON or in
//! MessagePack.
//!
//! Source of all forms and rules: the venue's pages on real-time stock data and real-time news of 2026. It
//! numbers nothing one by one and sends no heartbeats: a lost message does not show, and a closed market is
//! silent.

mod mapping;
mod news;
mod output;
mod packed;
mod routing;
mod streams;
mod subscription;
#[cfg(test)]
mod tests;
mod value;
mod wire;

use std::borrow::Cow;

use super::decoded::Decoded;
use super::error::DecodeError;
use super::news_item::NewsMessage;
use super::stream_state::StreamState;
use super::venue::{
    Addresses, BookProof, Proof, Reaction, SnapshotRequest, Subscription, Venue, VenueLimits,
    Wanted,
};
use super::venue_feed::{Hosts, VenueStream};
use crate::event::{Batch, TradeIds};
use crate::instrument::Instruments;

/// Stocks and news of Alpaca.
#[derive(Clone, Copy, Debug)]
pub(super) struct Alpaca;

impl Venue for Alpaca {
    fn name(&self) -> &'static str {
        output::VENUE
    }

    fn spelling(&self, symbol: &str) -> String {
        streams::spelling(symbol)
    }

    fn symbol_examples(&self) -> &'static str {
        "AAPL, BRK.B"
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

    fn needs_account(&self) -> bool {
        true
    }

    fn streams(&self) -> &'static [VenueStream] {
        streams::STREAMS
    }

    fn usual_streams(&self) -> &'static [&'static str] {
        &["trades", "quotes", "statuses"]
    }

    fn limits(&self) -> VenueLimits {
        subscription::LIMITS
    }

    fn proof(&self) -> Proof {
        Proof {
            book: BookProof::Nothing,
            trades: Some(TradeIds::Distinct),
        }
    }

    fn refusal(&self, streams: &[String]) -> Option<String> {
        streams::refusal(streams)
    }

    fn subscription(&self, wanted: &Wanted<'_>) -> Subscription {
        subscription::text(wanted)
    }

    fn binary_subscription(&self, wanted: &Wanted<'_>) -> Option<Subscription> {
        Some(subscription::packed(wanted))
    }

    fn reaction(&self, message: &[u8]) -> Reaction {
        routing::reaction(message)
    }

    fn split(&self, message: &[u8]) -> Vec<Vec<u8>> {
        routing::split(message)
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

    fn book_change_of<'m>(&self, _: &'m [u8]) -> Option<Cow<'m, str>> {
        None
    }

    fn needs_snapshot(&self, _: &str) -> bool {
        false
    }

    fn snapshot_request(&self, _: &str, _: &[String]) -> SnapshotRequest {
        SnapshotRequest::Send(vec![])
    }

    fn snapshot_message(&self, _: &str, body: &[u8]) -> Vec<u8> {
        body.to_vec()
    }

    fn decode(
        &self,
        message: &[u8],
        _: &mut StreamState,
        instruments: &mut Instruments,
        batch: &mut Batch,
    ) -> Result<Decoded, DecodeError> {
        mapping::decode(message, &mut output::Output { instruments, batch })
    }

    fn news<'m>(&self, message: &'m [u8]) -> Result<NewsMessage<'m>, DecodeError> {
        news::news(message)
    }
}
