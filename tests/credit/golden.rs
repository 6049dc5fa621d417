//! The shipped models give the outputs that their recipes recorded, through the whole engine, in any batch
//! and on any number of shards; on recorded data they reach the figures of their cards.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::given::{self, Folder};
use crate::needs;

/// A key for tests only.
pub(crate) const KEY: &str = "FORETICK_PRIVACY_KEY";

/// Runs `foretick` with a privacy key.
pub(crate) fn foretick(args: &[&str]) -> given::Run {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_foretick"));
    given::run(
        command
            .args(args)
            .env(KEY, "of a test, sixteen bytes or more"),
    )
}

pub(crate) fn pipeline(name: &str) -> PathBuf {
    given::repository("pipelines").join(name)
}

/// The golden vectors of a pipeline.
fn vectors(name: &str) -> Vec<Value> {
    let text = fs::read_to_string(pipeline(name).join("golden.jsonl")).expect("it is shipped");
    let lines = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line is JSON"));
    lines.collect()
}

/// Signals of a replay, as JSON.
pub(crate) fn replay(name: &str, input: &str, set: &[&str]) -> Vec<Value> {
    let folder = Folder::new(&format!("credit-{name}-{:?}", std::thread::current().id()));
    let events = folder.write("events.jsonl", input);
    let output = folder.path("signals.jsonl");
    let pipeline = pipeline(name);
    let [pipeline, events, to] = [&pipeline, &events, &output].map(|p| p.to_str().expect("text"));
    let mut args = vec!["replay", pipeline, "--input", events, "--output", to];
    // Some of the records are wrong on purpose.
    args.extend(["--max-unread", "100"]);
    for one in set {
        args.extend(["--set", one]);
    }
    let done = foretick(&args);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    let text = folder.read("signals.jsonl");
    text.lines()
        .map(|line| serde_json::from_str(line).expect("a signal is JSON"))
        .collect()
}

#[test]
fn applications_have_the_recorded_probabilities_and_reasons() {
    if !needs::onnx("applications_have_the_recorded_probabilities_and_reasons") {
        return;
    }
    let vectors = vectors("loan-risk");
    let record = |(at, vector): (usize, &Value)| {
        json!({"ts_event": at, "applicant": format!("a-{at}"), "product": "card", "fields": vector["fields"]})
            .to_string()
    };
    let events: Vec<String> = vectors.iter().enumerate().map(record).collect();
    let signals = replay("loan-risk", &events.join("\n"), &[]);
    // Some recorded rows are out of a field's range: such an application is refused before the model.
    assert!(signals.len() >= 15, "{}", signals.len());
    keep_to_schema(&signals, "grades.loan.v1");
    let labels = ["low", "medium", "high"];
    for signal in &signals {
        let vector = &vectors[signal["ts_event"]
            .as_u64()
            .expect("as the test or the command made it") as usize];
        for (label, expected) in labels.iter().zip(
            vector["probabilities"]
                .as_array()
                .expect("as the test or the command made it"),
        ) {
            let given = signal["probabilities"][label]
                .as_f64()
                .expect("as the test or the command made it");
            assert!(
                (given
                    - expected
                        .as_f64()
                        .expect("as the test or the command made it"))
                .abs()
                    < 1e-5,
                "{signal}\n{vector}"
            );
        }
        let reasons = signal["reasons"]
            .as_array()
            .expect("as the test or the command made it");
        let mut expected: Vec<f64> = vector["reasons"]
            .as_array()
            .expect("as the test or the command made it")
            .iter()
            .map(|w| w.as_f64().expect("as the test or the command made it"))
            .collect();
        expected.sort_by(|a, b| b.total_cmp(a));
        expected.retain(|&weight| weight > 1e-5);
        expected.truncate(4);
        assert!(
            reasons.len() >= expected.len() && reasons.len() <= 4,
            "{signal}\n{vector}"
        );
        for (reason, weight) in reasons.iter().zip(&expected) {
            assert!(
                (reason["weight"]
                    .as_f64()
                    .expect("as the test or the command made it")
                    - weight)
                    .abs()
                    < 1e-4,
                "{signal}\n{vector}"
            );
            assert!(
                reason["code"]
                    .as_str()
                    .expect("as the test or the command made it")
                    .chars()
                    .all(|c| c.is_ascii_uppercase() || c == '_')
            );
        }
    }
    for set in [
        &["engine.batch=1"][..],
        &["engine.shards=3", "engine.batch=7"],
    ] {
        let mut again = replay("loan-risk", &events.join("\n"), set);
        again.sort_by_key(|signal| signal["ts_event"].as_i64());
        for (a, b) in again.iter().zip(&signals) {
            assert_eq!(a["probabilities"], b["probabilities"], "{set:?}");
            assert_eq!(a["reasons"], b["reasons"], "{set:?}");
        }
    }
}

