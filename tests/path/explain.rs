//! `foretick explain`: the rows that it shows are those of which the signal was made.

use std::ffi::OsStr;
use std::path::Path;

use serde_json::{Value, json};

use crate::given::{self, Folder, Run};
use crate::needs;

fn explain(pipeline: &Path, capture: &Path, args: &[&str]) -> Run {
    let mut all = vec!["explain".as_ref(), pipeline.as_os_str(), "--input".as_ref()];
    all.push(capture.as_os_str());
    all.extend(args.iter().map(|arg| OsStr::new(*arg)));
    given::foretick(&all)
}

fn explained(pipeline: &Path, capture: &Path, args: &[&str]) -> Value {
    let run = explain(pipeline, capture, &[args, &["--json"]].concat());
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    serde_json::from_str(&run.stdout).expect("a report")
}

fn signals(pipeline: &Path, capture: &Path) -> Vec<Value> {
    let args = ["replay".as_ref(), pipeline.as_os_str(), "--input".as_ref()];
    let more = [capture.as_os_str(), "--output".as_ref(), "-".as_ref()];
    given::json_lines(&given::foretick(&[&args[..], &more].concat()).stdout)
}

fn text<'a>(signal: &'a Value, field: &str) -> &'a str {
    signal[field].as_str().expect("a text")
}

/// Two instruments, and a row at each trade; the score is the sum of the features.
fn ready(test: &str) -> (Folder, Vec<Value>) {
    let folder = Folder::new(test);
    let pipeline = folder.write("pipeline.toml", given::SMALL);
    let capture = folder.write("capture", given::capture(31, 4, &["BTCUSDT", "ETHUSDT"]));
    let signals = signals(&pipeline, &capture);
    assert!(signals.len() > 30);
    (folder, signals)
}

#[test]
fn the_values_of_the_row_make_the_score() {
    let (folder, signals) = ready("explain-sum");
    let (pipeline, capture) = (folder.path("pipeline.toml"), folder.path("capture"));
    // The id may stand before the files, too.
    let first = text(&signals[0], "signal_id");
    let args = [
        "explain".as_ref(),
        pipeline.as_os_str(),
        first.as_ref(),
        "--input".as_ref(),
    ];
    let run = given::foretick(&[&args[..], &[capture.as_os_str()]].concat());
    assert!(
        run.code == Some(0) && run.stdout.contains(first),
        "{}",
        run.stderr
    );
    for at in [0, 7, signals.len() - 1] {
        let expected = &signals[at];
        let report = explained(&pipeline, &capture, &[text(expected, "signal_id")]);
        for field in [
            "signal_id",
            "instrument",
            "ts_event",
            "score",
            "quality",
            "source",
        ] {
            assert_eq!(report["signal"][field], expected[field], "{field}");
        }
        assert_eq!(report["rows"].as_array().map(Vec::len), Some(1));
        let row = &report["rows"][0];
        assert_eq!(row["ts_event"], expected["ts_event"]);
        let values = row["values"].as_array().expect("values");
        let sum: f64 = values
            .iter()
            .map(|value| value.as_f64().expect("a number"))
            .sum();
        assert_eq!(Some(sum), expected["score"].as_f64(), "{report}");
        assert_eq!(report["scores"]["abs_difference"], 0.0);
        let source = &report["sources"][0];
        for field in ["topic", "partition", "offset"] {
            assert_eq!(source[field], expected["source"][field], "{field}");
        }
        // The file has a line for each frame.
        let offset = source["offset"].as_u64().expect("a number");
        let lines = std::fs::read_to_string(&capture).expect("the capture");
        let line = source["line"].as_u64().expect("a line") as usize;
        assert_eq!(source["file"], json!(capture.display().to_string()));
        assert!(line as u64 > offset && line <= lines.lines().count());
        let received = source["ts_recv"].to_string();
        let stands = lines.lines().nth(line - 1).expect("that line");
        assert!(stands.starts_with(&received), "{stands}");
        let flow = &report["features"][1];
        assert_eq!(
            (&flow["name"], &flow["kind"], &flow["value"]),
            (&json!("flow"), &json!("trade_flow"), &values[1])
        );
        assert_eq!(flow["formula"], "(bought − sold) / (bought + sold)");
        assert_eq!(flow["parameters"], json!({"window": 5}));
    }
}

