//! A stock feed that needs an account and sends lists about several symbols, in text and in MessagePack: what
//! comes out live comes out of the capture, on any number of shards. No credential shows anywhere.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use foretick::pipeline::Pipeline;
use foretick::run::live::{self, RunOptions, RunOutcome};
use foretick::run::replay::{self, ReplayOptions};
use foretick::run::stop::StopFlag;
use foretick::run::summary::Summary;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};

use crate::given::{self, Folder, PATIENCE, stocks};

/// Looked for in all that a run writes.
const CANARY: &str = "canary-4c1d";

/// One connection of a client: the headers with which it came, and the messages that it has sent.
struct Client {
    socket: WebSocketStream<TcpStream>,
    headers: Vec<(String, String)>,
    path: String,
}

impl Client {
    #[expect(
        clippy::result_large_err,
        reason = "the type of the library's callback"
    )]
    async fn accept(listener: &TcpListener) -> Self {
        let (stream, _) = within(listener.accept()).await.expect("a client connects");
        let (mut headers, mut path) = (vec![], String::new());
        let look = |request: &Request, response: Response| {
            headers = request
                .headers()
                .iter()
                .map(|(name, value)| {
                    (
                        name.as_str().to_owned(),
                        String::from_utf8_lossy(value.as_bytes()).into_owned(),
                    )
                })
                .collect();
            path = request.uri().path().to_owned();
            Ok(response)
        };
        let socket = tokio_tungstenite::accept_hdr_async(stream, look).await;
        let socket = socket.expect("the client opens a websocket");
        Self {
            socket,
            headers,
            path,
        }
    }

    fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(own, _)| own == name);
        found.map(|(_, value)| value.as_str())
    }

    async fn next(&mut self) -> Message {
        let next = within(self.socket.next()).await;
        next.expect("a message comes").expect("the client is there")
    }

    async fn send(&mut self, message: Message) {
        self.socket
            .send(message)
            .await
            .expect("the client is there");
    }
}

async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future)
        .await
        .expect("it happens")
}

/// Runs the pipeline at a server that sends these messages, until all are worked on.
fn run_at(
    folder: &Folder,
    text: &str,
    set: &[&str],
    messages: Vec<Message>,
    check: impl FnOnce(&Client, Message) + Send + 'static,
) -> (RunOutcome, PathBuf) {
    let runtime = Runtime::new().expect("a runtime can be made");
    let listener = runtime
        .block_on(TcpListener::bind("127.0.0.1:0"))
        .expect("a free port");
    let address = listener.local_addr().expect("it listens");
    let secret = folder.write("secret", format!("{CANARY}-secret\n"));
    let key = folder.write("key", format!("{CANARY}-key\n"));
    let own = [
        "source.kind=websocket".to_owned(),
        format!("source.websocket.url=ws://{address}"),
        format!("source.websocket.key=file:{}", key.display()),
        format!("source.websocket.secret=file:{}", secret.display()),
        "source.websocket.tick_ms=0".to_owned(),
        "sink.kind=file".to_owned(),
        format!("sink.file={}", folder.path("live.jsonl").display()),
        "source.max_ahead_ms=4000000000000".to_owned(),
    ];
    let all: Vec<&str> = own
        .iter()
        .map(String::as_str)
        .chain(set.iter().copied())
        .collect();
    let pipeline = folder.pipeline(text, &all);
    let stop = StopFlag::default();
    let stopped = stop.clone();
    let served = std::thread::spawn(move || {
        runtime.block_on(async {
            let mut client = Client::accept(&listener).await;
            let subscription = client.next().await;
            check(&client, subscription);
            for message in messages {
                client.send(message).await;
            }
            // What was sent before a ping is read before its pong is written.
            client
                .send(Message::Ping(bytes::Bytes::from_static(b"end")))
                .await;
            while !matches!(client.next().await, Message::Pong(_)) {}
            stopped.set();
            within(client.socket.next()).await;
        });
    });
    let capture = folder.path("run.zst");
    let outcome = run(&pipeline, &capture, &stop);
    served.join().expect("the server saw what it should");
    (outcome, capture)
}

fn run(pipeline: &Pipeline, capture: &Path, stop: &StopFlag) -> RunOutcome {
    let mut loaded = pipeline.load_model().expect("a sum needs no file");
    loaded.lineage.streams = pipeline.stream_names().expect("one venue");
    let sink = pipeline
        .open_sink(&loaded.lineage)
        .expect("a file can be made");
    let options = RunOptions {
        capture: Some(
            foretick::source::capture::CaptureSettings::new(capture).expect("no placeholders"),
        ),
        ..RunOptions::default()
    };
    let outcome = live::run(pipeline, &loaded, sink, &options, stop).expect("the run starts");
    assert!(outcome.failure.is_none(), "{:?}", outcome.failure);
    let frames = &outcome.summary.frames;
    assert!(frames.balances(), "{frames:?}");
    outcome
}

