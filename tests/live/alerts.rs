//! Alerts on a real Kafka: runs that stop and resume publish the alerts of a single replay.

use rdkafka::message::Message;
use serde_json::Value;

use super::topics::Topics;
use crate::given::{self, Folder};
use crate::needs;

#[test]
fn a_restart_neither_repeats_nor_loses_an_alert() {
    let test = "a_restart_neither_repeats_nor_loses_an_alert";
    let Some(bootstrap) = needs::kafka(test).filter(|_| needs::onnx(test)) else {
        return;
    };
    let folder = Folder::new("live-alerts");
    let pipeline = given::repository("pipelines/default-alerts");
    let lines = given::companies::statements(6);
    let expected = replayed_alerts(&folder, &lines);
    assert!(expected.len() >= 6, "{expected:?}");
    let mut topics = Topics::new(bootstrap.clone(), "alerts");
    let input = topics.make("in", 1);
    let (signals, alerts) = (topics.make("signals", 1), topics.make("alerts", 1));
    // Each run ends within episodes and windows. The next one reads earlier records again, and publishes no
    // alert twice.
    let mut sent = 0;
    for end in [lines.len() * 5 / 8, lines.len() * 6 / 8, lines.len()] {
        topics.fill(&input, lines[sent..end].iter().map(String::as_str));
        sent = end;
        let set = [
            format!("source.topics=[{input:?}]"),
            format!("sink.topic={signals:?}"),
            format!("sink.alerts={alerts:?}"),
            format!("sink.dead_letters={:?}", topics.name("dlq")),
            format!("state.dir={:?}", folder.path("state")),
            format!("kafka.bootstrap={bootstrap:?}"),
            format!("kafka.group={:?}", topics.name("group")),
            "metrics.listen=\"\"".to_owned(),
        ];
        let mut args = vec![
            "run".into(),
            pipeline.clone(),
            "--until-end".into(),
            "--json".into(),
        ];
        for one in set {
            args.extend(["--set".into(), one.into()]);
        }
        let done = given::foretick(&args);
        assert_eq!(done.code, Some(0), "{}", done.stderr);
    }
    let published: Vec<Value> = topics
        .read(&alerts)
        .iter()
        .map(|record| serde_json::from_slice(record.payload().expect("a record")).expect("JSON"))
        .collect();
    assert_eq!(sorted(published), expected);
    let live: Vec<Value> = topics
        .read(&signals)
        .iter()
        .map(|record| serde_json::from_slice(record.payload().expect("a record")).expect("JSON"))
        .collect();
    let scores = |signals: &[Value]| {
        let of = |signal: &Value| {
            let text = |name: &str| signal[name].to_string();
            (text("obligor"), text("ts_event"), text("score"))
        };
        let mut all: Vec<_> = signals.iter().map(of).collect();
        all.sort();
        all
    };
    let replayed: Vec<Value> = folder
        .read("signals.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert!(replayed.len() > 10, "{}", replayed.len());
    assert_eq!(
        scores(&live),
        scores(&replayed),
        "each signal once, and none from a window that lacks years"
    );
}

/// The alerts of a single replay.
fn replayed_alerts(folder: &Folder, lines: &[String]) -> Vec<Value> {
    let input = folder.write("in.jsonl", lines.join("\n"));
    let alerts = folder.path("alerts.jsonl");
    let done = given::foretick(&[
        "replay".as_ref(),
        given::repository("pipelines/default-alerts").as_os_str(),
        "--input".as_ref(),
        input.as_os_str(),
        "--alerts".as_ref(),
        alerts.as_os_str(),
        "--output".as_ref(),
        folder.path("signals.jsonl").as_os_str(),
        "--force".as_ref(),
    ]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    let text = folder.read("alerts.jsonl");
    sorted(
        text.lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect(),
    )
}

/// Sorted by episode and number.
fn sorted(mut alerts: Vec<Value>) -> Vec<Value> {
    alerts.sort_by_key(|alert| (alert["dedup_key"].to_string(), alert["sequence"].as_u64()));
    alerts
}
