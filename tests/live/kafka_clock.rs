//! Time and a Kafka source: silence makes `stale` signals by ticks that a capture holds, old records make
//! none while they flow, and what leaves too late is `late`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use foretick::clock;
use rdkafka::message::Message;
use serde_json::{Value, json};

use super::child::RunningProcess;
use super::topics::Topics;
use crate::given::{self, Folder};
use crate::needs;

/// The mid on each trade.
const MID: &str = r#"
name = "mid"
[row]
on = "trade"
stale_after_ms = 3_000
[[feature]]
name = "mid"
kind = "mid"
[model]
kind = "sum"
normalise = "none"
"#;

const NAMES: [&str; 3] = ["A.X", "B.X", "C.X"];

/// A quote and a trade of each of these instruments, at this time and received then.
fn market(names: &[&str], ts: i64) -> Vec<String> {
    let records = |name: &&str| {
        let quote = json!({"ts_event": ts, "ts_recv": ts, "symbol": name, "bid_px": 10, "bid_sz": 1,
            "ask_px": 11, "ask_sz": 1});
        let trade = json!({"ts_event": ts, "ts_recv": ts, "symbol": name, "price": 10, "size": 1, "side": "buy"});
        [quote.to_string(), trade.to_string()]
    };
    names.iter().flat_map(records).collect()
}

fn now() -> i64 {
    clock::now().0
}

struct Live {
    topics: Topics,
    input: String,
    output: String,
    pipeline: PathBuf,
}

impl Live {
    fn new(bootstrap: String, folder: &Folder, test: &str) -> Self {
        let mut topics = Topics::new(bootstrap, test);
        Self {
            input: topics.make("in", 4),
            output: topics.make("out", 1),
            topics,
            pipeline: folder.write("pipeline.toml", MID),
        }
    }

    fn send(&self, records: &[String]) {
        let records = records.iter().map(String::as_str);
        self.topics.fill(&self.input, records);
    }