#[test]
fn the_last_signal_at_a_time_or_before_is_found() {
    let (folder, signals) = ready("explain-at");
    let (pipeline, capture) = (folder.path("pipeline.toml"), folder.path("capture"));
    let of: Vec<&Value> = signals
        .iter()
        .filter(|signal| signal["instrument"] == "ETHUSDT.BINANCE")
        .collect();
    let ts = |signal: &Value| signal["ts_event"].as_i64().expect("a time");
    let at = (5..of.len())
        .find(|&at| ts(of[at]) > ts(of[at - 1]) + 1)
        .expect("a pause");
    let explained_at = |time: i64| {
        let time = time.to_string();
        let args = ["--instrument", "ETHUSDT.BINANCE", "--at", &time];
        explained(&pipeline, &capture, &args)["signal"]["signal_id"].clone()
    };
    assert_eq!(explained_at(ts(of[at])), of[at]["signal_id"]);
    assert_eq!(explained_at(ts(of[at]) - 1), of[at - 1]["signal_id"]);
    assert_eq!(explained_at(i64::MAX / 4), of[of.len() - 1]["signal_id"]);
    let run = explain(
        &pipeline,
        &capture,
        &[
            "--instrument",
            "ETHUSDT.BINANCE",
            "--at",
            "2026-01-05T00:00:03Z",
        ],
    );
    for part in [
        "rows of the window",
        "(bought − sold)",
        "capture:",
        "rebuilt",
    ] {
        assert!(run.stdout.contains(part), "{}", run.stdout);
    }
}

#[test]
fn a_signal_that_never_comes_is_an_error_that_says_how_many_were_looked_at() {
    let (folder, signals) = ready("explain-none");
    let (pipeline, capture) = (folder.path("pipeline.toml"), folder.path("capture"));
    let refused = |args: &[&str], code: i32, words: &[&str]| {
        let run = explain(&pipeline, &capture, args);
        assert_eq!(run.code, Some(code), "{}", run.stderr);
        for word in words {
            assert!(run.stderr.contains(word), "{word}: {}", run.stderr);
        }
    };
    let looked = format!("none of the {} signals", signals.len());
    refused(&["0123"], 1, &["0123", &looked]);
    let at = ["--at", "2026-01-05T00:00:03Z"];
    let named = |name: &'static str| [&["--instrument", name][..], &at].concat();
    refused(
        &named("XRPUSDT.BINANCE"),
        1,
        &["no signal of it", "BTCUSDT.BINANCE"],
    );
    let early = ["--instrument", "BTCUSDT.BINANCE", "--at", "2020-01-05"];
    refused(
        &early,
        1,
        &["no signal so early", "(0 signals were looked at)"],
    );
    refused(&["--instrument", "BTCUSDT.BINANCE"], 2, &["--at"]);
    refused(&[], 2, &["SIGNAL_ID"]);
    let both = [&["0123"][..], &named("BTCUSDT.BINANCE")].concat();
    assert_eq!(
        explain(&pipeline, &capture, &both).code,
        Some(1),
        "0123 is no file"
    );
}

#[test]
fn rows_are_as_the_model_sees_them_where_they_are_normalised() {
    let folder = Folder::new("explain-expanding");
    let pipeline = given::repository("tests/golden/linear-expanding/pipeline.toml");
    let capture = folder.write("capture", given::capture(5, 12, &["BTCUSDT", "ETHUSDT"]));
    let signals = signals(&pipeline, &capture);
    let last = signals.last().expect("signals");
    let report = explained(&pipeline, &capture, &[text(last, "signal_id")]);
    assert_eq!(
        report["scores"]["abs_difference"], 0.0,
        "{}",
        report["scores"]
    );
    let row = &report["rows"][0];
    let mid = report["features"].as_array().expect("features").iter();
    let mid = mid
        .clone()
        .position(|feature| feature["name"] == "mid")
        .expect("the mid");
    let number = |key: &str| row[key][mid].as_f64().expect("a number");
    assert!(
        number("values") > 100.0 && number("inputs").abs() < 10.0,
        "{row}"
    );
}

