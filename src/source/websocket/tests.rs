//! The feed against servers on this machine. Every wait has a bound, which only a failure reaches.

use std::io::{BufRead, BufReader, Write};
use std::sync::atomic::Ordering::Relaxed;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::*;
use crate::decode::venue::Venue;
use crate::decode::venues::Venues;
use crate::source::ring::{Receiver, ring};

fn binance() -> &'static dyn Venue {
    Venues::default()
        .named("BINANCE")
        .expect("it is registered")
}

type Server = WebSocketStream<TcpStream>;

struct RunningFeed {
    listener: TcpListener,
    frames: Receiver,
    seen: Vec<Frame>,
    status: Arc<FeedStatus>,
    requests: mpsc::Sender<String>,
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
            seen: Vec::new(),
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
            self.frames.drain(&mut self.seen, 64, Duration::ZERO);
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
async fn a_new_connection_begins_with_a_gap() {
    let mut feed = RunningFeed::start(|_| {}).await;
    let mut server = feed.accept().await;
    send(&mut server, TRADE).await;
    assert_eq!(feed.text(0).await, TRADE);
    assert!(feed.status.is_healthy());
    drop(server);
    let mut server = feed.accept().await;
    send(&mut server, TRADE).await;
    assert_eq!(feed.text(1).await, GAP);
    assert_eq!(feed.text(2).await, TRADE);
    let origins: Vec<_> = feed
        .seen
        .iter()
        .map(|f| (f.origin.partition, f.origin.offset))
        .collect();
    assert_eq!(origins, [(1, 0), (2, 1), (2, 2)]);
    let status = feed.end().await;
    assert_eq!(status.failures.load(Relaxed), 1);
    assert!(!status.is_healthy());
}

#[tokio::test]
async fn a_silent_connection_is_given_up() {
    let mut feed = RunningFeed::start(|settings| settings.idle = Duration::from_secs(1)).await;
    let mut silent = feed.accept().await;
    // Pings are no data: they must not keep the connection.
    let pings = tokio::spawn(async move {
        while silent.send(Message::Ping(Bytes::new())).await.is_ok() {
            sleep(Duration::from_millis(10)).await;
        }
    });
    let mut server = feed.accept().await;
    send(&mut server, TRADE).await;
    assert_eq!(feed.text(0).await, GAP);
    assert_eq!(feed.text(1).await, TRADE);
    within(pings).await.unwrap();
    feed.end().await;
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

#[tokio::test]
async fn an_announced_shutdown_and_old_age_reconnect_at_once() {
    let mut feed = RunningFeed::start(|settings| {
        settings.renew_after = Duration::from_millis(600);
        settings.idle = Duration::from_secs(5);
        settings.backoff_min = Duration::from_secs(3600);
        settings.backoff_max = Duration::from_secs(3600);
    })
    .await;
    let mut server = feed.accept().await;
    send(
        &mut server,
        r#"{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1}}"#,
    )
    .await;
    let mut server = feed.accept().await;
    assert_eq!(feed.text(1).await, GAP);
    // Talkative, so that only its age can end it.
    let talk = tokio::spawn(async move {
        while server.send(Message::text(TRADE)).await.is_ok() {
            sleep(Duration::from_millis(50)).await;
        }
    });
    let _renewed = feed.accept().await;
    within(talk).await.unwrap();
    assert_eq!(feed.end().await.failures.load(Relaxed), 0);
}

/// Answers HTTP requests with `answers`, one each, and gives back the request lines.
fn http(answers: Vec<&'static str>) -> (String, std::thread::JoinHandle<Vec<String>>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let mut lines = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = BufReader::new(stream.try_clone().unwrap()).lines();
            lines.push(request.next().unwrap().unwrap());
            while request.next().is_some_and(|line| !line.unwrap().is_empty()) {}
            stream.write_all(answer.as_bytes()).unwrap();
        }
        lines
    });
    (base, server)
}

#[tokio::test]
async fn a_snapshot_follows_the_first_depth_message() {
    const BUSY: &str =
        "HTTP/1.1 429 Busy\r\nRetry-After: 0\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    const BOOK: &str =
        "HTTP/1.1 200 OK\r\nContent-Length: 20\r\nConnection: close\r\n\r\n{\"lastUpdateId\":160}";
    // Busy, broken off, whole; and a second one on request.
    const SHORT: &str =
        "HTTP/1.1 200 OK\r\nContent-Length: 20\r\nConnection: close\r\n\r\n{\"lastUp";
    let (base, server) = http(vec![BUSY, SHORT, BOOK, BOOK]);
    let mut feed = RunningFeed::start(|settings| settings.rest = Some(base)).await;
    let mut venue = feed.accept().await;
    send(&mut venue, TRADE).await;
    feed.text(0).await;
    feed.requests.send("BTCUSDT.BINANCE".into()).await.unwrap();
    sleep(Duration::from_millis(30)).await;
    assert_eq!(
        feed.status.snapshots.load(Relaxed),
        0,
        "requested before the stream began"
    );
    send(&mut venue, DEPTH).await;
    let snapshot = r#"{"stream":"btcusdt@depth_snapshot","data":{"lastUpdateId":160}}"#;
    assert_eq!(feed.text(1).await, DEPTH);
    assert_eq!(feed.text(2).await, snapshot);
    send(&mut venue, DEPTH).await;
    feed.requests.send("BTCUSDT.BINANCE".into()).await.unwrap();
    assert_eq!(feed.text(3).await, DEPTH);
    assert_eq!(feed.text(4).await, snapshot);
    let status = feed.end().await;
    assert_eq!(status.snapshots.load(Relaxed), 2);
    assert_eq!(status.snapshot_failures.load(Relaxed), 2);
    let lines = server.join().unwrap();
    assert_eq!(
        lines[0],
        "GET /api/v3/depth?symbol=BTCUSDT&limit=5000 HTTP/1.1"
    );
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
