//! Each fault of a record has one result: a dead letter with its reason, an imputed value, or a count.

use serde_json::{Value, json};

use crate::given::Folder;
use crate::golden::{foretick, pipeline};
use crate::needs;

/// An application with changes to its record and to its fields.
fn application(record: &[(&str, Value)], fields: &[(&str, Value)]) -> String {
    let mut line = json!({
        "ts_event": 7, "applicant": "a", "product": "card",
        "fields": {"limit_bal": 50_000, "education": 2, "pay_0": 1, "bill_amt1": 900.5, "pay_amt1": 10},
    });
    for (name, value) in record {
        line[*name] = value.clone();
    }
    for (name, value) in fields {
        line["fields"][*name] = value.clone();
    }
    line.to_string()
}

#[test]
fn each_bad_application_has_its_own_error() {
    if !needs::onnx("each_bad_application_has_its_own_error") {
        return;
    }
    let huge = "x".repeat(100_000);
    let whole = application(&[], &[]);
    let mut broken = whole.clone().into_bytes();
    broken[20] = 0xff;
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (whole.clone().into(), "used"),
        (application(&[], &[("extra", json!([1]))]).into(), "used"),
        (application(&[], &[("pay_0", Value::Null)]).into(), "used"),
        (
            application(&[], &[("limit_bal", json!("5e4"))]).into(),
            "used",
        ),
        (application(&[("fields", json!({}))], &[]).into(), "used"),
        (
            application(&[], &[("limit_bal", json!("5000O"))]).into(),
            "bad_number",
        ),
        (
            application(&[], &[("limit_bal", json!(-1))]).into(),
            "out_of_range",
        ),
        (
            application(&[], &[("education", json!(9))]).into(),
            "out_of_range",
        ),
        (
            application(&[("product", json!("yacht"))], &[]).into(),
            "unknown_product",
        ),
        (
            application(&[("product", Value::Null)], &[]).into(),
            "missing_field",
        ),
        (
            application(&[("applicant", json!(""))], &[]).into(),
            "out_of_range",
        ),
        (
            application(&[("applicant", json!(7))], &[]).into(),
            "wrong_type",
        ),
        (
            application(&[("fields", json!("none"))], &[]).into(),
            "wrong_type",
        ),
        (
            application(&[("ts_event", json!("noon"))], &[]).into(),
            "bad_number",
        ),
        (
            application(&[("note", json!(huge))], &[]).into(),
            "oversized",
        ),
        (whole.as_bytes()[..whole.len() - 9].to_vec(), "truncated"),
        (b"not json".to_vec(), "malformed"),
        (broken, "not_utf8"),
    ];
    for (line, reason) in cases {
        let folder = Folder::new(&format!("credit-bad-{reason}-{}", line.len()));
        let (input, letters) = (
            folder.write("in.jsonl", &line),
            folder.path("letters.jsonl"),
        );
        let pipeline = pipeline("loan-risk");
        let [pipeline, input, to] = [&pipeline, &input, &letters]
            .map(|p| p.to_str().expect("as the test or the command made it"));
        let done = foretick(&[
            "replay",
            pipeline,
            "--input",
            input,
            "--dead-letters",
            to,
            "--json",
            "--max-unread",
            "100",
        ]);
        assert_eq!(done.code, Some(0), "{}", done.stderr);
        let summary: Value =
            serde_json::from_str(&done.stdout).expect("as the test or the command made it");
        let shown = String::from_utf8_lossy(&line[..line.len().min(200)]).into_owned();
        if reason == "used" {
            assert_eq!(
                (&summary["signals"], &summary["frames"]["used"]),
                (&json!(1), &json!(1)),
                "{shown}"
            );
            continue;
        }
        assert_eq!(summary["signals"], 0, "{shown}");
        assert_eq!(summary["frames"]["dead_lettered"], 1, "{shown}: {summary}");
        let letter: Value = serde_json::from_str(folder.read("letters.jsonl").trim())
            .expect("as the test or the command made it");
        assert_eq!(letter["error"], reason, "{shown}");
    }
}

#[test]
fn missing_and_unknown_fields_are_counted() {
    if !needs::onnx("missing_and_unknown_fields_are_counted") {
        return;
    }
    let folder = Folder::new("credit-counted");
    let line = application(
        &[],
        &[
            ("extra", json!(1)),
            ("more", json!(2)),
            ("pay_0", Value::Null),
        ],
    );
    let input = folder.write("in.jsonl", line);
    let (pipeline, input) = (
        pipeline("loan-risk"),
        input
            .to_str()
            .expect("as the test or the command made it")
            .to_owned(),
    );
    let done = foretick(&[
        "replay",
        pipeline
            .to_str()
            .expect("as the test or the command made it"),
        "--input",
        &input,
        "--json",
    ]);
    let summary: Value =
        serde_json::from_str(&done.stdout).expect("as the test or the command made it");
    let events = &summary["events"];
    assert_eq!(events["records"], 1);
    assert_eq!(events["unknown_fields"], 2, "{events}");
    assert_eq!(
        events["missing_fields"], 16,
        "20 are configured, 4 are there: {events}"
    );
}
