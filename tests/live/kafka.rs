//! `foretick run` between topics of a real Kafka: the signals of a replay, each record once, and records that
//! cannot be decoded as dead letters.

use std::path::Path;

use rdkafka::message::Message;
use serde_json::{Value, json};

use super::topics::{Topics, headers};
use crate::given::{self, Folder, Run};
use crate::needs;

/// Runs a pipeline from `input` to `output` until the topics end.
pub(crate) fn run(
    pipeline: &Path,
    topics: &Topics,
    input: &str,
    output: &str,
    set: &[&str],
) -> Run {
    let mut args = vec![
        "run".into(),
        pipeline.to_owned(),
        "--until-end".into(),
        "--json".into(),
    ];
    let own = between(topics, input, output);
    let own = own
        .iter()
        .map(String::as_str)
        .chain(["metrics.listen=\"\""]);
    for set in own.chain(set.iter().copied()) {
        args.extend(["--set".into(), set.into()]);
    }
    given::foretick(&args)
}

/// The settings of a pipeline from one topic to another, in a group of the test.
pub(crate) fn between(topics: &Topics, input: &str, output: &str) -> Vec<String> {
    vec![
        "source.kind=kafka".to_owned(),
        format!("source.topics=[{input:?}]"),
        "source.start=earliest".to_owned(),
        "sink.kind=kafka".to_owned(),
        format!("sink.topic={output:?}"),
        format!("kafka.bootstrap={:?}", topics.bootstrap),
        format!("kafka.group={:?}", topics.name("group")),
    ]
}

pub(crate) fn summary(run: &Run) -> Value {
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    serde_json::from_str(&run.stdout).expect("a summary in JSON")
}

/// The frames of a run, without those that were read again to bring state back.
pub(crate) fn new_frames(summary: &Value) -> u64 {
    let count = |value: &Value| value.as_u64().expect("a count");
    count(&summary["frames"]["in"]) - count(&summary["events"]["reprocessed_frames"])
}

fn replayed(pipeline: &Path, capture: &Path) -> Value {
    let args = [
        "replay".into(),
        pipeline.to_owned(),
        "--input".into(),
        capture.to_owned(),
        "--json".into(),
    ];
    summary(&given::foretick(&args))
}

#[test]
fn a_run_between_topics_has_the_digest_of_a_replay() {
    let Some(bootstrap) = needs::kafka("a_run_between_topics_has_the_digest_of_a_replay") else {
        return;
    };
    let folder = Folder::new("live-digest");
    let pipeline = folder.write("pipeline.toml", given::EVERY_KIND);
    let text = given::capture(81, 10, &["BTCUSDT", "ETHUSDT", "BNBUSDT", "SOLUSDT"]);
    let capture = folder.write("capture", &text);
    let expected = replayed(&pipeline, &capture);
    for partitions in [1, 4] {
        let mut topics = Topics::new(bootstrap.clone(), &format!("digest-{partitions}"));
        let input = topics.make("in", partitions);
        topics.fill(&input, text.lines());
        for shards in ["1", "2"] {
            let output = topics.make(&format!("out-{shards}"), 2);
            let group = format!("kafka.group=\"{}\"", topics.name(shards));
            let set = [format!("engine.shards={shards}"), group];
            let set: Vec<&str> = set.iter().map(String::as_str).collect();
            let live = summary(&run(&pipeline, &topics, &input, &output, &set));
            let which = format!("{partitions} partitions, {shards} shards");
            assert_eq!(live["digest"], expected["digest"], "{which}");
            assert_eq!(live["signals"], expected["signals"], "{which}");
            assert_eq!(live["frames"]["in"], text.lines().count(), "{which}");
            assert_eq!(live["frames"]["used"], live["frames"]["in"], "{which}");
            let written = topics.read(&output).len();
            assert_eq!(written as u64, live["signals"].as_u64().unwrap(), "{which}");
        }
    }
}

/// Bars and a figure of the economy: the score of a bar depends on the figures before it.
const DAILY: &str = r#"
name = "daily"

[row]
on = "bar"

[[feature]]
name = "gap"
kind = "relative"
of = "open"
to = "close"

[[feature]]
name = "fear"
kind = "figure"
figure = "vix"

[model]
kind = "sum"
normalise = "none"
"#;