#[test]
fn companies_have_the_recorded_probability() {
    if !needs::onnx("companies_have_the_recorded_probability") {
        return;
    }
    let (vectors, names) = (vectors("default-alerts"), item_names());
    let mut events = vec![];
    for (at, vector) in vectors.iter().enumerate() {
        for (year, row) in vector["rows"]
            .as_array()
            .expect("as the test or the command made it")
            .iter()
            .enumerate()
        {
            let cells = row
                .as_array()
                .expect("as the test or the command made it")
                .iter()
                .cloned();
            let items: serde_json::Map<String, Value> = names.iter().cloned().zip(cells).collect();
            let record = json!({"ts_event": 1_500_000_000_000_000_000 + year, "obligor": format!("C{at}"), "period": 2000 + year, "items": items});
            events.push(record.to_string());
        }
    }
    let signals = replay("default-alerts", &events.join("\n"), &[]);
    // Some recorded windows have no total assets: such a statement is refused before the model.
    assert!(
        signals.len() >= 16,
        "one for each company, at its fourth year"
    );
    keep_to_schema(&signals, "signals.default.v1");
    for signal in &signals {
        let at: usize = signal["obligor"]
            .as_str()
            .expect("as the test or the command made it")[1..]
            .parse()
            .expect("as the test or the command made it");
        let vector = &vectors[at];
        let expected = vector["probability"]
            .as_f64()
            .expect("as the test or the command made it");
        let given = signal["score"]
            .as_f64()
            .expect("as the test or the command made it");
        assert!((given - expected).abs() < 1e-5, "{signal}\n{vector}");
        assert!(
            signal["grade"].is_string() && signal["quality"] == "ok",
            "{signal}"
        );
    }
}

/// Checks that the signals are valid by their schema, and that every reason code has a text.
fn keep_to_schema(signals: &[Value], name: &str) {
    let path = given::repository("schemas").join(format!("{name}.json"));
    let schema: Value = serde_json::from_str(
        &fs::read_to_string(path).expect("as the test or the command made it"),
    )
    .expect("as the test or the command made it");
    let validator =
        jsonschema::draft202012::new(&schema).expect("as the test or the command made it");
    let texts = pipeline(
        signals[0]["pipeline"]
            .as_str()
            .expect("as the test or the command made it"),
    )
    .join("reasons.json");
    let texts: Value = serde_json::from_str(
        &fs::read_to_string(texts).expect("as the test or the command made it"),
    )
    .expect("as the test or the command made it");
    for signal in signals {
        let errors: Vec<String> = validator
            .iter_errors(signal)
            .map(|e| e.to_string())
            .collect();
        assert!(errors.is_empty(), "{signal}: {errors:?}");
        for reason in signal["reasons"]
            .as_array()
            .expect("as the test or the command made it")
        {
            assert!(
                texts[reason["code"]
                    .as_str()
                    .expect("as the test or the command made it")]
                .is_string(),
                "{reason} has no text"
            );
        }
    }
}

fn item_names() -> Vec<String> {
    let pipeline = given::load(&pipeline("default-alerts"), &[]);
    pipeline.plan.names().to_vec()
}

#[test]
fn figures_of_default_are_those_of_the_card() {
    let test = "figures_of_default_are_those_of_the_card";
    let Some(data) = needs::data(test).filter(|_| needs::onnx(test)) else {
        return;
    };
    let report = evaluate(
        "default-alerts",
        &data.join("default/us-window4/4_test_for_LSTM.csv"),
    );
    let figure = |name: &str| {
        report[name]
            .as_f64()
            .expect("as the test or the command made it")
    };
    assert_eq!(report["rows"], 2_920);
    assert!(figure("auc") >= 0.89, "{report}");
    assert!(figure("brier") <= 0.028, "{report}");
    assert!(figure("recall_top_decile") >= 0.65, "{report}");
    assert!(
        report["baselines_left_out"]["base_rate"].is_string(),
        "{report}"
    );
    assert_eq!(report["alerts"]["failures"], 96, "{report}");
    assert!(
        report["alerts"]["precision"].as_f64() > Some(0.2),
        "{report}"
    );
    let card = fs::read_to_string(pipeline("default-alerts").join("MODEL_CARD.md"))
        .expect("as the test or the command made it");
    let stated = format!("{:.3}", figure("auc"));
    assert!(card.contains(&stated), "the card does not say AUC {stated}");
}

/// The report over a table, its own labels.
pub(crate) fn evaluate(name: &str, table: &std::path::Path) -> Value {
    let (pipeline, table) = (
        pipeline(name),
        table.to_str().expect("as the test or the command made it"),
    );
    let pipeline = pipeline
        .to_str()
        .expect("as the test or the command made it");
    let done = foretick(&[
        "evaluate", pipeline, "--input", table, "--labels", table, "--json",
    ]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    serde_json::from_str(&done.stdout).expect("a report is JSON")
}
