//! `foretick demo`: other programs can read its input and its signals from its broker, all are valid against
//! their schemas, and every frame is accounted for.

use std::collections::BTreeSet;
use std::time::Duration;

use foretick::kafka::{Properties, client_config};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::{Offset, TopicPartitionList};
use serde_json::Value;

use super::child::RunningProcess;
use crate::given::PATIENCE;
use crate::{given, needs};

#[test]
fn the_records_of_the_demo_are_valid_and_readable() {
    let test = "the_records_of_the_demo_are_valid_and_readable";
    let model = given::repository("pipelines/price-direction/model.onnx");
    if !needs::onnx(test) || !needs::file(test, &model) {
        return;
    }
    let mut demo = RunningProcess::start_with(&["demo", "--json"], &[("FORETICK_LOG", "info")]);
    let bootstrap = demo.wait_for("the address of the broker", |demo| {
        let output = demo.stdout();
        let (_, rest) = output.split_once("in-memory Kafka")?;
        let (line, _) = rest.split_once('\n')?;
        Some(line.split_whitespace().next()?.to_owned())
    });
    let mut instruments = BTreeSet::new();
    let signals = valid_records(&bootstrap, "signals.direction.v1", |records| {
        let keys: BTreeSet<&str> = records.iter().map(|(key, _)| key.as_str()).collect();
        records.len() >= 200 && keys.len() == 4
    });
    for (key, signal) in signals {
        assert_eq!(signal["instrument"], key, "the key is the instrument");
        instruments.insert(key);
        let sum: f64 = ["down", "flat", "up"]
            .iter()
            .map(|label| signal["probabilities"][label].as_f64().unwrap())
            .sum();
        assert!((sum - 1.0).abs() < 1e-5, "{signal}");
    }
    assert_eq!(instruments.len(), 4, "{instruments:?}");
    valid_records(&bootstrap, "credit.statements.v1", at_least(30));
    valid_records(&bootstrap, "credit.applications.v1", at_least(10));
    valid_records(&bootstrap, "signals.default.v1", at_least(6));
    for (token, grade) in valid_records(&bootstrap, "grades.loan.v1", at_least(10)) {
        assert_eq!(grade["applicant"], token);
        assert!(token.starts_with("k1:"), "{grade}");
    }
    for (id, item) in valid_records(&bootstrap, "news.items.v1", at_least(5)) {
        assert_eq!(item["id"], id);
    }
    for (instrument, signal) in valid_records(&bootstrap, "signals.sentiment.v1", at_least(5)) {
        assert_eq!(signal["instrument"], instrument);
        assert!(instruments.contains(&instrument), "{signal}");
    }
    assert_eq!(demo.terminate(), Some(0), "{}", demo.stderr());
    // Every client has ended before the broker.
    let log = demo.stderr();
    assert!(!log.contains("ERROR"), "{log}");
    let output = demo.stdout();
    let summary: Value = serde_json::from_str(output.lines().last().unwrap()).unwrap();
    let signals = summary["signals"].as_u64();
    assert!(signals.is_some_and(|count| count >= 200), "{summary}");
    let pipelines = summary["pipelines"].as_array().unwrap();
    assert_eq!(pipelines.len(), 4, "{summary}");
    for pipeline in pipelines {
        let frames = |fate: &str| pipeline["frames"][fate].as_u64().unwrap();
        let fates = ["used", "conflated", "dropped", "dead_lettered", "in_flight"];
        let accounted: u64 = fates.iter().map(|fate| frames(fate)).sum();
        assert_eq!(frames("in"), accounted, "{pipeline}");
        assert!(
            frames("used") > 2 && pipeline["restarts"] == 0,
            "{pipeline}"
        );
        assert_eq!(frames("dead_lettered"), 0, "{pipeline}");
    }
}

/// Reads a topic from its beginning until the records are enough, and checks each against the topic's schema.
fn valid_records(
    bootstrap: &str,
    topic: &str,
    enough: impl Fn(&[(String, Value)]) -> bool,
) -> Vec<(String, Value)> {
    let path = given::repository(&format!("schemas/{topic}.json"));
    let text = std::fs::read_to_string(path).expect("the schema is there");
    let schema = serde_json::from_str(&text).expect("a schema is JSON");
    let validator = jsonschema::draft202012::new(&schema).expect("a schema is a schema");
    let records = read(bootstrap, topic, enough);
    for (_, record) in &records {
        let errors = validator.iter_errors(record).map(|e| e.to_string());
        let errors: Vec<String> = errors.collect();
        assert!(errors.is_empty(), "{record}: {errors:?}");
    }
    records
}

fn at_least(count: usize) -> impl Fn(&[(String, Value)]) -> bool {
    move |records| records.len() >= count
}

/// Reads all partitions of a topic until the records, as keys and values, are enough.
fn read(
    bootstrap: &str,
    topic: &str,
    enough: impl Fn(&[(String, Value)]) -> bool,
) -> Vec<(String, Value)> {
    let settings = [
        ("group.id", "foretick-test-reader"),
        ("fetch.wait.max.ms", "0"),
    ];
    let config = client_config(bootstrap, &settings, &Properties::new());
    let consumer: BaseConsumer = config
        .expect("no property is refused")
        .create()
        .expect("a consumer");
    let mut partitions = TopicPartitionList::new();
    let metadata = consumer.fetch_metadata(Some(topic), PATIENCE);
    for partition in metadata.expect("the broker answers").topics()[0].partitions() {
        partitions
            .add_partition_offset(topic, partition.id(), Offset::Beginning)
            .expect("an offset is valid");
    }
    consumer
        .assign(&partitions)
        .expect("the partitions are there");
    let (began, mut records) = (foretick::clock::instant(), vec![]);
    while !enough(&records) {
        assert!(
            began.elapsed() < PATIENCE,
            "{topic}: {} records",
            records.len()
        );
        if let Some(record) = consumer.poll(Duration::from_millis(100)) {
            let record = record.expect("a record can be read");
            let key = String::from_utf8_lossy(record.key().unwrap_or_default()).into_owned();
            let payload = record.payload().expect("a record has a payload");
            records.push((
                key,
                serde_json::from_slice(payload).expect("a signal is JSON"),
            ));
        }
    }
    records
}
