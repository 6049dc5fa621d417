//! `foretick bench`: its scores equal those of ONNX Runtime's whole windows, with each strategy and any
//! number of instruments, and it refuses wrong options, models and rows with an error that says what to do.
//!
//! Checks no figure of time, because a test machine runs other work too.

mod needs;

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use foretick::model::Model;
use foretick::model::onnx::Onnx;
use serde_json::Value;

/// Files, rows in their windows, numbers in a row, and their strategy.
const FILES: [(&str, usize, usize, &str); 5] = [
    ("onnx-lstm", 7, 3, "slide"),
    ("onnx-mixed", 7, 3, "slide"),
    ("torch-dynamo-gru", 9, 4, "slide"),
    ("keras-lstm", 9, 4, "slide"),
    ("torch-script-refused-mean", 9, 4, "plain"),
];

/// Rows in the tests' files.
const ROWS: usize = 40;

#[test]
fn scores_equal_those_of_onnx_runtime() {
    if !needs::onnx("scores_equal_those_of_onnx_runtime") {
        return;
    }
    for (name, steps, features, path) in FILES {
        let folder = folder(&format!("scores-{name}"));
        let rows = folder.join("rows.csv");
        fs::write(&rows, csv(features, true)).expect("the folder can be written");
        let (report, one) = scored(name, steps, &rows, &[]);
        assert_eq!(report["path"], path, "{name}: {report}");
        assert_eq!(report["features"], features, "{name}");
        assert_eq!(report["windows"], ROWS - steps + 1, "{name}");
        assert!(number(&report["max_rel_diff"]) <= 1e-5, "{name}: {report}");
        assert_eq!(report["floor_ns"].is_null(), path == "plain", "{name}");
        let theirs = whole(name, steps, features);
        let ours: Vec<f64> = numbers(&one);
        let most = theirs.iter().fold(0.0_f64, |most, y| most.max(y.abs()));
        assert_eq!(ours.len(), theirs.len(), "{name}");
        for (ours, theirs) in ours.iter().zip(&theirs) {
            assert!(
                (ours - theirs).abs() <= 1e-5 * most,
                "{name}: {ours}, {theirs}"
            );
        }
        let (report, many) = scored(name, steps, &rows, &["--instruments", "5"]);
        assert_eq!(report["instruments"], 5, "{name}");
        assert!(number(&report["max_rel_diff"]) <= 1e-5, "{name}: {report}");
        assert_eq!(one, many, "{name}: other instruments change the scores");
    }
}

/// With a stride, the scores of every so many windows, to the bit.
#[test]
fn with_a_stride_fewer_windows_have_the_same_scores() {
    if !needs::onnx("with_a_stride_fewer_windows_have_the_same_scores") {
        return;
    }
    for (name, steps, features, _) in FILES {
        let folder = folder(&format!("stride-{name}"));
        let rows = folder.join("rows.csv");
        fs::write(&rows, csv(features, false)).expect("the folder can be written");
        let (_, all) = scored(name, steps, &rows, &[]);
        for stride in [2, 4, 15] {
            let (report, some) = scored(name, steps, &rows, &["--stride", &stride.to_string()]);
            let due = (steps..=ROWS).filter(|row| row.is_multiple_of(stride));
            let lines: Vec<&str> = all.lines().collect();
            let expected: Vec<&str> = due.map(|row| lines[row - steps]).collect();
            assert_eq!(
                some.lines().collect::<Vec<_>>(),
                expected,
                "{name}, {stride}"
            );
            assert!(number(&report["max_rel_diff"]) <= 1e-5, "{name}: {report}");
        }
    }
}

#[test]
fn the_report_has_every_figure() {
    if !needs::onnx("the_report_has_every_figure") {
        return;
    }
    let model = model("torch-script-lstm");
    let with = |more: &[&str]| {
        let done =
            foretick(&[&["bench", &model, "--window", "9", "--seconds", "0"], more].concat());
        assert!(done.status.success(), "{}", stderr(&done));
        String::from_utf8(done.stdout).expect("reports are text")
    };
    let report: Value = serde_json::from_str(&with(&["--json", "--fresh"])).expect("it is JSON");
    let keys: BTreeSet<&str> = report
        .as_object()
        .expect("it is one object")
        .keys()
        .map(String::as_str)
        .collect();
    let expected = [
        "bytes_per_instrument",
        "clock_ns",
        "cpu_ns_per_row",
        "critical_ns",
        "deferred_ns",
        "features",
        "floor_ns",
        "fresh_window_ns",
        "instruments",
        "kernels",
        "max_rel_diff",
        "model",
        "ort_window_ns",
        "path",
        "stride",
        "why",
        "window",
        "windows",
    ];
    assert_eq!(keys, BTreeSet::from(expected));
    for kind in [
        "critical_ns",
        "deferred_ns",
        "ort_window_ns",
        "fresh_window_ns",
    ] {
        let [p50, p99, max] = ["p50", "p99", "max"].map(|key| number(&report[kind][key]));
        assert!(0.0 < p50 && p50 <= p99 && p99 <= max, "{kind}: {report}");
    }
    for whose in ["ours", "ort"] {
        assert!(number(&report["cpu_ns_per_row"][whose]) > 0.0, "{report}");
    }
    assert!(number(&report["floor_ns"]) > 0.0, "{report}");
    assert!(number(&report["max_rel_diff"]) <= 1e-5, "{report}");
    let table = with(&[]);
    for word in [
        "slide: recognised",
        "critical path",
        "floor",
        "rows a second",
    ] {
        assert!(table.contains(word), "{table}");
    }
}

