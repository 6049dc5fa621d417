//! One websocket connection: what it sends, and whether it lives.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::error::UrlError;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue, Uri};
use tokio_tungstenite::tungstenite::{Bytes, Error as WsError, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, client_async_tls_with_config};

use super::end::End;
use super::heard_stream::{HeardStream, LastHeard};
use super::hours::MarketHours;
use super::request_budget::RequestBudget;
use super::settings::WebsocketSettings;
use super::subscription_texts::SubscriptionTexts;
use crate::clock;
use crate::decode::ConnectionCheck;
use crate::decode::venue::{Keepalive, Subscription};
use crate::frame::binary::is_binary;
use crate::units::Nanos;

/// The socket of a connection, and when bytes came on it last.
pub(super) struct Socket {
    websocket: WebSocketStream<MaybeTlsStream<HeardStream>>,
    last_heard: LastHeard,
}

/// An open connection.
pub(super) struct OpenConnection {
    socket: Socket,
    /// Its number, from 1.
    pub(super) number: i32,
    /// Follows the numbers of its messages.
    pub(super) check: ConnectionCheck,
    /// Messages that wait until the venue allows them.
    outbox: VecDeque<Message>,
    subscription: SubscriptionTexts,
    reads_binary: bool,
    sends: RequestBudget,
    keepalive: Keepalive,
    idle: Duration,
    /// The longest that it may bring no data.
    silent_max: Option<Duration>,
    renew_after: Duration,
    began: Instant,
    /// When a message came last.
    last_data: Nanos,
    /// When one came last that is about an instrument: answers and heartbeats are not.
    last_market: Nanos,
    /// The longest that none may come, as configured.
    market_silent_max: Option<Duration>,
    hours: Option<MarketHours>,
    pinged: Instant,
    kept_alive: Instant,
}

/// What a connection gave.
pub(super) enum Incoming {
    /// A message of the venue.
    Data(Bytes),
    /// A binary message where text is expected.
    Binary,
    /// Something between the two ends.
    Nothing,
    /// It is over.
    End(End),
}

/// Opens a websocket; TLS and handshake included, it may take `settings.connect_timeout`.
pub(super) async fn open(
    settings: &WebsocketSettings,
    subscription: &Subscription,
) -> Result<Socket, End> {
    let request = request(subscription).map_err(End::Failed)?;
    let connecting = async {
        let tcp = connect(request.uri()).await?;
        let last_heard = tcp.last_heard();
        let limits = Some(settings.socket());
        let (websocket, _) = client_async_tls_with_config(request, tcp, limits, None).await?;
        Ok(Socket {
            websocket,
            last_heard,
        })
    };
    match timeout(settings.connect_timeout, connecting).await {
        Ok(opened) => opened.map_err(End::of_handshake),
        Err(_) => Err(End::timeout()),
    }
}

async fn connect(address: &Uri) -> Result<HeardStream, WsError> {
    let host = address.host().ok_or(WsError::Url(UrlError::NoHostName))?;
    let usual = if address.scheme_str() == Some("wss") {
        443
    } else {
        80
    };
    let port = address.port_u16().unwrap_or(usual);
    let tcp = TcpStream::connect((host.trim_matches(['[', ']']), port)).await?;
    tcp.set_nodelay(true)?;
    Ok(HeardStream::new(tcp))
}

/// The request that opens the websocket. No part of its headers is ever shown: they may hold credentials.
fn request(
    subscription: &Subscription,
) -> Result<tokio_tungstenite::tungstenite::handshake::client::Request, WsError> {
    let mut request = (&*subscription.address).into_client_request()?;
    for (name, value) in &subscription.headers {
        let mut value =
            HeaderValue::from_str(value).map_err(|error| WsError::HttpFormat(error.into()))?;
        value.set_sensitive(true);
        request
            .headers_mut()
            .insert(HeaderName::from_static(name), value);
    }
    Ok(request)
}

impl OpenConnection {
    pub(super) fn new(
        socket: Socket,
        number: i32,
        settings: &WebsocketSettings,
        subscription: &Subscription,
    ) -> Self {
        let now = clock::instant();
        let texts = subscription.messages.iter().map(Message::text);
        let binaries = subscription.binary_messages.iter().cloned();
        let limits = settings.venue.limits();
        let keepalive = settings.venue.keepalive();
        Self {
            socket,
            number,
            check: ConnectionCheck::from_start(),
            subscription: SubscriptionTexts::of(subscription, settings),
            outbox: texts.chain(binaries.map(Message::binary)).collect(),
            reads_binary: settings.binary,
            sends: RequestBudget::new(limits.messages_max, limits.messages_window),
            keepalive,
            idle: settings.idle,
            silent_max: keepalive.silent_max,
            market_silent_max: settings.silent,
            last_market: clock::now(),
            renew_after: settings.renew_after,
            began: now,
            last_data: clock::now(),
            hours: settings.hours.clone(),
            pinged: now,
            kept_alive: now,
        }
    }

