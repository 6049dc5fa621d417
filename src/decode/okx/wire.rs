//! OKX's messages as they come, field by field.
//!
//! The structs of one kind read a message as the venue writes it, which is fast. Those whose names begin with
//! `Any` read it in any form that means the same.
//!
//! Source: the venue's "OKX API guide", v5, of 2026.

use serde::Deserialize;
use sonic_rs::LazyValue;

use crate::decode::field::Field;
use crate::decode::levels::Pair;

/// A message of a channel.
#[derive(Deserialize)]
pub(super) struct WirePush<'a> {
    #[serde(borrow)]
    pub(super) arg: WireArg<'a>,
    /// Of a book: `snapshot` or `update`.
    #[serde(borrow)]
    pub(super) action: Option<&'a str>,
    #[serde(borrow)]
    pub(super) data: LazyValue<'a>,
}

/// The channel of a message.
#[derive(Deserialize)]
pub(super) struct WireArg<'a> {
    pub(super) channel: &'a str,
    #[serde(rename = "instId")]
    pub(super) symbol: &'a str,
}

/// Of `trades`: the fills of one taker order at one price; of `trades-all`: one fill.
#[derive(Deserialize)]
pub(super) struct WireTrade<'a> {
    #[serde(rename = "instId")]
    pub(super) symbol: &'a str,
    #[serde(rename = "tradeId")]
    pub(super) trade_id: &'a str,
    #[serde(rename = "px")]
    pub(super) price: &'a str,
    #[serde(rename = "sz")]
    pub(super) size: &'a str,
    pub(super) side: &'a str,
    pub(super) ts: &'a str,
    /// How many fills: `trades` has it since it aggregates.
    #[serde(borrow)]
    pub(super) count: Option<&'a str>,
}

/// Of `books`, `books5`, `bbo-tbt`: levels, of which the third and fourth number are ignored.
#[derive(Deserialize)]
pub(super) struct WireBook<'a> {
    #[serde(borrow)]
    pub(super) asks: Vec<Pair<&'a str>>,
    #[serde(borrow)]
    pub(super) bids: Vec<Pair<&'a str>>,
    pub(super) ts: &'a str,
    #[serde(rename = "seqId")]
    pub(super) sequence: Option<u64>,
    /// The update before this one; -1 of a snapshot.
    #[serde(rename = "prevSeqId")]
    pub(super) before: Option<i64>,
    /// Signed; 0 where there is none.
    pub(super) checksum: Option<i64>,
}

/// The fields of a message, and of its channel.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AnyMessage<'a> {
    #[serde(borrow)]
    pub(super) arg: Field<'a>,
    #[serde(borrow)]
    pub(super) action: Field<'a>,
    #[serde(borrow)]
    pub(super) data: Field<'a>,
    #[serde(borrow)]
    pub(super) event: Field<'a>,
    #[serde(borrow)]
    pub(super) code: Field<'a>,
    #[serde(borrow)]
    pub(super) channel: Field<'a>,
    #[serde(rename = "instId", borrow)]
    pub(super) symbol: Field<'a>,
}

/// The fields of a trade and of a book.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AnyItem<'a> {
    #[serde(rename = "instId", borrow)]
    pub(super) symbol: Field<'a>,
    #[serde(rename = "tradeId", borrow)]
    pub(super) trade_id: Field<'a>,
    #[serde(rename = "px", borrow)]
    pub(super) price: Field<'a>,
    #[serde(rename = "sz", borrow)]
    pub(super) size: Field<'a>,
    #[serde(borrow)]
    pub(super) side: Field<'a>,
    #[serde(borrow)]
    pub(super) ts: Field<'a>,
    #[serde(borrow)]
    pub(super) count: Field<'a>,
    #[serde(borrow)]
    pub(super) asks: Field<'a>,
    #[serde(borrow)]
    pub(super) bids: Field<'a>,
    #[serde(rename = "seqId", borrow)]
    pub(super) sequence: Field<'a>,
    #[serde(rename = "prevSeqId", borrow)]
    pub(super) before: Field<'a>,
    #[serde(borrow)]
    pub(super) checksum: Field<'a>,
}

/// The names of all these fields.
pub(super) const NAMES: [&str; 18] = [
    "arg",
    "action",
    "data",
    "event",
    "code",
    "channel",
    "instId",
    "tradeId",
    "px",
    "sz",
    "side",
    "ts",
    "count",
    "asks",
    "bids",
    "seqId",
    "prevSeqId",
    "checksum",
];
