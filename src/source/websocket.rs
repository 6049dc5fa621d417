//! A websocket feed of combined streams (Binance spot and what speaks like it), kept alive.
//!
//! It reads text messages and hands them on as they are: no JSON is parsed here. Every connection but
//! the first begins with a gap frame, because nobody can tell what was missed in between.

mod backoff;
mod snapshot;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::StreamExt;
use memchr::memmem;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tokio_tungstenite::tungstenite::{Error as WsError, Message, protocol::WebSocketConfig};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};
use tracing::{info, warn};

use self::backoff::Redial;
use self::snapshot::Snapshots;
use super::conflation::{Outlet, RECONNECT_GAP};
use crate::clock;
use crate::frame::{Frame, Origin};
use crate::source::status::{FeedStatus, count};

/// How to reach a feed and when to give a connection up.
#[derive(Clone, Debug)]
pub struct WebsocketSettings {
    /// Base address, `wss://stream.binance.com:9443`; `ws://` only for a feed on this machine.
    pub url: String,
    /// Stream names, lower case: `btcusdt@trade`. Binance takes at most 1024 a connection.
    pub streams: Vec<String>,
    /// Base address for depth snapshots, `https://api.binance.com`; `None`: none are fetched.
    pub rest: Option<String>,
    /// Levels a side of a snapshot; 5000 is the most Binance gives, at a weight of 250.
    pub depth_levels: u32,
    /// The feed's index among the driver's names, for [`Origin::stream`].
    pub stream: u16,
    /// Bytes of the largest message taken; 4 MiB holds any Binance message many times over.
    pub message_bytes_max: usize,
    /// Bytes that may wait to be written. We write pongs only: 64 KiB unsent means a dead peer.
    pub write_bytes_max: usize,
    /// A connection without data for so long is given up; a silent open socket is the worst case.
    pub idle: Duration,
    /// How long connecting may take, TLS and handshake included.
    pub connect_timeout: Duration,
    /// A connection this old is replaced by us; Binance cuts it at 24 h.
    pub renew_after: Duration,
    /// First wait after a failed retry; it doubles, with full jitter.
    pub backoff_min: Duration,
    /// Longest such wait; a connection that lived longer resets it.
    pub backoff_max: Duration,
    /// Connection attempts allowed within `attempts_window`; Binance bans above 300 in 5 min.
    pub attempts_max: usize,
    /// See `attempts_max`.
    pub attempts_window: Duration,
}

impl Default for WebsocketSettings {
    fn default() -> Self {
        Self {
            url: "wss://stream.binance.com:9443".into(),
            streams: Vec::new(),
            rest: Some("https://api.binance.com".into()),
            depth_levels: 5000,
            stream: 0,
            message_bytes_max: 4 << 20,
            write_bytes_max: 64 << 10,
            idle: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(10),
            renew_after: Duration::from_secs(23 * 3600 - 600),
            backoff_min: Duration::from_secs(1),
            backoff_max: Duration::from_secs(30),
            attempts_max: 300,
            attempts_window: Duration::from_secs(300),
        }
    }
}

/// Why a feed cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum WebsocketError {
    /// The address is none.
    #[error("while reading the feed's address `{url}`: it must begin with wss:// or ws://")]
    Address {
        /// The address as configured.
        url: String,
    },
    /// Nothing to subscribe to.
    #[error("while subscribing at `{url}`: no streams are named; list some, like `btcusdt@trade`")]
    NoStreams {
        /// The address as configured.
        url: String,
    },
}

/// Reads the feed until `stop` turns true, reconnecting as often as it takes.
///
/// A symbol that arrives on `requests` gets a new depth snapshot.
///
/// # Errors
/// [`WebsocketError`] for settings that can never work; trouble with the network is no error.
pub async fn run(
    settings: WebsocketSettings,
    out: Outlet,
    mut requests: mpsc::Receiver<String>,
    status: Arc<FeedStatus>,
    mut stop: watch::Receiver<bool>,
) -> Result<(), WebsocketError> {
    let address = settings.address()?;
    let mut redial = Redial::new(&settings);
    let mut feed = Feed::new(settings, out, Arc::clone(&status));
    while !*stop.borrow() {
        let wait = redial.wait(clock::instant());
        if feed.pause(wait, &mut stop).await {
            break;
        }
        let began = clock::instant();
        redial.dialled(began);
        let end = match feed.connect(&address).await {
            Ok(socket) => feed.read(socket, &mut requests, &mut stop).await,
            Err(error) => End::Failed(error),
        };
        status.set_healthy(false);
        if matches!(end, End::Stopped) {
            break;
        }
        let now = clock::instant();
        redial.ended(now - began, end.is_planned());
        if let Some(wait) = end.retry_after() {
            redial.stay_away(now + wait);
        }
        end.report(&feed.settings.url, &status);
    }
    feed.finish().await;
    Ok(())
}

