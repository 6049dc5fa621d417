//! A venue is one implementation of a trait: a made-up one goes through subscription, routing, conflation,
//! decoding and the engine to signals, and gets its snapshots its own way.

use std::sync::Arc;
use std::time::Duration;

use foretick::decode::route::SymbolFinder;
use foretick::decode::venue::Venue;
use foretick::decode::{Decoder, Venues};
use foretick::engine::Engine;
use foretick::event::Batch;
use foretick::frame::{Frame, Origin};
use foretick::pipeline::Pipeline;
use foretick::signal::Signal;
use foretick::signal::quality::Quality;
use foretick::source::conflation::Conflation;
use foretick::source::ring::{Receiver, Sender, ring};
use foretick::source::snapshot_requests::BookReport;
use foretick::source::status::FeedStatus;
use foretick::source::websocket::{WebsocketError, WebsocketSettings, run};
use foretick::units::Nanos;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use crate::given::Folder;
use crate::meadow::Meadow;

const PATIENCE: Duration = Duration::from_secs(30);

/// The book's imbalance on each trade.
const PIPELINE: &str = r#"
name = "meadow"
[source]
instruments = ["OAK.MEADOW"]
[row]
on = "trade"
[[feature]]
name = "imbalance"
kind = "queue_imbalance"
levels = 1
[model]
kind = "sum"
"#;

fn venues() -> Venues {
    Venues::default().with(&Meadow)
}

