//! Binance's messages as they come, field by field.
//!
//! The structs of one kind read a message as the venue writes it, which is fast. [`AnyMessage`] reads all
//! kinds in any form that means the same.
//!
//! Source: of spot, the venue's `web-socket-streams.md` and `rest-api.md` of July 2026; of futures, "Websocket
//! BinanceMarket Streams" of its pages on USDⓈ-M futures.

use serde::Deserialize;
use sonic_rs::LazyValue;

use crate::decode::field::Field;
use crate::decode::levels::Pair;

/// A combined stream's message: the stream's name, and the message itself.
#[derive(Deserialize)]
pub(super) struct Combined<'a> {
    pub(super) stream: &'a str,
    #[serde(borrow)]
    pub(super) data: LazyValue<'a>,
}

/// `trade`: one fill.
#[derive(Deserialize)]
pub(super) struct WireTrade<'a> {
    #[serde(rename = "s")]
    pub(super) symbol: &'a str,
    #[serde(rename = "t")]
    pub(super) trade_id: u64,
    #[serde(rename = "p")]
    pub(super) price: &'a str,
    #[serde(rename = "q")]
    pub(super) quantity: &'a str,
    #[serde(rename = "T")]
    pub(super) trade_time: i64,
    #[serde(rename = "m")]
    pub(super) buyer_is_maker: bool,
    /// Of futures: what the number was given to.
    #[serde(rename = "X")]
    pub(super) kind: Option<&'a str>,
    /// Of spot; it means nothing.
    #[serde(rename = "M")]
    pub(super) best_match: Option<bool>,
}

/// `aggTrade`: the fills of one taker order at one price.
#[derive(Deserialize)]
pub(super) struct WireAggTrade<'a> {
    #[serde(rename = "s")]
    pub(super) symbol: &'a str,
    #[serde(rename = "a")]
    pub(super) aggregate_id: u64,
    #[serde(rename = "p")]
    pub(super) price: &'a str,
    #[serde(rename = "q")]
    pub(super) quantity: &'a str,
    #[serde(rename = "T")]
    pub(super) trade_time: i64,
    #[serde(rename = "m")]
    pub(super) buyer_is_maker: bool,
    /// Number of the first fill.
    #[serde(rename = "f")]
    pub(super) first_fill: Option<u64>,
    /// Of spot; it means nothing.
    #[serde(rename = "M")]
    pub(super) best_match: Option<bool>,
}

/// `bookTicker`: best bid and offer. Spot sends neither event type nor time.
#[derive(Deserialize)]
pub(super) struct WireBookTicker<'a> {
    #[serde(rename = "u")]
    pub(super) update_id: u64,
    #[serde(rename = "s")]
    pub(super) symbol: &'a str,
    #[serde(rename = "b")]
    pub(super) bid: &'a str,
    #[serde(rename = "B")]
    pub(super) bid_quantity: &'a str,
    #[serde(rename = "a")]
    pub(super) ask: &'a str,
    #[serde(rename = "A")]
    pub(super) ask_quantity: &'a str,
    #[serde(rename = "T")]
    pub(super) time: Option<i64>,
}

/// `depthUpdate`: the levels that changed, covering the updates `U..=u`.
#[derive(Deserialize)]
pub(super) struct WireDepth<'a> {
    #[serde(rename = "E")]
    pub(super) event_time: i64,
    /// Of futures: when the matching engine made the last of these updates.
    #[serde(rename = "T")]
    pub(super) time: Option<i64>,
    #[serde(rename = "s")]
    pub(super) symbol: &'a str,
    #[serde(rename = "U")]
    pub(super) first: u64,
    #[serde(rename = "u")]
    pub(super) last: u64,
    #[serde(rename = "pu")]
    pub(super) previous_final_id: Option<u64>,
    #[serde(rename = "b", borrow)]
    pub(super) bids: Vec<Pair<&'a str>>,
    #[serde(rename = "a", borrow)]
    pub(super) asks: Vec<Pair<&'a str>>,
}

/// The answer to `GET /api/v3/depth` and `GET /fapi/v1/depth`.
#[derive(Deserialize)]
pub(super) struct WireSnapshot<'a> {
    #[serde(rename = "lastUpdateId")]
    pub(super) last_update_id: u64,
    #[serde(borrow)]
    pub(super) bids: Vec<Pair<&'a str>>,
    #[serde(borrow)]
    pub(super) asks: Vec<Pair<&'a str>>,
}

/// The fields of all kinds, and of a combined stream's message.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AnyMessage<'a> {
    #[serde(rename = "e", borrow)]
    pub(super) event_type: Field<'a>,
    #[serde(rename = "E", borrow)]
    pub(super) event_time: Field<'a>,
    #[serde(rename = "s", borrow)]
    pub(super) symbol: Field<'a>,
    #[serde(rename = "t", borrow)]
    pub(super) trade_id: Field<'a>,
    /// The best ask; the asks of a depth diff; the number of an aggregate.
    #[serde(rename = "a", borrow)]
    pub(super) ask: Field<'a>,
    #[serde(rename = "p", borrow)]
    pub(super) price: Field<'a>,
    #[serde(rename = "q", borrow)]
    pub(super) quantity: Field<'a>,
    #[serde(rename = "T", borrow)]
    pub(super) trade_time: Field<'a>,
    #[serde(rename = "m", borrow)]
    pub(super) buyer_is_maker: Field<'a>,
    #[serde(rename = "X", borrow)]
    pub(super) kind: Field<'a>,
    #[serde(rename = "M", borrow)]
    pub(super) best_match: Field<'a>,
    #[serde(rename = "f", borrow)]
    pub(super) first_fill: Field<'a>,
    /// The last update of a quote or a diff.
    #[serde(rename = "u", borrow)]
    pub(super) update_id: Field<'a>,
    #[serde(rename = "U", borrow)]
    pub(super) first: Field<'a>,
    #[serde(rename = "pu", borrow)]
    pub(super) previous_final_id: Field<'a>,
    /// The best bid; the bids of a depth diff.
    #[serde(rename = "b", borrow)]
    pub(super) bid: Field<'a>,
    #[serde(rename = "B", borrow)]
    pub(super) bid_quantity: Field<'a>,
    #[serde(rename = "A", borrow)]
    pub(super) ask_quantity: Field<'a>,
    #[serde(rename = "lastUpdateId", borrow)]
    pub(super) last_update_id: Field<'a>,
    #[serde(borrow)]
    pub(super) bids: Field<'a>,
    #[serde(borrow)]
    pub(super) asks: Field<'a>,
    #[serde(borrow)]
    pub(super) code: Field<'a>,
    #[serde(rename = "msg", borrow)]
    pub(super) message: Field<'a>,
    #[serde(borrow)]
    pub(super) error: Field<'a>,
    #[serde(borrow)]
    pub(super) id: Field<'a>,
    #[serde(borrow)]
    pub(super) result: Field<'a>,
    #[serde(borrow)]
    pub(super) stream: Field<'a>,
    #[serde(borrow)]
    pub(super) data: Field<'a>,
}

/// The names of these fields.
pub(super) const NAMES: [&str; 28] = [
    "e",
    "E",
    "s",
    "t",
    "a",
    "p",
    "q",
    "T",
    "m",
    "X",
    "M",
    "f",
    "u",
    "U",
    "pu",
    "b",
    "B",
    "A",
    "lastUpdateId",
    "bids",
    "asks",
    "code",
    "msg",
    "error",
    "id",
    "result",
    "stream",
    "data",
];
