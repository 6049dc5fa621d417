//! `foretick record` and `run --capture` at the simulated exchange: sessions, rotation, crashes, full disks.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use foretick::clock;
use foretick::decode::Decoder;
use foretick::engine::book::{Applied, Book};
use foretick::event::{Batch, Body};
use foretick::frame::{Origin, split_stamp};
use foretick::instrument::Instruments;
use foretick::simulate::broker::EmbeddedBroker;
use foretick::simulate::{Exchange, MarketSettings};
use foretick::units::Nanos;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use serde_json::Value;
use tokio::runtime::Runtime;

use super::child::RunningProcess;
use crate::given::{self, Folder, PATIENCE, Run};
use crate::needs;

/// Imbalance and mid of the book at each trade, of two instruments.
const PIPELINE: &str = r#"
name = "captured"
[source]
kind = "websocket"
instruments = ["BTCUSDT.BINANCE", "ETHUSDT.BINANCE"]
[source.websocket]
tick_ms = 100
[row]
on = "trade"
stale_after_ms = 2000
[[feature]]
name = "imbalance"
kind = "queue_imbalance"
levels = 3
[[feature]]
name = "mid"
kind = "mid"
[model]
kind = "sum"
[metrics]
listen = ""
"#;

struct Venue {
    exchange: Exchange,
    runtime: Runtime,
}

impl Venue {
    fn start() -> Self {
        let runtime = Runtime::new().expect("a runtime can be made");
        let anywhere = ([127, 0, 0, 1], 0).into();
        let exchange = runtime.block_on(Exchange::start(MarketSettings::default(), anywhere));
        let exchange = exchange.expect("the exchange opens");
        Self { exchange, runtime }
    }

    fn pipeline(&self, folder: &Folder) -> PathBuf {
        let address = self.exchange.address;
        let urls =
            format!("[source.websocket]\nurl = \"ws://{address}\"\nrest = \"http://{address}\"");
        folder.write(
            "pipeline.toml",
            PIPELINE.replace("[source.websocket]", &urls),
        )
    }

    fn stop(self) {
        self.runtime.block_on(self.exchange.stop());
    }
}

fn arguments(words: &[&str], paths: &[(&str, &Path)]) -> Vec<String> {
    let mut all: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
    for (option, path) in paths {
        all.extend((!option.is_empty()).then(|| (*option).to_owned()));
        all.push(path.to_str().expect("plain names").to_owned());
    }
    all
}

/// Files of the folder whose names begin so, in their order.
fn files(folder: &Folder, begin: &str) -> Vec<PathBuf> {
    let all = fs::read_dir(folder.path("")).expect("it is there");
    let all = all.map(|file| file.expect("it is readable").path());
    let name = |path: &PathBuf| {
        path.file_name()
            .expect("it has one")
            .to_string_lossy()
            .into_owned()
    };
    let mut found: Vec<PathBuf> = all.filter(|path| name(path).starts_with(begin)).collect();
    found.sort();
    found.retain(|path| !name(path).ends_with(".idx"));
    found
}

/// Signals of a file by instrument and time: quality and score.
fn signals(path: &Path) -> BTreeMap<(String, i64), (String, String)> {
    let text = fs::read_to_string(path).expect("it was written");
    let signals = text.lines().map(|line| {
        let signal: Value = serde_json::from_str(line).expect("a signal");
        let text = |name: &str| signal[name].to_string();
        let key = (
            text("instrument"),
            signal["ts_event"].as_i64().expect("a time"),
        );
        (key, (text("quality"), text("scores")))
    });
    signals.collect()
}

/// Replays captures; gives the summary.
fn replay(pipeline: &Path, inputs: &[PathBuf], more: &[&str]) -> (Value, Run) {
    let mut args = arguments(&["replay"], &[("", pipeline)]);
    args.push("--input".into());
    args.extend(
        inputs
            .iter()
            .map(|input| input.to_str().expect("plain names").to_owned()),
    );
    args.extend(more.iter().map(|&word| word.to_owned()));
    args.push("--json".into());
    let run = given::foretick(&args);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    (serde_json::from_str(&run.stdout).expect("a summary"), run)
}

fn inspect(inputs: &[PathBuf]) -> (Value, Run) {
    let mut args = vec!["inspect".to_owned(), "--json".to_owned()];
    args.extend(
        inputs
            .iter()
            .map(|input| input.to_str().expect("plain names").to_owned()),
    );
    let run = given::foretick(&args);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    (serde_json::from_str(&run.stdout).expect("a report"), run)
}

