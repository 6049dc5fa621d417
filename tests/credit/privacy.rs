//! Records with marked personal data, valid and invalid in every way: no output contains a mark.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::given::{self, Folder};
use crate::golden::{KEY, foretick, pipeline};
use crate::needs;

/// The personal values that no output may contain.
const CANARY: &str = "CANARY";

/// Applications, valid and invalid in every way; every field that names or describes a person has a mark.
fn marked() -> String {
    let record = |change: fn(&mut Value)| {
        let mut line = json!({
            "ts_event": 7, "applicant": "CANARY-id", "product": "card",
            "name": "CANARY-name", "email": "CANARY@example.org", "address": {"street": "CANARY street"},
            "fields": {"limit_bal": 50_000, "education": 2, "pay_0": 1, "phone": "CANARY-phone"},
        });
        change(&mut line);
        line.to_string()
    };
    let mut lines = vec![
        record(|_| {}),
        record(|line| line["fields"]["limit_bal"] = json!("CANARY-number")),
        record(|line| line["fields"]["limit_bal"] = json!(-5)),
        record(|line| line["product"] = json!("CANARY-product")),
        record(|line| line["fields"] = json!("CANARY-fields")),
        record(|line| line["ts_event"] = json!("CANARY-time")),
        record(|line| line["applicant"] = json!({"id": "CANARY-object"})),
        record(|line| line["note"] = json!("CANARY".repeat(20_000))),
        "CANARY not json".into(),
    ];
    lines.push(lines[0][..60].to_owned());
    lines.join("\n") + "\n"
}

#[test]
fn no_output_contains_a_personal_value() {
    if !needs::onnx("no_output_contains_a_personal_value") {
        return;
    }
    let folder = Folder::new("credit-canary");
    let inputs = Folder::new("credit-canary-in");
    let input = inputs.write("in.jsonl", marked());
    let (pipeline, input) = (
        pipeline("loan-risk"),
        input
            .to_str()
            .expect("as the test or the command made it")
            .to_owned(),
    );
    let pipeline = pipeline
        .to_str()
        .expect("as the test or the command made it");
    let file = |name: &str| {
        folder
            .path(name)
            .to_str()
            .expect("as the test or the command made it")
            .to_owned()
    };
    let mut outputs = vec![];
    for (signals, set) in [
        ("signals.jsonl", &["engine.shards=1"][..]),
        ("shards.jsonl", &["engine.shards=2"]),
        ("few.jsonl", &["source.max_instruments=1"]),
        ("signals.parquet", &[]),
    ] {
        let (to, letters) = (file(signals), file(&format!("{signals}.letters")));
        let mut args = vec![
            "replay",
            pipeline,
            "--input",
            &input,
            "--output",
            &to,
            "--dead-letters",
            &letters,
            "--max-unread",
            "100",
        ];
        for one in set {
            args.extend(["--set", one]);
        }
        let done = foretick(&args);
        assert_eq!(done.code, Some(0), "{}", done.stderr);
        outputs.push(done.stdout + &done.stderr);
    }
    let rows = file("rows.parquet");
    outputs.push(foretick(&["features", pipeline, "--input", &input, "--output", &rows]).stderr);
    // Both commands refuse personal data, with a message that contains none.
    let capture = file("capture.zst");
    let refused = foretick(&[
        "run",
        pipeline,
        "--capture",
        &capture,
        "--output",
        "-",
        "--until-end",
        "--set",
        "metrics.listen=",
    ]);
    assert_ne!(refused.code, Some(0));
    assert!(
        refused.stderr.contains("personal data"),
        "{}",
        refused.stderr
    );
    outputs.push(refused.stderr);
    let recorded = foretick(&["record", pipeline, "--output", &capture]);
    assert!(
        recorded.stderr.contains("personal data"),
        "{}",
        recorded.stderr
    );
    for text in &outputs {
        assert!(!text.contains(CANARY), "{text}");
    }
    let letters = folder.read("signals.jsonl.letters");
    assert_eq!(
        letters.lines().count(),
        9,
        "each invalid application is a dead letter"
    );
    assert!(
        letters.contains("\"k1:"),
        "an applicant appears as a token: {letters}"
    );
    assert_nowhere(&folder.path(""), CANARY);
}

