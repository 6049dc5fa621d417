//! `foretick reconcile`: what is counted, in files of both kinds and in pipes, and its exit codes.

use serde_json::Value;

use crate::given::{self, Folder, Run};

/// The signals of a replay as `left.jsonl`, and of the same as `right.parquet`.
fn replays(test: &str) -> Folder {
    given::replays(test, ["left.jsonl", "right.parquet"])
}

fn reconcile(folder: &Folder, right: &str, args: &[&str]) -> Run {
    let (a, b) = (folder.path("left.jsonl"), folder.path(right));
    let mut all = vec!["reconcile".as_ref(), a.as_os_str(), b.as_os_str()];
    all.extend(args.iter().map(|arg| std::ffi::OsStr::new(*arg)));
    given::foretick(&all)
}

fn report(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{}", run.stderr))
}

#[test]
fn equal_sides_of_both_kinds_are_equal() {
    let folder = replays("reconcile-equal");
    let run = reconcile(&folder, "right.parquet", &["--json"]);
    assert_eq!(run.code, Some(0), "{}{}", run.stdout, run.stderr);
    let (report, lines) = (report(&run), folder.read("left.jsonl").lines().count());
    assert_eq!(report["equal"], lines);
    for field in ["only_left", "only_right", "different", "label_flips"] {
        assert_eq!(report[field], 0, "{report}");
    }
    assert_eq!(report["max_abs_score"], 0.0);
    assert_eq!(report["merged"], true);
}

#[test]
fn what_differs_is_counted() {
    let folder = replays("reconcile-differs");
    let text = folder.read("left.jsonl");
    let mut signals = given::json_lines(&text);
    let count = signals.len();
    for signal in &mut signals {
        signal["label"] = "up".into();
    }
    let lines = |signals: &[Value]| -> String {
        signals.iter().map(|signal| format!("{signal}\n")).collect()
    };
    folder.write("left.jsonl", lines(&signals));
    let mut changed = signals.clone();
    let score = |signal: &Value| signal["score"].as_f64().expect("a score");
    changed[5]["label"] = "down".into();
    changed[6]["score"] = (score(&signals[6]) + 0.25).into();
    changed[7]["quality"] = "late".into();
    changed[7]["score"] = (score(&signals[7]) - 0.5).into();
    let removed = changed.remove(9);
    // Another order between instruments, and within none.
    changed.sort_by_key(|signal| signal["instrument"].as_str().map(str::to_owned));
    folder.write("right.jsonl", lines(&changed));
    let run = reconcile(&folder, "right.jsonl", &["--json"]);
    assert_eq!(run.code, Some(1));
    let found = report(&run);
    let expected = [
        ("left", count),
        ("right", count - 1),
        ("equal", count - 4),
        ("different", 3),
        ("only_left", 1),
        ("only_right", 0),
        ("label_flips", 1),
    ];
    for (field, expected) in expected {
        assert_eq!(found[field], expected, "{field} of {found}");
    }
    let by_field = serde_json::json!({"label": 1, "score": 2});
    assert_eq!(
        found["by_field"], by_field,
        "the score is published before the quality"
    );
    assert_eq!(found["max_abs_score"], 0.5);
    // A part of the time, without the signal that is missing.
    let ts = removed["ts_event"].as_i64().expect("a time");
    let args = ["--json", "--from", &(ts + 1).to_string()];
    assert_eq!(
        report(&reconcile(&folder, "right.jsonl", &args))["only_left"],
        0
    );
    let run = reconcile(&folder, "right.jsonl", &[]);
    assert!(run.stdout.contains("up -> down"), "{}", run.stdout);
    let run = reconcile(&folder, "right.jsonl", &["--json", "--tolerance", "0.3"]);
    assert_eq!(report(&run)["different"], 2, "the quality and the label");
}

#[test]
fn sides_that_are_empty_missing_or_no_signals_are_errors() {
    let folder = replays("reconcile-wrong");
    let refused = |right: &str, word: &str| {
        let run = reconcile(&folder, right, &[]);
        assert_eq!(run.code, Some(1), "{}", run.stderr);
        assert!(run.stderr.contains(word), "{}", run.stderr);
    };
    refused("nowhere", "nowhere");
    folder.write("other.jsonl", "{\"a\":1}\n");
    refused("other.jsonl", "no `ts_event`");
    folder.write("table.csv", "a,b\n");
    refused("table.csv", "`reconcile` compares JSON lines and Parquet");
    folder.write("empty.jsonl", "");
    refused("empty.jsonl", "");
    folder.write("left.jsonl", "");
    refused("empty.jsonl", "neither side has any");
    let run = given::foretick(&["reconcile", "kafka://nowhere", "kafka://a/b"]);
    assert_eq!(run.code, Some(1));
    assert!(
        run.stderr.contains("kafka://host:port/topic"),
        "{}",
        run.stderr
    );
}
