//! Books whose changes come from Kafka: a run that begins in the middle of them fetches a snapshot, or says
//! that it waits; a snapshot in the topic does as well.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use foretick::simulate::{Exchange, MarketSettings};
use futures_util::StreamExt;
use rdkafka::message::Message;
use serde_json::Value;
use tokio::runtime::Runtime;
use tokio::time::{Instant, timeout_at};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::child::RunningProcess;
use super::topics::Topics;
use crate::given::{self, Folder};
use crate::needs;

/// The imbalance of the book at each trade, and the mid.
const PIPELINE: &str = r#"
name = "books"
[source]
kind = "kafka"
instruments = ["BTCUSDT.BINANCE", "ETHUSDT.BINANCE"]
tick_ms = 100
[row]
on = "book"
stale_after_ms = 5_000
[[feature]]
name = "imbalance"
kind = "queue_imbalance"
levels = 3
[model]
kind = "sum"
normalise = "none"
[metrics]
waiting_ms = 3_000
"#;

const NAMES: [&str; 2] = ["BTCUSDT.BINANCE", "ETHUSDT.BINANCE"];

/// An exchange whose raw messages are written into a topic, and a run that reads it.
struct Books {
    exchange: Exchange,
    _runtime: Runtime,
    topics: Arc<Topics>,
    input: String,
    output: String,
    pipeline: PathBuf,
    /// Whether depth messages of BTCUSDT are left out.
    has_hole: Arc<AtomicBool>,
    stop: Arc<AtomicBool>,
    bridge: Option<JoinHandle<()>>,
}

impl Books {
    fn start(bootstrap: String, folder: &Folder, test: &str) -> Self {
        let runtime = Runtime::new().expect("a runtime can be made");
        let anywhere = ([127, 0, 0, 1], 0).into();
        let exchange = runtime.block_on(Exchange::start(MarketSettings::default(), anywhere));
        let exchange = exchange.expect("the exchange opens");
        let mut topics = Topics::new(bootstrap, test);
        let (input, output) = (topics.make("in", 2), topics.make("out", 1));
        let mut books = Self {
            exchange,
            _runtime: runtime,
            topics: Arc::new(topics),
            input,
            output,
            pipeline: folder.write("pipeline.toml", PIPELINE),
            has_hole: Arc::default(),
            stop: Arc::default(),
            bridge: None,
        };
        books.bridge = Some(books.bridge());
        books
    }

    /// Writes what the exchange sends into the topic.
    fn bridge(&self) -> JoinHandle<()> {
        let url = format!(
            "ws://{}/stream?streams=btcusdt@trade/ethusdt@trade/btcusdt@depth@100ms/ethusdt@depth@100ms",
            self.exchange.address
        );
        let (topics, input) = (Arc::clone(&self.topics), self.input.clone());
        let (has_hole, stop) = (Arc::clone(&self.has_hole), Arc::clone(&self.stop));
        std::thread::spawn(move || {
            let runtime = Runtime::new().expect("a runtime can be made");
            let (mut socket, _) = runtime.block_on(connect_async(url)).expect("it listens");
            while !stop.load(Ordering::Relaxed) {
                let mut lines = runtime.block_on(gather(&mut socket));
                let is_held = |line: &String| {
                    has_hole.load(Ordering::Relaxed) && line.contains("btcusdt@depth")
                };
                lines.retain(|line| line.starts_with('{') && !is_held(line));
                topics.fill(&input, lines.iter().map(String::as_str));
            }
        })
    }

    fn rest(&self) -> String {
        format!("source.rest=http://{}", self.exchange.address)
    }

    fn run(&self, set: &[&str], capture: Option<&Path>) -> RunningProcess {
        let mut args = vec!["run".into(), self.pipeline.clone(), "--json".into()];
        if let Some(capture) = capture {
            args.extend(["--capture".into(), capture.to_owned()]);
        }
        let own = [
            format!("source.topics=[{:?}]", self.input),
            "sink.kind=kafka".to_owned(),
            format!("sink.topic={:?}", self.output),
            format!("kafka.bootstrap={:?}", self.topics.bootstrap),
            format!("kafka.group={:?}", self.topics.name("group")),
        ];
        for set in own.iter().map(String::as_str).chain(set.iter().copied()) {
            args.extend(["--set".into(), set.into()]);
        }
        RunningProcess::start(&args)
    }

    /// The qualities of each instrument's signals, in their order.
    fn qualities(&self) -> BTreeMap<String, Vec<String>> {
        let mut all = BTreeMap::<String, Vec<String>>::new();
        for record in self.topics.read(&self.output) {
            let signal: Value =
                serde_json::from_slice(record.payload().expect("a signal")).expect("JSON");
            let text = |name: &str| signal[name].as_str().expect("a text").to_owned();
            all.entry(text("instrument"))
                .or_default()
                .push(text("quality"));
        }
        all
    }

    /// Waits until each of these instruments has so many signals of this quality behind the first `from`.
    fn wait_for(&self, run: &mut RunningProcess, names: &[&str], quality: &str, from: usize) {
        run.wait_for(quality, |_| {
            let all = self.qualities();
            let has = |name: &&str| {
                let behind = all.get(*name).map(|one| one.iter().skip(from));
                behind.is_some_and(|mut one| one.any(|one| one == quality))
            };
            names.iter().all(has).then_some(())
        });
    }
}

impl Drop for Books {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(bridge) = self.bridge.take() {
            drop(bridge.join());
        }
    }
}

