//! An exchange that sends trades and quotes in the format of Binance at a stated rate, however fast they are
//! read: an open loop.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use foretick::clock;
use futures_util::{SinkExt, StreamExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::time::{MissedTickBehavior, interval};
use tokio_tungstenite::tungstenite::Message;

/// The exchange; it ends with its runtime.
pub(crate) struct Flood {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    _runtime: Runtime,
}

#[derive(Default)]
struct Shared {
    /// Messages a second.
    rate: AtomicU64,
    /// Messages that were sent, answers included.
    sent: AtomicU64,
}

/// What is traded.
pub(crate) const SYMBOLS: [&str; 4] = ["BTCUSDT", "ETHUSDT", "BNBUSDT", "SOLUSDT"];

impl Flood {
    /// An exchange that sends nothing yet.
    pub(crate) fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime can be made");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"));
        let listener = listener.expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let shared = Arc::new(Shared::default());
        let served = Arc::clone(&shared);
        runtime.spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(serve(socket, Arc::clone(&served)));
            }
        });
        Self {
            address,
            shared,
            _runtime: runtime,
        }
    }

    /// Sends so many messages a second from now on.
    pub(crate) fn set_rate(&self, rate: u64) {
        self.shared.rate.store(rate, Ordering::Relaxed);
    }

    /// Messages sent so far.
    pub(crate) fn sent(&self) -> u64 {
        self.shared.sent.load(Ordering::Relaxed)
    }
}

/// Serves one connection: answers every request, and sends what is due each millisecond.
async fn serve(socket: TcpStream, shared: Arc<Shared>) {
    socket.set_nodelay(true).ok();
    let Ok(websocket) = tokio_tungstenite::accept_async(socket).await else {
        return;
    };
    let (mut out, mut requests) = websocket.split();
    let mut beat = interval(Duration::from_millis(1));
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut number, mut rate, mut due, mut last) = (0_u64, 0, 0.0, clock::instant());
    loop {
        let sent = tokio::select! {
            request = requests.next() => match request {
                Some(Ok(Message::Text(text))) => {
                    let id = id_of(&text);
                    shared.sent.fetch_add(1, Ordering::Relaxed);
                    out.send(Message::text(format!(r#"{{"result":null,"id":{id}}}"#))).await
                }
                Some(Ok(_)) => Ok(()),
                Some(Err(_)) | None => return,
            },
            _ = beat.tick() => {
                let now = clock::instant();
                let wanted = shared.rate.load(Ordering::Relaxed);
                if wanted != rate {
                    (rate, due) = (wanted, 0.0);
                }
                due += rate as f64 * now.duration_since(last).as_secs_f64();
                last = now;
                let mut sent = Ok(());
                let is_wanted = || shared.rate.load(Ordering::Relaxed) == rate;
                while due >= 1.0 && sent.is_ok() && is_wanted() {
                    due -= 1.0;
                    // When it should have left: it may be late by those before it.
                    let late = Duration::from_secs_f64(due / rate as f64);
                    let at = clock::now().0 - late.as_nanos() as i64;
                    sent = out.feed(Message::text(message(number, at))).await;
                    number += 1;
                    shared.sent.fetch_add(1, Ordering::Relaxed);
                }
                match sent {
                    Ok(()) => out.flush().await,
                    failed => failed,
                }
            }
        };
        if sent.is_err() {
            return;
        }
    }
}

/// The `id` of a request.
fn id_of(text: &str) -> u64 {
    let value: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    value["id"].as_u64().unwrap_or_default()
}

/// A quote and three trades of each instrument in turn.
fn message(number: u64, at: i64) -> String {
    let symbol = SYMBOLS[(number / 4) as usize % SYMBOLS.len()];
    let (stream, millis) = (symbol.to_ascii_lowercase(), at / 1_000_000);
    let cents = number % 97;
    match number % 4 {
        0 => format!(
            r#"{{"stream":"{stream}@bookTicker","data":{{"u":{number},"s":"{symbol}","b":"100.{cents:02}","B":"1.5","a":"102.{cents:02}","A":"2.5"}}}}"#
        ),
        _ => format!(
            r#"{{"stream":"{stream}@trade","data":{{"e":"trade","E":{millis},"s":"{symbol}","t":{number},"p":"101.{cents:02}","q":"0.5","T":{millis},"m":true,"M":true}}}}"#
        ),
    }
}
