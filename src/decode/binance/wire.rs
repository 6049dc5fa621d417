//! Binance's messages as they come, field by field.
//!
//! Source: the venue's `web-socket-streams.md` and `rest-api.md` of July 2026.

use serde::Deserialize;
use sonic_rs::LazyValue;

use crate::decode::json::TextPair;

/// A combined stream's message: the stream's name, and the message itself.
#[derive(Deserialize)]
pub(super) struct Combined<'a> {
    pub(super) stream: &'a str,
    #[serde(borrow)]
    pub(super) data: LazyValue<'a>,
}

/// Just enough to tell messages without an event type apart.
#[derive(Deserialize)]
pub(super) struct Untyped<'a> {
    #[serde(rename = "lastUpdateId")]
    pub(super) last_update_id: Option<u64>,
    #[serde(rename = "s")]
    pub(super) symbol: Option<&'a str>,
    pub(super) code: Option<i64>,
    #[serde(borrow)]
    pub(super) error: Option<LazyValue<'a>>,
    #[serde(borrow)]
    pub(super) id: Option<LazyValue<'a>>,
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
    #[serde(rename = "s")]
    pub(super) symbol: &'a str,
    #[serde(rename = "U")]
    pub(super) first: u64,
    #[serde(rename = "u")]
    pub(super) last: u64,
    #[serde(rename = "pu")]
    pub(super) previous_final_id: Option<u64>,
    #[serde(rename = "b", borrow)]
    pub(super) bids: Vec<TextPair<'a>>,
    #[serde(rename = "a", borrow)]
    pub(super) asks: Vec<TextPair<'a>>,
}

/// The answer to `GET /api/v3/depth`.
#[derive(Deserialize)]
pub(super) struct WireSnapshot<'a> {
    #[serde(rename = "lastUpdateId")]
    pub(super) last_update_id: u64,
    #[serde(borrow)]
    pub(super) bids: Vec<TextPair<'a>>,
    #[serde(borrow)]
    pub(super) asks: Vec<TextPair<'a>>,
}