#[test]
fn bench_refuses_what_it_cannot_measure() {
    if !needs::onnx("bench_refuses_what_it_cannot_measure") {
        return;
    }
    let folder = folder("refused");
    let good = model("onnx-lstm");
    let none = folder.join("none.onnx").display().to_string();
    let text = folder.join("text.onnx");
    fs::write(&text, "not a model").expect("the folder can be written");
    let text = text.display().to_string();
    let nowhere = folder.join("no/scores.csv").display().to_string();
    let cases: [(&[&str], i32, &str); 8] = [
        (&[&none, "--window", "7"], 1, "while reading the model"),
        (&[&text, "--window", "7"], 1, "text.onnx"),
        (&[&good, "--window", "0"], 2, "write a whole number above 0"),
        (
            &[&good, "--window", "8"],
            2,
            "takes windows of 7 rows, not of 8; use 7",
        ),
        (&[&good], 2, "--window <T>"),
        (&[&good, "--window", "7", "--stride", "0"], 2, "above 0"),
        (
            &[&good, "--window", "7", "--instruments", "none"],
            2,
            "above 0",
        ),
        (
            &[&good, "--window", "7", "--output", &nowhere],
            1,
            "while creating",
        ),
    ];
    for (arguments, code, words) in cases {
        refuses(arguments, code, words);
    }
    let long = csv(3, false);
    let cases: [(&str, &str); 8] = [
        (
            "1,2,3\n1,2\n",
            "rows.csv:2: 2 numbers, and the model takes rows of 3",
        ),
        ("a,b,c\n1,2,3,4\n", "rows.csv:2: 4 numbers"),
        (
            "1,2,3\n1,zwei,3\n",
            "rows.csv:2: `zwei` in column 2 is not a number; write",
        ),
        ("1,,3\n", "rows.csv:1: `` in column 2 is not a number"),
        (
            "1,2,NaN\n",
            "rows.csv:1: `NaN` in column 3 is not a finite float32; fill it in",
        ),
        (
            "1,2,3\n1,1e39,3\n",
            "rows.csv:2: `1e39` in column 2 is not a finite float32",
        ),
        (
            "1,2,3\n",
            "rows.csv has 1, and the first window is complete at row 7",
        ),
        ("", "rows.csv has 0"),
    ];
    let rows = folder.join("rows.csv");
    let given = rows.display().to_string();
    for (content, words) in cases {
        fs::write(&rows, content).expect("the folder can be written");
        refuses(&[&good, "--window", "7", "--rows", &given], 1, words);
    }
    fs::write(&rows, long).expect("the folder can be written");
    let far = [&good, "--window", "7", "--stride", "41", "--rows", &given];
    refuses(&far, 1, "the first window is complete at row 41");
    fs::remove_file(&rows).expect("it was written");
    refuses(&far, 1, "while reading rows from");
}

fn refuses(arguments: &[&str], code: i32, words: &str) {
    let done = foretick(&[&["bench", "--seconds", "0"], arguments].concat());
    let message = stderr(&done);
    assert_eq!(done.status.code(), Some(code), "{arguments:?}: {message}");
    assert!(
        message.contains(words),
        "{arguments:?}: {message:?} does not say {words:?}"
    );
}

/// Runs over a file of rows. Returns the report and the scores that were written.
fn scored(name: &str, steps: usize, rows: &Path, more: &[&str]) -> (Value, String) {
    let output = rows.with_file_name("scores.csv");
    let arguments = [
        "bench",
        &model(name),
        "--window",
        &steps.to_string(),
        "--rows",
        &rows.display().to_string(),
        "--output",
        &output.display().to_string(),
        "--force",
        "--seconds",
        "0",
        "--json",
    ];
    let done = foretick(&[&arguments, more].concat());
    assert!(done.status.success(), "{name}: {}", stderr(&done));
    let report = serde_json::from_slice(&done.stdout).expect("it is JSON");
    (report, fs::read_to_string(output).expect("it was written"))
}

/// The scores of ONNX Runtime over the rows of [`csv`].
fn whole(name: &str, steps: usize, features: usize) -> Vec<f64> {
    let bytes = fs::read(model(name)).expect("the file is part of the repository");
    let mut onnx = Onnx::bare(&bytes, steps).expect("the file loads");
    let cells = numbers(&csv(features, false));
    let mut scores = vec![];
    for window in cells.windows(steps * features).step_by(features) {
        onnx.score(window, &mut scores).expect("the model runs");
    }
    scores
}

/// Rows that look random, with a header or without.
fn csv(features: usize, header: bool) -> String {
    let mut text = String::new();
    if header {
        let names: Vec<String> = (0..features).map(|at| format!("feature {at}")).collect();
        text = names.join(",") + "\n";
    }
    for row in 0..ROWS {
        let cells = (0..features).map(|at| (row * features + at) * 7_919 % 401);
        let cells: Vec<String> = cells
            .map(|cell| (cell as f64 / 100.0 - 2.0).to_string())
            .collect();
        text += &(cells.join(", ") + "\n");
    }
    text
}

fn numbers(csv: &str) -> Vec<f64> {
    csv.split([',', '\n'])
        .filter(|cell| !cell.is_empty())
        .map(|cell| cell.trim().parse().expect("scores are numbers"))
        .collect()
}

fn number(value: &Value) -> f64 {
    value.as_f64().expect("it is a number")
}

fn model(name: &str) -> String {
    let root = env!("CARGO_MANIFEST_DIR");
    format!("{root}/tests/given/recurrent/{name}.onnx")
}

fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("bench-command-{test}"));
    fs::create_dir_all(&folder).expect("the target folder can be written");
    folder
}

fn foretick(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_foretick"));
    command.args(arguments).output().expect("the binary starts")
}

fn stderr(done: &Output) -> String {
    String::from_utf8_lossy(&done.stderr).into_owned()
}
