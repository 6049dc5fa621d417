//! Sentiment and economic figures in rows about prices: each from its own time on, never earlier.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::given::{self, Folder};

const DAILY: &str = r#"
name = "daily"

[row]
on = "bar"

[[feature]]
name = "move"
kind = "log_return"
of = "close"
hidden = true

[[feature]]
name = "gap"
kind = "relative"
of = "open"
to = "close"

[[feature]]
name = "fear"
kind = "figure"
figure = "vix"

[[feature]]
name = "fear_move"
kind = "log_return"
of = "fear"
hidden = true

[[feature]]
name = "mood"
kind = "sentiment"

[model]
kind = "sum"
normalise = "none"
"#;

const HOUR: i64 = 3_600_000_000_000;
/// Hours from 1970 to August 2023.
const START: i64 = 470_000;

fn bar(hour: i64, open: f64, close: f64) -> String {
    let (high, low) = (open.max(close), open.min(close));
    json!({"ts_event": (START + hour) * HOUR, "symbol": "A", "open": open, "high": high, "low": low, "close": close})
        .to_string()
}

fn sentiment(hour: i64, average: f64, weight: f64) -> String {
    let fields = json!({"average": average, "weight": weight, "half_life_ms": 3_600_000});
    json!({"ts_event": (START + hour) * HOUR, "instrument": "A", "score": 0.5, "sentiment": fields})
        .to_string()
}

fn figure(hour: i64, value: f64) -> String {
    json!({"ts_event": (START + hour) * HOUR, "figure": "vix", "value": value}).to_string()
}

/// Time in hours, and score, of each signal.
fn scores(lines: &[String]) -> Vec<(i64, f64)> {
    let folder = Folder::new(&format!("context-{:?}", std::thread::current().id()));
    let pipeline = folder.write("pipeline.toml", DAILY);
    let (events, output) = (
        folder.write("events.jsonl", lines.join("\n")),
        folder.path("out.jsonl"),
    );
    let [pipeline, events, to] = [&pipeline, &events, &output].map(|p| p.to_str().expect("text"));
    let done = given::foretick(&["replay", pipeline, "--input", events, "--output", to]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    let signals = folder.read("out.jsonl");
    let signals = signals.lines().map(|line| {
        let signal: Value = serde_json::from_str(line).expect("a signal is JSON");
        let number = |name: &str| signal[name].as_f64().expect("a signal has it");
        (number("ts_event") as i64 / HOUR - START, number("score"))
    });
    signals.collect()
}

#[test]
fn a_row_uses_what_was_known_at_its_time() {
    let lines = [
        bar(1, 10.0, 10.0), // no figure yet: no row
        figure(2, 20.0),
        bar(3, 9.0, 10.0),
        sentiment(4, 0.8, 1.0),
        bar(4, 10.0, 10.0), // the very moment of it
        figure(5, 10.0),
        bar(5, 10.0, 10.0), // an hour after it: weight one half
    ];
    let expected = [
        (3, 9.0 / 10.0 - 1.0 + 20.0),
        (4, 20.0 + 0.8 * 1.0 / 2.0),
        (5, 10.0 + 0.8 * 0.5 / 1.5),
    ];
    let given = scores(&lines);
    assert_eq!(given.len(), expected.len(), "{given:?}");
    for (given, expected) in given.iter().zip(&expected) {
        assert_eq!(given.0, expected.0);
        assert!(
            (given.1 - expected.1).abs() < 1e-12,
            "{given:?} {expected:?}"
        );
    }
}

#[test]
fn a_record_that_arrives_early_counts_from_its_time() {
    let (mut in_time, mut early) = (vec![], vec![figure(0, 15.0)]);
    in_time.push(figure(0, 15.0));
    for hour in 1..60 {
        if hour % 7 == 0 {
            in_time.push(sentiment(
                hour,
                libm::sin(hour as f64 / 60.0),
                1.0 + hour as f64,
            ));
        }
        if hour % 5 == 0 {
            in_time.push(figure(hour, hour as f64));
        }
        in_time.push(bar(hour, 10.0 + hour as f64, 11.0));
    }
    let is_bar = |line: &&String| line.contains("close");
    early.extend(in_time[1..].iter().filter(|line| !is_bar(line)).cloned());
    early.extend(in_time.iter().filter(is_bar).cloned());
    let expected = scores(&in_time);
    assert_eq!(expected.len(), 59);
    assert_eq!(
        scores(&early),
        expected,
        "records of the future arrive first, and no row uses them"
    );
}

#[test]
fn a_figure_far_ahead_hides_no_earlier_figure() {
    let named = |name: &str, hour: i64, value: f64| figure(hour, value).replace("vix", name);
    let lines = [
        figure(1, 20.0),
        bar(2, 10.0, 10.0),
        named("cpi", 100, 3.0), // used by no feature
        figure(100, 99.0),
        figure(3, 35.0),
        bar(4, 10.0, 10.0),
        figure(10, 50.0),
        figure(7, 40.0),
        bar(8, 10.0, 10.0),
        bar(11, 10.0, 10.0),
        figure(9, 1.0), // late, and older than what is known
        bar(99, 10.0, 10.0),
        bar(101, 10.0, 10.0),
    ];
    let expected = [
        (2, 20.0),
        (4, 35.0),
        (8, 40.0),
        (11, 50.0),
        (99, 50.0),
        (101, 99.0),
    ];
    assert_eq!(scores(&lines), expected);
}

#[test]
fn a_record_that_arrives_late_counts_from_its_arrival() {
    let lines = [
        figure(0, 0.0),
        bar(1, 10.0, 10.0),
        bar(2, 10.0, 10.0),
        sentiment(1, 0.8, 1.0), // of hour 1, arrives after hour 2
        bar(3, 10.0, 10.0),
    ];
    let given = scores(&lines);
    let expected = [0.0, 0.0, 0.8 * 0.25 / 1.25];
    for (given, expected) in given.iter().zip(expected) {
        assert!((given.1 - expected).abs() < 1e-12, "{given:?}");
    }
}

#[test]
fn figures_need_a_single_shard() {
    let folder = Folder::new("context-shards");
    let pipeline = folder.write("pipeline.toml", DAILY);
    let done = given::foretick(&[
        "check",
        pipeline.to_str().expect("text"),
        "--set",
        "engine.shards=2",
    ]);
    assert_ne!(done.code, Some(0));
    assert!(
        done.stderr.contains("`shards` must be 1"),
        "{}",
        done.stderr
    );
}

#[test]
fn rows_of_bars_are_exported_without_labels() {
    let folder = Folder::new("context-export");
    let pipeline = folder.write("pipeline.toml", DAILY);
    let mut lines = String::new();
    for line in [
        figure(0, 7.0),
        bar(1, 1.0, 1.0),
        bar(2, 2.0, 1.0),
        bar(2, 3.0, 1.0),
    ] {
        writeln!(lines, "{line}").expect("memory");
    }
    let (events, to) = (
        folder.write("events.jsonl", lines),
        folder.path("rows.parquet"),
    );
    let [pipeline, events, to] = [&pipeline, &events, &to].map(|p| p.to_str().expect("text"));
    let done = given::foretick(&["features", pipeline, "--input", events, "--output", to]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    assert!(
        done.stdout.contains("2 rows") || done.stderr.contains("2 rows"),
        "a bar twice is one"
    );
}
