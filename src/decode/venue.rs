//! A venue: everything that is particular to one exchange, behind one trait.
//!
//! A venue is a folder beside this file and one line in [`super::venues`]. It is pure: it reads bytes and
//! returns data, and opens no socket and reads no clock. What it returns is carried out by `source` (connect,
//! subscribe, fetch, answer, conflate), `decode` and `engine` (splice a snapshot into a book).

use std::borrow::Cow;
use std::fmt::Debug;
use std::time::Duration;

use super::decoded::Decoded;
use super::error::DecodeError;
use super::news_item::NewsMessage;
use super::stream_state::StreamState;
use super::venue_feed::{Hosts, VenueStream};
use crate::event::{Batch, TradeIds};
use crate::instrument::Instruments;

/// An exchange and its messages.
///
/// Events of all venues have one normal form, which [`Venue::decode`] makes:
/// - `Trade::trade_id` is the venue's number, or 0 where it has none, and `Trade::ids` says what follows from
///   it;
/// - `Depth::first..=Depth::last` are the updates that a book change covers, and `Depth::link` says what must
///   be true of two that follow each other. A venue that names the update *before* a change maps it to
///   `first - 1`; one that numbers messages sets both to the message's number. Both are 0 where the venue
///   has no numbers;
/// - `Depth::snapshot` says how a whole book joins the changes around it: see [`crate::event::Splice`];
/// - `Depth::checksum` is what the book must add up to afterwards.
///
/// The engine looks at these alone, never at the venue.
pub trait Venue: Debug + Send + Sync {
    /// The name behind the dot in an instrument's name: `BINANCE` in `BTCUSDT.BINANCE`.
    fn name(&self) -> &'static str;

    /// A symbol in the venue's own spelling, which its events have: `BTCUSDT` for `btcusdt`
    /// and `BTC/USDT`.
    fn spelling(&self, symbol: &str) -> String;

    /// Symbols as the venue spells them, for people: `BTC-USD`.
    fn symbol_examples(&self) -> &'static str;

    // Connection and subscription.

    /// The public addresses, for pipelines that name none.
    fn addresses(&self) -> Addresses;

    /// The hosts that are known to be the venue's. An address elsewhere may be a proxy or a recording.
    fn hosts(&self) -> Hosts;

    /// What is wrong with the path of an address at one of [`Hosts::own`], for these streams; none where it
    /// can work. An address without a path gets the right one by [`Venue::subscription`].
    fn path_fault(&self, path: &str, streams: &[String]) -> Option<String>;

    /// Whether the venue's own hosts send nothing without an account.
    fn needs_account(&self) -> bool {
        false
    }

    /// All streams that are read, in the venue's words, with what each brings.
    fn streams(&self) -> &'static [VenueStream];

