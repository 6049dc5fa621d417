//! Comparing runs and outcomes: signals are paired by instrument and time, each signal counts once, and
//! labels that contradict each other are refused.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::given::{self, Folder, Run};
use crate::replayed::{one_feature, replay};

const START: i64 = 1_790_000_000_000_000_000;

fn signal(instrument: &str, second: i64, score: f64) -> String {
    let ts = START + second * 1_000_000_000;
    json!({"instrument": instrument, "ts_event": ts, "score": score, "quality": "ok"}).to_string()
}

fn diff(folder: &Folder, left: &str, right: &str) -> (Run, Value) {
    let [left, right] = [left, right].map(|name| folder.path(name).display().to_string());
    let text = given::foretick(&["diff", &left, &right]);
    let json = given::foretick(&["diff", &left, &right, "--json"]);
    let report = serde_json::from_str(&json.stdout).expect("a report is JSON");
    (text, report)
}

#[test]
fn one_missing_signal_is_one_difference() {
    let folder = Folder::new("field-diff-hole");
    let all: Vec<String> = (0..50)
        .flat_map(|at| [signal("A.X", at, 0.5), signal("B.X", at, at as f64)])
        .collect();
    folder.write("whole", all.join("\n"));
    let holed: Vec<&String> = all
        .iter()
        .enumerate()
        .filter(|(at, _)| *at != 9)
        .map(|one| one.1)
        .collect();
    let mut text = String::new();
    // In another order of the instruments, too.
    for line in holed
        .iter()
        .filter(|line| line.contains("B.X"))
        .chain(holed.iter().filter(|line| line.contains("A.X")))
    {
        writeln!(text, "{line}").expect("memory takes text");
    }
    folder.write("holed", text);
    let (run, report) = diff(&folder, "whole", "holed");
    assert_eq!(run.code, Some(1), "{}", run.stdout);
    assert!(
        run.stdout
            .contains("99 equal, 0 different, 1 only on the left, 0 only on the right"),
        "{}",
        run.stdout
    );
    assert_eq!(report["only_left"], 1);
    assert_eq!(report["first"]["instrument"], "B.X");
    assert_eq!(report["first"]["ts_event"], START + 4_000_000_000);
}

/// A pipeline whose score is the size of a trade, with outcomes of 0 and 1.
fn replayed(folder: &Folder, lines: &str, outputs: &[&str]) {
    let pipeline = folder.write("pipeline.toml", one_feature("kind = \"size\"", "trade", ""));
    let input = folder.write("in.jsonl", lines);
    for output in outputs {
        let output = folder.path(output);
        let [pipeline, input, output] =
            [&pipeline, &input, &output].map(|path| path.to_str().expect("text"));
        let run = given::foretick(&["replay", pipeline, "--input", input, "--output", output]);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
    }
}

/// Trades of a symbol: second, and the size, which is the score.
fn trades(some: &[(i64, f64)]) -> String {
    let mut text = String::new();
    for (at, (second, size)) in some.iter().enumerate() {
        let ts = START + second * 1_000_000_000;
        let line = json!({"ts_event": ts, "symbol": "A.X", "price": 10, "size": size, "side": "buy", "trade_id": at + 1});
        writeln!(text, "{line}").expect("memory takes text");
    }
    text
}

#[test]
fn parquet_is_compared_with_json_lines() {
    let folder = Folder::new("field-diff-parquet");
    replayed(
        &folder,
        &trades(&[(0, 0.25), (0, 0.5), (1, 0.125)]),
        &["out.jsonl", "out.parquet"],
    );
    for (left, right) in [
        ("out.jsonl", "out.parquet"),
        ("out.parquet", "out.jsonl"),
        ("out.parquet", "out.parquet"),
    ] {
        let (run, report) = diff(&folder, left, right);
        assert_eq!(
            run.code,
            Some(0),
            "{left} {right}: {}{}",
            run.stdout,
            run.stderr
        );
        assert_eq!(report["equal_pairs"], 3);
    }
    folder.write("broken", "PAR1 and no more");
    let broken = folder.path("broken").display().to_string();
    let run = given::foretick(&["diff", &broken, &broken]);
    assert!(
        run.code == Some(1) && run.stderr.contains("the Parquet file"),
        "{}",
        run.stderr
    );
}

