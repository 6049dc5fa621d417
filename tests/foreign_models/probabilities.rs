//! Kind A4: probabilities are probabilities, and a score is made of values that somebody vouches for.

use serde_json::Value;

use crate::needs;
use crate::table::{NUMBERS, Table, assert_equal, expected};

const TWO: &str = "labels = [\"good\", \"bad\"]";
const THREE: &str = "labels = [\"low\", \"middle\", \"high\"]\nvalues = [0, 0.5, 1]";

fn softmax(row: &[f64]) -> Vec<f64> {
    let all: Vec<f64> = row.iter().map(|x| libm::exp(*x)).collect();
    let sum: f64 = all.iter().sum();
    all.iter().map(|e| e / sum).collect()
}

#[test]
fn logits_are_refused_with_the_remedy_and_served_with_it() {
    if !needs::onnx("logits_are_refused_with_the_remedy_and_served_with_it") {
        return;
    }
    for (name, model, labels) in [
        ("logits-two", TWO, &["good", "bad"][..]),
        ("logits-three", THREE, &["low", "middle", "high"]),
    ] {
        let table = Table::with(&format!("{name}-raw"), name, &NUMBERS, model);
        table.refused(&["no probabilities", "activation = \"softmax\""]);
        let model = format!("{model}\nactivation = \"softmax\"");
        let table = Table::with(name, name, &NUMBERS, &model);
        let wanted: Vec<Vec<f64>> = expected(name).iter().map(|row| softmax(row)).collect();
        assert_equal(&table.probabilities(labels), &wanted);
    }
}

#[test]
fn one_logit_of_two_labels_takes_a_sigmoid() {
    if !needs::onnx("one_logit_of_two_labels_takes_a_sigmoid") {
        return;
    }
    let table = Table::with("logit-raw", "logit-one", &NUMBERS, TWO);
    table.refused(&["no probabilities", "activation = \"sigmoid\""]);
    let wrong = format!("{TWO}\nactivation = \"softmax\"");
    let table = Table::with("logit-softmax", "logit-one", &NUMBERS, &wrong);
    table.refused(&["activation = \"sigmoid\""]);
    let model = format!("{TWO}\nactivation = \"sigmoid\"");
    let table = Table::with("logit", "logit-one", &NUMBERS, &model);
    let second = |row: &Vec<f64>| 1.0 / (1.0 + libm::exp(-row[0]));
    let wanted = expected("logit-one");
    let wanted: Vec<Vec<f64>> = wanted
        .iter()
        .map(|row| vec![1.0 - second(row), second(row)])
        .collect();
    assert_equal(&table.probabilities(&["good", "bad"]), &wanted);
}

#[test]
fn an_activation_of_probabilities_is_refused() {
    if !needs::onnx("an_activation_of_probabilities_is_refused") {
        return;
    }
    let model = format!("{THREE}\nactivation = \"softmax\"");
    let table = Table::with("twice", "softmax-three", &NUMBERS, &model);
    table.refused(&["gives probabilities already", "take `activation` out"]);
    let model = format!("{THREE}\nactivation = \"sigmoid\"");
    let table = Table::with("each", "logits-three", &NUMBERS, &model);
    table.refused(&["activation = \"softmax\""]);
}

#[test]
fn classes_whose_sum_is_not_one_are_refused() {
    if !needs::onnx("classes_whose_sum_is_not_one_are_refused") {
        return;
    }
    let table = Table::with("sum", "sigmoid-three", &NUMBERS, THREE);
    table.refused(&[
        "no probabilities",
        "their sum is",
        "softmax over its classes",
    ]);
}

#[test]
fn a_score_of_three_labels_is_a_mean_of_their_values() {
    if !needs::onnx("a_score_of_three_labels_is_a_mean_of_their_values") {
        return;
    }
    let labels = "labels = [\"bearish\", \"bullish\", \"neutral\"]";
    let table = Table::with("unvouched", "softmax-three", &NUMBERS, labels);
    table.refused(&["`neutral` would be", "`[model] values`"]);
    let other = "labels = [\"a\", \"b\", \"c\"]";
    let table = Table::with("unordered", "softmax-three", &NUMBERS, other);
    table.refused(&["which is lowest", "`[model] values`"]);
    let short = format!("{labels}\nvalues = [-1, 1]");
    let table = Table::with("short", "softmax-three", &NUMBERS, &short);
    table.refused(&["each of 3 labels", "[-1.0, 1.0]"]);
    let model = format!("{labels}\nvalues = [-1, 1, 0]");
    let table = Table::with("vouched", "softmax-three", &NUMBERS, &model);
    let (signals, _) = table.replay();
    let wanted = expected("softmax-three");
    assert_eq!(signals.len(), wanted.len());
    for (signal, row) in signals.iter().zip(&wanted) {
        let score = signal["score"].as_f64().expect("a score");
        assert!((score - (row[1] - row[0])).abs() < 1e-6, "{signal}");
    }
}

#[test]
fn labels_without_an_order_need_no_values_where_no_score_is_written() {
    if !needs::onnx("labels_without_an_order_need_no_values_where_no_score_is_written") {
        return;
    }
    let model = "labels = [\"a\", \"b\", \"c\"]\n\n[sink]\nfields = [\"label\", \"probabilities\"]";
    let table = Table::with("no-score", "softmax-three", &NUMBERS, model);
    let (signals, _) = table.replay();
    assert_eq!(signals.len(), 48);
    assert!(signals.iter().all(|signal| signal["score"] == Value::Null));
}

/// A graph whose numbers are probabilities for usual rows, and none where the amount is huge.
#[test]
fn a_later_score_that_is_no_probability_is_counted_and_not_published() {
    if !needs::onnx("a_later_score_that_is_no_probability_is_counted_and_not_published") {
        return;
    }
    let table = Table::with("later", "sometimes-none", &NUMBERS, TWO);
    let run = table.check();
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let (signals, summary) = table.replay();
    let huge = expected("sometimes-none")
        .iter()
        .filter(|row| row[1] > 1.0)
        .count();
    assert!(huge > 0 && huge < 48);
    assert_eq!(signals.len(), 48 - huge);
    assert_eq!(
        summary["events"]["invalid_probabilities"], huge,
        "{summary}"
    );
}

#[test]
fn labels_of_one_name_are_refused() {
    if !needs::onnx("labels_of_one_name_are_refused") {
        return;
    }
    let labels = "labels = [\"a\", \"a\"]";
    Table::with("labels-twice", "sklearn-double", &NUMBERS, labels)
        .refused(&["two of its labels are `a`"]);
}
