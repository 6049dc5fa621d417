//! A broker that is killed during a run and starts again: the run goes on, and no signal is lost.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use rdkafka::message::Message;
use serde_json::Value;

use super::child::RunningProcess;
use super::kafka::new_frames;
use super::topics::Topics;
use crate::given::{self, Folder};
use crate::needs;

/// A broker of one test alone, because the test kills it.
pub(crate) struct Broker {
    data: PathBuf,
}

impl Broker {
    pub(crate) fn start(folder: &Folder) -> (Self, String) {
        let broker = Self {
            data: folder.path("kafka"),
        };
        let address = broker.command("start");
        (broker, address)
    }

    /// Sends a signal to its process, such as `STOP`.
    pub(crate) fn signal(&self, signal: &str) {
        let pid = std::fs::read_to_string(self.data.join("pid")).expect("it runs");
        let mut kill = Command::new("kill");
        let sent = kill.args([&format!("-{signal}"), pid.trim()]).status();
        assert!(sent.expect("there is a kill").success());
    }

    /// Runs `tests/kafka.sh SUBCOMMAND` and returns its standard output.
    pub(crate) fn command(&self, subcommand: &str) -> String {
        let mut command = Command::new(given::repository("tests/kafka.sh"));
        let run = given::run(command.arg(subcommand).env("KAFKA_DATA", &self.data));
        assert_eq!(run.code, Some(0), "kafka.sh {subcommand}: {}", run.stderr);
        run.stdout.trim().to_owned()
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        // A broker that is stopped would not end.
        if let Ok(pid) = std::fs::read_to_string(self.data.join("pid")) {
            drop(Command::new("kill").args(["-CONT", pid.trim()]).status());
        }
        let mut command = Command::new(given::repository("tests/kafka.sh"));
        drop(command.arg("clean").env("KAFKA_DATA", &self.data).output());
    }
}

#[test]
fn a_run_survives_an_outage_of_its_broker_and_loses_no_signal() {
    // Where there is one Kafka, another can be started.
    if needs::kafka("a_run_survives_an_outage_of_its_broker_and_loses_no_signal").is_none() {
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
        // A replay knows nothing of the clock, by which an outage makes signals late and stale.
        "engine.late_after_ms=0".to_owned(),
        "source.tick_ms=0".to_owned(),
        "sink.kind=kafka".to_owned(),
        format!("sink.topic={output:?}"),
        format!("kafka.bootstrap={bootstrap:?}"),
        "metrics.listen=\"\"".to_owned(),
    ] {
        args.extend(["--set".to_owned(), set]);
    }
    let expected = replayed_signals(&pipeline, &capture, &folder);
    let mut run = RunningProcess::start(&args);
    run.wait_for("the first signals", |_| {
        (!topics.read(&output).is_empty()).then_some(())
    });
    broker.command("kill");
    run.wait_for("trouble in the log", |run| {
        run.stderr().contains("Kafka is in trouble").then_some(())
    });
    assert_eq!(
        broker.command("start"),
        bootstrap,
        "the address does not change"
    );
    topics.fill(&input, after.iter().copied());
    run.wait_for("all signals", |_| {
        (written_signals(&topics, &output).len() >= expected.len()).then_some(())
    });
    assert_eq!(run.terminate(), Some(0), "{}", run.stderr());
    let summary: Value = serde_json::from_str(run.stdout().trim()).unwrap();
    let frames = new_frames(&summary);
    assert_eq!(frames, lines.len() as u64, "each frame once: {summary}");
    assert_eq!(written_signals(&topics, &output), expected);
}

/// The signals of a topic, each as text. A signal that was being sent when the broker died may be there
/// twice, and counts once.
fn written_signals(topics: &Topics, output: &str) -> BTreeSet<String> {
    let records = topics.read(output);
    let all = records.iter().filter_map(|record| record.payload());
    all.map(|payload| text_of(&serde_json::from_slice(payload).expect("a signal is JSON")))
        .collect()
}

fn replayed_signals(pipeline: &Path, capture: &Path, folder: &Folder) -> BTreeSet<String> {
    let output = folder.path("expected.jsonl");
    let (pipeline, capture) = (pipeline.to_owned(), capture.to_owned());
    let args = [
        "replay".into(),
        pipeline,
        "--input".into(),
        capture,
        "--output".into(),
        output,
        "--force".into(),
    ];
    let run = given::foretick(&args);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let text = folder.read("expected.jsonl");
    text.lines()
        .map(|line| text_of(&serde_json::from_str(line).expect("a signal is JSON")))
        .collect()
}

/// The fields that are equal in a live run and in a replay.
fn text_of(signal: &Value) -> String {
    let fields = ["instrument", "ts_event", "ts_recv", "score", "quality"];
    fields.map(|field| signal[field].to_string()).join(" ")
}
