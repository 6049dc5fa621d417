//! Tables as events and as labels, in `evaluate`, `replay` and `check`.

use serde_json::{Value, json};

use crate::given::{Folder, Run};
use crate::golden::foretick;

/// A pipeline over a table; one about persons has a key for tokens.
fn pipeline(on: &str, table: &str, rest: &str) -> String {
    format!(
        "name = \"small\"\n{rest}\n[source.table]\nkey = \"id\"\noutcome = \"happened\"\n{table}\n[row]\non = \
         \"{on}\"\n[[feature]]\nname = \"a\"\nkind = \"field\"\n[model]\nkind = \"linear\"\nfile = \
         \"linear.json\"\n[signal]\nschema = \"signals.default.v1\"\n"
    )
}

/// Predicts `failed` where `a` is above zero.
const MODEL: &str = r#"{"name": "small", "version": "1", "features": ["a"], "labels": ["alive", "failed"],
    "weights": [[0.0], [1.0]], "bias": [0.0, 0.0]}"#;

const PRIVACY: &str = "[privacy]\nkey = \"env:FORETICK_PRIVACY_KEY\"\nkey_id = \"k1\"\n";

struct Case {
    folder: Folder,
    path: String,
}

impl Case {
    fn new(name: &str, on: &str, table: &str) -> Self {
        let folder = Folder::new(&format!("credit-tables-{name}"));
        let privacy = if on == "application" { PRIVACY } else { "" };
        folder.write("linear.json", MODEL);
        let path = folder.write("pipeline.toml", pipeline(on, table, privacy));
        let path = path.to_str().expect("text").to_owned();
        Self { folder, path }
    }

    fn statements(name: &str) -> Self {
        Self::new(name, "statement", "period = \"year\"")
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.folder.write(name, text);
        path.to_str().expect("text").to_owned()
    }

    fn evaluate(&self, events: &str, labels: &str, more: &[&str]) -> Run {
        let mut args = vec![
            "evaluate", &self.path, "--input", events, "--labels", labels,
        ];
        args.extend(more);
        foretick(&args)
    }

    fn report(&self, events: &str, labels: &str) -> Value {
        let done = self.evaluate(events, labels, &["--json"]);
        assert_eq!(done.code, Some(0), "{}", done.stderr);
        serde_json::from_str(&done.stdout).expect("the report is JSON")
    }
}

#[test]
fn an_unknown_outcome_is_an_error_and_not_a_zero() {
    let case = Case::statements("unknown");
    let rows = |last: &str| {
        format!("id,year,a,happened\nF,2014,1,failed\nG,2014,-1,alive\nH,2014,2,{last}\n")
    };
    let [sound, wrong] = [("sound", "failed"), ("wrong", "Failed ")]
        .map(|(name, last)| case.file(&format!("{name}.csv"), &rows(last)));
    let report = case.report(&sound, &sound);
    assert_eq!(report["accuracy"], 1.0);
    assert_eq!(report["classes"], json!(["alive", "failed"]));
    let text = case.evaluate(&sound, &sound, &[]).stdout;
    let matrix =
        "happened \\ predicted       alive    failed\nalive                          1         0\n";
    assert!(text.contains(matrix), "{text}");
    let done = case.evaluate(&wrong, &wrong, &[]);
    assert_eq!(done.code, Some(1), "{}", done.stdout);
    for message in [
        "wrong.csv:4: the outcome `Failed ` is not an outcome of this model",
        "`alive`, `failed`",
        "0 or 1",
    ] {
        assert!(done.stderr.contains(message), "{}", done.stderr);
    }
    let ones = case.file(
        "ones.jsonl",
        "{\"key\":\"F\",\"outcome\":1}\n{\"key\":\"G\",\"outcome\":2}\n",
    );
    let done = case.evaluate(&sound, &ones, &[]);
    assert!(
        done.stderr.contains("ones.jsonl:2: the outcome `2`"),
        "{}",
        done.stderr
    );
    let flags = case.file(
        "flags.csv",
        "id,year,a,happened\nF,2014,1,1.0\nG,2014,-1,False\nH,2014,2,True\n",
    );
    let report = case.report(&sound, &flags);
    assert_eq!(report["classes"], json!(["0", "1"]));
    assert_eq!(
        (&report["accuracy"], &report["rows"]),
        (&1.0.into(), &3.into())
    );
}

#[test]
fn no_output_contains_an_outcome_or_identifier_of_a_person() {
    let case = Case::new("persons", "application", "");
    let table = case.file(
        "rows.csv",
        "id,a,happened\n8888881,1,CANARY\n8888882,-1,0\n",
    );
    let labels = "{\"key\":8888881,\"outcome\":1}\n{\"key\":8888882,\"outcome\":";
    let good = case.file("good.jsonl", &format!("{labels}0}}\n"));
    assert_eq!(case.report(&table, &good)["rows"], 2, "the key is a number");
    let bad = case.file("bad.jsonl", "{\"key\":[8888881],\"outcome\":1}\n");
    for (labels, message) in [
        (
            &table,
            "rows.csv:2: the outcome is not an outcome of this model",
        ),
        (&bad, "bad.jsonl:1: "),
    ] {
        let done = case.evaluate(&table, labels, &[]);
        assert_eq!(done.code, Some(1), "{}", done.stdout);
        assert!(done.stderr.contains(message), "{}", done.stderr);
        let repeated = done.stderr.contains("CANARY") || done.stderr.contains("888888");
        assert!(!repeated, "{}", done.stderr);
    }
}