    /// The streams to subscribe to where a pipeline names none: some of [`Venue::streams`].
    fn usual_streams(&self) -> &'static [&'static str];

    /// What the venue allows a client.
    fn limits(&self) -> VenueLimits;

    /// What shows that a message is missing.
    fn proof(&self) -> Proof;

    /// How both sides know that a quiet connection lives.
    fn keepalive(&self) -> Keepalive {
        Keepalive::default()
    }

    /// Why one connection cannot have all of these streams, and what to do; none where it can. For venues
    /// that would say nothing about it, and send nothing.
    fn refusal(&self, _streams: &[String]) -> Option<String> {
        None
    }

    /// How to subscribe.
    fn subscription(&self, wanted: &Wanted<'_>) -> Subscription;

    /// How to subscribe to the venue's binary messages, where it has them. Each begins with a byte that is no
    /// ASCII: see [`crate::frame::binary::is_binary`].
    fn binary_subscription(&self, _wanted: &Wanted<'_>) -> Option<Subscription> {
        None
    }

    /// What the connection must do about a message, beside handing it on.
    fn reaction(&self, message: &[u8]) -> Reaction;

    /// The number of a message among all of its connection, where the venue counts them: one higher each
    /// time, from 0.
    fn connection_number(&self, _message: &[u8]) -> Option<u64> {
        None
    }

    /// The messages of which a message is made, where the venue sends several in one, which may be about
    /// several symbols; empty where it is one. Each of them is a frame of its own from then on: it is routed,
    /// conflated, read and refused by itself.
    fn split(&self, _message: &[u8]) -> Vec<Vec<u8>> {
        vec![]
    }

    // Routing and conflation: a look at the bytes. A message that is new in its stream may be parsed.

    /// Whether a message is one of this venue's. Asked for each message that is not read as the last one
    /// of its stream was.
    fn recognises(&self, message: &[u8]) -> bool;

    /// The symbol that a message is about, in the case in which it is written and without escapes; none for
    /// messages about the connection.
    fn symbol_of<'m>(&self, message: &'m [u8]) -> Option<Cow<'m, str>>;

    /// Whether a message without a symbol is about several: it goes to all shards, and each takes what is of
    /// its own instruments.
    fn names_several(&self, _message: &[u8]) -> bool {
        false
    }

    /// Whether a message is a quote that a newer quote of the same instrument makes worthless, so that a
    /// source that falls behind may keep the newest alone.
    fn is_quote(&self, message: &[u8]) -> bool;

    /// Whether a message that two connections brought, byte for byte, counts once. One that makes or
    /// changes a book does not: the book of each connection begins with a snapshot of its own.
    fn counts_once(&self, message: &[u8]) -> bool {
        self.is_quote(message)
    }

    // Snapshot and repair of a book.

    /// The symbol whose book a message changes, where the book needs a snapshot besides.
    fn book_change_of<'m>(&self, message: &'m [u8]) -> Option<Cow<'m, str>>;

    /// The book updates in a message that names its symbol. For venues whose snapshots may come without their
    /// symbol, and that number the updates of each symbol apart.
    fn updates_of<'m>(&self, _message: &'m [u8]) -> Option<BookUpdates<'m>> {
        None
    }

    /// The number of the last update in a snapshot that names no symbol.
    fn unnamed_snapshot(&self, _message: &[u8]) -> Option<u64> {
        None
    }

    /// Whether a stream of [`Venue::subscription`] holds book changes that need a snapshot besides.
    fn needs_snapshot(&self, stream: &str) -> bool;

    /// Whether any of these streams brings a whole book with its subscription, and again when it is
    /// subscribed to once more: see [`Venue::snapshot_request`].
    fn has_book(&self, _streams: &[String]) -> bool {
        false
    }

    /// How to get a new snapshot of a symbol's book; `streams` are those of the subscription.
    fn snapshot_request(&self, symbol: &str, streams: &[String]) -> SnapshotRequest;

    /// The answer to a [`SnapshotRequest::Get`] as a message of the feed that names its symbol, so that
    /// [`Venue::symbol_of`] and [`Venue::decode`] read it like any other.
    fn snapshot_message(&self, symbol: &str, body: &[u8]) -> Vec<u8>;

    // Messages to events.

    /// Reads one message and appends its events to the batch. `stream` is of the connection that it came by.
    ///
    /// # Errors
    /// [`DecodeError`]; the caller then takes back what was appended.
    fn decode(
        &self,
        message: &[u8],
        stream: &mut StreamState,
        instruments: &mut Instruments,
        batch: &mut Batch,
    ) -> Result<Decoded, DecodeError>;

    /// Why a message is none of those that are read, for people; none where nothing can be said.
    fn why_unknown(&self, _message: &[u8]) -> Option<String> {
        None
    }

    /// Reads one message as a news item, for pipelines that read news.
    ///
    /// # Errors
    /// [`DecodeError`]; of a venue without news always.
    fn news<'m>(&self, _message: &'m [u8]) -> Result<NewsMessage<'m>, DecodeError> {
        Err(DecodeError::UnknownType)
    }
}

/// The updates of a book that a message holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BookUpdates<'m> {
    /// Whose book, as events name it.
    pub symbol: Cow<'m, str>,
    /// Number of the first update.
    pub first: u64,
    /// Number of the last update.
    pub last: u64,
}

/// Public addresses of a venue, without paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// Of the websocket: `wss://…`.
    pub websocket: &'static str,
    /// Of the REST interface: `https://…`; empty where snapshots come by the websocket.
    pub rest: &'static str,
}

