//! Kraken's messages as they come, field by field, in any form that means the same.
//!
//! Source: the venue's `spot-websocket-v2` reference of November 2026.

use serde::Deserialize;

use crate::decode::field::Field;

/// The fields of all messages that are read.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AnyMessage<'a> {
    #[serde(borrow)]
    pub(super) channel: Field<'a>,
    #[serde(rename = "type", borrow)]
    pub(super) kind: Field<'a>,
    #[serde(borrow)]
    pub(super) data: Field<'a>,
    #[serde(borrow)]
    pub(super) method: Field<'a>,
    #[serde(borrow)]
    pub(super) success: Field<'a>,
    #[serde(borrow)]
    pub(super) result: Field<'a>,
    #[serde(borrow)]
    pub(super) error: Field<'a>,
}

/// The names of these fields.
pub(super) const NAMES: [&str; 7] = [
    "channel", "type", "data", "method", "success", "result", "error",
];

/// What the venue has subscribed to.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AnyResult<'a> {
    #[serde(borrow)]
    pub(super) channel: Field<'a>,
    #[serde(borrow)]
    pub(super) symbol: Field<'a>,
    #[serde(borrow)]
    pub(super) depth: Field<'a>,
}

/// The names of these fields.
pub(super) const RESULT_NAMES: [&str; 3] = ["channel", "symbol", "depth"];

/// An element of `status`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AnyStatus<'a> {
    #[serde(borrow)]
    pub(super) system: Field<'a>,
}

/// The names of these fields.
pub(super) const STATUS_NAMES: [&str; 1] = ["system"];

/// An element of `book`: a whole book, or its changed levels.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AnyBook<'a> {
    #[serde(borrow)]
    pub(super) symbol: Field<'a>,
    #[serde(borrow)]
    pub(super) bids: Field<'a>,
    #[serde(borrow)]
    pub(super) asks: Field<'a>,
    #[serde(borrow)]
    pub(super) checksum: Field<'a>,
    #[serde(borrow)]
    pub(super) timestamp: Field<'a>,
}

/// The names of these fields.
pub(super) const BOOK_NAMES: [&str; 5] = ["symbol", "bids", "asks", "checksum", "timestamp"];

/// A level of a book.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AnyLevel<'a> {
    #[serde(borrow)]
    pub(super) price: Field<'a>,
    #[serde(borrow)]
    pub(super) qty: Field<'a>,
}

/// The names of these fields.
pub(super) const LEVEL_NAMES: [&str; 2] = ["price", "qty"];

/// An element of `trade`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AnyTrade<'a> {
    #[serde(borrow)]
    pub(super) symbol: Field<'a>,
    /// Of the order that took liquidity.
    #[serde(borrow)]
    pub(super) side: Field<'a>,
    #[serde(borrow)]
    pub(super) price: Field<'a>,
    #[serde(borrow)]
    pub(super) qty: Field<'a>,
    #[serde(borrow)]
    pub(super) trade_id: Field<'a>,
    #[serde(borrow)]
    pub(super) timestamp: Field<'a>,
}

/// The names of these fields.
pub(super) const TRADE_NAMES: [&str; 6] =
    ["symbol", "side", "price", "qty", "trade_id", "timestamp"];

/// An element of `ticker`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AnyTicker<'a> {
    #[serde(borrow)]
    pub(super) symbol: Field<'a>,
    #[serde(borrow)]
    pub(super) bid: Field<'a>,
    #[serde(borrow)]
    pub(super) bid_qty: Field<'a>,
    #[serde(borrow)]
    pub(super) ask: Field<'a>,
    #[serde(borrow)]
    pub(super) ask_qty: Field<'a>,
    #[serde(borrow)]
    pub(super) timestamp: Field<'a>,
}

/// The names of these fields.
pub(super) const TICKER_NAMES: [&str; 6] =
    ["symbol", "bid", "bid_qty", "ask", "ask_qty", "timestamp"];