#[test]
fn the_window_of_a_recurrent_model_is_shown_whole() {
    let test = "the_window_of_a_recurrent_model_is_shown_whole";
    if !needs::onnx(test) {
        return;
    }
    let folder = Folder::new("explain-window");
    let pipeline = given::repository("pipelines/price-direction");
    let capture = folder.write("capture", given::capture(5, 40, &["BTCUSDT", "ETHUSDT"]));
    let signals = signals(&pipeline, &capture);
    let of: Vec<&Value> = signals
        .iter()
        .filter(|signal| signal["instrument"] == "BTCUSDT.BINANCE")
        .collect();
    let last = of.len() - 1;
    let report = |at: usize| explained(&pipeline, &capture, &[text(of[at], "signal_id")]);
    let (before, after) = (report(last - 1), report(last));
    let far = after["scores"]["abs_difference"]
        .as_f64()
        .expect("a whole window");
    assert!(far < 1e-5, "{far}");
    let rows = |report: &Value| report["rows"].as_array().expect("rows").clone();
    let (before, after) = (rows(&before), rows(&after));
    assert!(after.len() > 10);
    assert_eq!(
        before[1..],
        after[..after.len() - 1],
        "a window slides by one row"
    );
    assert_eq!(after[after.len() - 1]["ts_event"], of[last]["ts_event"]);
}

#[test]
fn the_window_of_a_company_has_a_row_for_each_period() {
    let test = "the_window_of_a_company_has_a_row_for_each_period";
    if !needs::onnx(test) {
        return;
    }
    let statement = |after: i64, period: i64, net_income: f64| {
        let signal = json!({
            "ts_event": 1_500_000_000_000_000_000_i64 + after, "obligor": "C1", "period": period,
            "items": {
                "current_assets": 50.0, "total_assets": 120.0, "total_liabilities": 60.0, "ebit": 9.0,
                "total_revenue": 100.0, "net_income": net_income, "market_value": 80.0,
            },
        });
        format!("{signal}\n")
    };
    let folder = Folder::new("explain-periods");
    // Five years, the third of which is restated and comes late, and the fourth twice.
    let lines = [
        statement(1, 2010, 1.0),
        statement(2, 2011, 2.0),
        statement(3, 2013, 4.0),
        statement(4, 2012, 3.0),
        statement(5, 2012, 3.5),
        statement(6, 2013, 4.0),
        statement(7, 2014, 5.0),
    ];
    let input = folder.write("statements", lines.concat());
    let pipeline = given::repository("pipelines/default-alerts");
    let made = signals(&pipeline, &input);
    let last = made.last().expect("signals");
    let report = explained(&pipeline, &input, &[text(last, "signal_id")]);
    let rows = report["rows"].as_array().expect("rows");
    let periods: Vec<i64> = rows
        .iter()
        .map(|row| row["period"].as_i64().expect("one"))
        .collect();
    assert_eq!(periods, [2011, 2012, 2013, 2014]);
    let features = report["features"].as_array().expect("features");
    let income = features
        .iter()
        .position(|feature| feature["name"] == "net_income");
    let income = income.expect("the net income is a feature");
    let values: Vec<&Value> = rows.iter().map(|row| &row["values"][income]).collect();
    assert_eq!(values, [2.0, 3.5, 4.0, 5.0]);
    let offsets: Vec<&Value> = report["sources"]
        .as_array()
        .expect("sources")
        .iter()
        .map(|source| &source["offset"])
        .collect();
    assert_eq!(offsets, [1, 4, 2, 6]);
    let far = report["scores"]["abs_difference"]
        .as_f64()
        .expect("a whole window");
    assert!(far < 1e-9, "{far}");
    assert_eq!(report["reasons"], report["signal"]["reasons"]);
    assert!(
        report["reasons"]
            .as_array()
            .is_some_and(|reasons| !reasons.is_empty())
    );
}