/// What a venue allows a client; beyond it lies a ban.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VenueLimits {
    /// Streams of one connection.
    pub streams_max: usize,
    /// Age at which the venue cuts a connection; the source renews it before.
    pub connection_age_max: Duration,
    /// Connection attempts within `attempts_window`.
    pub attempts_max: u32,
    /// See `attempts_max`.
    pub attempts_window: Duration,
    /// Weight of REST requests within `weight_window`.
    pub weight_max: u32,
    /// See `weight_max`.
    pub weight_window: Duration,
    /// Messages that a client may send within `messages_window`.
    pub messages_max: u32,
    /// See `messages_max`.
    pub messages_window: Duration,
    /// Bytes of the largest message that the venue sends, with room to spare.
    pub message_bytes_max: usize,
}

/// What shows that messages of a venue are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proof {
    /// That a change of a book is missing.
    pub book: BookProof,
    /// That a trade is missing, or came twice; none where trades have no numbers.
    pub trades: Option<TradeIds>,
}

/// What shows that a change of a book is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BookProof {
    /// Nothing does, or the venue has no books.
    Nothing,
    /// The updates of a symbol are numbered one by one.
    SymbolNumbers,
    /// All messages of a connection are numbered one by one.
    ConnectionNumbers,
    /// A change names the one before it.
    Chain,
    /// A checksum of the best levels, after the change is applied.
    Checksum,
}

/// How both sides know that a quiet connection lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keepalive {
    /// A text that the client must send so often; none where the websocket's own pings are enough.
    pub send: Option<(&'static str, Duration)>,
    /// The longest that the venue is silent on a connection that lives, because it sends messages of its own
    /// (heartbeats); none where a quiet market is silent.
    pub silent_max: Option<Duration>,
}

/// What a connection is to subscribe to.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'w> {
    /// Base address of the websocket.
    pub url: &'w str,
    /// Symbols in the venue's spelling.
    pub symbols: &'w [String],
    /// Streams of each symbol, in the venue's words.
    pub streams: &'w [String],
    /// The account, where the configuration has one.
    pub credentials: Option<&'w Credentials>,
}

/// Key and secret of an account.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The public part.
    pub key: String,
    /// The secret part.
    pub secret: String,
}

/// Shows no part of them.
impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials")
    }
}

/// How to subscribe.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Subscription {
    /// The address to connect to, path and query included.
    pub address: String,
    /// Headers of the request that opens the websocket, beside the usual ones.
    pub headers: Vec<(&'static str, String)>,
    /// Text messages to send on the new connection, in order.
    pub messages: Vec<String>,
    /// Binary messages to send behind them, in order.
    pub binary_messages: Vec<Vec<u8>>,
}

/// Shows where it leads. Headers and messages may hold credentials: of these it shows the names and the
/// number.
impl Debug for Subscription {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let headers = self.headers.iter().map(|(name, _)| name);
        f.debug_struct("Subscription")
            .field("address", &self.address)
            .field("headers", &headers.collect::<Vec<_>>())
            .field("messages", &self.messages.len())
            .field("binary_messages", &self.binary_messages.len())
            .finish()
    }
}

/// How to get a snapshot of a book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SnapshotRequest {
    /// By REST, beside the stream.
    Get {
        /// Path and query below the REST address, from the slash on.
        path: String,
        /// What the request counts against [`VenueLimits::weight_max`].
        weight: u32,
    },
    /// By the websocket: after these messages the venue sends a snapshot in the stream, as it does after a
    /// new subscription.
    Send(Vec<String>),
}

/// What a connection must do about a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reaction {
    /// Nothing more than hand it on.
    None,
    /// Connect again at once: the venue announced that it will close the connection.
    Reconnect,
    /// Send this text, as the venue expects of a living client.
    Answer(String),
    /// The venue reports a fault of the connection, in these words: another one must take its place, and not
    /// at once where it has just begun.
    Fault(String),
    /// The venue refuses a part of the subscription for good (an unknown symbol), in these words; the rest
    /// goes on.
    Rejected(String),
    /// The venue refuses a request for the moment (too many of them, a fault of its own), in these words: the
    /// same would be taken later.
    RefusedForNow(String),
    /// The venue says something that nothing is done about, in these words: an error that is none of those
    /// above, or a notice.
    Told(String),
    /// The venue refuses the connection for good (a wrong key), in these words: connecting again is of no
    /// use until somebody has changed something.
    Fatal(String),
}
