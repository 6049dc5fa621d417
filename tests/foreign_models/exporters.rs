//! Kind I: models as exporters write them are served as in Python, or refused with what to write.
//!
//! `tests/given/exporters/make.py` made the models and the expected scores.

use std::fs;

use serde_json::{Value, json};

use crate::given::{self, Folder};
use crate::needs;
use crate::table::{NUMBERS, Table, assert_equal, expected, graph, path};

const LABELS: &str = "labels = [\"good\", \"bad\"]";

#[test]
fn classifiers_give_the_probabilities_of_python() {
    if !needs::onnx("classifiers_give_the_probabilities_of_python") {
        return;
    }
    for name in [
        "sklearn-default",
        "sklearn-double",
        "lightgbm",
        "xgboost",
        "catboost",
    ] {
        let table = Table::with(name, name, &NUMBERS, LABELS);
        assert_equal(&table.probabilities(&["good", "bad"]), &expected(name));
    }
}

#[test]
fn a_map_with_names_is_read_by_name() {
    if !needs::onnx("a_map_with_names_is_read_by_name") {
        return;
    }
    // The map is sorted by name: bad, good.
    let table = Table::with("names", "sklearn-names", &NUMBERS, LABELS);
    assert_equal(
        &table.probabilities(&["bad", "good"]),
        &expected("sklearn-names"),
    );
    let double = Table::with("double-map", "sklearn-double-map", &NUMBERS, LABELS);
    assert_equal(
        &double.probabilities(&["bad", "good"]),
        &expected("sklearn-double-map"),
    );
    let (signals, _) = table.replay();
    for signal in &signals {
        assert_eq!(
            signal["score"], signal["probabilities"]["bad"],
            "the last label is the risk"
        );
    }
    let other = "labels = [\"fine\", \"failed\"]";
    let table = Table::with("names-other", "sklearn-names", &NUMBERS, other);
    table.refused(&["labels = [\"bad\", \"good\"]"]);
    // A tensor has no names, and only the classifier says the order.
    let table = Table::with("names-tensor", "sklearn-names-tensor", &NUMBERS, LABELS);
    table.refused(&["labels = [\"bad\", \"good\"]"]);
}

#[test]
fn a_classifier_without_labels_is_refused_with_its_classes() {
    if !needs::onnx("a_classifier_without_labels_is_refused_with_its_classes") {
        return;
    }
    Table::with("unlabelled-map", "catboost", &NUMBERS, "").refused(&["labels = [\"0\", \"1\"]"]);
    Table::with("unlabelled", "xgboost", &NUMBERS, "").refused(&["2 numbers", "`[model] labels`"]);
    let table = Table::with("columns", "sklearn-columns-of-classes", &NUMBERS, LABELS);
    table.refused(&["several outputs of one number", "zipmap"]);
}

#[test]
fn texts_and_one_input_a_column_need_no_list() {
    if !needs::onnx("texts_and_one_input_a_column_need_no_list") {
        return;
    }
    let features = ["amount", "months", "rate", "region"];
    let table = Table::with("categories", "sklearn-categories", &features, LABELS);
    assert_equal(
        &table.probabilities(&["good", "bad"]),
        &expected("sklearn-categories"),
    );
    let text = table.0.read("pipeline.toml");
    table
        .0
        .write("pipeline.toml", text.replace("categories = ", "# "));
    table.refused(&["`region` takes texts", "`categories`"]);
}

#[test]
fn one_number_a_row_is_a_score_or_the_probability_of_the_second_label() {
    if !needs::onnx("one_number_a_row_is_a_score_or_the_probability_of_the_second_label") {
        return;
    }
    let (signals, _) = Table::with("regressor", "sklearn-regressor", &NUMBERS, "").replay();
    let score = |signal: &Value| vec![signal["score"].as_f64().expect("a score")];
    let scores: Vec<Vec<f64>> = signals.iter().map(score).collect();
    assert_equal(&scores, &expected("sklearn-regressor"));
    // [N, 1] and [N].
    for name in ["sigmoid-one", "sigmoid-flat", "keras-sigmoid"] {
        let table = Table::with(name, name, &NUMBERS, LABELS);
        let wanted = expected(name);
        let wanted: Vec<Vec<f64>> = wanted
            .iter()
            .map(|row| vec![1.0 - row[0], row[0]])
            .collect();
        assert_equal(&table.probabilities(&["good", "bad"]), &wanted);
        let model = format!("{LABELS}\nbatch_max = 7");
        let table = Table::with(&format!("{name}-batch"), name, &NUMBERS, &model);
        assert_equal(&table.probabilities(&["good", "bad"]), &wanted);
    }
}