fn lines(path: &Path) -> usize {
    fs::read_to_string(path).map_or(0, |text| text.lines().count())
}

fn wait_for(what: &str, happened: impl Fn() -> bool) {
    let began = clock::instant();
    while !happened() {
        assert!(began.elapsed() < PATIENCE, "no {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_replay_equals_the_run_that_captured_with_lost_connections_and_rotated_files() {
    let folder = Folder::new("captures-run");
    let venue = Venue::start();
    let pipeline = venue.pipeline(&folder);
    let mut sessions = vec![];
    for (number, shards) in ["1", "2", "1"].into_iter().enumerate() {
        let (output, capture) = (
            folder.path(&format!("live-{number}.jsonl")),
            folder.path("cap-%Y%m%d-%H%M%S.zst"),
        );
        let before = files(&folder, "cap-");
        let mut args = arguments(
            &["run"],
            &[
                ("", &pipeline),
                ("--output", &output),
                ("--capture", &capture),
            ],
        );
        args.extend(["--json", "--set"].map(String::from));
        args.push(format!("engine.shards={shards}"));
        let mut run = RunningProcess::start(&args);
        wait_for("signals", || lines(&output) > 200);
        venue.exchange.skip_depth("BTCUSDT", 2);
        let connections = venue.exchange.connections();
        venue.exchange.drop_connections();
        wait_for("reconnect", || venue.exchange.connections() > connections);
        let some = lines(&output);
        wait_for("signals", || lines(&output) > some + 300);
        assert_eq!(run.terminate(), Some(0), "{}", run.stderr());
        let live: Value = serde_json::from_str(run.stdout().trim()).expect("a summary");
        let written: Vec<PathBuf> = files(&folder, "cap-")
            .into_iter()
            .filter(|file| !before.contains(file))
            .collect();
        assert!(written.len() > 1, "another file each second: {written:?}");
        // Also where the files are given in another order.
        let mut turned = written.clone();
        turned.reverse();
        for inputs in [&written, &turned] {
            let (again, _) = replay(&pipeline, inputs, &[]);
            assert_eq!(again["digest"], live["digest"], "{shards} shards");
            assert_eq!(again["signals"], live["signals"]);
            // Of a gap of the feed each shard counts one.
            let (live, again) = (&live["events"]["gaps"], &again["events"]["gaps"]);
            assert!(shards == "2" || again == live, "{again} of {live}");
        }
        sessions.push(written);
    }
    // Several sessions in a row: a gap lies between two of them.
    let alone: u64 = sessions.iter().map(|files| gaps(files)).sum();
    let all: Vec<PathBuf> = sessions.concat();
    assert_eq!(gaps(&all), alone + 2);
    let (together, _) = replay(&pipeline, &all, &[]);
    let joined = folder.path("joined.zst");
    fs::write(
        &joined,
        all.iter()
            .flat_map(|file| fs::read(file).unwrap())
            .collect::<Vec<u8>>(),
    )
    .expect("the folder takes files");
    let (again, _) = replay(&pipeline, &[joined], &[]);
    assert_eq!(again["digest"], together["digest"]);
    venue.stop();
}

fn gaps(inputs: &[PathBuf]) -> u64 {
    let (report, _) = inspect(inputs);
    report["events"]["gap"].as_u64().unwrap_or(0)
}

#[test]
fn a_recording_repairs_books_tells_of_connections_and_agrees_with_a_run_beside_it() {
    let folder = Folder::new("captures-record");
    let venue = Venue::start();
    let pipeline = venue.pipeline(&folder);
    let (output, capture) = (folder.path("live.jsonl"), folder.path("feed.zst"));
    let mut record = RunningProcess::start(&arguments(
        &["record"],
        &[("", &pipeline), ("--output", &capture)],
    ));
    let mut run = RunningProcess::start(&arguments(
        &["run"],
        &[("", &pipeline), ("--output", &output)],
    ));
    wait_for("signals", || lines(&output) > 200);
    assert!(venue.exchange.skip_depth("BTCUSDT", 2));
    let some = lines(&output);
    wait_for("signals", || lines(&output) > some + 300);
    let connections = venue.exchange.connections();
    venue.exchange.drop_connections();
    wait_for("reconnects", || {
        venue.exchange.connections() > connections + 1
    });
    let some = lines(&output);
    wait_for("signals", || lines(&output) > some + 300);
    assert_eq!(run.terminate(), Some(0), "{}", run.stderr());
    assert_eq!(record.terminate(), Some(0), "{}", record.stderr());
    assert!(record.stdout().contains("frames in"), "{}", record.stdout());

    let (report, _) = inspect(std::slice::from_ref(&capture));
    let count = |kind: &str| report["events"][kind].as_u64().unwrap_or(0);
    assert_eq!(count("connection_opened"), 2, "{report}");
    assert_eq!(count("connection_ended"), 2, "{report}");
    // Two at each of the connections, and one for the book with a gap.
    assert!(count("snapshot") >= 5, "{report}");
    let replayed = folder.path("again.jsonl");
    replay(
        &pipeline,
        std::slice::from_ref(&capture),
        &["--output", replayed.to_str().unwrap()],
    );
    let (live, again) = (signals(&output), signals(&replayed));
    let is_ok = |signal: &(String, String)| signal.0.contains("ok");
    let both = live.iter().filter_map(|(key, signal)| {
        let other = again.get(key)?;
        (is_ok(signal) && is_ok(other)).then_some((key, signal, other))
    });
    let both: Vec<_> = both.collect();
    assert!(both.len() > 400, "{} signals are ok in both", both.len());
    let last = live.keys().rev().find(|(name, _)| name.contains("BTC"));
    let ok_after = again
        .iter()
        .filter(|((name, _), signal)| name.contains("BTC") && is_ok(signal));
    let last_ok = ok_after.map(|((_, ts), _)| *ts).max().expect("some are ok");
    assert!(
        last.expect("some").1 - last_ok < 2_000_000_000,
        "the book was repaired"
    );
    for (key, signal, other) in both {
        assert_eq!(signal.1, other.1, "{key:?}");
    }
    venue.stop();
}

#[test]
fn a_killed_recording_is_read_up_to_its_end_and_never_replaced() {
    let folder = Folder::new("captures-killed");
    let venue = Venue::start();
    let pipeline = venue.pipeline(&folder);
    for (name, read) in [
        ("cap-%Y.zst", "cap-"),
        ("plain.jsonl", "plain"),
        ("packed.gz", "packed"),
    ] {
        let capture = folder.path(name);
        let args = arguments(&["record"], &[("", &pipeline), ("--output", &capture)]);
        let record = RunningProcess::start(&args);
        let began = clock::instant();
        wait_for("bytes", || {
            files(&folder, read).first().is_some_and(|file| {
                fs::metadata(file).is_ok_and(|file| file.len() > 20_000)
                    && began.elapsed() > Duration::from_secs(4)
            })
        });
        let killed_at = clock::now();
        // SIGKILL
        drop(record);
        let file = files(&folder, read).remove(0);
        let (report, _) = inspect(std::slice::from_ref(&file));
        let last = report["received"][1].as_i64().expect("times");
        assert!(
            killed_at.0 - last < 1_500_000_000,
            "{name}: the last second is there"
        );
        // Wherever it is cut, all whole frames before are read.
        let whole = fs::read(&file).unwrap();
        let mut frames = 0;
        for part in [whole.len() / 2 + 1, whole.len() * 3 / 4, whole.len() - 1] {
            // Behind a whole line nothing is cut.
            let part = part - usize::from(whole[part - 1] == b'\n');
            let cut = folder.write("cut", &whole[..part]);
            let (report, run) = inspect(&[cut]);
            let read = report["frames"].as_u64().unwrap();
            assert!(read >= frames && read > 0, "{name}: {read} of {part} bytes");
            assert!(
                run.stderr.contains("ends within a frame"),
                "{name}: {}",
                run.stderr
            );
            assert!(report["errors"].as_object().unwrap().is_empty(), "{report}");
            frames = read;
        }
        // Damage in the middle is none that a crash makes.
        if !name.contains("plain") {
            let mut spoilt = whole.clone();
            let middle = spoilt.len() / 2;
            spoilt[middle..middle + 400].fill(0x55);
            let spoilt = folder.write("spoilt", spoilt);
            let run = given::foretick(&["inspect".into(), spoilt]);
            assert_eq!(run.code, Some(1), "{name}: {}", run.stdout);
        }
        if name.contains('%') {
            let mut more = args.clone();
            more.extend(["--seconds", "1"].map(String::from));
            let run = given::foretick(&more);
            assert_eq!(run.code, Some(0), "{}", run.stderr);
            assert!(run.stdout.contains("_001.zst"), "{}", run.stdout);
            assert_eq!(fs::read(&file).unwrap(), whole, "it is as it was");
        }
    }
    venue.stop();
}

#[test]
fn files_of_a_recording_have_the_size_that_was_asked_for() {
    let folder = Folder::new("captures-size");
    let venue = Venue::start();
    let pipeline = venue.pipeline(&folder);
    let capture = folder.path("cap.jsonl");
    let mut args = arguments(&["record"], &[("", &pipeline), ("--output", &capture)]);
    args.extend(["--rotate-bytes", "60000", "--seconds", "4"].map(String::from));
    let run = given::foretick(&args);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let written = files(&folder, "cap");
    assert!(written.len() > 2, "{written:?}");
    for file in &written[..written.len() - 1] {
        let bytes = fs::metadata(file).unwrap().len();
        assert!((60_000..400_000).contains(&bytes), "{bytes}");
    }
    let (report, _) = inspect(&written);
    let frames = format!("{} frames in {} files", report["frames"], written.len());
    assert!(run.stdout.starts_with(&frames), "{frames}: {}", run.stdout);
    assert_eq!(report["gaps"], 0, "{report}");
    venue.stop();
}

/// Runs the command where no file may have more than 100 KiB, as on a disk that is full then.
fn limited(args: &[String]) -> Run {
    let script = "trap '' XFSZ; ulimit -f 200; exec \"$0\" \"$@\"";
    let mut command = Command::new("sh");
    command.args(["-c", script, env!("CARGO_BIN_EXE_foretick")]);
    given::run(command.args(args))
}

#[test]
fn a_full_disk_ends_a_recording_but_no_run() {
    let folder = Folder::new("captures-full");
    let venue = Venue::start();
    let pipeline = venue.pipeline(&folder);
    let capture = folder.path("record.jsonl");
    let mut args = arguments(&["record"], &[("", &pipeline), ("--output", &capture)]);
    args.extend(["--seconds", "100"].map(String::from));
    let run = limited(&args);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    for word in ["record.jsonl", "are kept", "File too large"] {
        assert!(run.stderr.contains(word), "{}", run.stderr);
    }
    let (report, _) = inspect(&[capture]);
    assert!(report["frames"].as_u64().unwrap() > 50, "{report}");

    let capture = folder.path("run.jsonl");
    let mut args = arguments(
        &["run"],
        &[
            ("", &pipeline),
            ("--output", Path::new("/dev/null")),
            ("--capture", &capture),
        ],
    );
    args.extend(["--seconds", "5", "--json"].map(String::from));
    let run = limited(&args);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(run.stderr.contains("goes on without it"), "{}", run.stderr);
    let summary: Value = serde_json::from_str(&run.stdout).expect("a summary");
    let failure = summary["capture_failure"].as_str().expect("it is told");
    assert!(failure.contains("run.jsonl"), "{failure}");
    let (report, _) = inspect(&[capture]);
    let (captured, used) = (&report["frames"], &summary["frames"]["used"]);
    assert!(captured.as_u64() < used.as_u64(), "{captured} of {used}");
    venue.stop();
}

#[test]
fn records_of_a_feed_make_the_same_books_on_an_embedded_broker() {
    let topics = ["md.trades.v1", "md.quotes.v1", "md.book.v1"];
    let broker = EmbeddedBroker::start(&topics.map(|topic| (topic, 2))).expect("it starts");
    records_make_the_same_books("captures-embedded", &broker.bootstrap());
}

#[test]
fn records_of_a_feed_make_the_same_books_on_kafka() {
    if let Some(bootstrap) = needs::kafka("records_of_a_feed_make_the_same_books_on_kafka") {
        records_make_the_same_books("captures-kafka", &bootstrap);
    }
}

/// Publishes a feed with faults, and rebuilds its books from the topics and from its capture.
fn records_make_the_same_books(test: &str, bootstrap: &str) {
    let folder = Folder::new(test);
    let venue = Venue::start();
    let pipeline = venue.pipeline(&folder);
    let capture = folder.path("feed.jsonl");
    let began = clock::now();
    let mut args = arguments(
        &["record", "--to", "kafka"],
        &[("", &pipeline), ("--output", &capture)],
    );
    args.extend(["--set".to_owned(), format!("kafka.bootstrap={bootstrap:?}")]);
    let mut record = RunningProcess::start(&args);
    wait_for("frames", || lines(&capture) > 300);
    venue.exchange.skip_depth("BTCUSDT", 2);
    let some = lines(&capture);
    wait_for("frames", || lines(&capture) > some + 300);
    let connections = venue.exchange.connections();
    venue.exchange.drop_connections();
    wait_for("reconnect", || venue.exchange.connections() > connections);
    let some = lines(&capture);
    wait_for("frames", || lines(&capture) > some + 500);
    assert_eq!(record.terminate(), Some(0), "{}", record.stderr());
    let published = record.stdout();
    let published = published.lines().nth(1).expect("two lines");
    let count: usize = published
        .split(' ')
        .next()
        .unwrap_or_default()
        .parse()
        .expect("a number");
    venue.stop();

    let records = published_since(bootstrap, began, count);
    let (mut own, mut readers) = (Books::default(), Books::default());
    for line in fs::read_to_string(&capture)
        .expect("it was written")
        .lines()
    {
        own.take(line.as_bytes());
    }
    for (topic, key, payload) in &records {
        let value: Value = serde_json::from_slice(payload).expect("JSON");
        assert_eq!(value["symbol"], **key, "{value}");
        assert!(schema(topic).is_valid(&value), "{topic}: {value}");
        readers.take(payload);
    }
    assert!(
        readers.gaps >= 3,
        "BTCUSDT once, and both where the connection was lost"
    );
    assert_eq!(readers.trades, own.trades);
    for name in ["BTCUSDT.BINANCE", "ETHUSDT.BINANCE"] {
        let (own, readers) = (&own.books[name], &readers.books[name]);
        assert!(own.is_live() && readers.is_live(), "{name}");
        assert!(
            own.bids().eq(readers.bids()) && own.asks().eq(readers.asks()),
            "{name}"
        );
    }
}

fn schema(topic: &str) -> jsonschema::Validator {
    let path = given::repository(&format!("schemas/{topic}.json"));
    let text = fs::read_to_string(path).expect("a schema");
    let schema = serde_json::from_str(&text).expect("JSON");
    jsonschema::validator_for(&schema).expect("a schema")
}

/// Books and trades as a reader of messages has them.
struct Books {
    decoder: Decoder,
    batch: Batch,
    books: BTreeMap<String, Book>,
    trades: Vec<(String, u64)>,
    gaps: u64,
}

impl Default for Books {
    fn default() -> Self {
        Self {
            decoder: Decoder::new(Instruments::new(&[], 99), 1 << 20),
            batch: Batch::default(),
            books: BTreeMap::new(),
            trades: vec![],
            gaps: 0,
        }
    }
}

impl Books {
    fn take(&mut self, message: &[u8]) {
        self.batch.clear();
        let (_, message) = split_stamp(message);
        let origin = Origin {
            ts_recv: Nanos(1),
            offset: 0,
            partition: 0,
            stream: 0,
            late: false,
            reprocessed: false,
        };
        self.decoder
            .decode(origin, message, &mut self.batch)
            .expect("all is readable");
        for event in &self.batch.events {
            match &event.body {
                Body::Gap(_) => self.books.values_mut().for_each(Book::freeze),
                Body::Trade(trade) => {
                    let name = self.decoder.instruments().name(event.instrument);
                    self.trades.push((name.to_owned(), trade.trade_id));
                    self.trades.sort();
                }
                Body::Depth(depth) => {
                    let name = self.decoder.instruments().name(event.instrument);
                    let book = self.books.entry(name.to_owned()).or_default();
                    let (bids, asks) = self.batch.levels(depth);
                    let applied = book.apply(depth, bids, asks, event.ts_event);
                    self.gaps += u64::from(matches!(applied, Applied::Gap { .. }));
                }
                _ => {}
            }
        }
    }
}

/// Topic, key and payload of so many records that were published since then; each topic's in its order.
fn published_since(bootstrap: &str, since: Nanos, count: usize) -> Vec<(String, String, Vec<u8>)> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", bootstrap)
        .set("group.id", format!("captures-{}", since.0))
        .set("auto.offset.reset", "earliest")
        .create()
        .expect("a consumer can be made");
    let topics = ["md.trades.v1", "md.quotes.v1", "md.book.v1"];
    consumer.subscribe(&topics).expect("the topics are there");
    let (mut records, at_first) = (vec![], clock::instant());
    while records.len() < count {
        assert!(
            at_first.elapsed() < PATIENCE,
            "{} of {count}",
            records.len()
        );
        let Some(message) = consumer.poll(Duration::from_millis(100)) else {
            continue;
        };
        let message = message.expect("the broker answers");
        let payload = message.payload().expect("no tombstones").to_vec();
        let value: Value = serde_json::from_slice(&payload).expect("JSON");
        if value["ts_recv"].as_i64().is_some_and(|ts| ts < since.0) {
            continue;
        }
        let key = String::from_utf8_lossy(message.key().expect("a key")).into_owned();
        records.push((message.topic().to_owned(), key, payload));
    }
    records
}
