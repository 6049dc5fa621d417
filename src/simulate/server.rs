//! The simulated exchange on a socket: websocket streams and REST in the forms of Binance spot.
//!
//! One task moves the market's time on with the wall clock. Takes no orders and limits no rates; faults
//! happen on demand only, for tests of clients.

mod connection;
mod request;
mod rest;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::sync::{broadcast, watch};
use tokio::task::{JoinHandle, yield_now};
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::wire::millis;
use super::{Market, MarketSettings, MarketStream, Message, SimulateError};
use crate::clock;
use crate::units::Nanos;

/// A running exchange. Dropping it cuts all connections; [`Exchange::stop`] announces the shutdown first.
#[derive(Debug)]
pub struct Exchange {
    /// Where it listens, with the port that the system chose for port 0.
    pub address: SocketAddr,
    /// When the market opened.
    pub opening: Nanos,
    state: Arc<ExchangeState>,
    stopping: watch::Sender<()>,
    serving: JoinHandle<std::io::Result<()>>,
}

/// The state that the market's task, the connections and the handle share.
#[derive(Debug)]
struct ExchangeState {
    market: Mutex<Market>,
    /// Messages to all connections; one that is [`BACKLOG`] behind is disconnected.
    broadcasts: broadcast::Sender<Broadcast>,
    silent: AtomicBool,
    /// Websocket connections so far.
    opened: AtomicU64,
    /// Depth messages still to be withheld, by instrument.
    withheld: Mutex<Vec<u32>>,
    /// Faults of the next snapshots, by instrument.
    snapshot_faults: Mutex<Vec<VecDeque<SnapshotFault>>>,
    symbols: Vec<String>,
}

/// What is wrong with the answer to a request for a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SnapshotFault {
    /// The status 403 instead of a book.
    Forbidden,
    /// So many bytes more than the book needs, in a field of their own.
    Padded(usize),
}

/// A message to all connections.
#[derive(Clone, Debug)]
enum Broadcast {
    /// For the connections that subscribe to it.
    Message(Arc<Message>),
    /// Close without notice.
    Cut,
    /// Send `serverShutdown` with this time in milliseconds, then close.
    Shutdown(i64),
}

impl Exchange {
    /// Opens the market now, not at `settings.start`, and serves it on the current runtime.
    ///
    /// # Errors
    /// [`SimulateError::Listing`] when an instrument cannot be traded as listed, and
    /// [`SimulateError::Listen`] when the address is taken or not ours.
    pub async fn start(
        settings: MarketSettings,
        listen: SocketAddr,
    ) -> Result<Self, SimulateError> {
        let opening = clock::now();
        let market = Market::new(&MarketSettings {
            start: opening,
            ..settings.clone()
        })?;
        let refused = |source| SimulateError::Listen {
            address: listen,
            source,
        };
        let listener = TcpListener::bind(listen).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let state = Arc::new(ExchangeState {
            market: Mutex::new(market),
            broadcasts: broadcast::Sender::new(BACKLOG),
            silent: AtomicBool::new(false),
            opened: AtomicU64::new(0),
            withheld: Mutex::new(vec![0; settings.instruments.len()]),
            snapshot_faults: Mutex::new(vec![VecDeque::new(); settings.instruments.len()]),
            symbols: settings.instruments.into_iter().map(|l| l.symbol).collect(),
        });
        let (stopping, stopped) = watch::channel(());
        tokio::spawn(trade(Arc::clone(&state), opening, stopped.clone()));
        Ok(Self {
            address,
            opening,
            serving: tokio::spawn(serve(listener, Arc::clone(&state), stopped)),
            state,
            stopping,
        })
    }

    /// Sends `serverShutdown` to all clients, closes their connections and stops listening.
    pub async fn stop(mut self) {
        self.stopping.send_replace(());
        self.state.send(Broadcast::Shutdown(millis(clock::now())));
        // Clients that do not take it are cut when `self` is dropped.
        let gone = async {
            self.state.broadcasts.closed().await;
            (&mut self.serving).await
        };
        drop(timeout(SEND_TIMEOUT, gone).await);
    }

