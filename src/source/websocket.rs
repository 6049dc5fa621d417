//! A websocket feed of an exchange, kept alive.
//!
//! It reads text messages, and binary ones where they are asked for, and hands them on as they are: none is
//! parsed here, and all that is particular to the exchange is its
//! [`Venue`](crate::decode::venue::Venue)'s. Every connection but the first begins with a gap frame, because
//! messages may have been lost in between.

mod backoff;
mod request_budget;
mod settings;
mod snapshot;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue};
use tokio_tungstenite::tungstenite::{Error as WsError, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};
use tracing::{info, warn};

use self::backoff::ReconnectBackoff;
pub use self::settings::{WebsocketError, WebsocketSettings};
use self::snapshot::SnapshotFetcher;
use super::conflation::{Conflation, RECONNECT_GAP};
use crate::clock;
use crate::decode::venue::{Reaction, Subscription};
use crate::frame::binary::is_binary;
use crate::frame::{Frame, Origin};
use crate::source::status::{FeedStatus, count};
use crate::units::Nanos;

/// Reads the feed until `stop` turns true, reconnecting as often as it takes.
///
/// An instrument whose name arrives on `requests` gets a new book snapshot.
///
/// # Errors
/// [`WebsocketError`] for settings that can never work; trouble with the network is no error.
pub async fn run(
    settings: WebsocketSettings,
    out: Conflation,
    mut requests: mpsc::Receiver<String>,
    status: Arc<FeedStatus>,
    mut stop: watch::Receiver<bool>,
) -> Result<(), WebsocketError> {
    let subscription = settings.subscription()?;
    let mut backoff = ReconnectBackoff::new(&settings);
    let mut feed = Feed::new(settings, out, Arc::clone(&status));
    while !*stop.borrow() {
        let wait = backoff.wait(clock::instant());
        if feed.pause(wait, &mut stop).await {
            break;
        }
        let began = clock::instant();
        backoff.attempt(began);
        let end = match feed.connect(&subscription).await {
            Ok(socket) => feed.read(socket, &mut requests, &mut stop).await,
            Err(error) => End::Failed(error),
        };
        status.set_healthy(false);
        if matches!(end, End::Stopped) {
            break;
        }
        let now = clock::instant();
        backoff.ended(now - began, end.is_planned());
        if let Some(wait) = end.retry_after() {
            backoff.stay_away(now + wait);
        }
        end.report(&feed.settings.url, &status);
    }
    feed.finish().await;
    Ok(())
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// The feed's state across connections.
struct Feed {
    settings: WebsocketSettings,
    out: Conflation,
    status: Arc<FeedStatus>,
    snapshots: SnapshotFetcher,
    /// Number of the connection, from 1.
    connection: i32,
    /// Number of the next frame, over all connections.
    offset: i64,
}

/// What to do after a message.
enum Next {
    Read,
    Send(String),
    End(End),
}

/// Why a connection is over.
enum End {
    Stopped,
    Renewed,
    ServerShutdown,
    Idle,
    Closed,
    Failed(WsError),
}

impl Feed {
    fn new(settings: WebsocketSettings, out: Conflation, status: Arc<FeedStatus>) -> Self {
        Self {
            snapshots: SnapshotFetcher::new(&settings, Arc::clone(&status)),
            settings,
            out,
            status,
            connection: 0,
            offset: 0,
        }
    }

    /// Connects and subscribes.
    async fn connect(&mut self, subscription: &Subscription) -> Result<Socket, WsError> {
        let limits = Some(self.settings.socket());
        let request = opening_request(subscription)?;
        let connecting = connect_async_with_config(request, limits, true);
        let (mut socket, _) = timeout(self.settings.connect_timeout, connecting)
            .await
            .map_err(|_| WsError::Io(std::io::ErrorKind::TimedOut.into()))??;
        let texts = subscription.messages.iter().map(Message::text);
        let binaries = subscription.binary_messages.iter().cloned();
        let messages = texts.chain(binaries.map(Message::binary)).collect();
        self.send(&mut socket, messages).await?;
        self.connection += 1;
        count(&self.status.connections);
        if self.connection > 1 {
            let gap = self.frame(Bytes::from_static(RECONNECT_GAP));
            self.out.reconnected(&gap);
        }
        self.snapshots.reconnected();
        self.status.set_healthy(true);
        info!(url = %self.settings.url, connection = self.connection, "connected");
        Ok(socket)
    }

    /// Reads one connection to its end.
    async fn read(
        &mut self,
        mut socket: Socket,
        requests: &mut mpsc::Receiver<String>,
        stop: &mut watch::Receiver<bool>,
    ) -> End {
        let began = clock::instant();
        let mut last_data = began;
        let mut checks = interval((self.settings.idle / 8).max(Duration::from_millis(1)));
        checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // An interval, not a sleep: a busy socket must not delay the held frames for ever.
        let mut retry = interval(FLUSH_EVERY);
        retry.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let messages = tokio::select! {
                message = socket.next() => match self.take(message, &mut last_data) {
                    Next::Read => continue,
                    Next::Send(answer) => vec![answer],
                    Next::End(end) => return end,
                },
                _ = retry.tick(), if self.out.is_holding() => {
                    self.out.flush();
                    continue;
                }
                Some(instrument) = requests.recv() => self.snapshots.request(&instrument),
                Some(body) = self.snapshots.next() => {
                    let frame = self.frame(body);
                    self.out.push(frame);
                    continue;
                }
                _ = checks.tick() => {
                    let now = clock::instant();
                    if now - last_data > self.settings.idle {
                        return End::Idle;
                    }
                    if now - began > self.settings.renew_after {
                        return End::Renewed;
                    }
                    continue;
                }
                _ = stop.wait_for(|stop| *stop) => return End::Stopped,
            };
            let messages = messages.into_iter().map(Message::text).collect();
            if let Err(error) = self.send(&mut socket, messages).await {
                return End::Failed(error);
            }
        }
    }

    /// Takes what the socket gave. A websocket ping needs no answer here: the next read writes the pong.
    fn take(&mut self, message: Option<Result<Message, WsError>>, last_data: &mut Instant) -> Next {
        match message {
            Some(Ok(Message::Text(text))) => self.take_data(Bytes::from(text), last_data),
            // A binary message that begins as a text does could be misread as one.
            Some(Ok(Message::Binary(bytes))) if self.settings.binary && is_binary(&bytes) => {
                self.take_data(bytes, last_data)
            }
            Some(Ok(Message::Binary(_))) => {
                self.status.data_came(clock::now());
                count(&self.status.dropped.binary);
                Next::Read
            }
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => Next::Read,
            Some(Ok(Message::Close(_))) | None => Next::End(End::Closed),
            Some(Err(error)) => Next::End(End::Failed(error)),
        }
    }

    /// Hands a message on, as one frame or as those of which it is made.
    fn take_data(&mut self, bytes: Bytes, last_data: &mut Instant) -> Next {
        *last_data = clock::instant();
        let venue = self.settings.venue;
        let reaction = venue.reaction(&bytes);
        self.snapshots.look_at(&bytes);
        let ts_recv = clock::now();
        let messages = venue.split(&bytes);
        if messages.is_empty() {
            let frame = self.frame_at(ts_recv, bytes);
            self.out.push(frame);
        }
        for message in messages {
            let frame = self.frame_at(ts_recv, message.into());
            self.out.push(frame);
        }
        match reaction {
            Reaction::None => Next::Read,
            Reaction::Reconnect => Next::End(End::ServerShutdown),
            Reaction::Answer(text) => Next::Send(text),
            Reaction::Fault(words) => {
                warn!(url = %self.settings.url, venue = venue.name(), words, "the venue reports a fault");
                Next::Read
            }
            Reaction::Rejected(_) | Reaction::Fatal(_) => Next::Read,
        }
    }

    /// Sends messages; a peer that does not take them in time has failed.
    async fn send(&self, socket: &mut Socket, messages: Vec<Message>) -> Result<(), WsError> {
        for message in messages {
            timeout(self.settings.idle, socket.send(message))
                .await
                .map_err(|_| WsError::Io(std::io::ErrorKind::TimedOut.into()))??;
        }
        Ok(())
    }

    fn frame(&mut self, bytes: Bytes) -> Frame {
        self.frame_at(clock::now(), bytes)
    }

    fn frame_at(&mut self, ts_recv: Nanos, bytes: Bytes) -> Frame {
        let origin = Origin {
            ts_recv,
            offset: self.offset,
            partition: self.connection,
            stream: self.settings.stream,
            late: false,
            reprocessed: false,
        };
        self.offset += 1;
        Frame { origin, bytes }
    }

    /// Waits, still sending what is held. Returns whether to stop.
    async fn pause(&mut self, wait: Duration, stop: &mut watch::Receiver<bool>) -> bool {
        let pause = sleep(wait);
        tokio::pin!(pause);
        loop {
            tokio::select! {
                () = &mut pause => return false,
                () = sleep(FLUSH_EVERY), if self.out.is_holding() => { self.out.flush(); }
                _ = stop.wait_for(|stop| *stop) => return true,
            }
        }
    }

    /// Sends what is held as long as the shards may still take it, and drops the rest.
    async fn finish(&mut self) {
        let begin = clock::instant();
        while !self.out.flush() && begin.elapsed() < FLUSH_FOR {
            sleep(FLUSH_EVERY).await;
        }
        self.out.drop_held();
    }
}

