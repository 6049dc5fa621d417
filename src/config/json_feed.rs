//! `[source.websocket.json]`: a feed of JSON messages that is described here instead of in code.

use std::collections::BTreeMap;

use serde::Deserialize;

/// `[source.websocket.json]`: a feed of JSON messages that Foretick does not know, described field by
/// field: [how to](../how-to/generic-feed.md). Pointers are JSON pointers (RFC 6901: `/a/b`, `/0`). They
/// are looked up in an event of the message, and with a `^` before them (`^/channel`) in the whole message.
/// A condition is a table of pointers and texts, `{ "/type" = "trade" }`: all of its values must be there
/// and be written so; a `*` in a text stands for any letters, and alone for any value but null.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JsonFeedConfig {
    /// The venue's name, in which the names of `instruments` end: `MYFEED` for `BTC-USD.MYFEED`. Symbols are
    /// those of the feed, letter by letter. Required.
    pub venue: String,
    /// What follows `source.websocket.url` in the address. `{symbols}` becomes the symbols with commas
    /// between them.
    #[serde(default)]
    pub path: String,
    /// The messages to send on a new connection. `{symbol}` becomes a symbol, and its message is sent once
    /// for each; `{symbols}` becomes all of them, quoted, with commas between them. Default: `[]`, for feeds
    /// that send without being asked.
    #[serde(default)]
    pub subscribe: Vec<String>,
    /// The messages to send for a new whole book of one instrument, `{symbol}`: to unsubscribe and to
    /// subscribe again. Required where changes of a book are numbered. Default: `[]`.
    #[serde(default)]
    pub resubscribe: Vec<String>,
    /// Where the events of a message are: a list, each of whose elements is an event, or one event. `*`
    /// stands for each element of a list: `/events/*/trades`. Default: the message itself is the event.
    pub events: Option<String>,
    /// Whether a message lists its newest event first. Default: `false`.
    #[serde(default)]
    pub newest_first: bool,
    /// Which messages say nothing about a market: acknowledgements, heartbeats, pongs. One condition each.
    /// The pointer `^` is the message itself, which may be a plain text: `{ "^" = "pong" }`. Default: `[]`.
    #[serde(default)]
    pub ignore: Vec<BTreeMap<String, String>>,
    /// Which messages announce the end of the connection; Foretick connects again at once. Default: `[]`.
    #[serde(default)]
    pub reconnect: Vec<BTreeMap<String, String>>,
    /// Which messages refuse a part of the subscription for good, as for an unknown symbol. Default: `[]`.
    #[serde(default)]
    pub rejected: Vec<BTreeMap<String, String>>,
    /// Which messages refuse the connection for good, so that connecting again is of no use; those of
    /// `rejected` are none. Default: `[]`.
    #[serde(default)]
    pub fatal: Vec<BTreeMap<String, String>>,
    /// Where the words of a refusal are. Not given: the whole message is shown.
    pub reason: Option<String>,
    /// The text that the feed expects every `keepalive_ms` from a client that lives. Not given: pings of the
    /// websocket itself are enough.
    pub keepalive: Option<String>,
    /// How often `keepalive` is sent, in milliseconds. Required with `keepalive`. Not given: never.
    pub keepalive_ms: Option<u64>,
    /// The longest that a connection that lives is silent, because the feed sends heartbeats, in
    /// milliseconds. Not given: a quiet market is silent.
    pub silent_max_ms: Option<u64>,
    /// Which messages are answered, and how: one table for each. Not given: none is.
    #[serde(default, rename = "answer")]
    pub answers: Vec<JsonAnswerConfig>,
    /// Trades. Not given: none are read.
    pub trade: Option<JsonTradeConfig>,
    /// Best bid and offer. Not given: none are read.
    pub quote: Option<JsonQuoteConfig>,
    /// Books and their changes. Not given: none are read.
    pub book: Option<JsonBookConfig>,
}

/// `[[source.websocket.json.answer]]`: a message that the feed expects an answer to.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JsonAnswerConfig {
    /// The condition of these messages. Required.
    pub when: BTreeMap<String, String>,
    /// The text to send. Required.
    pub send: String,
}

/// `[source.websocket.json.trade]`: where the fields of a trade are.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JsonTradeConfig {
    /// The condition of a trade. Required.
    pub when: BTreeMap<String, String>,
    /// Where trades are in their messages. Default: as `source.websocket.json.events`.
    pub events: Option<String>,
    /// The symbol. Required.
    pub symbol: String,
    /// The price, as a number or text. Required.
    pub price: String,
    /// The quantity, as a number or text, above zero. Required.
    pub size: String,
    /// Who started the trade: the side that took liquidity. Required.
    pub side: String,
    /// The word at `side` for a buyer; `true` and `false` are words too. Default: `"buy"`.
    #[serde(default = "buy")]
    pub buy: String,
    /// The word at `side` for a seller. Default: `"sell"`.
    #[serde(default = "sell")]
    pub sell: String,
    /// The number of the trade. Not given: trades have none, and neither a missing trade nor a copy shows.
    pub id: Option<String>,
    /// What the numbers of trades say. Default: `"distinct"`, which is true of any number.
    #[serde(default)]
    pub ids: JsonIds,
    /// The time of the trade. Not given: the time of the event before it, or, where no event of the
    /// feed has one, when it was received.
    pub time: Option<String>,
    /// The unit of `time`. Default: `"ms"`.
    #[serde(default)]
    pub time_unit: JsonTimeUnit,
}