    /// When anything came last, be it a part of a message or the answer to a ping.
    fn heard(&self) -> Instant {
        self.socket.last_heard.at().max(self.began)
    }

    /// How long it has been open.
    pub(super) fn life(&self) -> Duration {
        clock::instant().saturating_duration_since(self.began)
    }

    /// Waits for what comes next. A websocket ping needs no answer here: the next read writes the pong.
    pub(super) async fn receive(&mut self) -> Incoming {
        let message = self.socket.websocket.next().await;
        match message {
            Some(Ok(Message::Text(text))) => {
                self.last_data = clock::now();
                Incoming::Data(text.into())
            }
            Some(Ok(Message::Binary(bytes))) => {
                self.last_data = clock::now();
                // One that begins as a text does could be misread as one.
                match self.reads_binary && is_binary(&bytes) {
                    true => Incoming::Data(bytes),
                    false => Incoming::Binary,
                }
            }
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => Incoming::Nothing,
            Some(Ok(Message::Close(frame))) => Incoming::End(End::Closed(frame)),
            None => Incoming::End(End::Closed(None)),
            Some(Err(error)) => Incoming::End(End::Failed(error)),
        }
    }

    /// Queues texts to be sent when the venue allows it.
    pub(super) fn queue(&mut self, texts: impl IntoIterator<Item = String>) {
        self.outbox.extend(texts.into_iter().map(Message::text));
    }

    /// Whether messages wait until the venue allows them.
    pub(super) fn is_sending(&self) -> bool {
        !self.outbox.is_empty()
    }

    /// Subscribes again after a while: the venue has refused for the moment.
    pub(super) fn subscribe_later(&mut self) {
        self.subscription.repeat_later(clock::instant());
    }

    /// Sends what is due: queued texts, and what keeps the connection alive.
    pub(super) async fn send_due(&mut self, now: Instant) -> Result<(), End> {
        if let Some((text, every)) = self.keepalive.send
            && now.saturating_duration_since(self.kept_alive) >= every
        {
            self.kept_alive = now;
            self.send(Message::text(text)).await?;
        }
        if self.outbox.is_empty() && self.subscription.is_due(now) {
            let texts = self.subscription.texts().map(Message::text);
            self.outbox.extend(texts);
        }
        while !self.outbox.is_empty() && self.sends.wait(now, 1).is_zero() {
            self.sends.spend(now, 1);
            if let Some(message) = self.outbox.pop_front() {
                self.send(message).await?;
            }
        }
        let quiet = now.saturating_duration_since(self.heard().max(self.pinged));
        if quiet >= self.idle / PINGS_WITHIN_IDLE {
            self.pinged = now;
            self.send(Message::Ping(Bytes::new())).await?;
        }
        Ok(())
    }

    /// Whether it must be given up, or is old enough for another one to take its place.
    pub(super) fn is_over(&self, now: Instant) -> Option<End> {
        if now.saturating_duration_since(self.heard()) > self.idle {
            return Some(End::Idle);
        }
        let wall = clock::now();
        for (longest, last) in [
            (self.silent_max, self.last_data),
            (self.market_silent_max, self.last_market),
        ] {
            if let Some(longest) = longest
                && self.silent_since(last, wall) > longest
            {
                return Some(End::Silent(longest));
            }
        }
        (now.saturating_duration_since(self.began) > self.renew_after).then_some(End::Renewed)
    }

    /// Takes note of a message about an instrument, where that is of use.
    pub(super) fn note_market(&mut self, is_about_one: impl FnOnce() -> bool) {
        if self.market_silent_max.is_some() && is_about_one() {
            self.last_market = clock::now();
        }
    }

    /// How long after this time nothing has come while the market was open.
    fn silent_since(&self, last: Nanos, now: Nanos) -> Duration {
        let nanos = match &self.hours {
            Some(hours) => hours.open_for(last, now),
            None => now.since(last),
        };
        Duration::from_nanos(u64::try_from(nanos).unwrap_or_default())
    }

    /// Says goodbye, as far as the peer takes it at once.
    pub(super) async fn close(mut self) {
        drop(timeout(GOODBYE, self.socket.websocket.close(None)).await);
    }

    /// Sends a message; a peer that does not take it in time has failed.
    async fn send(&mut self, message: Message) -> Result<(), End> {
        match timeout(self.idle, self.socket.websocket.send(message)).await {
            Ok(sent) => sent.map_err(End::Failed),
            Err(_) => Err(End::timeout()),
        }
    }
}

/// Pings that go unanswered before a connection is given up.
const PINGS_WITHIN_IDLE: u32 = 3;
/// How long a peer may take to read our goodbye.
const GOODBYE: Duration = Duration::from_millis(100);
