//! A broker that dies under a run and comes back: the run goes on, and no signal is lost.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use rdkafka::message::Message;
use serde_json::Value;

use super::child::Running;
use super::topics::Topics;
use crate::given::{self, Folder};
use crate::needs;

/// A broker of this test alone: it is killed.
struct Broker {
    data: PathBuf,
}

impl Broker {
    fn start(folder: &Folder) -> (Self, String) {
        let broker = Self {
            data: folder.path("kafka"),
        };
        let address = broker.command("start");
        (broker, address)
    }

    /// Runs `tests/kafka.sh` with a word; gives what it says.
    fn command(&self, word: &str) -> String {
        let mut command = Command::new(given::repository("tests/kafka.sh"));
        let run = given::run(command.arg(word).env("KAFKA_DATA", &self.data));
        assert_eq!(run.code, Some(0), "kafka.sh {word}: {}", run.stderr);
        run.stdout.trim().to_owned()
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let mut command = Command::new(given::repository("tests/kafka.sh"));
        drop(command.arg("clean").env("KAFKA_DATA", &self.data).output());
    }
}

#[test]
fn a_broker_that_dies_and_comes_back_loses_nothing() {
    // Whoever has a Kafka has what it takes to start another.
    if needs::kafka("a_broker_that_dies_and_comes_back_loses_nothing").is_none() {
        return;
    }
    let folder = Folder::new("live-away");
    let (broker, bootstrap) = Broker::start(&folder);
    let text = given::capture(91, 6, &["BTCUSDT", "ETHUSDT"]);
    let lines: Vec<&str> = text.lines().collect();
    let (before, after) = lines.split_at(lines.len() / 2);
    let capture = folder.write("capture", &text);
    let pipeline = folder.write("pipeline.toml", given::SMALL);
    let mut topics = Topics::new(bootstrap.clone(), "away");
    let (input, output) = (topics.make("in", 2), topics.make("out", 1));
    topics.fill(&input, before.iter().copied());

    let mut args = vec![
        "run".to_owned(),
        pipeline.display().to_string(),
        "--json".to_owned(),
    ];
    for set in [
        format!("source.topics=[{input:?}]"),
        "source.start=earliest".to_owned(),
        "sink.kind=kafka".to_owned(),
        format!("sink.topic={output:?}"),
        format!("kafka.bootstrap={bootstrap:?}"),
        "metrics.listen=\"\"".to_owned(),
    ] {
        args.extend(["--set".to_owned(), set]);
    }
    let expected = ids_of_a_replay(&pipeline, &capture, &folder);
    let mut run = Running::start(&args);
    run.wait_for("the first signals", |_| {
        (!topics.read(&output).is_empty()).then_some(())
    });
    broker.command("kill");
    std::thread::sleep(std::time::Duration::from_millis(500));
    assert_eq!(
        broker.command("start"),
        bootstrap,
        "at the address that it had"
    );
    topics.fill(&input, after.iter().copied());
    run.wait_for("all signals", |_| {
        (said(&topics, &output).len() >= expected.len()).then_some(())
    });
    assert_eq!(run.terminate(), Some(0), "{}", run.stderr());
    let summary: Value = serde_json::from_str(run.stdout().trim()).unwrap();
    assert_eq!(
        summary["frames"]["in"],
        lines.len(),
        "each frame once: {summary}"
    );
    assert_eq!(said(&topics, &output), expected);
}

/// Instrument, time and score of every signal of the topic. What was sent when the broker died may be
/// there twice; it counts once.
fn said(topics: &Topics, output: &str) -> BTreeSet<String> {
    let records = topics.read(output);
    let all = records.iter().filter_map(|record| record.payload());
    all.map(|payload| what(&serde_json::from_slice(payload).expect("a signal is JSON")))
        .collect()
}

fn ids_of_a_replay(pipeline: &Path, capture: &Path, folder: &Folder) -> BTreeSet<String> {
    let output = folder.path("expected.jsonl");
    let (pipeline, capture) = (pipeline.to_owned(), capture.to_owned());
    let args = [
        "replay".into(),
        pipeline,
        "--input".into(),
        capture,
        "--output".into(),
        output,
    ];
    let run = given::foretick(&args);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let text = folder.read("expected.jsonl");
    text.lines()
        .map(|line| what(&serde_json::from_str(line).expect("a signal is JSON")))
        .collect()
}

fn what(signal: &Value) -> String {
    let fields = ["instrument", "ts_event", "ts_recv", "score", "quality"];
    fields.map(|field| signal[field].to_string()).join(" ")
}
