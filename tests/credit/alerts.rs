//! Alerts of the shipped pipeline: episodes of companies that fail and recover, by schema, in any batch.

use std::fs;

use serde_json::Value;

use crate::given::{self, Folder};
use crate::golden::{foretick, pipeline};
use crate::needs;

/// The alerts of a replay.
fn alerts(set: &[&str]) -> Vec<Value> {
    alerts_of(&given::companies::statements(6), set)
}

/// The alerts of a replay of these lines.
fn alerts_of(lines: &[String], set: &[&str]) -> Vec<Value> {
    let folder = Folder::new(&format!("credit-alerts-{:?}", std::thread::current().id()));
    let input = folder.write("in.jsonl", lines.join("\n"));
    let to = folder.path("alerts.jsonl");
    let pipeline = pipeline("default-alerts");
    let [pipeline, input, to] = [&pipeline, &input, &to].map(|p| p.to_str().expect("text"));
    let mut args = vec![
        "replay", pipeline, "--input", input, "--alerts", to, "--json",
    ];
    for one in set {
        args.extend(["--set", one]);
    }
    let done = foretick(&args);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    let summary: Value = serde_json::from_str(&done.stdout).expect("a summary is JSON");
    let text = folder.read("alerts.jsonl");
    assert_eq!(summary["alerts"], text.lines().count());
    text.lines()
        .map(|line| serde_json::from_str(line).expect("an alert is JSON"))
        .collect()
}

#[test]
fn alerts_of_failing_companies_fire_and_are_resolved_after_recovery() {
    if !needs::onnx("alerts_of_failing_companies_fire_and_are_resolved_after_recovery") {
        return;
    }
    let alerts = alerts(&[]);
    let path = given::repository("schemas/alerts.default.v1.json");
    let schema = fs::read_to_string(path).expect("the schema is there");
    let schema = serde_json::from_str(&schema).expect("a schema is JSON");
    let validator = jsonschema::draft202012::new(&schema).expect("a schema is a schema");
    for alert in &alerts {
        let errors: Vec<String> = validator
            .iter_errors(alert)
            .map(|e| e.to_string())
            .collect();
        assert!(errors.is_empty(), "{alert}: {errors:?}");
    }
    let states = |obligor: &str, rule: &str| -> Vec<&str> {
        let of = |alert: &&Value| alert["obligor"] == obligor && alert["rule"] == rule;
        alerts
            .iter()
            .filter(of)
            .map(|alert| alert["state"].as_str().expect("a state"))
            .collect()
    };
    for bad in ["C1", "C3", "C5"] {
        let states = states(bad, "level");
        assert_eq!(states.first(), Some(&"firing"), "{bad}: {alerts:?}");
        assert_eq!(states.last(), Some(&"resolved"), "{bad}: {alerts:?}");
    }
    for good in ["C0", "C2", "C4"] {
        assert!(states(good, "level").is_empty(), "{good}: {alerts:?}");
    }
    let reasons = alerts[0]["reasons"].as_array().expect("a list");
    assert!(!reasons.is_empty(), "{}", alerts[0]);
}

#[test]
fn alerts_do_not_depend_on_batches_and_shards() {
    if !needs::onnx("alerts_do_not_depend_on_batches_and_shards") {
        return;
    }
    let sorted = |set: &[&str]| {
        let mut all = alerts(set);
        all.sort_by_key(|alert| (alert["dedup_key"].to_string(), alert["sequence"].as_u64()));
        all
    };
    let expected = sorted(&[]);
    assert_eq!(sorted(&["engine.batch=1"]), expected);
    assert_eq!(sorted(&["engine.shards=3", "engine.batch=5"]), expected);
}