#[test]
fn a_firm_has_the_outcome_of_its_last_period() {
    let case = Case::statements("by-year");
    let by_firm = "id,year,a,happened\nF,2012,9,1\nF,2013,9,1\nF,2014,-1,0\nG,2012,-9,0\nG,2013,-9,0\nG,2014,1,1\n";
    let mut rows: Vec<&str> = by_firm.lines().skip(1).collect();
    for _ in 0..2 {
        let text = format!("id,year,a,happened\n{}\n", rows.join("\n"));
        let table = case.file("rows.csv", &text);
        let report = case.report(&table, &table);
        assert_eq!(
            (&report["rows"], &report["accuracy"]),
            (&2.into(), &1.0.into())
        );
        assert_eq!(report["unscored"], 0);
        rows.sort_by_key(|row| row.split(',').nth(1).expect("a year").to_owned());
    }
}

#[test]
fn an_application_has_the_outcome_of_its_time() {
    let case = Case::new("times", "application", "ts_event = \"day\"");
    let table = case.file(
        "rows.csv",
        "id,day,a,happened\nA,2020-01-01,-3,alive\nB,2020-01-02,-3,alive\nA,2020-01-03,3,failed\n\
         B,2020-01-04,3,failed\n",
    );
    let report = case.report(&table, &table);
    assert_eq!(
        (&report["rows"], &report["accuracy"]),
        (&4.into(), &1.0.into())
    );
    // Without times, an outcome belongs to no certain application.
    let case = Case::new("no-times", "application", "");
    let table = case.file("rows.csv", "id,a,happened\nA,-3,alive\nA,3,failed\n");
    let done = case.evaluate(&table, &table, &[]);
    assert_eq!(done.code, Some(1), "{}", done.stdout);
    assert!(
        done.stderr.contains("rows.csv:3:") && done.stderr.contains("`ts_event`"),
        "{}",
        done.stderr
    );
}

#[test]
fn an_outcome_that_is_not_known_is_left_out_and_counted() {
    let case = Case::statements("left-out");
    let table = case.file(
        "rows.csv",
        "id,year,a,happened\nF,2014,1,1\nG,2014,-1,0\nH,2014,2,\nI,2014,2,NA\n",
    );
    let report = case.report(&table, &table);
    assert_eq!(
        (&report["rows"], &report["unknown_outcomes"]),
        (&2.into(), &2.into())
    );
    let text = case.evaluate(&table, &table, &[]).stdout;
    assert!(text.contains("2 without an outcome, left out"), "{text}");
}