/// Checks that no file in this folder contains the text.
fn assert_nowhere(folder: &Path, text: &str) {
    let mut files = 0;
    for entry in fs::read_dir(folder).expect("as the test or the command made it") {
        let path = entry.expect("as the test or the command made it").path();
        let bytes = fs::read(&path).expect("as the test or the command made it");
        let found = bytes
            .windows(text.len())
            .any(|window| window == text.as_bytes());
        assert!(!found, "{} holds it", path.display());
        files += 1;
    }
    assert!(files >= 7, "only {files} files were searched");
}

#[test]
fn a_person_has_one_token_per_key() {
    if !needs::onnx("a_person_has_one_token_per_key") {
        return;
    }
    let folder = Folder::new("credit-tokens");
    let line = r#"{"ts_event":1,"applicant":"p-17","product":"card","fields":{"limit_bal":1}}"#;
    let input = folder.write("in.jsonl", format!("{line}\n{line}\n"));
    let token = |key: &str, set: &str| {
        let output = folder.path("out.jsonl");
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_foretick"));
        command
            .arg("replay")
            .arg(pipeline("loan-risk"))
            .arg("--input")
            .arg(&input);
        command
            .arg("--output")
            .arg(&output)
            .args(["--force", "--set", set])
            .env(KEY, key);
        let done = given::run(&mut command);
        assert_eq!(done.code, Some(0), "{}", done.stderr);
        let tokens: Vec<String> = folder
            .read("out.jsonl")
            .lines()
            .map(|line| {
                serde_json::from_str::<Value>(line).expect("as the test or the command made it")
                        ["applicant"]
                        .to_string()
            })
            .collect();
        assert_eq!(tokens[0], tokens[1]);
        tokens[0].clone()
    };
    let first = token("the first key of this test", "privacy.key_id=k1");
    assert_eq!(
        first,
        token("the first key of this test", "privacy.key_id=k1")
    );
    let second = token("another key, as long as this", "privacy.key_id=k2");
    assert!(
        first.starts_with("\"k1:") && second.starts_with("\"k2:"),
        "{first} {second}"
    );
    assert_ne!(first[4..], second[4..]);
}

#[test]
fn a_pipeline_about_persons_needs_a_key() {
    let pipeline = pipeline("loan-risk");
    let pipeline = pipeline
        .to_str()
        .expect("as the test or the command made it");
    let check = |key: Option<&str>, set: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_foretick"));
        command
            .args(["check", pipeline, "--offline"])
            .env_remove(KEY);
        for one in set {
            command.args(["--set", one]);
        }
        given::run(command.envs(key.map(|key| (KEY, key))))
    };
    let missing = check(None, &[]);
    assert_eq!(missing.code, Some(2));
    assert!(
        missing.stderr.contains("env:FORETICK_PRIVACY_KEY"),
        "{}",
        missing.stderr
    );
    let short = check(Some("short"), &[]);
    assert!(short.stderr.contains("at least 16"), "{}", short.stderr);
    let plain = check(None, &["privacy.key=0123456789abcdef0123"]);
    assert!(
        plain.stderr.contains("never the key itself"),
        "{}",
        plain.stderr
    );
    assert!(
        !plain.stderr.contains("0123456789abcdef"),
        "{}",
        plain.stderr
    );
}

#[test]
fn an_explained_signal_about_a_person_shows_no_value() {
    if !needs::onnx("an_explained_signal_about_a_person_shows_no_value") {
        return;
    }
    let folder = Folder::new("credit-explain");
    let input = folder.write("in.jsonl", marked());
    let pipeline = pipeline("loan-risk");
    let text = |path: &Path| path.to_str().expect("a path of text").to_owned();
    let (pipeline, input) = (text(&pipeline), text(&input));
    let to = text(&folder.path("out.jsonl"));
    let more = ["--output", &to, "--max-unread", "100"];
    foretick(&[&["replay", &pipeline, "--input", &input][..], &more].concat());
    let signals = given::json_lines(&folder.read("out.jsonl"));
    let id = signals[0]["signal_id"].as_str().expect("an id");
    let args = ["explain", &pipeline, "--input", &input, id];
    let (shown, json) = (
        foretick(&args),
        foretick(&[&args[..], &["--json"]].concat()),
    );
    for run in [&shown, &json] {
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        assert!(
            !run.stdout.contains(CANARY) && !run.stdout.contains("50000"),
            "{}",
            run.stdout
        );
    }
    let report: Value = serde_json::from_str(&json.stdout).expect("a report");
    assert_eq!(report["rows"][0]["values"], Value::Null);
    assert_eq!(report["features"][0]["value"], Value::Null);
    assert_eq!(report["scores"]["abs_difference"], 0.0);
    assert!(report["withheld"].is_string());
}