#[test]
fn three_classes_of_keras_are_served() {
    if !needs::onnx("three_classes_of_keras_are_served") {
        return;
    }
    let model = "labels = [\"a\", \"b\", \"c\"]\nvalues = [0, 0.5, 1]";
    let table = Table::with("keras-softmax", "keras-softmax", &NUMBERS, model);
    assert_equal(
        &table.probabilities(&["a", "b", "c"]),
        &expected("keras-softmax"),
    );
}

#[test]
fn weights_in_a_file_beside_the_model_are_read() {
    if !needs::onnx("weights_in_a_file_beside_the_model_are_read") {
        return;
    }
    let model = "labels = [\"a\", \"b\", \"c\"]\nvalues = [0, 0.5, 1]";
    let table = Table::with("external", "external", &NUMBERS, model);
    table.refused(&["external.weights", "cannot be read"]);
    let weights = fs::read(path("external.weights")).expect("it is committed");
    table.0.write("external.weights", &weights);
    assert_equal(
        &table.probabilities(&["a", "b", "c"]),
        &expected("external"),
    );
    let sha256 = |table: &Table| table.replay().0[0]["model"]["sha256"].clone();
    let before = sha256(&table);
    let mut other = weights.clone();
    other[0] ^= 1;
    table.0.write("external.weights", other);
    assert_ne!(
        before,
        sha256(&table),
        "the weights are part of the model's identity"
    );
}

#[test]
fn a_transformer_takes_tokens_without_a_list_of_inputs() {
    if !needs::onnx("a_transformer_takes_tokens_without_a_list_of_inputs") {
        return;
    }
    let folder = Folder::new("foreign-bert");
    folder.write("model.onnx", graph("bert"));
    folder.write(
        "vocabulary.txt",
        fs::read(path("vocabulary.txt")).expect("it is committed"),
    );
    let text = r#"
name = "bert"

[row]
on = "news"

[news]
vocabulary = "vocabulary.txt"
half_life_ms = 3_600_000
unrouted = "ALL.NEWS"

[[feature]]
name = "token"
kind = "tokens"
max_tokens = 12

[model]
kind = "onnx"
file = "model.onnx"
labels = ["bearish", "neutral", "bullish"]
values = [-1, 0, 1]
activation = "softmax"
"#;
    folder.write("pipeline.toml", text);
    let headlines = [
        "apple rises",
        "bank falls sharply",
        "oil rises on strong apple",
    ];
    let item = |(n, headline): (usize, &&str)| {
        let item = json!({
            "id": format!("n{n}"), "ts_event": 1_790_000_000_000_000_000_i64 + n as i64 * 60_000_000_000,
            "headline": headline,
        });
        format!("{item}\n")
    };
    let items: String = headlines.iter().enumerate().map(item).collect();
    folder.write("items.jsonl", items);
    let [pipeline, items, to] =
        ["pipeline.toml", "items.jsonl", "out.jsonl"].map(|n| folder.path(n));
    let [pipeline, items, to] = [&pipeline, &items, &to].map(|p| p.to_str().expect("text"));
    let done = given::foretick(&["replay", pipeline, "--input", items, "--output", to]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    let signals = folder.read("out.jsonl");
    let found: Vec<Vec<f64>> = signals
        .lines()
        .map(|line| {
            let signal: Value = serde_json::from_str(line).expect("a signal is JSON");
            let labels = ["bearish", "neutral", "bullish"];
            labels
                .map(|label| signal["probabilities"][label].as_f64().expect("a number"))
                .into()
        })
        .collect();
    assert_equal(&found, &expected("bert"));
}