fn message(kind: &str, number: u64, rest: &str) -> String {
    let at = 1_700_000_000_000_000_000 + number;
    format!(r#"{{"kind":"{kind}","s":"bid","market":"oak","no":{number},"at":{at}{rest}}}"#)
}

fn fill(number: u64) -> String {
    message("fill", number, r#","of":"20.5 x 1""#)
}

fn touch(number: u64) -> String {
    message("touch", number, r#","bid":"20.4 x 1","offer":"20.6 x 2""#)
}

fn whole(number: u64) -> String {
    message(
        "whole",
        number,
        r#","bids":["20.4 x 3"],"offers":["20.6 x 1"]"#,
    )
}

fn change(number: u64) -> String {
    message("change", number, r#","bids":["20.4 x 1"],"offers":[]"#)
}

/// Decoder and engine of the pipeline, behind a ring.
struct Shard {
    ring: Receiver,
    decoder: Decoder,
    engine: Engine,
    frames: Vec<Frame>,
    signals: Vec<Signal>,
}

impl Shard {
    fn new() -> (Self, Sender) {
        let pipeline = Folder::new("meadow").pipeline(PIPELINE, &[]);
        Self::of(&pipeline, venues())
    }

    fn of(pipeline: &Pipeline, venues: Venues) -> (Self, Sender) {
        let loaded = pipeline.load_model().expect("a sum needs no file");
        let (sender, ring) = ring(64);
        let shard = Self {
            ring,
            decoder: pipeline.decoder().with_venues(venues),
            engine: loaded.engine().expect("a sum needs no file"),
            frames: vec![],
            signals: vec![],
        };
        (shard, sender)
    }

    /// Works until `count` more signals have come; returns their qualities.
    fn signals(&mut self, count: usize) -> Vec<Quality> {
        let deadline = foretick::clock::instant() + PATIENCE;
        while self.signals.len() < count {
            assert!(foretick::clock::instant() < deadline, "{:?}", self.signals);
            self.work();
        }
        self.signals
            .drain(..)
            .map(|signal| signal.quality)
            .collect()
    }

    fn work(&mut self) {
        self.ring
            .drain(&mut self.frames, 64, Duration::from_millis(20));
        for frame in self.frames.drain(..) {
            let mut batch = Batch::default();
            let decoded = self.decoder.decode(frame.origin, &frame.bytes, &mut batch);
            decoded.expect("every message can be read");
            self.engine
                .step(&batch, &mut self.signals)
                .expect("a sum never fails");
        }
    }

    /// The instruments whose book needs a snapshot.
    fn wanted(&mut self) -> Vec<String> {
        let mut wanted = vec![];
        self.engine.take_snapshot_requests(&mut wanted);
        let names = wanted.into_iter();
        names
            .map(|id| self.decoder.instruments().name(id).to_owned())
            .collect()
    }
}

/// The venue's end of a connection.
struct Server(WebSocketStream<TcpStream>);

impl Server {
    async fn accept(listener: &TcpListener) -> Self {
        let (stream, _) = timeout(PATIENCE, listener.accept())
            .await
            .expect("a client connects")
            .expect("on this machine");
        let accepted = tokio_tungstenite::accept_async(stream).await;
        Self(accepted.expect("the client opens a websocket"))
    }

    async fn send(&mut self, messages: &[String]) {
        for message in messages {
            let sent = self.0.send(Message::text(message)).await;
            sent.expect("the client is there");
        }
    }

    /// The next request of the client.
    async fn request(&mut self) -> Value {
        let next = timeout(PATIENCE, self.0.next()).await;
        let message = next.expect("a request comes").expect("the client is there");
        let text = message.expect("a sound message").into_text();
        serde_json::from_str(&text.expect("a text")).expect("JSON")
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_of_a_new_venue_become_signals() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it listens");
    let (mut shard, sender) = Shard::new();
    let settings = WebsocketSettings {
        url: format!("ws://{address}"),
        symbols: vec!["OAK".into()],
        ..WebsocketSettings::new(&Meadow)
    };
    let status = Arc::new(FeedStatus::default());
    let out = Conflation::new(
        &Meadow,
        vec![sender],
        &settings.symbols,
        Arc::clone(&status),
    );
    let (requests, requested) = mpsc::channel(4);
    let (stop, stopped) = watch::channel(false);
    let feed: tokio::task::JoinHandle<Result<(), WebsocketError>> =
        tokio::spawn(run(settings, out, requested, Arc::clone(&status), stopped));

    let mut server = Server::accept(&listener).await;
    let open = json!({"ask": "open", "markets": ["oak"], "streams": ["fill", "touch", "book"]});
    assert_eq!(server.request().await, open);
    server
        .send(&[r#"{"kind":"hello"}"#.into(), r#"{"kind":"beat"}"#.into()])
        .await;
    assert_eq!(server.request().await, json!({"ask": "beat"}));

    // A book of the stream, and then a change that is missing.
    server.send(&[whole(100), change(101), fill(1)]).await;
    assert_eq!(shard.signals(1), [Quality::Ok]);
    server.send(&[change(103), fill(2)]).await;
    assert_eq!(shard.signals(1), [Quality::Gap]);
    let wanted = shard.wanted();
    assert_eq!(wanted, ["OAK.MEADOW"]);
    let report = BookReport {
        shard: 0,
        instrument: wanted[0].clone(),
        is_whole: false,
    };
    requests.send(report).await.expect("the feed runs");
    let again = |ask| json!({"ask": ask, "markets": ["oak"], "streams": ["book"]});
    assert_eq!(server.request().await, again("close"));
    assert_eq!(server.request().await, again("open"));

    // The new snapshot begins the numbers anew.
    let later = |message: String| message.replace("1700000000", "1700000001");
    let book = [whole(1), change(2), fill(3), fill(4)];
    server.send(&book.map(later)).await;
    let qualities = shard.signals(2);
    assert_eq!(qualities[1], Quality::Ok, "{qualities:?}");
    assert!(shard.wanted().is_empty());

    // An announced end is no failure.
    server.send(&[r#"{"kind":"closing"}"#.into()]).await;
    let mut server = Server::accept(&listener).await;
    assert_eq!(server.request().await, open);
    stop.send(true).expect("the feed runs");
    let ended = timeout(PATIENCE, feed).await.expect("it ends");
    ended.expect("no panic").expect("no error");
    assert_eq!(status.unexplained(), 0);
    assert_eq!(
        status.failures.load(std::sync::atomic::Ordering::Relaxed),
        0
    );
}

/// A feed that is in no code: the pipeline says what its messages mean.
const DESCRIBED: &str = r#"
name = "hill"
[source]
kind = "websocket"
instruments = ["OAK.HILL"]
[source.websocket]
url = "ws://127.0.0.1"
[source.websocket.json]
venue = "HILL"
subscribe = ['{"ask":"open","market":"{symbol}"}']
resubscribe = ['{"ask":"again","market":"{symbol}"}']
ignore = [{ "/kind" = "hello" }]
reconnect = [{ "/kind" = "closing" }]
[[source.websocket.json.answer]]
when = { "/kind" = "beat" }
send = '{"ask":"beat"}'
[source.websocket.json.trade]
when = { "/kind" = "fill" }
symbol = "/market"
price = "/price"
size = "/size"
side = "/side"
id = "/no"
ids = "successive"
time = "/at"
[source.websocket.json.book]
when = { "/kind" = "book" }
symbol = "/market"
bids = "/bids"
asks = "/asks"
snapshot = { "/whole" = "true" }
last = "/no"
time = "/at"
[row]
on = "trade"
[[feature]]
name = "imbalance"
kind = "queue_imbalance"
levels = 1
[model]
kind = "sum"
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_described_feed_becomes_signals() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it listens");
    let set = format!("source.websocket.url=\"ws://{address}\"");
    let pipeline = Folder::new("hill").pipeline(DESCRIBED, &[&set]);
    let settings = pipeline.websocket_settings().expect("it is sound");
    let (mut shard, sender) = Shard::of(&pipeline, pipeline.venues());
    let status = Arc::new(FeedStatus::default());
    let symbols = &settings.symbols;
    let out = Conflation::new(settings.venue, vec![sender], symbols, Arc::clone(&status));
    let (requests, requested) = mpsc::channel(4);
    let (stop, stopped) = watch::channel(false);
    let feed = tokio::spawn(run(settings, out, requested, Arc::clone(&status), stopped));

    let fill = |number: u64| {
        let at = 1_700_000_000_000 + number;
        format!(
            r#"{{"kind":"fill","market":"OAK","side":"buy","price":20.5,"size":1,"no":{number},"at":{at}}}"#
        )
    };
    let book = |number: u64, whole: bool| {
        let at = 1_700_000_000_000 + number;
        format!(
            r#"{{"kind":"book","market":"OAK","whole":{whole},"bids":[[20.4,3]],"asks":[[20.6,1]],"no":{number},"at":{at}}}"#
        )
    };
    let mut server = Server::accept(&listener).await;
    let open = json!({"ask": "open", "market": "OAK"});
    assert_eq!(server.request().await, open);
    let (hello, beat) = (r#"{"kind":"hello"}"#, r#"{"kind":"beat"}"#);
    server.send(&[hello.into(), beat.into()]).await;
    assert_eq!(server.request().await, json!({"ask": "beat"}));
    server
        .send(&[book(10, true), book(11, false), fill(1)])
        .await;
    assert_eq!(shard.signals(1), [Quality::Ok]);
    server.send(&[book(13, false), fill(2)]).await;
    assert_eq!(shard.signals(1), [Quality::Gap]);
    let wanted = shard.wanted();
    assert_eq!(wanted, ["OAK.HILL"]);
    let report = BookReport {
        shard: 0,
        instrument: wanted[0].clone(),
        is_whole: false,
    };
    requests.send(report).await.expect("the feed runs");
    let again = json!({"ask": "again", "market": "OAK"});
    assert_eq!(server.request().await, again);
    server.send(&[book(14, true), fill(3), fill(4)]).await;
    assert_eq!(shard.signals(2)[1], Quality::Ok);
    server.send(&[r#"{"kind":"closing"}"#.into()]).await;
    let mut server = Server::accept(&listener).await;
    assert_eq!(server.request().await, open);
    stop.send(true).expect("the feed runs");
    let ended = timeout(PATIENCE, feed).await.expect("it ends");
    ended.expect("no panic").expect("no error");
    assert_eq!(status.unexplained(), 0);
}

#[test]
fn a_new_venue_is_conflated_by_its_own_rule() {
    let (mut shard, _) = Shard::new();
    let (sender, receiver) = ring(1);
    let status = Arc::new(FeedStatus::default());
    let mut out = Conflation::new(&Meadow, vec![sender], &["OAK".into()], Arc::clone(&status));
    for message in [whole(1), touch(2), fill(3), touch(4)] {
        out.push(frame(0, message));
    }
    let mut frames = vec![];
    while !out.flush() || !receiver.is_empty() {
        receiver.drain(&mut frames, 8, Duration::ZERO);
    }
    let texts: Vec<&[u8]> = frames.iter().map(|frame| &*frame.bytes).collect();
    let gap =
        r#"{"foretick":"gap","symbol":"OAK","venue":"MEADOW","reason":"overflow","missing":1}"#;
    let (first, last) = (whole(1), touch(4));
    assert_eq!(texts, [first.as_bytes(), gap.as_bytes(), last.as_bytes()]);
    for frame in &frames {
        let mut batch = Batch::default();
        let decoded = shard.decoder.decode(frame.origin, &frame.bytes, &mut batch);
        decoded.expect("gaps are read like messages");
        let id = batch.events[0].instrument;
        assert_eq!(shard.decoder.instruments().name(id), "OAK.MEADOW");
    }
    assert_eq!(status.unexplained(), 0);
}

#[test]
fn a_replay_distinguishes_captures_of_several_venues() {
    const TRADE: &str = r#"{"e":"trade","E":1700000000000,"s":"OAK","t":1,"p":"1","q":"1","T":1700000000000,"m":true}"#;
    let mut symbols = SymbolFinder::new(venues());
    let (fill, binance) = (fill(1), TRADE.as_bytes());
    assert_eq!(symbols.symbol_of(0, binance).as_deref(), Some("OAK"));
    // `s` is the side there.
    let found = symbols.symbol_of(1, fill.as_bytes());
    assert_eq!(found.as_deref(), Some("oak"));
    let pipeline = Folder::new("meadow-two").pipeline(PIPELINE, &["source.instruments=[]"]);
    let mut decoder = pipeline.decoder().with_venues(venues());
    for (stream, message) in [(0, TRADE.to_owned()), (1, fill)] {
        let frame = frame(stream, message);
        let decoded = decoder.decode(frame.origin, &frame.bytes, &mut Batch::default());
        decoded.expect("both are read");
    }
    let names: Vec<&str> = (0..2)
        .map(|id| {
            decoder
                .instruments()
                .name(foretick::instrument::InstrumentId(id))
        })
        .collect();
    assert_eq!(
        names,
        ["OAK.BINANCE", "OAK.MEADOW"],
        "one symbol, two instruments"
    );
    assert!(venues().named(Meadow.name()).is_some());
}

fn frame(stream: u16, text: String) -> Frame {
    Frame {
        origin: Origin {
            ts_recv: Nanos(5),
            offset: 0,
            partition: 0,
            stream,
            late: false,
            reprocessed: false,
        },
        bytes: text.into(),
    }
}
