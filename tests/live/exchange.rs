//! LiveRun runs with the simulated exchange on a socket, and faults of that exchange: signals get the right
//! quality, and the run recovers.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use foretick::clock;
use foretick::frame::Position;
use foretick::run::account::Account;
use foretick::run::live;
use foretick::run::live::{RunOptions, RunOutcome};
use foretick::run::replay;
use foretick::run::stop::StopFlag;
use foretick::signal::Signal;
use foretick::signal::quality::Quality;
use foretick::simulate::{Exchange, MarketSettings, SnapshotFault};
use foretick::sink::{DeadLetter, Sink, SinkError};
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::given::{self, Folder, PATIENCE};

/// An exchange, and a run that is connected to it.
struct LiveRun {
    exchange: Exchange,
    runtime: Runtime,
    signals: Signals,
    gaps: Gaps,
    stop: StopFlag,
    run: JoinHandle<RunOutcome>,
}

/// Instrument and quality of every signal so far.
type Signals = Arc<Mutex<Vec<(String, Quality)>>>;

/// Every gap record so far.
type Gaps = Arc<Mutex<Vec<Value>>>;

/// A sink that collects signals and gaps.
struct Collector(Signals, Gaps);

/// The imbalance of the book at each trade: a book with a gap shows in the next signal.
const PIPELINE: &str = r#"
name = "live"
[source]
kind = "websocket"
instruments = ["BTCUSDT.BINANCE", "ETHUSDT.BINANCE"]
[source.websocket]
tick_ms = 100
[row]
on = "trade"
stale_after_ms = 700
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

impl LiveRun {
    fn start(folder: &Folder, set: &[&str], capture: Option<PathBuf>) -> Self {
        Self::start_spoilt(folder, set, capture, &[])
    }

    /// The same at an exchange whose first snapshots of BTCUSDT have these faults.
    fn start_spoilt(
        folder: &Folder,
        set: &[&str],
        capture: Option<PathBuf>,
        faults: &[SnapshotFault],
    ) -> Self {
        let runtime = Runtime::new().expect("a runtime can be made");
        let anywhere = ([127, 0, 0, 1], 0).into();
        let exchange = runtime.block_on(Exchange::start(MarketSettings::default(), anywhere));
        let exchange = exchange.expect("the exchange opens");
        assert!(exchange.spoil_snapshots("BTCUSDT", faults));
        let addresses = [
            format!("source.websocket.url=ws://{}", exchange.address),
            format!("source.websocket.rest=http://{}", exchange.address),
        ];
        let mut all: Vec<&str> = addresses.iter().map(String::as_str).collect();
        all.extend_from_slice(set);
        let pipeline = folder.pipeline(PIPELINE, &all);
        let (signals, stop) = (Signals::default(), StopFlag::default());
        let gaps = Gaps::default();
        let sink = Box::new(Collector(Arc::clone(&signals), Arc::clone(&gaps)));
        let stopped = stop.clone();
        let run = std::thread::spawn(move || {
            let mut loaded = pipeline.load_model().expect("a sum needs no file");
            loaded.lineage.streams = pipeline.stream_names().expect("one venue");
            let options = RunOptions {
                capture,
                ..RunOptions::default()
            };
            live::run(&pipeline, &loaded, sink, &options, &stopped).expect("the run starts")
        });
        Self {
            exchange,
            runtime,
            signals,
            gaps,
            stop,
            run,
        }
    }

    fn count(&self) -> usize {
        self.signals.lock().expect("no holder panics").len()
    }

    /// Waits until both instruments have a signal of this quality after the first `from` signals. Returns the
    /// number of signals so far.
    fn wait_for(&self, quality: Quality, from: usize) -> usize {
        for name in ["BTCUSDT.BINANCE", "ETHUSDT.BINANCE"] {
            self.wait_for_one(name, quality, from);
        }
        self.count()
    }