fn evaluate(folder: &Folder, labels: &str) -> (Run, Value) {
    folder.write("labels.jsonl", labels);
    let [pipeline, input, labels] = ["pipeline.toml", "in.jsonl", "labels.jsonl"]
        .map(|name| folder.path(name).display().to_string());
    let run = given::foretick(&[
        "evaluate", &pipeline, "--input", &input, "--labels", &labels, "--json",
    ]);
    let report = serde_json::from_str(&run.stdout).unwrap_or(Value::Null);
    (run, report)
}

fn label(second: i64, outcome: u8) -> String {
    let ts = START + second * 1_000_000_000;
    json!({"key": "A.X", "ts_event": ts, "outcome": outcome}).to_string() + "\n"
}

#[test]
fn ticks_of_one_time_count_one_each() {
    let folder = Folder::new("field-evaluate-ticks");
    // A score of 0.9 for 1 and of 0.1 for 0, three of them at one time.
    replayed(
        &folder,
        &trades(&[(0, 0.9), (1, 0.1), (1, 0.9), (1, 0.1), (2, 0.9)]),
        &[],
    );
    let signals = replay(
        "size",
        "trade",
        &folder.read("in.jsonl").lines().collect::<Vec<_>>(),
    );
    assert_eq!(signals.code, Some(0), "{}", signals.stderr);
    assert_eq!(signals.summary["signals"], 5);
    assert_eq!(signals.with_quality()[..2], ["0.9 ok", "0.1 ok"]);
    let outcomes = [(0, 1), (1, 0), (1, 1), (1, 0), (2, 1)];
    let labels: String = outcomes
        .iter()
        .map(|(second, outcome)| label(*second, *outcome))
        .collect();
    let (run, report) = evaluate(&folder, &labels);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(
        (&report["rows"], &report["unscored"]),
        (&json!(5), &json!(0))
    );
    assert_eq!(
        (&report["accuracy"], &report["auc"]),
        (&json!(1.0), &json!(1.0))
    );
    assert_eq!(report["redraws"]["by"], "time");
    assert!(report["intervals"]["log_loss"]["low"].is_f64(), "{report}");
}

#[test]
fn one_instrument_has_intervals_of_some_width() {
    let folder = Folder::new("field-evaluate-width");
    let some: Vec<(i64, f64)> = (0..200)
        .map(|at| {
            (
                at,
                f64::from(u32::try_from(at * 37 % 100).expect("small")) / 100.0,
            )
        })
        .collect();
    replayed(&folder, &trades(&some), &[]);
    let labels: String = some
        .iter()
        .map(|(second, score)| {
            label(
                *second,
                u8::from((second * 53 % 100) as f64 / 100.0 < *score),
            )
        })
        .collect();
    let (run, report) = evaluate(&folder, &labels);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let bound = |name: &str| report["intervals"]["auc"][name].as_f64().expect("a bound");
    assert!(bound("high") - bound("low") > 0.01, "{report}");
    assert!(
        report["redraws"]["units"].as_u64() > Some(10)
            && report["redraws"]["block_ns"].as_i64() > Some(0),
        "{report}"
    );
    assert_eq!(report["ece_bins"], 15);
    for figure in ["ece_equal_count", "ece_equal_width"] {
        assert!(report[figure].as_f64() > Some(0.0), "{report}");
    }
}

#[test]
fn labels_that_contradict_each_other_are_refused() {
    let folder = Folder::new("field-evaluate-contradiction");
    replayed(&folder, &trades(&[(0, 0.9), (1, 0.1)]), &[]);
    let (run, _) = evaluate(&folder, &(label(0, 1) + &label(1, 0) + &label(1, 1)));
    assert_eq!(run.code, Some(1), "{}", run.stdout);
    assert!(
        run.stderr.contains("labels.jsonl:3: another label"),
        "{}",
        run.stderr
    );
    let (run, report) = evaluate(&folder, &(label(0, 1) + &label(1, 0) + &label(1, 0)));
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(
        (&report["rows"], &report["repeated_labels"]),
        (&json!(2), &json!(1))
    );
}
