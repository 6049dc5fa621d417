//! Coinbase's messages as they come, field by field, in any form that means the same.
//!
//! Source: the venue's `advanced-trade-asyncapi` of November 2026.

use serde::Deserialize;

use crate::decode::field::Field;

/// The fields of all messages that are read.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AnyMessage<'a> {
    #[serde(borrow)]
    pub(super) channel: Field<'a>,
    #[serde(borrow)]
    pub(super) timestamp: Field<'a>,
    #[serde(borrow)]
    pub(super) events: Field<'a>,
    #[serde(rename = "type", borrow)]
    pub(super) kind: Field<'a>,
}

/// The names of these fields.
pub(super) const NAMES: [&str; 4] = ["channel", "timestamp", "events", "type"];

/// An event of `l2_data`, `market_trades` or `ticker`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AnyEvent<'a> {
    #[serde(rename = "type", borrow)]
    pub(super) kind: Field<'a>,
    #[serde(borrow)]
    pub(super) product_id: Field<'a>,
    #[serde(borrow)]
    pub(super) updates: Field<'a>,
    #[serde(borrow)]
    pub(super) trades: Field<'a>,
    #[serde(borrow)]
    pub(super) tickers: Field<'a>,
}

/// The names of these fields.
pub(super) const EVENT_NAMES: [&str; 5] = ["type", "product_id", "updates", "trades", "tickers"];

/// A level of a book.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AnyLevel<'a> {
    #[serde(borrow)]
    pub(super) side: Field<'a>,
    #[serde(borrow)]
    pub(super) event_time: Field<'a>,
    #[serde(borrow)]
    pub(super) price_level: Field<'a>,
    #[serde(borrow)]
    pub(super) new_quantity: Field<'a>,
}

/// The names of these fields.
pub(super) const LEVEL_NAMES: [&str; 4] = ["side", "event_time", "price_level", "new_quantity"];

/// A trade.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AnyTrade<'a> {
    #[serde(borrow)]
    pub(super) trade_id: Field<'a>,
    #[serde(borrow)]
    pub(super) product_id: Field<'a>,
    #[serde(borrow)]
    pub(super) price: Field<'a>,
    #[serde(borrow)]
    pub(super) size: Field<'a>,
    /// Of the order that rested.
    #[serde(borrow)]
    pub(super) side: Field<'a>,
    #[serde(borrow)]
    pub(super) time: Field<'a>,
}

/// The names of these fields.
pub(super) const TRADE_NAMES: [&str; 6] =
    ["trade_id", "product_id", "price", "size", "side", "time"];

/// The state of a product after a trade.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AnyTicker<'a> {
    #[serde(borrow)]
    pub(super) product_id: Field<'a>,
    #[serde(borrow)]
    pub(super) best_bid: Field<'a>,
    #[serde(borrow)]
    pub(super) best_bid_quantity: Field<'a>,
    #[serde(borrow)]
    pub(super) best_ask: Field<'a>,
    #[serde(borrow)]
    pub(super) best_ask_quantity: Field<'a>,
}

/// The names of these fields.
pub(super) const TICKER_NAMES: [&str; 5] = [
    "product_id",
    "best_bid",
    "best_bid_quantity",
    "best_ask",
    "best_ask_quantity",
];
