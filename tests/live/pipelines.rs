//! Pipelines of a test between topics of a real Kafka: their configuration, the command that runs them, and
//! the signals that they write.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rdkafka::message::Message;
use serde_json::Value;

use super::topics::Topics;
use crate::given::{self, Folder};

/// A pipeline with its input and output topics.
pub(crate) struct LivePipeline {
    pub(crate) name: &'static str,
    pub(crate) path: PathBuf,
    pub(crate) input: String,
    pub(crate) output: String,
    /// Further configuration, as `--set` takes it.
    pub(crate) set: Vec<String>,
}

impl LivePipeline {
    pub(crate) fn new(name: &'static str, path: PathBuf, topics: &mut Topics, input: &str) -> Self {
        let output = topics.make(&format!("out-{name}"), 1);
        Self {
            name,
            path,
            input: input.to_owned(),
            output,
            set: vec![],
        }
    }

    /// Its configuration as arguments of `--set`, each for this pipeline alone. `group` is part of the
    /// consumer group's name.
    pub(crate) fn settings(&self, topics: &Topics, group: &str) -> Vec<String> {
        let dead_letters = topics.name(&format!("dlq-{}", self.name));
        let group = topics.name(&format!("{group}-{}", self.name));
        let own = [
            format!("source.topics=[{:?}]", self.input),
            "source.start=earliest".to_owned(),
            "sink.kind=kafka".to_owned(),
            format!("sink.topic={:?}", self.output),
            format!("sink.dead_letters={dead_letters:?}"),
            format!("kafka.group={group:?}"),
            // A replay knows nothing of the clock, by which an outage makes signals late and stale.
            "engine.late_after_ms=0".to_owned(),
            "source.tick_ms=0".to_owned(),
            // By default, librdkafka ignores for 30 s after the start that a topic does not exist.
            r#"kafka.properties={"topic.metadata.propagation.max.ms"="500"}"#.to_owned(),
        ];
        let all = own.iter().chain(&self.set);
        all.map(|one| format!("{}:{one}", self.name)).collect()
    }
}

/// The arguments of `foretick` that run these pipelines in one process.
pub(crate) fn run_command(
    pipelines: &[&LivePipeline],
    topics: &Topics,
    group: &str,
    more: &[&str],
) -> Vec<String> {
    let mut args = vec!["run".to_owned()];
    args.extend(pipelines.iter().map(|one| one.path.display().to_string()));
    args.push("--json".to_owned());
    args.extend(more.iter().map(|&one| one.to_owned()));
    let bootstrap = format!("kafka.bootstrap={:?}", topics.bootstrap);
    let own = pipelines.iter().flat_map(|one| one.settings(topics, group));
    for set in own.chain([bootstrap]) {
        args.extend(["--set".to_owned(), set]);
    }
    args
}

/// The signals of a topic by their ids, without the fields that depend on a clock.
///
/// # Panics
/// If two signals have the same id.
pub(crate) fn signals(topics: &Topics, topic: &str) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    for record in topics.read(topic) {
        let mut signal: Value =
            serde_json::from_slice(record.payload().expect("a record")).expect("JSON");
        for read_from_a_clock in ["ts_recv", "ts_out", "latency_ns"] {
            signal[read_from_a_clock] = Value::Null;
        }
        let id = signal["signal_id"].as_str().expect("an id").to_owned();
        assert!(all.insert(id, signal).is_none(), "two signals have one id");
    }
    all
}

/// The signals of a replay of `lines`.
pub(crate) fn replayed_signals(folder: &Folder, pipeline: &Path, lines: &str) -> Vec<Value> {
    let capture = folder.write("replay.capture", lines);
    let output = folder.path("replay.jsonl");
    let run = given::foretick(&[
        "replay".as_ref(),
        pipeline.as_os_str(),
        "--input".as_ref(),
        capture.as_os_str(),
        "--output".as_ref(),
        output.as_os_str(),
        "--force".as_ref(),
    ]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let text = folder.read("replay.jsonl");
    text.lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}