#[test]
fn a_missing_column_is_named_and_missing_values_are_counted() {
    let case = Case::statements("absent");
    let model = MODEL
        .replace(r#"["a"]"#, r#"["a", "b"]"#)
        .replace("[0.0], [1.0]", "[0.0, 0.0], [1.0, 0.0]");
    case.folder.write("linear.json", model);
    let two = "[[feature]]\nname = \"b\"\nkind = \"field\"\n[model]";
    let text = pipeline("statement", "period = \"year\"", "");
    case.folder
        .write("pipeline.toml", text.replace("[model]", two));
    let table = case.file("rows.csv", "id,year,b,happened\nF,2014,1,1\nG,2014,-1,0\n");
    let judged = case.evaluate(&table, &table, &[]);
    // The linear model fills no gaps, so nothing is left to judge.
    let message = "2 further windows had no finite score";
    assert!(judged.stderr.contains(message), "{}", judged.stderr);
    let replayed = foretick(&["replay", &case.path, "--input", &table]);
    for line in [
        "missing fields 2: a model's graph may impute them, a linear model then gives no score",
        "undefined      2 scores",
    ] {
        assert!(replayed.stdout.contains(line), "{}", replayed.stdout);
    }
    for done in [judged, replayed] {
        let lines = done.stderr.lines();
        let warnings = lines.filter(|line| line.contains("every row misses them columns=\"a\""));
        assert_eq!(warnings.count(), 1, "{}", done.stderr);
    }
}

#[test]
fn new_rows_are_scored_without_their_outcomes() {
    let case = Case::statements("no-outcomes");
    let rows = case.file("new.csv", "id,year,a\nF,2014,1\nG,2014,-1\n");
    let done = foretick(&["replay", &case.path, "--input", &rows, "--json"]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    let summary: Value = serde_json::from_str(&done.stdout).expect("the summary is JSON");
    assert_eq!(summary["signals"], 2, "{summary}");
    // The outcomes came later, in a table without the fields.
    let labels = case.file("labels.csv", "id,year,happened\nF,2014,1\nG,2014,0\n");
    let report = case.report(&rows, &labels);
    assert_eq!(
        (&report["rows"], &report["accuracy"]),
        (&2.into(), &1.0.into())
    );
    let done = case.evaluate(&rows, &rows, &[]);
    assert_eq!(done.code, Some(1), "{}", done.stdout);
    let said = "names a column `happened`, which it does not have";
    assert!(done.stderr.contains(said), "{}", done.stderr);
}

#[test]
fn a_table_without_a_column_that_is_read_is_an_error_and_no_scores() {
    let case = Case::statements("no-fields");
    let rows = case.file("rows.csv", "id,year,A,happened\nF,2014,1,1\n");
    for done in [
        case.evaluate(&rows, &rows, &[]),
        foretick(&["replay", &case.path, "--input", &rows]),
    ] {
        assert_eq!(done.code, Some(1), "{}", done.stdout);
        let said = "none of the columns that features read (a); it has id, year, A, happened";
        assert!(done.stderr.contains(said), "{}", done.stderr);
    }
    let rows = case.file("blanks.csv", "id, year, a\nF,2014,1\n");
    let done = foretick(&["replay", &case.path, "--input", &rows]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    assert!(!done.stdout.contains("missing fields"), "{}", done.stdout);
}

#[test]
fn a_row_whose_key_is_no_value_is_a_dead_letter() {
    let case = Case::statements("no-key");
    let rows = case.file("rows.csv", "id,year,a\nF,2014,1\nNaN,2014,1\nnull,2014,1\n");
    let letters = case.folder.path("letters.jsonl");
    let done = foretick(&[
        "replay",
        &case.path,
        "--input",
        &rows,
        "--dead-letters",
        letters.to_str().expect("text"),
        "--max-unread",
        "100",
    ]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    let letters = case.folder.read("letters.jsonl");
    let letters = letters.lines().map(|line| {
        let letter: Value = serde_json::from_str(line).expect("a letter");
        json!([letter["error"], letter["field"], letter["source"]["offset"]])
    });
    let expected = [1, 2].map(|row| json!(["out_of_range", "obligor", row]));
    assert_eq!(letters.collect::<Vec<_>>(), expected);
}

#[test]
fn a_pipeline_of_tables_needs_no_broker() {
    let case = Case::statements("check");
    let nowhere = "kafka.bootstrap=127.0.0.1:1";
    let done = foretick(&["check", &case.path, "--set", nowhere]);
    assert_eq!(done.code, Some(0), "{}{}", done.stdout, done.stderr);
    assert!(
        done.stdout
            .contains("`run` would read credit.statements.v1 from Kafka: write `kind = \"kafka\"`"),
        "{}",
        done.stdout
    );
    let topics = "source.topics=[\"credit.statements.v1\"]";
    let done = foretick(&["check", &case.path, "--set", nowhere, "--set", topics]);
    assert_eq!(done.code, Some(1), "topics that are listed are checked");
    let kafka = "source.kind=kafka";
    let done = foretick(&["check", &case.path, "--set", nowhere, "--set", kafka]);
    assert_eq!(done.code, Some(1), "{}", done.stdout);
    assert!(!done.stdout.contains("skipped"), "{}", done.stdout);
}

#[test]
fn a_dead_letter_of_a_line_without_a_stamp_has_no_ts_recv() {
    let case = Case::statements("letters");
    let events = case.file("events.jsonl", "{\"ts_event\":1}\n");
    let letters = case.folder.path("letters.jsonl");
    let letters = letters.to_str().expect("text");
    let args = [
        "replay",
        &case.path,
        "--input",
        &events,
        "--dead-letters",
        letters,
        "--max-unread",
        "100",
    ];
    let done = foretick(&args);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    let letter: Value = serde_json::from_str(&case.folder.read("letters.jsonl")).expect("a letter");
    assert_eq!(letter["ts_recv"], Value::Null);
}

#[test]
fn a_letter_of_a_line_that_was_cut_says_how_long_it_was() {
    let case = Case::statements("cut-letters");
    let events = case.file("events.jsonl", &format!("{}\n", "x".repeat(5_000)));
    let letters = case.file("letters.jsonl", "");
    for shards in ["1", "2"] {
        let shards = format!("engine.shards={shards}");
        let done = foretick(&[
            "replay",
            &case.path,
            "--input",
            &events,
            "--dead-letters",
            &letters,
            "--force",
            "--max-unread",
            "100",
            "--set",
            "source.max_frame_bytes=100",
            "--set",
            &shards,
        ]);
        assert_eq!(done.code, Some(0), "{}", done.stderr);
        let letter: Value =
            serde_json::from_str(&case.folder.read("letters.jsonl")).expect("a letter");
        let payload = letter["payload"].as_str().expect("text");
        assert_eq!(letter["error"], "oversized");
        assert!(payload.ends_with("xx…(cut from 5000 bytes)"), "{payload}");
    }
}