    fn wait_for_one(&self, name: &str, quality: Quality, from: usize) -> usize {
        let began = clock::instant();
        loop {
            let signals = self.signals.lock().expect("no holder panics");
            let is_it = |one: &(String, Quality)| one.0 == name && one.1 == quality;
            if let Some(at) = signals[from..].iter().position(is_it) {
                return from + at;
            }
            assert!(
                began.elapsed() < PATIENCE,
                "{name} never became {quality:?}: {:?}",
                &signals[from..signals.len().min(from + 40)]
            );
            drop(signals);
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn wait_until(&self, what: &str, happened: impl Fn(&Self) -> bool) {
        let began = clock::instant();
        while !happened(self) {
            assert!(began.elapsed() < PATIENCE, "no {what}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn end(self) -> RunOutcome {
        self.end_with(|frames| assert_eq!(frames.dropped, 0, "{frames:?}"))
    }

    /// Ends the run; `check` looks at the frames that were dropped.
    fn end_with(self, check: impl FnOnce(&Account)) -> RunOutcome {
        self.stop.set();
        let ended = self.run.join().expect("a run does not panic");
        self.runtime.block_on(self.exchange.stop());
        assert!(ended.failure.is_none(), "{:?}", ended.failure);
        let frames = &ended.summary.frames;
        assert!(frames.balances(), "{frames:?}");
        assert_eq!(frames.dead_lettered, 0, "{frames:?}");
        check(frames);
        assert_eq!(
            ended.summary.signals as usize,
            self.signals.lock().expect("no holder panics").len()
        );
        ended
    }
}

impl Sink for Collector {
    fn signal(&mut self, signal: &Signal, instrument: &str) -> Result<(), SinkError> {
        let mut signals = self.0.lock().expect("no holder panics");
        signals.push((instrument.to_owned(), signal.quality));
        Ok(())
    }

    fn dead_letter(&mut self, _: &DeadLetter<'_>) -> Result<(), SinkError> {
        Ok(())
    }

    fn gap(&mut self, key: &str, record: &[u8]) -> Result<(), SinkError> {
        let record: Value = serde_json::from_slice(record).expect("a record is JSON");
        assert_eq!(record["instrument"], key);
        self.1.lock().expect("no holder panics").push(record);
        Ok(())
    }

    fn mark(&mut self, _: &[Position]) {}

    fn acknowledged(&mut self, _: &mut Vec<Position>) -> Result<(), SinkError> {
        Ok(())
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        Ok(())
    }

    fn keeps_dead_letters(&self) -> bool {
        false
    }
}

#[test]
fn a_capture_of_a_run_replays_to_the_same_signals() {
    let folder = Folder::new("exchange-capture");
    for (shards, recovers) in [("engine.shards=1", true), ("engine.shards=2", false)] {
        let capture = folder.path("run.zst");
        let live = LiveRun::start(&folder, &[shards], Some(capture.clone()));
        let ok = live.wait_for(Quality::Ok, 0);
        // With a fault, because a capture keeps gaps too.
        assert!(live.exchange.skip_depth("BTCUSDT", 1));
        let gap = live.wait_for_one("BTCUSDT.BINANCE", Quality::Gap, ok);
        if recovers {
            live.wait_for_one("BTCUSDT.BINANCE", Quality::Ok, gap);
            live.exchange.drop_connections();
            let lost = live.wait_for(Quality::Gap, live.count());
            live.wait_for(Quality::Ok, lost);
        }
        let gaps = Arc::clone(&live.gaps);
        let ended = live.end();
        let again_gaps = folder.path("gaps.jsonl");
        let pipeline = folder.pipeline(PIPELINE, &[]);
        let options = replay::ReplayOptions {
            inputs: vec![capture],
            gaps: Some(again_gaps),
            ..replay::ReplayOptions::default()
        };
        let again = replay::replay(&pipeline, &options).expect("a capture can be replayed");
        assert_eq!(again.signals, ended.summary.signals, "{shards}");
        assert_eq!(again.digest, ended.summary.digest, "{shards}");
        let gaps = gaps.lock().expect("no holder panics");
        assert_eq!(
            without_source(&gaps),
            without_source(&given::json_lines(&folder.read("gaps.jsonl"))),
            "{shards}"
        );
        let closed = gaps.iter().filter(|gap| gap["state"] == "closed");
        // The lost diff, and both books after the lost connection.
        let least = if recovers { 3 } else { 0 };
        assert!(closed.count() >= least && !gaps.is_empty(), "{gaps:?}");
    }
}

/// Gap records by instrument, each in its order, without the address of their frames.
fn without_source(gaps: &[Value]) -> Vec<Value> {
    let mut gaps = gaps.to_vec();
    for gap in &mut gaps {
        gap.as_object_mut().expect("a record").remove("source");
    }
    gaps.sort_by_key(|gap| gap["instrument"].to_string());
    gaps
}

#[test]
fn a_lost_connection_is_a_gap_until_the_run_has_reconnected() {
    let folder = Folder::new("exchange-lost");
    let live = LiveRun::start(&folder, &[], None);
    let ok = live.wait_for(Quality::Ok, 0);
    live.exchange.drop_connections();
    let gap = live.wait_for(Quality::Gap, ok);
    live.wait_for(Quality::Ok, gap);
    let ended = live.end();
    assert!(
        ended.summary.events.engine.gaps > 0,
        "{:?}",
        ended.summary.events
    );
}

#[test]
fn a_lost_diff_is_a_gap_of_its_instrument_until_a_snapshot_arrives() {
    let folder = Folder::new("exchange-diff");
    let live = LiveRun::start(&folder, &[], None);
    let ok = live.wait_for(Quality::Ok, 0);
    assert!(live.exchange.skip_depth("BTCUSDT", 3));
    let gap = live.wait_for_one("BTCUSDT.BINANCE", Quality::Gap, ok);
    let recovered = live.wait_for_one("BTCUSDT.BINANCE", Quality::Ok, gap);
    let signals = live.signals.lock().unwrap().clone();
    let other = signals[ok..recovered]
        .iter()
        .filter(|one| one.0 == "ETHUSDT.BINANCE");
    let gapped = other.filter(|one| one.1 == Quality::Gap).count();
    assert_eq!(gapped, 0, "the other instrument has no gap");
    let ended = live.end();
    assert!(ended.summary.events.engine.missing > 0);
}

#[test]
fn a_lost_snapshot_is_requested_again_without_a_reconnect() {
    let folder = Folder::new("exchange-snapshot");
    let faults = [SnapshotFault::Forbidden, SnapshotFault::Padded(200_000)];
    let set = ["source.max_frame_bytes=150000", "engine.ring_frames=1024"];
    let live = LiveRun::start_spoilt(&folder, &set, None, &faults);
    live.wait_for_one("BTCUSDT.BINANCE", Quality::Ok, 0);
    assert_eq!(live.exchange.connections(), 1);
    let ended = live.end_with(|frames| assert_eq!(frames.dropped, 1, "the padded one: {frames:?}"));
    assert_eq!(ended.summary.events.engine.gaps, 0);
}

#[test]
fn a_silent_exchange_makes_stale_signals() {
    let folder = Folder::new("exchange-silent");
    let live = LiveRun::start(&folder, &[], None);
    let ok = live.wait_for(Quality::Ok, 0);
    live.exchange.go_silent(true);
    let stale = live.wait_for(Quality::Stale, ok);
    live.exchange.go_silent(false);
    live.wait_for(Quality::Ok, stale);
    live.end();
}

#[test]
fn a_silent_connection_is_replaced() {
    let folder = Folder::new("exchange-idle");
    let live = LiveRun::start(&folder, &["source.websocket.silent_ms=800"], None);
    let ok = live.wait_for(Quality::Ok, 0);
    live.exchange.go_silent(true);
    let stale = live.wait_for(Quality::Stale, ok);
    let connections = live.exchange.connections();
    live.wait_until("a new connection", |live| {
        live.exchange.connections() > connections
    });
    live.exchange.go_silent(false);
    let gap = live.wait_for(Quality::Gap, stale);
    live.wait_for(Quality::Ok, gap);
    live.end();
}

#[test]
fn instruments_of_no_known_venue_are_refused_in_the_same_words() {
    let folder = Folder::new("exchange-none");
    for (instruments, said) in [
        ("[]", "a websocket needs `instruments`"),
        (r#"["BTCUSDT"]"#, "did you mean BTCUSDT.BINANCE"),
        (
            r#"["BTCUSDT.BINANCE", "ETHUSDT.NOWHERE"]"#,
            "did you mean ETHUSDT.BINANCE",
        ),
        (r#"["btcusdt.BINANCE"]"#, "did you mean BTCUSDT.BINANCE?"),
    ] {
        let text = PIPELINE.replace(r#"["BTCUSDT.BINANCE", "ETHUSDT.BINANCE"]"#, instruments);
        let path = folder.write("pipeline.toml", text);
        let run = given::foretick(&["run".into(), path.clone(), "--seconds".into(), "1".into()]);
        assert_eq!(run.code, Some(2), "{}", run.stderr);
        assert!(run.stderr.contains(said), "{}", run.stderr);
        let check = given::foretick(&["check".into(), path, "--offline".into()]);
        assert_eq!((check.code, &check.stderr), (Some(2), &run.stderr));
        let older = folder.write("older", "1 {}\n");
        let pipeline = folder.path("pipeline.toml");
        let args = [
            "record".into(),
            pipeline,
            "--output".into(),
            older,
            "--force".into(),
        ];
        let record = given::foretick(&args);
        assert_eq!((record.code, &record.stderr), (Some(2), &run.stderr));
        assert_eq!(folder.read("older"), "1 {}\n", "an older capture is kept");
    }
}