fn replayed(folder: &Folder, text: &str, capture: &Path, shards: usize) -> Summary {
    let pipeline = folder.pipeline(
        text,
        &[
            &format!("engine.shards={shards}"),
            "source.max_ahead_ms=4000000000000",
        ],
    );
    let options = ReplayOptions {
        inputs: vec![capture.to_owned()],
        ..ReplayOptions::default()
    };
    replay::replay(&pipeline, &options).expect("a capture can be replayed")
}

#[test]
fn live_signals_are_those_of_the_capture_on_any_number_of_shards_in_both_encodings() {
    let session = stocks::session(400);
    let mut digests = vec![];
    for (binary, shards) in [(false, 1), (false, 3), (true, 1), (true, 3)] {
        let folder = Folder::new(&format!("stocks-{binary}-{shards}"));
        let message = |list: &Value| match binary {
            true => Message::binary(stocks::packed(list)),
            false => Message::text(list.to_string()),
        };
        let welcome = json!([{"T": "success", "msg": "authenticated"}]);
        let messages = [&welcome]
            .into_iter()
            .chain(&session)
            .map(message)
            .collect();
        let set = [
            format!("source.websocket.binary={binary}"),
            format!("engine.shards={shards}"),
        ];
        let set = [set[0].as_str(), set[1].as_str()];
        let (outcome, capture) = run_at(
            &folder,
            stocks::PIPELINE,
            &set,
            messages,
            move |client, subscription| {
                let expected = format!("{CANARY}-key");
                assert_eq!(client.header("apca-api-key-id"), Some(&*expected));
                let expected = format!("{CANARY}-secret");
                assert_eq!(client.header("apca-api-secret-key"), Some(&*expected));
                let packed = client.header("content-type") == Some("application/msgpack");
                assert_eq!((packed, subscription.is_binary()), (binary, binary));
            },
        );
        assert!(outcome.summary.signals > 100);
        let events = &outcome.summary.events.engine;
        assert!(
            events.corrections > 0 && events.cancels > 0 && events.halts == 1,
            "{events:?}"
        );
        for on in [1, 3] {
            let again = replayed(&folder, stocks::PIPELINE, &capture, on);
            assert_eq!(
                again.signals, outcome.summary.signals,
                "{binary} {shards} {on}"
            );
            assert_eq!(
                again.digest, outcome.summary.digest,
                "{binary} {shards} {on}"
            );
            assert_eq!(
                again.frames.dropped_by_reason.get("missing_field"),
                Some(&1),
                "the message that cannot be read, and no other of its list"
            );
        }
        digests.push(outcome.summary.digest);
    }
    assert!(
        digests.iter().all(|digest| *digest == digests[0]),
        "{digests:?}"
    );
}

/// The sum of a headline's word pieces.
const NEWS: &str = r#"
name = "headlines"
[source]
instruments = ["OAK.ALPACA", "ELM.ALPACA"]
[source.websocket]
streams = ["news"]
[row]
on = "news"
[news]
vocabulary = "vocab.txt"
half_life_ms = 3_600_000
[[feature]]
name = "token"
kind = "tokens"
max_tokens = 8
[model]
kind = "sum"
normalise = "none"
[metrics]
listen = ""
"#;

#[test]
fn news_of_a_feed_are_scored_live_and_in_a_replay() {
    let item = |id: u64, second: u64, headline: &str, symbols: &[&str]| {
        let time = format!("2026-02-19T14:30:{second:02}Z");
        json!({"T": "n", "id": id, "headline": headline, "content": "", "created_at": "2026-02-19T14:30:00Z",
            "updated_at": time, "symbols": symbols})
    };
    let lists = [
        json!([{"T": "success", "msg": "authenticated"}]),
        json!([
            item(1, 1, "<p>Oak &amp; Elm up</p>", &["OAK", "ELM", "FIR"]),
            item(2, 2, "Elm down", &["ELM"])
        ]),
        json!([item(1, 3, "Oak down after all", &["OAK"])]),
        json!([item(1, 2, "late", &["OAK"])]),
        json!([item(3, 4, "About another", &["FIR"])]),
    ];
    let mut digests = vec![];
    for binary in [false, true] {
        let folder = Folder::new(&format!("stocks-news-{binary}"));
        folder.write(
            "vocab.txt",
            "[PAD]\n[UNK]\n[CLS]\n[SEP]\nup\ndown\noak\nelm\n",
        );
        let message = |list: &Value| match binary {
            true => Message::binary(stocks::packed(list)),
            false => Message::text(list.to_string()),
        };
        let set = format!("source.websocket.binary={binary}");
        let messages = lists.iter().map(message).collect();
        let check = move |client: &Client, subscription: Message| {
            assert_eq!(client.path, "/v1beta1/news");
            if !binary {
                let expected = r#"{"action":"subscribe","news":["OAK","ELM"]}"#;
                assert_eq!(subscription.to_text().expect("a text"), expected);
            }
        };
        let (outcome, capture) = run_at(&folder, NEWS, &[&set], messages, check);
        let signals = folder.read("live.jsonl");
        let of = |name: &str| signals.matches(name).count();
        assert_eq!(
            (of("OAK.ALPACA"), of("ELM.ALPACA"), of("FIR")),
            (2, 2, 0),
            "{signals}"
        );
        let dropped = &outcome.summary.frames.dropped_by_reason;
        assert_eq!(dropped.get("old_revision"), Some(&1), "{dropped:?}");
        assert_eq!(
            dropped.get("instrument_not_listed"),
            Some(&1),
            "{dropped:?}"
        );
        let again = replayed(&folder, NEWS, &capture, 1);
        assert_eq!(again.digest, outcome.summary.digest, "{binary}");
        digests.push(again.digest);
    }
    assert_eq!(digests[0], digests[1]);
}