    /// How many websocket connections have been opened so far.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.state.opened.load(Ordering::Relaxed)
    }

    /// Closes all websocket connections without notice, as a broken network does.
    pub fn drop_connections(&self) {
        self.state.send(Broadcast::Cut);
    }

    /// Never sends the next `n` depth messages of an instrument: its update ids jump. False for a
    /// symbol that is not listed.
    pub fn skip_depth(&self, symbol: &str, n: u32) -> bool {
        let listed = self.state.symbols.iter().position(|s| s == symbol);
        if let Some(at) = listed {
            lock(&self.state.withheld)[at] += n;
        }
        listed.is_some()
    }

    /// Gives the next snapshots of an instrument these faults, one each. False for a symbol that is not
    /// listed.
    pub fn spoil_snapshots(&self, symbol: &str, faults: &[SnapshotFault]) -> bool {
        let listed = self.state.symbols.iter().position(|s| s == symbol);
        if let Some(at) = listed {
            lock(&self.state.snapshot_faults)[at].extend(faults);
        }
        listed.is_some()
    }

    /// While true, websocket connections stay open and nothing is sent on them, not even pings or
    /// answers; messages of that time are lost. REST still answers.
    pub fn go_silent(&self, silent: bool) {
        self.state.silent.store(silent, Ordering::Relaxed);
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.state.send(Broadcast::Cut);
    }
}

impl ExchangeState {
    fn silent(&self) -> bool {
        self.silent.load(Ordering::Relaxed)
    }

    fn send(&self, broadcast: Broadcast) {
        // An error only means that there is no connection.
        drop(self.broadcasts.send(broadcast));
    }

    /// Lets the market's time pass and broadcasts its messages, except those withheld as faults.
    fn advance(&self, until: Nanos, messages: &mut Vec<Message>) {
        lock(&self.market).advance(until, messages);
        for message in messages.drain(..) {
            if !self.withholds(&message) && !self.silent() {
                self.send(Broadcast::Message(Arc::new(message)));
            }
        }
    }

    /// The fault of the next snapshot of an instrument.
    fn next_fault(&self, symbol: &str) -> Option<SnapshotFault> {
        let at = self.symbols.iter().position(|listed| listed == symbol)?;
        lock(&self.snapshot_faults)[at].pop_front()
    }

    fn withholds(&self, message: &Message) -> bool {
        let left = &mut lock(&self.withheld)[message.instrument];
        let withheld = message.stream == MarketStream::Depth && *left > 0;
        *left -= u32::from(withheld);
        withheld
    }
}

/// Moves the market's time on with the wall clock until the exchange stops.
async fn trade(state: Arc<ExchangeState>, opening: Nanos, mut stopped: watch::Receiver<()>) {
    let mut messages = Vec::new();
    let mut time = opening;
    let mut pace = interval(PACE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = stopped.changed() => return,
            _ = pace.tick() => {}
        }
        let now = clock::now();
        // After a pause of the whole machine there is much to catch up with: a second at a time.
        while time < now {
            time = now.min(Nanos(time.0 + CATCH_UP));
            state.advance(time, &mut messages);
            yield_now().await;
        }
    }
}

async fn serve(
    listener: TcpListener,
    state: Arc<ExchangeState>,
    mut stopped: watch::Receiver<()>,
) -> std::io::Result<()> {
    // Small messages go out at once.
    let listener = listener.tap_io(|socket| drop(socket.set_nodelay(true)));
    let router = rest::routes().merge(connection::routes());
    axum::serve(listener, router.with_state(state))
        .with_graceful_shutdown(async move { drop(stopped.changed().await) })
        .await
}

/// The data stays whole when a holder panics: nothing here leaves it half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Messages that a connection may be behind: about twenty seconds of the default market.
const BACKLOG: usize = 8_192;
/// How often the market's time moves.
const PACE: Duration = Duration::from_millis(5);
const CATCH_UP: i64 = 1_000_000_000;
/// How long a client may take to accept a message before it is disconnected.
const SEND_TIMEOUT: Duration = Duration::from_secs(2);