/// `[source.websocket.json.quote]`: where the fields of a quote are. A side whose price is null or zero, or
/// whose size is zero, has no orders.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JsonQuoteConfig {
    /// The condition of a quote. Required.
    pub when: BTreeMap<String, String>,
    /// Where quotes are in their messages. Default: as `source.websocket.json.events`.
    pub events: Option<String>,
    /// The symbol. Required.
    pub symbol: String,
    /// The highest price bid. Required.
    pub bid_price: String,
    /// The quantity at the bid. Required.
    pub bid_size: String,
    /// The lowest price asked. Required.
    pub ask_price: String,
    /// The quantity at the ask. Required.
    pub ask_size: String,
    /// The number of the book's update that this is the state of; each is higher than the one before. Not
    /// given: quotes have none.
    pub number: Option<String>,
    /// The time of the quote. Not given: the time of the event before it, or, where no event of the
    /// feed has one, when it was received.
    pub time: Option<String>,
    /// The unit of `time`. Default: `"ms"`.
    #[serde(default)]
    pub time_unit: JsonTimeUnit,
}

/// `[source.websocket.json.book]`: where the fields of a book are. Levels are in two lists (`bids`,
/// `asks`), or in one (`levels`, `level_side`). A level of size zero is one that is gone.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JsonBookConfig {
    /// The condition of a book or its change. Required.
    pub when: BTreeMap<String, String>,
    /// Where books are in their messages. Default: as `source.websocket.json.events`.
    pub events: Option<String>,
    /// The symbol. Required.
    pub symbol: String,
    /// The list of bids. A list that is absent is empty. Required, unless `levels` is given.
    pub bids: Option<String>,
    /// The list of asks. Required, unless `levels` is given.
    pub asks: Option<String>,
    /// The list of the levels of both sides. Not given: they are in `bids` and `asks`.
    pub levels: Option<String>,
    /// Which side a level of `levels` is of, in the level. Required with `levels`. Not given: see `levels`.
    pub level_side: Option<String>,
    /// The word at `level_side` for bids. Default: `"bid"`.
    #[serde(default = "bid")]
    pub bid: String,
    /// The word at `level_side` for asks. Default: `"ask"`.
    #[serde(default = "ask")]
    pub ask: String,
    /// The price in a level: `/0` of a list, `/price` of an object. Default: `"/0"`.
    #[serde(default = "first")]
    pub level_price: String,
    /// The quantity in a level. Default: `"/1"`.
    #[serde(default = "second")]
    pub level_size: String,
    /// The condition of a level that is gone, in the level, whatever its size. Default: `{}`, those of size
    /// zero alone.
    #[serde(default)]
    pub level_gone: BTreeMap<String, String>,
    /// The condition of a whole book among changes; it begins the book anew, and changes before it count no
    /// more. Default: `{}`. Required, unless `whole` is true.
    #[serde(default)]
    pub snapshot: BTreeMap<String, String>,
    /// Whether each message holds a whole book. Default: `false`.
    #[serde(default)]
    pub whole: bool,
    /// The levels a side that the feed keeps up to date, where it does not say of a level beyond them that it
    /// is gone. Default: `0`, where it says so of each level.
    #[serde(default)]
    pub keep_levels: u16,
    /// The number of the first update in a change, where a change covers several. Default: as `last`.
    pub first: Option<String>,
    /// The number of the last update in a change. Not given: changes have no numbers, and a missing one does
    /// not show.
    pub last: Option<String>,
    /// The number of the change before, which `last` of that change was, where the numbers themselves may
    /// jump. Not given: numbers follow one by one.
    pub previous: Option<String>,
    /// The time of the book. Not given: the time of the event before it, or, where no event of the
    /// feed has one, when it was received.
    pub time: Option<String>,
    /// The unit of `time`. Default: `"ms"`.
    #[serde(default)]
    pub time_unit: JsonTimeUnit,
}

/// What the numbers of an instrument's trades say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JsonIds {
    /// Each is one higher than the one before: missing trades and copies show.
    Successive,
    /// Each is higher than those before: copies show.
    Rising,
    /// Each is another one, in no order, and may be any text: copies of recent trades show.
    #[default]
    Distinct,
}

/// The unit of a time since the epoch, as a number or text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JsonTimeUnit {
    /// Nanoseconds.
    Ns,
    /// Microseconds.
    Us,
    /// Milliseconds.
    #[default]
    Ms,
    /// Seconds, with a fraction or without.
    S,
    /// A text as `2026-11-27T09:30:00.123456Z` (RFC 3339).
    Rfc3339,
}

fn buy() -> String {
    "buy".into()
}

fn sell() -> String {
    "sell".into()
}

fn bid() -> String {
    "bid".into()
}

fn ask() -> String {
    "ask".into()
}

fn first() -> String {
    "/0".into()
}

fn second() -> String {
    "/1".into()
}
