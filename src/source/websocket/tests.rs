//! The feed against servers on this machine. Every wait has a bound, which only a failure reaches.

use std::sync::atomic::Ordering::Relaxed;

use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

mod handover;
mod hostile;
mod refusals;
mod snapshots;
mod told;

use super::*;
use crate::clock;
use crate::decode::venue::Venue;
use crate::decode::venues::Venues;
use crate::frame::Frame;
use crate::source::ring::{Receiver, ring};
use crate::source::status::EndReason;

fn binance() -> &'static dyn Venue {
    Venues::default()
        .named("BINANCE")
        .expect("it is registered")
}

type Server = WebSocketStream<TcpStream>;

struct RunningFeed {
    listener: TcpListener,
    frames: Receiver,
    /// Frames, but those that tell of connections.
    seen: Vec<Frame>,
    /// What was told of connections.
    told: Vec<String>,
    status: Arc<FeedStatus>,
    requests: mpsc::Sender<BookReport>,
    stop: watch::Sender<bool>,
    task: JoinHandle<Result<(), WebsocketError>>,
}

impl RunningFeed {
    async fn start(change: impl FnOnce(&mut WebsocketSettings)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut settings = WebsocketSettings {
            url: format!("ws://{}", listener.local_addr().unwrap()),
            symbols: vec!["BTCUSDT".into()],
            streams: vec!["trade".into(), "depth@100ms".into()],
            rest: None,
            backoff_min: Duration::from_millis(5),
            backoff_max: Duration::from_millis(20),
            ..WebsocketSettings::new(binance())
        };
        change(&mut settings);
        let (sender, frames) = ring(64);
        let status = Arc::new(FeedStatus::default());
        let symbols = settings.symbols.clone();
        let out = Conflation::new(settings.venue, vec![sender], &symbols, Arc::clone(&status));
        let (requests, requested) = mpsc::channel(4);
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(run(settings, out, requested, Arc::clone(&status), stopped));
        Self {
            listener,
            frames,
            seen: vec![],
            told: vec![],
            status,
            requests,
            stop,
            task,
        }
    }

    async fn accept(&self) -> Server {
        let (stream, _) = within(self.listener.accept()).await.unwrap();
        within(tokio_tungstenite::accept_async(stream))
            .await
            .unwrap()
    }

    /// The text of frame number `at`, waiting for it.
    async fn text(&mut self, at: usize) -> String {
        let began = clock::instant();
        loop {
            self.drain();
            if let Some(frame) = self.seen.get(at) {
                return String::from_utf8(frame.bytes.to_vec()).unwrap();
            }
            assert!(
                began.elapsed() < PATIENCE,
                "frame {at} did not come; {} did",
                self.seen.len()
            );
            sleep(Duration::from_millis(2)).await;
        }
    }

