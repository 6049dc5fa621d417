//! `[source.websocket]`: the feed of a venue.

use serde::Deserialize;

use super::hours::HoursConfig;
use super::json_feed::JsonFeedConfig;

/// `[source.websocket]`: the feed of the venue in which the names of `instruments` end.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WebsocketConfig {
    /// The address of the websocket. Without a path it gets that of the venue's streams; a path is needed
    /// for another feed of the same venue: `wss://stream.data.alpaca.markets/v2/sip`,
    /// `wss://stream.bybit.com/v5/public/linear`. Required with `json`. Default: that of the venue, for
    /// Binance `wss://data-stream.binance.vision`, its public market data for spot.
    pub url: Option<String>,
    /// The name that `source.rest` had before it held for Kafka too; that one comes first. Not given: that
    /// one holds.
    pub rest: Option<String>,
    /// The streams to subscribe to for each instrument, by the venue's names: [Venues](venues.md). Default:
    /// `[]`, which subscribes to the usual ones of the venue, for Binance `trade`, `bookTicker`,
    /// `depth@100ms`, or to others that bring what rows and features need: a deeper book, bars, headlines.
    pub streams: Vec<String>,
    /// The key of the account, where the venue needs one, as `env:NAME` or `file:PATH`. Not given: none is
    /// sent.
    pub key: Option<String>,
    /// The secret that belongs to `key`, as `env:NAME` or `file:PATH`. Not given: none is sent.
    pub secret: Option<String>,
    /// Whether to ask the venue for binary messages, where it has them (Alpaca: MessagePack). They are
    /// shorter; a capture holds them in base64. Default: `false`: text can be read by people.
    pub binary: bool,
    /// How long nothing may come on the connection, not even an answer to a ping, before it is closed and
    /// opened again, in milliseconds, from `500` on. Default: `10000`: a connection that is lost without a
    /// word must not look like a quiet market for long.
    pub idle_ms: u64,
    /// How long no data may come on a connection that answers pings, while the market is open, in
    /// milliseconds, from `500` on; `0`: for ever. Default: `0`, because a quiet market is no fault; where a
    /// venue sends heartbeats, its own limit holds.
    pub silent_ms: u64,
    /// When the market is open, so that `silent_ms`, or the venue's own limit where it sends heartbeats,
    /// counts no time while it is closed. By itself it has no effect. Not given: it never closes.
    pub hours: Option<HoursConfig>,
    /// The name that `source.tick_ms` had before it held for Kafka too; that one comes first. Not given: that
    /// one holds.
    pub tick_ms: Option<u64>,
    /// A feed of JSON messages that Foretick does not know. Not given: the venue is one of those it knows.
    pub json: Option<JsonFeedConfig>,
}

impl Default for WebsocketConfig {
    fn default() -> Self {
        Self {
            url: None,
            rest: None,
            streams: vec![],
            key: None,
            secret: None,
            binary: false,
            idle_ms: 10_000,
            silent_ms: 0,
            hours: None,
            tick_ms: None,
            json: None,
        }
    }
}
