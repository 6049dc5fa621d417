//! Bybit's messages as they come, field by field.
//!
//! The structs of one kind read a message as the venue writes it, which is fast. Those whose names begin with
//! `Any` read it in any form that means the same.
//!
//! Source: the venue's documentation of v5, `websocket/public`, of July 2026.

use serde::Deserialize;

use crate::decode::field::Field;
use crate::decode::levels::Pair;

/// `orderbook`: a book, or the changes of one.
#[derive(Deserialize)]
pub(super) struct WireBook<'a> {
    pub(super) topic: &'a str,
    /// `snapshot` or `delta`.
    #[serde(rename = "type")]
    pub(super) form: &'a str,
    /// When the message was made.
    pub(super) ts: i64,
    /// When the matching engine made the book; messages of before 2024 lack it.
    pub(super) cts: Option<i64>,
    #[serde(borrow)]
    pub(super) data: WireLevels<'a>,
}

/// The levels of a book.
#[derive(Deserialize)]
pub(super) struct WireLevels<'a> {
    #[serde(rename = "s")]
    pub(super) symbol: &'a str,
    #[serde(rename = "b", borrow)]
    pub(super) bids: Vec<Pair<&'a str>>,
    #[serde(rename = "a", borrow)]
    pub(super) asks: Vec<Pair<&'a str>>,
    /// One higher with each message of the topic; 1 of a snapshot after a restart of the service.
    #[serde(rename = "u")]
    pub(super) update: u64,
}

/// `publicTrade`: trades, the oldest first.
#[derive(Deserialize)]
pub(super) struct WireTrades<'a> {
    pub(super) topic: &'a str,
    #[serde(borrow)]
    pub(super) data: Vec<WireTrade<'a>>,
}

/// One fill.
#[derive(Deserialize)]
pub(super) struct WireTrade<'a> {
    #[serde(rename = "T")]
    pub(super) time: i64,
    #[serde(rename = "s")]
    pub(super) symbol: &'a str,
    #[serde(rename = "S")]
    pub(super) side: &'a str,
    #[serde(rename = "v")]
    pub(super) size: &'a str,
    #[serde(rename = "p")]
    pub(super) price: &'a str,
    /// A number on the spot market, a UUID on others.
    #[serde(rename = "i")]
    pub(super) trade_id: &'a str,
}

/// The fields of a message.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AnyMessage<'a> {
    #[serde(borrow)]
    pub(super) topic: Field<'a>,
    #[serde(rename = "type", borrow)]
    pub(super) form: Field<'a>,
    #[serde(borrow)]
    pub(super) ts: Field<'a>,
    #[serde(borrow)]
    pub(super) cts: Field<'a>,
    #[serde(borrow)]
    pub(super) data: Field<'a>,
    #[serde(borrow)]
    pub(super) success: Field<'a>,
    #[serde(borrow)]
    pub(super) op: Field<'a>,
    #[serde(rename = "retCode", borrow)]
    pub(super) code: Field<'a>,
}

/// The fields of a trade and of a book.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AnyItem<'a> {
    #[serde(rename = "T", borrow)]
    pub(super) time: Field<'a>,
    #[serde(rename = "s", borrow)]
    pub(super) symbol: Field<'a>,
    #[serde(rename = "S", borrow)]
    pub(super) side: Field<'a>,
    #[serde(rename = "v", borrow)]
    pub(super) size: Field<'a>,
    #[serde(rename = "p", borrow)]
    pub(super) price: Field<'a>,
    #[serde(rename = "i", borrow)]
    pub(super) trade_id: Field<'a>,
    #[serde(rename = "b", borrow)]
    pub(super) bids: Field<'a>,
    #[serde(rename = "a", borrow)]
    pub(super) asks: Field<'a>,
    #[serde(rename = "u", borrow)]
    pub(super) update: Field<'a>,
    #[serde(rename = "seq", borrow)]
    pub(super) sequence: Field<'a>,
}

/// The names of all these fields.
pub(super) const NAMES: [&str; 18] = [
    "retCode", "topic", "type", "ts", "cts", "data", "success", "op", "T", "s", "S", "v", "p", "i",
    "b", "a", "u", "seq",
];