/// The request that opens the websocket, with the headers that the venue asks for. No part of them is ever
/// shown: they may hold credentials.
fn opening_request(subscription: &Subscription) -> Result<Request, WsError> {
    let mut request = subscription.address.as_str().into_client_request()?;
    for (name, value) in &subscription.headers {
        let mut value =
            HeaderValue::from_str(value).map_err(|error| WsError::HttpFormat(error.into()))?;
        value.set_sensitive(true);
        let name = HeaderName::from_bytes(name.as_bytes());
        let name = name.map_err(|error| WsError::HttpFormat(error.into()))?;
        request.headers_mut().insert(name, value);
    }
    Ok(request)
}

impl End {
    fn is_planned(&self) -> bool {
        matches!(self, Self::Stopped | Self::Renewed | Self::ServerShutdown)
    }

    /// How long a venue that refuses us (HTTP 429, 418) demands that we stay away.
    fn retry_after(&self) -> Option<Duration> {
        let Self::Failed(WsError::Http(answer)) = self else {
            return None;
        };
        let seconds = answer.headers().get("retry-after")?.to_str().ok()?;
        seconds.trim().parse().ok().map(Duration::from_secs)
    }

    fn report(&self, url: &str, status: &FeedStatus) {
        if !self.is_planned() {
            count(&status.failures);
        }
        match self {
            Self::Stopped => {}
            Self::Renewed => info!(url, "connection renewed before its age limit"),
            Self::ServerShutdown => info!(url, "the server announced its shutdown: reconnecting"),
            Self::Idle => warn!(url, "no data within the idle limit: reconnecting"),
            Self::Closed => warn!(url, "the server closed the connection: reconnecting"),
            Self::Failed(error) => warn!(url, %error, "connection failed: reconnecting"),
        }
    }
}

/// How often held frames are sent again: often enough for a quote to be fresh, seldom enough to cost
/// nothing.
const FLUSH_EVERY: Duration = Duration::from_millis(1);

/// How long a stopping feed waits for its shards to take the held frames.
const FLUSH_FOR: Duration = Duration::from_millis(200);

#[cfg(test)]
mod tests;
