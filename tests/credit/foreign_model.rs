//! A published model of other authors, with its table and a `pipeline.toml`, gives the published
//! probabilities.

use std::fs;

use serde_json::Value;

use crate::given::Folder;
use crate::golden::foretick;
use crate::needs;

/// The 18 items, in the order of the authors' columns.
const ITEMS: [&str; 18] = [
    "current_assets",
    "total_assets",
    "cost_of_goods_sold",
    "total_long_term_debt",
    "depreciation_and_amortization",
    "ebit",
    "ebitda",
    "gross_profit",
    "inventory",
    "total_current_liabilities",
    "net_income",
    "retained_earnings",
    "total_receivables",
    "total_revenue",
    "market_value",
    "total_liabilities",
    "net_sales",
    "total_operating_expenses",
];

/// The pipeline as a user writes it, with everything that the model file does not state.
fn pipeline() -> String {
    let head = r#"
name = "us-bankruptcy"

[source.table]
key = "cik"
period = "fyear"
outcome = "status"

[row]
on = "statement"

[model]
kind = "onnx"
file = "model.onnx"
steps = 4
labels = ["alive", "failed"]
version = "2024"

[signal]
schema = "signals.default.v1"
horizon_ms = 31_536_000_000
"#;
    let fields = ITEMS.map(|item| format!("\n[[feature]]\nname = \"{item}\"\nkind = \"field\"\n"));
    head.to_owned() + &fields.concat()
}

#[test]
fn the_published_lstm_gives_the_published_probabilities() {
    let test = "the_published_lstm_gives_the_published_probabilities";
    let Some(data) = needs::data(test).filter(|_| needs::onnx(test)) else {
        return;
    };
    let data = data.join("default/us-window4");
    let folder = Folder::new("credit-foreign");
    folder.write("pipeline.toml", pipeline());
    let model = fs::read(data.join("multihead_lstm_window4.onnx"))
        .expect("as the test or the command made it");
    folder.write("model.onnx", model);
    let pipeline = folder
        .path("pipeline.toml")
        .to_str()
        .expect("as the test or the command made it")
        .to_owned();
    let table = data
        .join("4_test_for_LSTM.csv")
        .to_str()
        .expect("as the test or the command made it")
        .to_owned();
    let checked = foretick(&["check", &pipeline, "--offline"]);
    assert_eq!(checked.code, Some(0), "{}", checked.stderr);
    let output = folder
        .path("signals.jsonl")
        .to_str()
        .expect("as the test or the command made it")
        .to_owned();
    let done = foretick(&["replay", &pipeline, "--input", &table, "--output", &output]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    let signals = folder.read("signals.jsonl");
    let expected = fs::read_to_string(data.join("expected_test_window4.csv"))
        .expect("as the test or the command made it");
    let (mut compared, mut furthest) = (0, 0.0_f64);
    for (signal, line) in signals.lines().zip(expected.lines().skip(1)) {
        let signal: Value =
            serde_json::from_str(signal).expect("as the test or the command made it");
        let (cik, rest) = line
            .split_once(',')
            .expect("as the test or the command made it");
        assert_eq!(signal["obligor"], cik, "{line}");
        let p: f64 = rest
            .rsplit_once(',')
            .expect("as the test or the command made it")
            .1
            .trim()
            .parse()
            .expect("as the test or the command made it");
        furthest = furthest.max(
            (signal["probabilities"]["failed"]
                .as_f64()
                .expect("as the test or the command made it")
                - p)
                .abs(),
        );
        assert_eq!(signal["score"], signal["probabilities"]["failed"], "the PD");
        compared += 1;
    }
    assert_eq!((compared, signals.lines().count()), (2_920, 2_920));
    assert!(furthest <= 1e-6, "{furthest}");
    let args = [
        "evaluate", &pipeline, "--input", &table, "--labels", &table, "--json",
    ];
    let report: Value =
        serde_json::from_str(&foretick(&args).stdout).expect("as the test or the command made it");
    assert_eq!(
        format!(
            "{:.4}",
            report["auc"]
                .as_f64()
                .expect("as the test or the command made it")
        ),
        "0.8561"
    );
    assert_eq!(report["confusion"].to_string(), "[[2158,666],[21,75]]");
}

#[test]
fn a_key_that_contradicts_the_model_file_is_refused() {
    if !needs::onnx("a_key_that_contradicts_the_model_file_is_refused") {
        return;
    }
    let folder = Folder::new("credit-unsaid");
    let graph = crate::given::onnx::Graph::of(&["a".to_owned()], "", 1).bytes();
    folder.write("model.onnx", graph);
    let text = pipeline().replace("steps = 4\n", "steps = 3\n");
    let path = folder
        .write("pipeline.toml", text)
        .to_str()
        .expect("as the test or the command made it")
        .to_owned();
    let done = foretick(&["check", &path, "--offline"]);
    assert_eq!(done.code, Some(1));
    assert!(done.stderr.contains("take that out"), "{}", done.stderr);
}

#[test]
fn the_error_names_the_input_shape_that_the_pipeline_promises() {
    if !needs::onnx("the_error_names_the_input_shape_that_the_pipeline_promises") {
        return;
    }
    let folder = Folder::new("credit-door");
    let mut graph = crate::given::onnx::Graph::of(&["a".to_owned()], "", 1);
    graph.metadata.clear();
    folder.write("model.onnx", graph.bytes());
    let path = folder.write("pipeline.toml", pipeline());
    let done = foretick(&["check", path.to_str().expect("text"), "--offline"]);
    assert_eq!(done.code, Some(1));
    let message = "the pipeline promises 4 steps of 18 features";
    assert!(done.stderr.contains(message), "{}", done.stderr);
}
