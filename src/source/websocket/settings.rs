//! How to reach a websocket feed, and when to give a connection up.

use std::time::Duration;

use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use crate::decode::venue::{Credentials, Subscription, Venue, Wanted};

/// How to reach a feed and when to give a connection up.
#[derive(Clone, Debug)]
pub struct WebsocketSettings {
    /// The exchange.
    pub venue: &'static dyn Venue,
    /// Base address of the websocket, `wss://…`; `ws://` only for a feed on this machine.
    pub url: String,
    /// Symbols to subscribe to: `BTCUSDT`.
    pub symbols: Vec<String>,
    /// Streams of each symbol, in the venue's words: `trade`.
    pub streams: Vec<String>,
    /// The account, where the venue needs one.
    pub credentials: Option<Credentials>,
    /// Base address of the REST interface, for book snapshots; `None`: none are fetched.
    pub rest: Option<String>,
    /// The feed's index among the driver's names, for [`crate::frame::Origin::stream`].
    pub stream: u16,
    /// Bytes of the largest message taken.
    pub message_bytes_max: usize,
    /// Bytes that may wait to be written. We write short messages only: 64 KiB unsent means a dead peer.
    pub write_bytes_max: usize,
    /// A connection on which nothing comes for so long, not even an answer to a ping, is given up.
    pub idle: Duration,
    /// A connection that answers pings but brings no data for so long is given up; none: never.
    pub silent: Option<Duration>,
    /// How long connecting may take, TLS and handshake included.
    pub connect_timeout: Duration,
    /// How long a request for a snapshot may take.
    pub request_timeout: Duration,
    /// Whether somebody tells when a book has spliced a snapshot; else one that was fetched is the last.
    pub awaits_splice: bool,
    /// A connection this old is renewed by us, before the venue cuts it.
    pub renew_after: Duration,
    /// First wait after a failed retry; it doubles, with full jitter.
    pub backoff_min: Duration,
    /// Longest such wait; a connection that lived longer resets it.
    pub backoff_max: Duration,
    /// Connection attempts allowed within `attempts_window`.
    pub attempts_max: u32,
    /// See `attempts_max`.
    pub attempts_window: Duration,
    /// Weight of REST requests allowed within `weight_window`.
    pub weight_max: u32,
    /// See `weight_max`.
    pub weight_window: Duration,
}

/// Why a feed cannot be started, or cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum WebsocketError {
    /// The address is no websocket's.
    #[error("while reading the feed's address `{url}`: it must begin with wss:// or ws://")]
    Address {
        /// The address as configured.
        url: String,
    },
    /// The venue refuses for good.
    #[error(
        "while connecting to `{url}`: the venue refuses: `{words}`; it is not asked again. Check the keys, \
         and what the account may read"
    )]
    Refused {
        /// The address as configured.
        url: String,
        /// In the venue's words.
        words: String,
    },
    /// Nothing to subscribe to.
    #[error("while subscribing at `{url}`: no streams are named; list some, like `{example}`")]
    NoStreams {
        /// The address as configured.
        url: String,
        /// A stream that the venue has.
        example: &'static str,
    },
    /// More streams than the venue allows.
    #[error(
        "while subscribing at `{url}`: {streams} streams are more than the {max} that the venue allows a \
         connection; list fewer instruments or streams, and share the rest among other pipelines"
    )]
    TooManyStreams {
        /// The address as configured.
        url: String,
        /// Streams of all symbols.
        streams: usize,
        /// What the venue allows.
        max: usize,
    },
}

impl WebsocketSettings {
    /// The venue's own addresses, usual streams and limits, and no symbols.
    #[must_use]
    pub fn new(venue: &'static dyn Venue) -> Self {
        let (addresses, limits) = (venue.addresses(), venue.limits());
        let streams = venue.usual_streams().iter();
        Self {
            venue,
            url: addresses.websocket.into(),
            symbols: vec![],
            streams: streams.map(|&stream| stream.to_owned()).collect(),
            credentials: None,
            rest: (!addresses.rest.is_empty()).then(|| addresses.rest.into()),
            stream: 0,
            message_bytes_max: limits.message_bytes_max,
            write_bytes_max: 64 << 10,
            idle: Duration::from_secs(10),
            silent: Some(Duration::from_secs(300)),
            connect_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(10),
            awaits_splice: true,
            renew_after: limits.connection_age_max.mul_f64(RENEWED_AT),
            backoff_min: Duration::from_secs(1),
            backoff_max: Duration::from_secs(30),
            attempts_max: limits.attempts_max,
            attempts_window: limits.attempts_window,
            weight_max: limits.weight_max,
            weight_window: limits.weight_window,
        }
    }

    /// The subscription of all streams of all symbols.
    ///
    /// # Errors
    /// [`WebsocketError`] for settings that can never work.
    pub fn subscription(&self) -> Result<Subscription, WebsocketError> {
        let url = self.url.trim_end_matches('/').to_owned();
        if !url.starts_with("wss://") && !url.starts_with("ws://") {
            return Err(WebsocketError::Address { url });
        }
        let (streams, max) = (
            self.symbols.len() * self.streams.len(),
            self.venue.limits().streams_max,
        );
        if streams == 0 {
            let example = self.venue.usual_streams().first().copied();
            let example = example.unwrap_or("trade");
            return Err(WebsocketError::NoStreams { url, example });
        }
        if streams > max {
            return Err(WebsocketError::TooManyStreams { url, streams, max });
        }
        Ok(self.venue.subscription(&Wanted {
            url: &url,
            symbols: &self.symbols,
            streams: &self.streams,
            credentials: self.credentials.as_ref(),
        }))
    }

    /// The limits of the websocket itself.
    pub(super) fn socket(&self) -> WebSocketConfig {
        // Zero: every message is written at once, so that a pong does not wait for other messages.
        WebSocketConfig::default()
            .write_buffer_size(0)
            .max_write_buffer_size(self.write_bytes_max.max(1))
            .max_message_size(Some(self.message_bytes_max))
            .max_frame_size(Some(self.message_bytes_max))
    }
}

/// The part of its allowed age at which a connection is renewed.
const RENEWED_AT: f64 = 0.95;
