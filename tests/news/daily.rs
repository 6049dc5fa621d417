//! The daily model of price-direction gives the probabilities that its training recorded.

use std::fs;

use foretick::model::Model;
use foretick::model::normalise::Expanding;
use foretick::model::onnx::Onnx;
use foretick::model::provider::Execution;
use serde_json::Value;

use crate::{given, needs};

#[test]
fn generated_days_have_the_recorded_probabilities() {
    if !needs::onnx("generated_days_have_the_recorded_probabilities") {
        return;
    }
    let folder = given::repository("pipelines/price-direction/daily");
    let path = folder.join("model.onnx");
    let bytes = fs::read(&path).expect("it is shipped");
    let (mut model, contract) =
        Onnx::parse(&path, &bytes, String::new(), Execution::default()).expect("it is sound");
    let golden = fs::read_to_string(folder.join("golden.jsonl")).expect("it is shipped");
    let mut seen = 0;
    for line in golden.lines() {
        let vector: Value = serde_json::from_str(line).expect("a line is JSON");
        let numbers = |value: &Value| -> Vec<f64> {
            let all = value.as_array().expect("a list").iter();
            all.map(|number| number.as_f64().expect("a number"))
                .collect()
        };
        let mut window = vec![];
        for row in vector["rows"].as_array().expect("rows") {
            let mut row = numbers(row);
            if let Some(normalise) = &contract.normalise {
                normalise.apply(&mut Expanding::default(), &mut row);
            }
            window.extend(row);
        }
        let mut scores = vec![];
        model.score(&window, &mut scores).expect("the model runs");
        let up = contract.labels.iter().position(|label| label == "up");
        let expected = vector["up"].as_f64().expect("a number");
        let given = scores[up.expect("a label")];
        assert!((given - expected).abs() < 1e-5, "{vector} {scores:?}");
        seen += 1;
    }
    assert!(seen >= 5, "{seen}");
}
