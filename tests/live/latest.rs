//! A group that begins at the newest records: what came before it is no part of its state, in no later run
//! either.

use std::path::Path;

use rdkafka::message::Message;
use serde_json::Value;

use super::frame_account::start;
use super::kafka::{between, run, summary};
use super::topics::Topics;
use crate::given::Folder;
use crate::needs;

/// An average that never forgets.
const AVERAGE: &str = r#"
name = "average"

[row]
on = "trade"

[[feature]]
name = "average"
kind = "ema"
of = "price"
alpha = 0.1

[model]
kind = "sum"
normalise = "none"
"#;

fn trades(numbers: std::ops::Range<i64>) -> Vec<String> {
    let trade = |number: i64| {
        let (ms, price) = (1_767_571_200_000 + number * 10, price(number));
        format!(
            r#"{{"stream":"btcusdt@trade","data":{{"e":"trade","E":{ms},"s":"BTCUSDT","t":{number},"p":"{price}","q":"1","T":{ms},"m":false}}}}"#
        )
    };
    numbers.map(trade).collect()
}

fn price(number: i64) -> i64 {
    100 + number * 7 % 31
}

/// Begins a group, and ends before any record has come.
fn begin(pipeline: &Path, set: &[String]) {
    let mut first = start(pipeline, set);
    first.wait_for("an assignment", |run| {
        run.stderr()
            .contains("partitions were assigned")
            .then_some(())
    });
    assert_eq!(first.terminate(), Some(0), "{}", first.stderr());
}

#[test]
fn state_after_a_restart_is_that_of_the_records_since_the_group_began() {
    let test = "state_after_a_restart_is_that_of_the_records_since_the_group_began";
    let Some(bootstrap) = needs::kafka(test) else {
        return;
    };
    let folder = Folder::new("live-latest");
    let pipeline = folder.write("pipeline.toml", AVERAGE);
    for delivery in ["exactly_once", "at_least_once"] {
        let mut topics = Topics::new(bootstrap.clone(), &format!("latest-{delivery}"));
        let (input, output) = (topics.make("in", 1), topics.make("out", 1));
        let set = [
            "source.start=latest".to_owned(),
            "source.tick_ms=0".to_owned(),
            "engine.late_after_ms=0".to_owned(),
            format!("sink.delivery={delivery}"),
        ];
        let set: Vec<&str> = set.iter().map(String::as_str).collect();
        let before = trades(0..20);
        topics.fill(&input, before.iter().map(String::as_str));
        let of_topics = between(&topics, &input, &output).into_iter();
        let own = set.iter().map(|set| (*set).to_owned());
        begin(&pipeline, &of_topics.chain(own).collect::<Vec<_>>());
        for numbers in [20..40, 40..60] {
            let records = trades(numbers);
            topics.fill(&input, records.iter().map(String::as_str));
            summary(&run(&pipeline, &topics, &input, &output, &set));
        }
        let scores: Vec<f64> = topics
            .read(&output)
            .iter()
            .filter_map(|record| {
                let signal: Value = serde_json::from_slice(record.payload()?).ok()?;
                signal["score"].as_f64()
            })
            .collect();
        let mut average = price(20) as f64;
        let mut expected = vec![];
        for number in 20..60 {
            average += 0.1 * (price(number) as f64 - average);
            expected.push(average);
        }
        assert_eq!(scores.len(), expected.len(), "{delivery}");
        for (at, (score, expected)) in scores.iter().zip(&expected).enumerate() {
            assert!(
                (score - expected).abs() < 1e-9,
                "{delivery}: signal {at}: {score} instead of {expected}"
            );
        }
    }
}