    fn drain(&mut self) {
        let mut frames = vec![];
        self.frames.drain(&mut frames, 64, Duration::ZERO);
        for frame in frames {
            let text = String::from_utf8_lossy(&frame.bytes);
            match text.contains(r#""foretick":"opened""#) || text.contains(r#""foretick":"ended""#)
            {
                true => self.told.push(text.into()),
                false => self.seen.push(frame),
            }
        }
    }

    /// Reports on the book, as the engine does.
    async fn report(&self, is_whole: bool) {
        let instrument = "BTCUSDT.BINANCE".into();
        let report = BookReport {
            shard: 0,
            instrument,
            is_whole,
        };
        self.requests.send(report).await.unwrap();
    }

    async fn end(self) -> Arc<FeedStatus> {
        self.stop.send(true).unwrap();
        within(self.task).await.unwrap().unwrap();
        assert_eq!(self.status.unexplained(), 0);
        self.status
    }
}

async fn within<T>(future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.expect("it happens")
}

async fn send(server: &mut Server, text: &str) {
    server.send(Message::text(text)).await.unwrap();
}

const PATIENCE: Duration = Duration::from_secs(180);
const TRADE: &str = r#"{"stream":"btcusdt@trade","data":{"e":"trade","s":"BTCUSDT"}}"#;
const DEPTH: &str = r#"{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","s":"BTCUSDT"}}"#;
const GAP: &str = r#"{"foretick":"gap","reason":"reconnect"}"#;

#[tokio::test]
async fn a_lost_connection_ends_with_a_gap_at_once() {
    let mut feed = RunningFeed::start(|_| {}).await;
    let mut server = feed.accept().await;
    send(&mut server, TRADE).await;
    assert_eq!(feed.text(0).await, TRADE);
    assert!(feed.status.is_healthy());
    drop(server);
    assert_eq!(feed.text(1).await, GAP, "before there is another one");
    let mut server = feed.accept().await;
    send(&mut server, TRADE).await;
    assert_eq!(feed.text(2).await, TRADE);
    let origins: Vec<_> = feed
        .seen
        .iter()
        .map(|f| (f.origin.partition, f.origin.offset))
        .collect();
    // What is told of connections has numbers too.
    assert_eq!(origins, [(1, 1), (1, 2), (2, 5)]);
    let url = format!("ws://{}", feed.listener.local_addr().unwrap());
    let opened = |number: i32| {
        format!(r#"{{"foretick":"opened","connection":{number},"url":"{url}/stream"}}"#)
    };
    let ended = r#"{"foretick":"ended","connection":1,"reason":"#;
    assert_eq!([&feed.told[0], &feed.told[2]], [&opened(1), &opened(2)]);
    assert!(feed.told[1].starts_with(ended), "{:?}", feed.told);
    let status = feed.end().await;
    assert_eq!(status.failures.load(Relaxed), 1);
    assert!(!status.is_healthy());
}

#[tokio::test]
async fn a_silent_connection_is_given_up() {
    let mut feed = RunningFeed::start(|settings| settings.idle = Duration::from_secs(1)).await;
    // It reads nothing, and so answers no ping.
    let silent = feed.accept().await;
    let mut server = feed.accept().await;
    send(&mut server, TRADE).await;
    assert_eq!(feed.text(0).await, GAP);
    assert_eq!(feed.text(1).await, TRADE);
    drop(silent);
    assert_eq!(feed.end().await.ends.of(EndReason::Idle), 1);
}

#[tokio::test]
async fn too_large_a_message_ends_the_connection() {
    let mut feed = RunningFeed::start(|settings| settings.message_bytes_max = 256).await;
    let mut server = feed.accept().await;
    send(&mut server, &"x".repeat(300)).await;
    let mut server = feed.accept().await;
    send(&mut server, TRADE).await;
    assert_eq!(feed.text(1).await, TRADE);
    assert_eq!(feed.end().await.failures.load(Relaxed), 1);
}

#[tokio::test]
async fn binary_is_counted_and_dropped() {
    let mut feed = RunningFeed::start(|_| {}).await;
    let mut server = feed.accept().await;
    server.send(Message::binary(vec![1, 2, 3])).await.unwrap();
    send(&mut server, TRADE).await;
    assert_eq!(feed.text(0).await, TRADE);
    let status = feed.end().await;
    assert_eq!(status.dropped.binary.load(Relaxed), 1);
    assert_eq!(status.received.load(Relaxed), 2);
}

#[tokio::test]
async fn a_ping_is_answered_though_nothing_is_sent() {
    let feed = RunningFeed::start(|_| {}).await;
    let mut server = feed.accept().await;
    server
        .send(Message::Ping(Bytes::from_static(b"42")))
        .await
        .unwrap();
    let answer = within(server.next()).await.unwrap().unwrap();
    assert_eq!(answer, Message::Pong(Bytes::from_static(b"42")));
    feed.end().await;
}

/// A trade with this number.
fn trade(number: u64) -> String {
    format!(r#"{{"stream":"btcusdt@trade","data":{{"e":"trade","s":"BTCUSDT","t":{number}}}}}"#)
}

const SHUTDOWN: &str = r#"{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1}}"#;

#[tokio::test]
async fn an_announced_end_and_old_age_hand_over_and_lose_no_trade() {
    let mut feed = RunningFeed::start(|settings| {
        settings.renew_after = Duration::from_millis(3_000);
        settings.idle = Duration::from_secs(60);
        settings.backoff_max = Duration::from_millis(1);
    })
    .await;
    let mut old = feed.accept().await;
    send(&mut old, &trade(1)).await;
    for announcement in [Some(SHUTDOWN), None] {
        let at = feed.seen.len();
        let begin = 1_000 * at as u64 + 1_000;
        let mut sent = begin;
        if let Some(text) = announcement {
            send(&mut old, text).await;
        }
        let mut new = feed.accept().await;
        // Both bring the same trades, the new one from its beginning on, and the old one not all.
        let closed = loop {
            sent += 1;
            send(&mut new, &trade(sent)).await;
            if !sent.is_multiple_of(3) && old.send(Message::text(trade(sent))).await.is_err() {
                break true;
            }
            sleep(Duration::from_millis(20)).await;
            let gone = timeout(Duration::ZERO, old.next()).await;
            if matches!(gone, Ok(None | Some(Err(_) | Ok(Message::Close(_))))) {
                break true;
            }
        };
        assert!(closed);
        let last = trade(1_000_000 + begin);
        send(&mut new, &last).await;
        while feed
            .seen
            .last()
            .is_none_or(|frame| *frame.bytes != *last.as_bytes())
        {
            feed.text(feed.seen.len()).await;
        }
        let texts: Vec<&[u8]> = feed.seen[at..].iter().map(|frame| &*frame.bytes).collect();
        let times = |text: &str| {
            texts
                .iter()
                .filter(|seen| **seen == text.as_bytes())
                .count()
        };
        assert_eq!(times(r#"{"foretick":"handover"}"#), 1);
        assert_eq!(times(GAP), 0);
        for number in begin + 1..=sent {
            assert_eq!(times(&trade(number)), 1, "trade {number}");
        }
        old = new;
    }
    let status = feed.end().await;
    assert_eq!(status.failures.load(Relaxed), 0);
    assert_eq!(status.unexplained(), 0);
    assert!(status.dropped.repeated.load(Relaxed) > 0);
}

#[tokio::test]
async fn repeated_announcements_wait_longer_each_time() {
    let feed = RunningFeed::start(|settings| {
        settings.backoff_min = Duration::from_millis(400);
        settings.backoff_max = Duration::from_secs(3_600);
    })
    .await;
    let announce = async {
        loop {
            let mut server = feed.accept().await;
            send(&mut server, SHUTDOWN).await;
            tokio::spawn(async move { while let Some(Ok(_)) = server.next().await {} });
        }
    };
    drop(timeout(Duration::from_secs(4), announce).await);
    let opened = feed.status.connections.load(Relaxed);
    assert!(
        (2..=8).contains(&opened),
        "{opened} connections in four seconds"
    );
    feed.end().await;
}

#[tokio::test]
async fn a_quiet_connection_whose_pings_are_answered_stays() {
    let feed = RunningFeed::start(|settings| settings.idle = Duration::from_millis(300)).await;
    let mut server = feed.accept().await;
    let quiet = async { while let Some(Ok(_)) = server.next().await {} };
    assert!(
        timeout(Duration::from_secs(2), quiet).await.is_err(),
        "it ended"
    );
    let status = feed.end().await;
    assert_eq!(status.connections.load(Relaxed), 1);
    assert_eq!(status.failures.load(Relaxed), 0);
}

#[tokio::test]
async fn the_venues_words_at_the_end_are_counted() {
    let feed = RunningFeed::start(|_| {}).await;
    let mut server = feed.accept().await;
    let frame = CloseFrame {
        code: 4_008.into(),
        reason: "too many requests".into(),
    };
    server.close(Some(frame)).await.unwrap();
    drop(feed.accept().await);
    let status = feed.end().await;
    assert_eq!(status.ends.of(EndReason::Closed), 1);
}

/// A server that takes connections and never answers.
async fn mute() -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let mute = tokio::spawn(async move {
        let mut held = vec![];
        while let Ok((stream, _)) = listener.accept().await {
            held.push(stream);
        }
    });
    (address, mute)
}

#[tokio::test]
async fn a_stop_takes_effect_whatever_the_feed_waits_for() {
    let (address, _mute) = mute().await;
    // In a handshake.
    let feed = RunningFeed::start(|settings| settings.url = format!("ws://{address}")).await;
    sleep(Duration::from_millis(100)).await;
    let began = clock::instant();
    feed.end().await;
    assert!(began.elapsed() < Duration::from_secs(2));
    // While waiting to connect again.
    let feed = RunningFeed::start(|settings| {
        settings.url = "ws://127.0.0.1:1".into();
        settings.backoff_min = Duration::from_secs(3_600);
        settings.backoff_max = Duration::from_secs(3_600);
    })
    .await;
    sleep(Duration::from_millis(100)).await;
    let began = clock::instant();
    feed.end().await;
    assert!(began.elapsed() < Duration::from_secs(2));
    // In a request for a snapshot.
    let rest = Some(format!("http://{address}"));
    let mut feed = RunningFeed::start(|settings| settings.rest = rest).await;
    let mut server = feed.accept().await;
    send(&mut server, DEPTH).await;
    feed.text(0).await;
    sleep(Duration::from_millis(200)).await;
    let began = clock::instant();
    feed.end().await;
    assert!(began.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn settings_that_cannot_work_are_refused() {
    let (_, requested) = mpsc::channel(1);
    let (_stop, stopped) = watch::channel(false);
    let (sender, _frames) = ring(1);
    let status = Arc::new(FeedStatus::default());
    let out = Conflation::new(binance(), vec![sender], &[], Arc::clone(&status));
    let settings = WebsocketSettings {
        url: "https://example.test".into(),
        ..WebsocketSettings::new(binance())
    };
    let refused = run(settings, out, requested, status, stopped).await;
    assert!(matches!(refused, Err(WebsocketError::Address { .. })));
}

#[tokio::test]
async fn tls_with_a_server_that_has_none_is_a_failure_and_no_panic() {
    let feed =
        RunningFeed::start(|settings| settings.url = settings.url.replace("ws://", "wss://")).await;
    let (mut stream, _) = within(feed.listener.accept()).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut stream, b"HTTP/1.1 400 Bad\r\n\r\n")
        .await
        .unwrap();
    drop(stream);
    within(feed.listener.accept()).await.unwrap();
    assert!(feed.status.failures.load(Relaxed) >= 1);
    assert_eq!(feed.end().await.connections.load(Relaxed), 0);
}