#[test]
fn a_silenced_alert_is_not_published_and_an_acknowledged_one_is_marked() {
    if !needs::onnx("a_silenced_alert_is_not_published_and_an_acknowledged_one_is_marked") {
        return;
    }
    let mut lines = given::companies::statements(6);
    let silence = r#"{"ts_event":1200000000000000001,"action":"silence","obligor":"C1","rule":"level","until":9000000000000000000}"#;
    lines.insert(0, silence.into());
    // C3's episode opens with its statement of the fifth year.
    let acknowledge =
        r#"{"ts_event":1200000000000000002,"action":"acknowledge","dedup_key":"C3/level/1"}"#;
    let after = lines
        .iter()
        .position(|line| line.contains("\"C3\"") && line.contains("2014"));
    lines.insert(after.expect("it is there") + 1, acknowledge.into());
    for set in [
        &[][..],
        &["engine.batch=1"],
        &["engine.shards=1", "engine.batch=9"],
    ] {
        let alerts = alerts_of(&lines, set);
        let of = |key: &str| -> Vec<&Value> {
            alerts
                .iter()
                .filter(|alert| alert["dedup_key"] == key)
                .collect()
        };
        assert!(of("C1/level/1").is_empty(), "{set:?}: {alerts:?}");
        assert!(!of("C1/change/1").is_empty(), "another rule: {alerts:?}");
        let acknowledged: Vec<&Value> = of("C3/level/1")
            .iter()
            .map(|alert| &alert["acknowledged"])
            .collect();
        assert_eq!(
            acknowledged.first(),
            Some(&&Value::Bool(false)),
            "{set:?}: {alerts:?}"
        );
        assert_eq!(
            acknowledged.last(),
            Some(&&Value::Bool(true)),
            "{set:?}: {alerts:?}"
        );
    }
}

#[test]
fn a_tick_advances_the_alerts_of_a_silent_company() {
    if !needs::onnx("a_tick_advances_the_alerts_of_a_silent_company") {
        return;
    }
    let mut lines = given::companies::statements(6);
    let bad = |line: &String| line.contains("\"C3\"") && line.contains("2014");
    let last = lines.iter().position(bad).expect("it is there");
    lines.truncate(last + 1);
    let statement: Value = serde_json::from_str(&lines[last]).expect("a statement is JSON");
    let stated_at = statement["ts_event"].as_i64().expect("a time");
    let rule = r#"alert=[{name="level", on={level={enter=0.1, exit=0.05}}, for_ms=1_000, severity={warning=0.15, critical=0.25}}]"#;
    let states = |lines: &[String]| -> Vec<(String, i64)> {
        let alerts = alerts_of(lines, &[rule]);
        let of = alerts.iter().filter(|alert| alert["obligor"] == "C3");
        of.map(|alert| {
            let state = alert["state"].as_str().expect("a state");
            let ts = alert["ts_event"].as_i64().expect("a time");
            (state.to_owned(), ts - stated_at)
        })
        .collect()
    };
    let pending = ("pending".to_owned(), 0);
    assert_eq!(states(&lines), std::slice::from_ref(&pending));
    let tick = |after: i64| format!(r#"{{"ts_event":{},"action":"tick"}}"#, stated_at + after);
    lines.push(tick(999_999_999));
    assert_eq!(states(&lines), std::slice::from_ref(&pending), "not yet");
    lines.push(tick(5_000_000_000));
    let firing = ("firing".to_owned(), 1_000_000_000);
    assert_eq!(
        states(&lines),
        [pending, firing],
        "the alert has the time at which it was due"
    );
}

#[test]
fn a_rule_whose_exit_is_above_its_enter_is_refused() {
    if !needs::onnx("a_rule_whose_exit_is_above_its_enter_is_refused") {
        return;
    }
    let pipeline = pipeline("default-alerts");
    let rule = r#"alert=[{name="level", on={level={enter=0.1, exit=0.2}}, severity={warning=0.1, critical=0.2}}]"#;
    let done = foretick(&[
        "check",
        pipeline.to_str().expect("text"),
        "--offline",
        "--set",
        rule,
    ]);
    assert_eq!(done.code, Some(2), "{}", done.stderr);
    assert!(done.stderr.contains("`exit`"), "{}", done.stderr);
}