#[test]
fn a_binary_message_that_was_not_asked_for_is_counted_and_dropped() {
    let folder = Folder::new("stocks-unasked");
    let session = stocks::session(30);
    let mut messages = vec![Message::binary(stocks::packed(&session[0]))];
    messages.extend(session.iter().map(|list| Message::text(list.to_string())));
    let (outcome, _) = run_at(&folder, stocks::PIPELINE, &[], messages, |_, _| {});
    assert_eq!(
        outcome.summary.frames.dropped_by_reason.get("binary"),
        Some(&1)
    );
    // Asked for, but one that begins as a text does.
    let folder = Folder::new("stocks-text-like");
    let messages = vec![
        Message::binary(b"1771511400000000000 {}".to_vec()),
        Message::binary(stocks::packed(&session[0])),
    ];
    let (outcome, _) = run_at(
        &folder,
        stocks::PIPELINE,
        &["source.websocket.binary=true"],
        messages,
        |_, _| {},
    );
    assert_eq!(
        outcome.summary.frames.dropped_by_reason.get("binary"),
        Some(&1)
    );
}

#[test]
fn no_credential_is_shown_whatever_happens() {
    let folder = Folder::new("stocks-canary");
    // A server that refuses the handshake.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it listens");
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client connects");
        let mut request = [0; 4_096];
        let read = std::io::Read::read(&mut stream, &mut request).expect("a request comes");
        let answer = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        std::io::Write::write_all(&mut stream, answer).expect("the client is there");
        String::from_utf8_lossy(&request[..read]).into_owned()
    });
    let path = folder.write("pipeline.toml", stocks::PIPELINE);
    let set = |value: &str| ["--set".to_owned(), value.to_owned()];
    let run = |secret: &str, more: &[&str]| {
        let mut args = vec!["run".to_owned(), path.display().to_string()];
        args.extend(["--force", "--seconds", "1"].map(str::to_owned));
        args.extend(set("source.kind=websocket"));
        args.extend(set(&format!("source.websocket.url=ws://{address}")));
        args.extend(set("source.websocket.key=env:FORETICK_TEST_KEY"));
        args.extend(set(&format!("source.websocket.secret={secret}")));
        args.extend(set("sink.kind=file"));
        args.extend(set(&format!(
            "sink.file={}",
            folder.path("signals.jsonl").display()
        )));
        args.extend(more.iter().map(|&one| one.to_owned()));
        let mut command = Command::new(env!("CARGO_BIN_EXE_foretick"));
        command.args(&args).stdout(Stdio::piped());
        command.env("FORETICK_TEST_KEY", format!("{CANARY}-key"));
        command.env("FORETICK_TEST_SECRET", format!("{CANARY}-secret"));
        command.env("FORETICK_TEST_BROKEN", format!("{CANARY}\nx: y"));
        command.env("RUST_LOG", "trace");
        given::run(&mut command)
    };
    let shown = |run: &given::Run| {
        let all = format!("{}{}", run.stdout, run.stderr);
        assert!(!all.contains(CANARY), "{all}");
        all
    };
    let ran = run("env:FORETICK_TEST_SECRET", &[]);
    assert!(shown(&ran).contains("403"), "{}", ran.stderr);
    let request = server.join().expect("a request came");
    assert!(
        request.contains(&format!("{CANARY}-secret")),
        "it was sent: {request}"
    );
    for (secret, said) in [
        (
            format!("{CANARY}-literal"),
            "write `env:NAME` or `file:PATH`",
        ),
        (
            "env:FORETICK_TEST_UNSET".into(),
            "`env:FORETICK_TEST_UNSET`",
        ),
        ("env:FORETICK_TEST_BROKEN".into(), "line break"),
    ] {
        let refused = run(&secret, &[]);
        assert_ne!(refused.code, Some(0), "{secret}");
        assert!(shown(&refused).contains(said), "{}", refused.stderr);
    }
    for file in ["signals.jsonl", "pipeline.toml"] {
        let text = std::fs::read_to_string(folder.path(file)).unwrap_or_default();
        assert!(!text.contains(CANARY), "{file}");
    }
}
