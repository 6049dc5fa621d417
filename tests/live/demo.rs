//! `foretick demo`: its signals can be read from its broker, by others, and keep to the schema.

use std::time::Duration;

use foretick::kafka::{Properties, client_config};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::{Offset, TopicPartitionList};
use serde_json::Value;

use super::child::Running;
use crate::{given, needs};

const TOPIC: &str = "signals.direction.v1";

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
    let signals = read(&bootstrap, 200);
    let path = given::repository("schemas/signals.direction.v1.json");
    let schema = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let mut instruments = std::collections::BTreeSet::new();
    for (key, signal) in &signals {
        let errors: Vec<String> = validator
            .iter_errors(signal)
            .map(|e| e.to_string())
            .collect();
        assert!(errors.is_empty(), "{signal}: {errors:?}");
        assert_eq!(
            signal["instrument"],
            key.as_str(),
            "the key is the instrument"
        );
        instruments.insert(key);
        let sum: f64 = ["down", "flat", "up"]
            .iter()
            .map(|label| signal["probabilities"][label].as_f64().unwrap())
            .sum();
        assert!((sum - 1.0).abs() < 1e-5, "{signal}");
    }
    assert_eq!(instruments.len(), 4, "{instruments:?}");
    assert_eq!(demo.join(), Some(0), "{}", demo.stderr());
    let said = demo.stdout();
    let summary: Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
    assert!(
        summary["signals"]
            .as_u64()
            .is_some_and(|count| count >= 200),
        "{summary}"
    );
}

/// Key and value of the first records of the topic, of all partitions.
fn read(bootstrap: &str, count: usize) -> Vec<(String, Value)> {
    let settings = [("group.id", "onlooker"), ("fetch.wait.max.ms", "0")];
    let config = client_config(bootstrap, &settings, &Properties::new());
    let consumer: BaseConsumer = config
        .expect("no property is refused")
        .create()
        .expect("a consumer");
    let mut partitions = TopicPartitionList::new();
    for partition in 0..4 {
        partitions
            .add_partition_offset(TOPIC, partition, Offset::Beginning)
            .expect("an offset is one");
    }
    consumer
        .assign(&partitions)
        .expect("the partitions are there");
    let (began, mut records) = (foretick::clock::instant(), vec![]);
    while records.len() < count {
        assert!(
            began.elapsed() < Duration::from_secs(14),
            "{} records",
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
