//! A model with several inputs: a window of some features, and the newest row of others.

use serde_json::{Value, json};

use crate::given::onnx::{Graph, weight};
use crate::given::{self, Folder};
use crate::needs;

const PIPELINE: &str = r#"
name = "two"

[row]
on = "statement"

[[feature]]
name = "a"
kind = "field"

[[feature]]
name = "b"
kind = "field"

[[feature]]
name = "c"
kind = "field"

[model]
kind = "onnx"
file = "model.onnx"
steps = 2
labels = ["bad", "good"]

[[model.input]]
name = "now"
features = ["b"]

[[model.input]]
name = "window"
features = ["c", "a"]
"#;

fn graph() -> Graph {
    let graph = Graph::of(&[], "", 2);
    let graph = graph.say("features", None).say("features_sha256", None);
    let graph = graph.say("labels", None).say("steps", None);
    Graph {
        inputs: vec![("window", vec![-1, 2, 2]), ("now", vec![-1, 1])],
        outputs: 2,
        ..graph
    }
}

/// The probability of `good` for c and a of two years, and b of the second.
fn expected(cells: [f32; 5]) -> f64 {
    let sum = |output: i64| -> f32 {
        let terms = cells.iter().zip(0..);
        terms
            .map(|(cell, row)| cell * weight(row * 2 + output))
            .sum()
    };
    let [bad, good] = [sum(0), sum(1)].map(|sum| libm::exp(f64::from(sum)));
    good / (bad + good)
}

/// A time of July 2017.
const START: i64 = 1_500_000_000_000_000_000;

#[test]
fn each_input_of_a_model_receives_its_features() {
    if !needs::onnx("each_input_of_a_model_receives_its_features") {
        return;
    }
    let folder = Folder::new("two-inputs");
    folder.write("model.onnx", graph().bytes());
    let pipeline = folder.write("pipeline.toml", PIPELINE);
    let mut lines = vec![];
    let items = |company: i64, year: i64| {
        let at = (company * 10 + year) as f64;
        [at, at * at / 7.0 - 3.0, 20.0 - at]
    };
    for company in 0..5 {
        for year in 1..4 {
            let [a, b, c] = items(company, year);
            let record = json!({"ts_event": START + company * 100 + year, "obligor": company.to_string(),
                "period": year, "items": {"a": a, "b": b, "c": c}});
            lines.push(record.to_string());
        }
    }
    let (events, output) = (
        folder.write("events.jsonl", lines.join("\n")),
        folder.path("out.jsonl"),
    );
    let [pipeline, events, to] = [&pipeline, &events, &output].map(|p| p.to_str().expect("text"));
    for batch in ["1", "4"] {
        let set = format!("model.batch_max={batch}");
        let mut args = vec!["replay", pipeline, "--input", events, "--output", to];
        args.extend(["--force", "--set", &set]);
        let done = given::foretick(&args);
        assert_eq!(done.code, Some(0), "{}", done.stderr);
        let mut seen = 0;
        for line in folder.read("out.jsonl").lines() {
            let signal: Value = serde_json::from_str(line).expect("a signal is JSON");
            let ts = signal["ts_event"].as_i64().expect("a time") - START;
            let (company, year) = (ts / 100, ts % 100);
            let ([a0, _, c0], [a, b, c]) = (items(company, year - 1), items(company, year));
            let expected = expected([c0, a0, c, a, b].map(|cell| cell as f32));
            let given = signal["probabilities"]["good"].as_f64().expect("a number");
            assert!((given - expected).abs() < 1e-6, "{given} {expected} {line}");
            seen += 1;
        }
        assert_eq!(seen, 10);
    }
}

#[test]
fn the_error_names_inputs_that_are_not_configured() {
    if !needs::onnx("the_error_names_inputs_that_are_not_configured") {
        return;
    }
    let folder = Folder::new("two-inputs-error");
    folder.write("model.onnx", graph().bytes());
    let last = PIPELINE.rfind("[[model.input]]").expect("there are two");
    for (text, message) in [
        (
            PIPELINE[..last].to_owned(),
            "input `window` has no [[model.input]]",
        ),
        (
            PIPELINE.replace(
                "[[model.input]]\nname = \"now\"",
                "[[model.input]]\nname = \"then\"",
            ),
            "it has no input `then`",
        ),
        (
            PIPELINE.replace("features = [\"b\"]", "features = [\"d\"]"),
            "pipeline.toml:27: [[model.input]] of `now` lists `d`, which is not a feature",
        ),
        (
            PIPELINE.replace("features = [\"b\"]", "features = [\"b\", \"a\"]"),
            "has shape",
        ),
        (
            PIPELINE[..PIPELINE.find("[[model.input]]").expect("some")].to_owned(),
            "it has 2 inputs (window, now)",
        ),
    ] {
        let pipeline = folder.write("pipeline.toml", text);
        let done = given::foretick(&["check", pipeline.to_str().expect("text")]);
        assert_ne!(done.code, Some(0), "{message}");
        assert!(done.stderr.contains(message), "{message}: {}", done.stderr);
    }
}