    fn start(&self, set: &[&str], capture: Option<&Path>) -> RunningProcess {
        let mut args = vec!["run".into(), self.pipeline.clone(), "--json".into()];
        if let Some(capture) = capture {
            args.extend(["--capture".into(), capture.to_owned()]);
        }
        let own = [
            format!("source.topics=[{:?}]", self.input),
            "source.kind=kafka".to_owned(),
            "source.start=earliest".to_owned(),
            "source.tick_ms=100".to_owned(),
            "sink.kind=kafka".to_owned(),
            format!("sink.topic={:?}", self.output),
            format!("kafka.bootstrap={:?}", self.topics.bootstrap),
            format!("kafka.group={:?}", self.topics.name("group")),
            "metrics.listen=\"\"".to_owned(),
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

    /// Waits until the last signal of each of these instruments has this quality.
    fn wait_for_last(&self, run: &mut RunningProcess, names: &[&str], quality: &str) {
        run.wait_for(quality, |_| {
            let all = self.qualities();
            let last = |name: &&str| all.get(*name).and_then(|one| one.last()).cloned();
            let is_so = |name: &&str| last(name).as_deref() == Some(quality);
            names.iter().all(is_so).then_some(())
        });
    }
}

#[test]
fn silence_makes_stale_signals_that_a_replay_of_the_capture_makes_too() {
    let Some(bootstrap) =
        needs::kafka("silence_makes_stale_signals_that_a_replay_of_the_capture_makes_too")
    else {
        return;
    };
    for shards in ["1", "2"] {
        let folder = Folder::new(&format!("kafka-silence-{shards}"));
        let live = Live::new(bootstrap.clone(), &folder, &format!("silence-{shards}"));
        let capture = folder.path("run.capture");
        let shards = format!("engine.shards={shards}");
        let mut run = live.start(&["engine.late_after_ms=0", &shards], Some(&capture));
        let began = clock::instant();
        live.send(&market(&NAMES, now()));
        // Two go on, one falls silent.
        while began.elapsed() < Duration::from_secs(6) {
            std::thread::sleep(Duration::from_millis(200));
            live.send(&market(&NAMES[1..], now()));
        }
        live.wait_for_last(&mut run, &NAMES[..1], "stale");
        let before = live.qualities();
        live.wait_for_last(&mut run, &NAMES, "stale");
        assert_eq!(run.terminate(), Some(0));
        let summary: Value = serde_json::from_str(&run.stdout()).expect("a summary in JSON");
        for name in &NAMES[1..] {
            let ok = before[*name].iter().all(|quality| quality == "ok");
            assert!(ok, "{name} went on: {:?}", before[*name]);
        }
        for (name, qualities) in live.qualities() {
            let stale = qualities.iter().filter(|quality| *quality == "stale");
            assert_eq!(stale.count(), 1, "{name}: {qualities:?}");
        }
        let frames = &summary["frames"];
        let used = frames["used"].as_u64().expect("a number");
        assert_eq!(frames["in"].as_u64(), Some(used), "ticks add up: {frames}");

        let args = [
            "replay".as_ref(),
            live.pipeline.as_os_str(),
            "--input".as_ref(),
            capture.as_os_str(),
            "--json".as_ref(),
        ];
        let replay = given::foretick(&args);
        assert_eq!(replay.code, Some(0), "{}", replay.stderr);
        let replayed: Value = serde_json::from_str(&replay.stdout).expect("a summary in JSON");
        assert_eq!(replayed["digest"], summary["digest"], "{shards}");
        assert_eq!(replayed["signals"], summary["signals"], "{shards}");
    }
}

#[test]
fn old_records_are_not_stale_while_they_flow() {
    let Some(bootstrap) = needs::kafka("old_records_are_not_stale_while_they_flow") else {
        return;
    };
    let folder = Folder::new("kafka-old");
    let live = Live::new(bootstrap, &folder, "old");
    let mut run = live.start(&["engine.late_after_ms=0"], None);
    // A day of 2023 goes on at its own pace.
    let (begin, day) = (now(), 1_700_000_000_000_000_000);
    for _ in 0..15 {
        live.send(&market(&NAMES, day + now() - begin));
        std::thread::sleep(Duration::from_millis(200));
    }
    run.wait_for("signals", |_| (live.qualities().len() == 3).then_some(()));
    let flowing = live.qualities();
    for (name, qualities) in &flowing {
        let are_ok = qualities.iter().all(|quality| quality == "ok");
        assert!(are_ok && qualities.len() > 5, "{name}: {qualities:?}");
    }
    // Then they end.
    live.wait_for_last(&mut run, &NAMES, "stale");
    assert_eq!(run.terminate(), Some(0));
}

#[test]
fn signals_of_records_that_have_waited_are_late() {
    let Some(bootstrap) = needs::kafka("signals_of_records_that_have_waited_are_late") else {
        return;
    };
    let folder = Folder::new("kafka-late");
    let live = Live::new(bootstrap, &folder, "late");
    let without_receive_time = |ts: i64| -> Vec<String> {
        let records = market(&NAMES[..1], ts);
        let strip = |record: &String| record.replace(&format!("\"ts_recv\":{ts},"), "");
        records.iter().map(strip).collect()
    };
    // Written while nobody reads: an outage.
    for _ in 0..3 {
        live.send(&without_receive_time(now()));
    }
    std::thread::sleep(Duration::from_secs(4));
    let set = ["engine.late_after_ms=3000", "source.tick_ms=0"];
    let mut run = live.start(&set, None);
    live.wait_for_last(&mut run, &NAMES[..1], "late");
    live.send(&without_receive_time(now()));
    live.wait_for_last(&mut run, &NAMES[..1], "ok");
    assert_eq!(run.terminate(), Some(0));
    assert_eq!(live.qualities()["A.X"], ["late", "late", "late", "ok"]);
}
