//! `foretick demo`: its signals and what it makes up can be read from its broker, by others, keep to their
//! schemas, and every frame is accounted for.

use std::collections::BTreeSet;
use std::time::Duration;

use foretick::kafka::{Properties, client_config};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::{Offset, TopicPartitionList};
use serde_json::Value;

use super::child::Running;
use crate::{given, needs};

#[test]
fn the_demos_signals_can_be_read_from_its_broker() {
    let test = "the_demos_signals_can_be_read_from_its_broker";
    let model = given::repository("pipelines/price-direction/model.onnx");
    if !needs::onnx(test) || !needs::file(test, &model) {
        return;
    }
    let mut demo = Running::start(&["demo", "--seconds", "15", "--json"]);
    let bootstrap = demo.wait_for("address of the broker", |demo| {
        let said = demo.stdout();
        let (_, rest) = said.split_once("in-memory Kafka")?;
        let (line, _) = rest.split_once('\n')?;
        Some(line.split_whitespace().next()?.to_owned())
    });
    let mut instruments = BTreeSet::new();
    for (key, signal) in kept_to_schema(&bootstrap, "signals.direction.v1", 200) {
        assert_eq!(signal["instrument"], key, "the key is the instrument");
        instruments.insert(key);
        let sum: f64 = ["down", "flat", "up"]
            .iter()
            .map(|label| signal["probabilities"][label].as_f64().unwrap())
            .sum();
        assert!((sum - 1.0).abs() < 1e-5, "{signal}");
    }
    assert_eq!(instruments.len(), 4, "{instruments:?}");
    kept_to_schema(&bootstrap, "credit.statements.v1", 30);
    kept_to_schema(&bootstrap, "credit.applications.v1", 10);
    kept_to_schema(&bootstrap, "signals.default.v1", 6);
    for (token, grade) in kept_to_schema(&bootstrap, "grades.loan.v1", 10) {
        assert_eq!(grade["applicant"], token);
        assert!(token.starts_with("k1:"), "{grade}");
    }
    for (id, item) in kept_to_schema(&bootstrap, "news.items.v1", 5) {
        assert_eq!(item["id"], id);
    }
    for (instrument, said) in kept_to_schema(&bootstrap, "signals.sentiment.v1", 5) {
        assert_eq!(said["instrument"], instrument);
        assert!(instruments.contains(&instrument), "{said}");
    }
    assert_eq!(demo.join(), Some(0), "{}", demo.stderr());
    let said = demo.stdout();
    let summary: Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
    let signals = summary["signals"].as_u64();
    assert!(signals.is_some_and(|count| count >= 200), "{summary}");
    let pipelines = summary["pipelines"].as_array().unwrap();
    assert_eq!(pipelines.len(), 4, "{summary}");
    for pipeline in pipelines {
        let frames = |fate: &str| pipeline["frames"][fate].as_u64().unwrap();
        let fates = ["used", "conflated", "dropped", "dead_lettered", "in_flight"];
        let known: u64 = fates.iter().map(|fate| frames(fate)).sum();
        assert_eq!(frames("in"), known, "{pipeline}");
        assert!(
            frames("used") > 5 && pipeline["restarts"] == 0,
            "{pipeline}"
        );
        assert_eq!(frames("dead_lettered"), 0, "{pipeline}");
    }
}

/// The first records of a topic, each after the schema of that name.
fn kept_to_schema(bootstrap: &str, topic: &str, count: usize) -> Vec<(String, Value)> {
    let path = given::repository(&format!("schemas/{topic}.json"));
    let text = std::fs::read_to_string(path).expect("the schema is there");
    let schema = serde_json::from_str(&text).expect("a schema is JSON");
    let validator = jsonschema::draft202012::new(&schema).expect("a schema is a schema");
    let records = read(bootstrap, topic, count);
    for (_, record) in &records {
        let errors = validator.iter_errors(record).map(|e| e.to_string());
        let errors: Vec<String> = errors.collect();
        assert!(errors.is_empty(), "{record}: {errors:?}");
    }
    records
}

/// Key and value of the first records of the topic, of all partitions.
fn read(bootstrap: &str, topic: &str, count: usize) -> Vec<(String, Value)> {
    let settings = [("group.id", "onlooker"), ("fetch.wait.max.ms", "0")];
    let config = client_config(bootstrap, &settings, &Properties::new());
    let consumer: BaseConsumer = config
        .expect("no property is refused")
        .create()
        .expect("a consumer");
    let mut partitions = TopicPartitionList::new();
    let metadata = consumer.fetch_metadata(Some(topic), Duration::from_secs(5));
    for partition in metadata.expect("the broker answers").topics()[0].partitions() {
        partitions
            .add_partition_offset(topic, partition.id(), Offset::Beginning)
            .expect("an offset is one");
    }
    consumer
        .assign(&partitions)
        .expect("the partitions are there");
    let (began, mut records) = (foretick::clock::instant(), vec![]);
    while records.len() < count {
        assert!(
            began.elapsed() < Duration::from_secs(14),
            "{topic}: {} records",
            records.len()
        );
        if let Some(record) = consumer.poll(Duration::from_millis(100)) {
            let record = record.expect("a record can be read");
            let key = String::from_utf8_lossy(record.key().unwrap_or_default()).into_owned();
            let payload = record.payload().expect("a signal is no tombstone");
            records.push((
                key,
                serde_json::from_slice(payload).expect("a signal is JSON"),
            ));
        }
    }
    records
}
