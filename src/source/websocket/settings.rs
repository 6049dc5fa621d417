//! How to reach a websocket feed, and when to give a connection up.

use std::time::Duration;

use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use super::hours::MarketHours;
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
    /// Whether binary messages are asked for instead of text.
    pub binary: bool,
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
    /// When the market is open; none where it never closes. Silence while it is closed does not count.
    pub hours: Option<MarketHours>,
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
    /// The venue has no binary messages.
    #[error("while subscribing at `{url}`: {venue} has no binary messages; take out `binary`")]
    NoBinary {
        /// The address as configured.
        url: String,
        /// The venue.
        venue: &'static str,
    },
    /// A credential that no header can hold. It is not shown.
    #[error(
        "while subscribing at `{url}`: the value of the header {header} holds a line break or another character \
         that a header cannot hold; look at the secret that `key` or `secret` refers to"
    )]
    Header {
        /// The address as configured.
        url: String,
        /// The header.
        header: &'static str,
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
    /// How long a host is left alone that refuses and does not say for how long.
    pub(super) fn unsaid_refusal(&self) -> Duration {
        self.attempts_window.max(self.backoff_max)
    }

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
            binary: false,
            rest: (!addresses.rest.is_empty()).then(|| addresses.rest.into()),
            stream: 0,
            message_bytes_max: limits.message_bytes_max,
            write_bytes_max: 64 << 10,
            idle: Duration::from_secs(10),
            silent: None,
            hours: None,
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
        let wanted = Wanted {
            url: &url,
            symbols: &self.symbols,
            streams: &self.streams,
            credentials: self.credentials.as_ref(),
        };
        let venue = self.venue.name();
        let subscription = match self.binary {
            false => self.venue.subscription(&wanted),
            true => match self.venue.binary_subscription(&wanted) {
                Some(subscription) => subscription,
                None => return Err(WebsocketError::NoBinary { url, venue }),
            },
        };
        let is_wrong = |(_, value): &&(_, String)| HeaderValue::from_str(value).is_err();
        match subscription.headers.iter().find(is_wrong) {
            Some(&(header, _)) => Err(WebsocketError::Header { url, header }),
            None => Ok(subscription),
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::venues::Venues;

    #[test]
    fn binary_messages_are_asked_for_where_the_venue_has_them() {
        let of = |venue: &str| {
            let settings = WebsocketSettings {
                symbols: vec!["OAK".into()],
                binary: true,
                ..WebsocketSettings::new(Venues::default().named(venue).expect("it is registered"))
            };
            settings.subscription()
        };
        let subscription = of("ALPACA").expect("it has binary messages");
        assert_eq!(subscription.binary_messages.len(), 1);
        let refused = of("BINANCE").unwrap_err().to_string();
        assert!(
            refused.contains("BINANCE has no binary messages"),
            "{refused}"
        );
    }
}