#[test]
fn earlier_records_of_several_topics_are_read_in_order_of_time() {
    let Some(bootstrap) =
        needs::kafka("earlier_records_of_several_topics_are_read_in_order_of_time")
    else {
        return;
    };
    let folder = Folder::new("live-order");
    let pipeline = folder.write("pipeline.toml", DAILY);
    let (mut bars, mut figures, mut all) = (vec![], vec![], vec![]);
    for hour in 0..12_000_i64 {
        let ts = (470_000 + hour) * 3_600_000_000_000;
        if hour % 3 == 0 {
            // Longer than bars, so that a fetch returns fewer of them.
            let pad = "-".repeat(600);
            let figure = json!({"ts_event": ts, "figure": "vix", "value": hour, "pad": pad});
            figures.push(figure.to_string());
            all.extend(figures.last().cloned());
        }
        let (symbol, open) = (["A", "B"][hour as usize % 2], 10.0 + (hour % 7) as f64);
        let bar = json!({"ts_event": ts, "symbol": symbol, "open": open, "high": 20, "low": 9, "close": 11});
        bars.push(bar.to_string());
        all.extend(bars.last().cloned());
    }
    let expected = replayed(&pipeline, &folder.write("all.jsonl", all.join("\n")));
    assert_eq!(expected["signals"], 12_000, "{expected}");
    let mut topics = Topics::new(bootstrap, "order");
    let of = [topics.make("bars", 2), topics.make("figures", 1)];
    for (topic, lines) in of.iter().zip([&bars, &figures]) {
        topics.fill(topic, lines.iter().map(String::as_str));
    }
    let read = format!("source.topics={of:?}");
    for ring in ["64", "4096"] {
        let output = topics.make(&format!("out-{ring}"), 1);
        let group = format!("kafka.group={:?}", topics.name(ring));
        let frames = format!("engine.ring_frames={ring}");
        let small_fetches = r#"kafka.properties={"max.partition.fetch.bytes"="20000"}"#;
        let set = [&*read, &group, &frames, small_fetches];
        let live = summary(&run(&pipeline, &topics, &of[0], &output, &set));
        assert_eq!(live["frames"]["used"], all.len(), "{live}");
        assert_eq!(live["digest"], expected["digest"], "a ring of {ring}");
    }
}

#[test]
fn a_second_run_begins_at_the_committed_offsets() {
    let Some(bootstrap) = needs::kafka("a_second_run_begins_at_the_committed_offsets") else {
        return;
    };
    let folder = Folder::new("live-second");
    let pipeline = folder.write("pipeline.toml", given::SMALL);
    let text = given::capture(82, 4, &["BTCUSDT", "ETHUSDT"]);
    let lines: Vec<&str> = text.lines().collect();
    let (first, second) = lines.split_at(lines.len() / 2);
    let mut topics = Topics::new(bootstrap, "second");
    let (input, output) = (topics.make("in", 2), topics.make("out", 1));
    for part in [first, second] {
        topics.fill(&input, part.iter().copied());
        let live = summary(&run(&pipeline, &topics, &input, &output, &[]));
        assert_eq!(new_frames(&live), part.len() as u64, "each record once");
    }
    let again = summary(&run(&pipeline, &topics, &input, &output, &[]));
    assert_eq!(new_frames(&again), 0, "nothing is left");
}

#[test]
fn a_record_that_cannot_be_decoded_becomes_a_dead_letter() {
    let Some(bootstrap) = needs::kafka("a_record_that_cannot_be_decoded_becomes_a_dead_letter")
    else {
        return;
    };
    let folder = Folder::new("live-letters");
    let pipeline = folder.write("pipeline.toml", given::SMALL);
    let text = given::capture(83, 2, &["BTCUSDT"]);
    let broken = [
        r#"{"e":"trade","s":"BTCUSDT","t":1,"p":"NaN""#,
        r#"{"e":"trade","E":1,"s":"BTCUSDT","t":1,"p":"-1","q":"1","T":1,"m":true,"M":true}"#,
        "hello",
    ];
    let mut lines: Vec<&str> = text.lines().collect();
    for (at, broken) in [5, 50, 51].into_iter().zip(broken) {
        lines.insert(at, broken);
    }
    let mut topics = Topics::new(bootstrap, "letters");
    let (input, output) = (topics.make("in", 1), topics.make("out", 1));
    let dead = topics.make("in.dlq.v1", 1);
    topics.fill(&input, lines.iter().copied());
    let live = summary(&run(&pipeline, &topics, &input, &output, &[]));
    assert_eq!(live["frames"]["dead_lettered"], 3, "{live}");
    let letters = topics.read(&dead);
    assert_eq!(letters.len(), 3);
    for (letter, (offset, payload)) in letters.iter().zip([5, 50, 51].iter().zip(broken)) {
        assert_eq!(letter.payload(), Some(payload.as_bytes()), "byte for byte");
        let headers = headers(letter);
        assert_eq!(headers["source_topic"], input);
        assert_eq!(headers["source_partition"], "0");
        assert_eq!(headers["source_offset"], offset.to_string());
        assert!(!headers["error"].is_empty());
        assert_valid(&headers);
    }
    assert_eq!(headers(&letters[0])["error"], "truncated");
}

pub(crate) fn assert_valid(headers: &std::collections::BTreeMap<String, String>) {
    let path = given::repository("schemas/dead_letter.v1.json");
    let text = std::fs::read_to_string(path).expect("the schema is there");
    let schema = serde_json::from_str(&text).expect("a schema is JSON");
    let validator = jsonschema::draft202012::new(&schema).expect("the schema is valid");
    let value = serde_json::to_value(headers).expect("text is JSON");
    assert!(validator.is_valid(&value), "{value}");
}

#[test]
fn the_error_names_a_topic_that_does_not_exist() {
    let Some(bootstrap) = needs::kafka("the_error_names_a_topic_that_does_not_exist") else {
        return;
    };
    let folder = Folder::new("live-no-topic");
    let pipeline = folder.write("pipeline.toml", given::SMALL);
    let mut topics = Topics::new(bootstrap, "no-topic");
    let output = topics.make("out", 1);
    let nowhere = topics.name("nowhere");
    let run = run(&pipeline, &topics, &nowhere, &output, &[]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stderr.contains(&nowhere), "{}", run.stderr);
    assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
}