impl WebsocketSettings {
    fn address(&self) -> Result<String, WebsocketError> {
        let url = self.url.trim_end_matches('/').to_owned();
        if !url.starts_with("wss://") && !url.starts_with("ws://") {
            return Err(WebsocketError::Address { url });
        }
        if self.streams.is_empty() {
            return Err(WebsocketError::NoStreams { url });
        }
        Ok(format!("{url}/stream?streams={}", self.streams.join("/")))
    }

    fn limits(&self) -> WebSocketConfig {
        // Zero: every message is written at once, so a pong never waits for company.
        WebSocketConfig::default()
            .write_buffer_size(0)
            .max_write_buffer_size(self.write_bytes_max.max(1))
            .max_message_size(Some(self.message_bytes_max))
            .max_frame_size(Some(self.message_bytes_max))
    }
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// The feed's state across connections.
struct Feed {
    settings: WebsocketSettings,
    out: Outlet,
    status: Arc<FeedStatus>,
    snapshots: Snapshots,
    /// Number of the connection, from 1.
    connection: i32,
    /// Number of the next frame, over all connections.
    offset: i64,
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
    fn new(settings: WebsocketSettings, out: Outlet, status: Arc<FeedStatus>) -> Self {
        Self {
            snapshots: Snapshots::new(&settings, Arc::clone(&status)),
            settings,
            out,
            status,
            connection: 0,
            offset: 0,
        }
    }

    async fn connect(&mut self, address: &str) -> Result<Socket, WsError> {
        let dial = connect_async_with_config(address, Some(self.settings.limits()), true);
        let (socket, _) = timeout(self.settings.connect_timeout, dial)
            .await
            .map_err(|_| WsError::Io(std::io::ErrorKind::TimedOut.into()))??;
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
        let mut look = interval((self.settings.idle / 8).max(Duration::from_millis(1)));
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // An interval, not a sleep: a busy socket must not put off what is held for ever.
        let mut retry = interval(FLUSH_EVERY);
        retry.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                message = socket.next() => match self.take(message, &mut last_data) {
                    Some(end) => return end,
                    None => continue,
                },
                _ = retry.tick(), if self.out.is_holding() => { self.out.flush(); }
                Some(symbol) = requests.recv() => self.snapshots.request(&symbol),
                Some(body) = self.snapshots.next() => {
                    let frame = self.frame(body);
                    self.out.push(frame);
                }
                _ = look.tick() => {
                    let now = clock::instant();
                    if now - last_data > self.settings.idle {
                        return End::Idle;
                    }
                    if now - began > self.settings.renew_after {
                        return End::Renewed;
                    }
                }
                _ = stop.wait_for(|stop| *stop) => return End::Stopped,
            }
        }
    }

    /// Takes what the socket gave. Pings need no answer here: the next read writes the pong.
    fn take(
        &mut self,
        message: Option<Result<Message, WsError>>,
        last_data: &mut Instant,
    ) -> Option<End> {
        match message {
            Some(Ok(Message::Text(text))) => {
                *last_data = clock::instant();
                let frame = self.frame(Bytes::from(text));
                let leaving = is_shutdown(&frame.bytes);
                self.snapshots.saw(&frame.bytes);
                self.out.push(frame);
                leaving.then_some(End::ServerShutdown)
            }
            Some(Ok(Message::Binary(_))) => {
                self.status.data_came(clock::now());
                count(&self.status.dropped.binary);
                None
            }
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => None,
            Some(Ok(Message::Close(_))) | None => Some(End::Closed),
            Some(Err(error)) => Some(End::Failed(error)),
        }
    }

    fn frame(&mut self, bytes: Bytes) -> Frame {
        let origin = Origin {
            ts_recv: clock::now(),
            offset: self.offset,
            partition: self.connection,
            stream: self.settings.stream,
            late: false,
            known: false,
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

    /// Gives what is held a last chance to leave.
    async fn finish(&mut self) {
        let begin = clock::instant();
        while !self.out.flush() && begin.elapsed() < LAST_CHANCE {
            sleep(FLUSH_EVERY).await;
        }
        self.out.orphan();
    }
}

impl End {
    fn is_planned(&self) -> bool {
        matches!(self, Self::Stopped | Self::Renewed | Self::ServerShutdown)
    }

    /// How long a venue that refuses us (429, 418) wants us to stay away.
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

/// Binance's notice, bare or as a combined stream's message. It is short, so long ones need no look.
fn is_shutdown(bytes: &[u8]) -> bool {
    bytes.len() < 128 && memmem::find(bytes, b"\"e\":\"serverShutdown\"").is_some()
}

/// How often held frames try again: well below what a quote is worth, well above what a look costs.
const FLUSH_EVERY: Duration = Duration::from_millis(1);

/// How long a stopping feed waits for its shards to take what is held.
const LAST_CHANCE: Duration = Duration::from_millis(200);

#[cfg(test)]
mod tests;
