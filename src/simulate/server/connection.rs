//! One websocket connection: what it subscribes to, what it is sent, and when it is closed.
//!
//! Each is a task with a bounded queue. A client that falls behind is disconnected, never waited for.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use axum::extract::ws::{Message as Frame, WebSocket, WebSocketUpgrade};
use axum::extract::{Path, Query, State};
use axum::response::Response;
use axum::routing::get;
use serde::Deserialize;
use tokio::sync::broadcast::Receiver;
use tokio::time::{interval, timeout};

use super::request::Subscriptions;
use super::{Broadcast, ExchangeState, SEND_TIMEOUT};

/// The paths where a websocket can be opened.
pub(super) fn routes() -> Router<Arc<ExchangeState>> {
    Router::new()
        .route("/ws", get(bare))
        .route("/ws/{*streams}", get(bare))
        .route("/stream", get(combined))
}

#[derive(Debug, Deserialize)]
struct StreamsQuery {
    streams: Option<String>,
}

async fn bare(
    State(state): State<Arc<ExchangeState>>,
    streams: Option<Path<String>>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let streams = streams.map_or_else(String::new, |Path(streams)| streams);
    open(state, upgrade, Subscriptions::new(false, &streams))
}

async fn combined(
    State(state): State<Arc<ExchangeState>>,
    Query(query): Query<StreamsQuery>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let streams = query.streams.unwrap_or_default();
    open(state, upgrade, Subscriptions::new(true, &streams))
}

fn open(
    state: Arc<ExchangeState>,
    upgrade: WebSocketUpgrade,
    subscriptions: Subscriptions,
) -> Response {
    // From here on no message is missed, although the handshake is not over.
    let broadcasts = state.broadcasts.subscribe();
    state.opened.fetch_add(1, Ordering::Relaxed);
    upgrade
        .max_message_size(REQUEST_MAX)
        .on_upgrade(async move |socket| {
            let connection = Connection {
                socket,
                state,
                subscriptions,
                unanswered: 0,
            };
            connection.run(broadcasts).await;
        })
}

struct Connection {
    socket: WebSocket,
    state: Arc<ExchangeState>,
    subscriptions: Subscriptions,
    /// Pings since the last pong.
    unanswered: u32,
}

/// The connection is over: closed, broken, too slow, or no longer answering.
struct Over;

impl Connection {
    /// Serves the client until either side closes. Dropping the socket closes it.
    async fn run(mut self, mut broadcasts: Receiver<Broadcast>) {
        let mut pings = interval(PING_EVERY);
        pings.reset();
        loop {
            let step = tokio::select! {
                // A receiver that lost messages is a client that fell behind.
                broadcast = broadcasts.recv() => match broadcast {
                    Ok(broadcast) => self.broadcast(broadcast).await,
                    Err(_) => Err(Over),
                },
                frame = self.socket.recv() => match frame {
                    Some(Ok(frame)) => self.receive(frame).await,
                    Some(Err(_)) | None => Err(Over),
                },
                _ = pings.tick() => self.ping().await,
            };
            if step.is_err() {
                return;
            }
        }
    }

    async fn broadcast(&mut self, broadcast: Broadcast) -> Result<(), Over> {
        match broadcast {
            Broadcast::Message(message) if self.subscriptions.contains(message.name()) => {
                let combined = self.subscriptions.combined;
                let text = if combined {
                    message.json.as_str()
                } else {
                    message.data()
                };
                self.send(Frame::text(text)).await
            }
            Broadcast::Message(_) => Ok(()),
            Broadcast::Cut => Err(Over),
            Broadcast::Shutdown(millis) => self.announce_shutdown(millis).await,
        }
    }

    async fn announce_shutdown(&mut self, millis: i64) -> Result<(), Over> {
        let data = format!(r#"{{"e":"serverShutdown","E":{millis}}}"#);
        let text = if self.subscriptions.combined {
            format!(r#"{{"stream":"!serverShutdown","data":{data}}}"#)
        } else {
            data
        };
        self.send(Frame::text(text)).await?;
        self.close().await
    }

    async fn close(&mut self) -> Result<(), Over> {
        self.send(Frame::Close(None)).await?;
        Err(Over)
    }

    async fn receive(&mut self, frame: Frame) -> Result<(), Over> {
        match frame {
            Frame::Text(text) => {
                let answer = self.subscriptions.answer(&text);
                self.send(Frame::text(answer)).await
            }
            Frame::Pong(_) => {
                self.unanswered = 0;
                Ok(())
            }
            // The library answers pings; the venue has no binary requests.
            Frame::Ping(_) | Frame::Binary(_) => Ok(()),
            Frame::Close(_) => self.close().await,
        }
    }

    async fn ping(&mut self) -> Result<(), Over> {
        if self.unanswered == UNANSWERED_MAX {
            return Err(Over);
        }
        self.unanswered += u32::from(!self.state.silent());
        self.send(Frame::Ping(Default::default())).await
    }

    async fn send(&mut self, frame: Frame) -> Result<(), Over> {
        if self.state.silent() {
            return Ok(());
        }
        match timeout(SEND_TIMEOUT, self.socket.send(frame)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Over),
        }
    }
}

/// The venue pings this often, and gives up after a minute without an answer.
const PING_EVERY: Duration = Duration::from_secs(20);
const UNANSWERED_MAX: u32 = 3;
/// Bytes of a request: far more than a thousand stream names need.
const REQUEST_MAX: usize = 64 * 1024;