/// What comes within a tenth of a second.
async fn gather(
    socket: &mut WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>,
) -> Vec<String> {
    let (mut lines, until) = (vec![], Instant::now() + Duration::from_millis(100));
    while let Ok(Some(Ok(message))) = timeout_at(until, socket.next()).await {
        lines.extend(message.to_text().map(str::to_owned));
    }
    lines
}

#[test]
fn a_book_that_begins_in_the_middle_of_its_changes_is_fetched_over_rest() {
    let test = "a_book_that_begins_in_the_middle_of_its_changes_is_fetched_over_rest";
    let Some(bootstrap) = needs::kafka(test) else {
        return;
    };
    let folder = Folder::new("kafka-rest");
    let books = Books::start(bootstrap, &folder, "rest");
    let capture = folder.path("run.capture");
    let (rest, quiet) = (books.rest(), "metrics.listen=\"\"");
    let late = "engine.late_after_ms=0";
    let shards = "engine.shards=2";
    let mut run = books.run(&[&rest, quiet, late, shards], Some(&capture));
    books.wait_for(&mut run, &NAMES, "ok", 0);
    // Changes that never come break the book, and a snapshot repairs it.
    books.has_hole.store(true, Ordering::Relaxed);
    std::thread::sleep(Duration::from_millis(500));
    let before = books.qualities()[NAMES[0]].len();
    books.has_hole.store(false, Ordering::Relaxed);
    books.wait_for(&mut run, &NAMES[..1], "gap", before);
    let broken = books.qualities()[NAMES[0]].len();
    books.wait_for(&mut run, &NAMES[..1], "ok", broken);
    assert_eq!(run.terminate(), Some(0));
    assert!(
        run.stderr().contains("fetched a snapshot"),
        "{}",
        run.stderr()
    );
    let summary: Value = serde_json::from_str(&run.stdout()).expect("a summary in JSON");
    let frames = &summary["frames"];
    assert_eq!(frames["in"], frames["used"], "{summary}");

    assert!(folder.read("run.capture").contains("@depth_snapshot"));
    let replay = given::foretick(&[
        "replay".as_ref(),
        books.pipeline.as_os_str(),
        "--input".as_ref(),
        capture.as_os_str(),
        "--json".as_ref(),
    ]);
    assert_eq!(replay.code, Some(0), "{}", replay.stderr);
    let replayed: Value = serde_json::from_str(&replay.stdout).expect("a summary in JSON");
    assert_eq!(replayed["digest"], summary["digest"]);
    assert_eq!(replayed["signals"], summary["signals"]);
}

#[test]
fn a_book_that_waits_for_a_snapshot_says_so_until_the_topic_has_one() {
    let test = "a_book_that_waits_for_a_snapshot_says_so_until_the_topic_has_one";
    let Some(bootstrap) = needs::kafka(test) else {
        return;
    };
    let folder = Folder::new("kafka-no-rest");
    let books = Books::start(bootstrap, &folder, "no-rest");
    let port = free_port();
    let listen = format!("metrics.listen=127.0.0.1:{port}");
    let mut run = books.run(&[&listen], None);
    let get = |path: &str| get(&format!("http://127.0.0.1:{port}{path}"));
    run.wait_for("a report that it is not ready", |_| {
        let (status, said) = get("/readyz")?;
        (status == 503 && said.contains("BTCUSDT.BINANCE")).then_some(())
    });
    let waiting = "foretick_instruments_waiting{pipeline=\"books\"} 2";
    run.wait_for("a figure", |_| {
        get("/metrics").filter(|(_, all)| all.contains(waiting))
    });
    run.wait_for("a line of the log", |run| {
        let log = run.stderr();
        (log.contains("instruments wait for a book") && log.contains("BTCUSDT.BINANCE"))
            .then_some(())
    });
    assert!(books.qualities().is_empty(), "no row was ever whole");

    // A snapshot of the venue in the topic, as a recording of its feed has it, ends the wait.
    for symbol in ["BTCUSDT", "ETHUSDT"] {
        let url = format!(
            "http://{}/api/v3/depth?symbol={symbol}&limit=1000",
            books.exchange.address
        );
        let (status, body) = self::get(&url).expect("it listens");
        assert_eq!(status, 200, "{body}");
        let stream = symbol.to_lowercase();
        let snapshot = format!(r#"{{"stream":"{stream}@depth_snapshot","data":{body}}}"#);
        books
            .topics
            .fill(&books.input, [snapshot.as_str()].into_iter());
    }
    books.wait_for(&mut run, &NAMES, "ok", 0);
    run.wait_for("a report that it is ready", |_| {
        get("/readyz").filter(|(status, _)| *status == 200)
    });

    // A hole: the last signal says `gap`, once, and so it stays.
    books.has_hole.store(true, Ordering::Relaxed);
    std::thread::sleep(Duration::from_millis(500));
    books.has_hole.store(false, Ordering::Relaxed);
    run.wait_for("a last signal of quality gap", |_| {
        let all = books.qualities();
        (all[NAMES[0]].last().map(String::as_str) == Some("gap")).then_some(())
    });
    run.wait_for("a report that it is not ready", |_| {
        let (status, said) = get("/readyz")?;
        (status == 503 && said.contains("BTCUSDT") && !said.contains("ETHUSDT")).then_some(())
    });
    assert_eq!(run.terminate(), Some(0));
}

fn free_port() -> u16 {
    let any = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    any.local_addr().expect("it is bound").port()
}

/// Status and body; none where nobody listens.
fn get(url: &str) -> Option<(u16, String)> {
    let agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .build()
        .new_agent();
    let mut response = agent.get(url).call().ok()?;
    let status = response.status().as_u16();
    Some((status, response.body_mut().read_to_string().ok()?))
}
