//! The shipped model gives the scores that its training recorded, through the whole engine, and on recorded
//! data the figures of its card.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::given::{self, Folder};
use crate::needs;

const LABELS: [&str; 3] = ["bearish", "neutral", "bullish"];

fn pipeline() -> PathBuf {
    given::repository("pipelines/news-sentiment")
}

fn text(path: &std::path::Path) -> &str {
    path.to_str().expect("paths are text")
}

/// A time of November 2023.
const START: usize = 1_700_000_000_000_000_000;

#[test]
fn headlines_have_the_recorded_probabilities() {
    if !needs::onnx("headlines_have_the_recorded_probabilities") {
        return;
    }
    let golden = fs::read_to_string(pipeline().join("golden.jsonl")).expect("it is shipped");
    let vectors: Vec<Value> = golden
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line is JSON"))
        .collect();
    // Each is about two instruments of its own: one event each, one run of the model for both.
    let item = |(at, vector): (usize, &Value)| {
        json!({"ts_event": START + at, "id": at.to_string(), "headline": vector["headline"], "language": "en",
            "instruments": [format!("A{at}"), format!("B{at}")]})
        .to_string()
    };
    let items: Vec<String> = vectors.iter().enumerate().map(item).collect();
    let folder = Folder::new("news-golden");
    let (events, to) = (
        folder.write("items.jsonl", items.join("\n")),
        folder.path("out.jsonl"),
    );
    let pipeline = pipeline();
    let path = given::repository("schemas/signals.sentiment.v1.json");
    let schema = fs::read_to_string(path).expect("the schema is in schemas/");
    let schema = serde_json::from_str(&schema).expect("a schema is JSON");
    let validator = jsonschema::draft202012::new(&schema).expect("a schema is a schema");
    let args = [
        "replay",
        text(&pipeline),
        "--input",
        text(&events),
        "--output",
        text(&to),
    ];
    let done = given::foretick(&args);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    let mut seen = 0;
    for line in folder.read("out.jsonl").lines() {
        let signal: Value = serde_json::from_str(line).expect("a signal is JSON");
        let errors: Vec<String> = validator
            .iter_errors(&signal)
            .map(|e| e.to_string())
            .collect();
        assert!(errors.is_empty(), "{signal}: {errors:?}");
        let vector = &vectors[signal["ts_event"].as_u64().expect("its number") as usize - START];
        for (label, expected) in LABELS
            .iter()
            .zip(vector["probabilities"].as_array().expect("three"))
        {
            let given = signal["probabilities"][label].as_f64().expect("a number");
            let expected = expected.as_f64().expect("a number");
            // Another processor rounds other activations to the next of 256 steps.
            assert!((given - expected).abs() < 5e-3, "{signal} {vector}");
        }
        seen += 1;
    }
    assert_eq!(seen, 2 * vectors.len(), "two a headline");
}

#[test]
fn figures_of_sentiment_are_those_of_the_card() {
    let test = "figures_of_sentiment_are_those_of_the_card";
    let Some(data) = needs::data(test).filter(|_| needs::onnx(test)) else {
        return;
    };
    let folder = Folder::new("news-card");
    let (mut items, mut labels) = (vec![], vec![]);
    let file = csv::Reader::from_path(data.join("news/tfns/tfns_valid_2388.csv"));
    for (at, line) in file.expect("the data are whole").records().enumerate() {
        let line = line.expect("a line has its columns");
        // The file numbers bearish, bullish, neutral.
        let outcome = LABELS[[0, 2, 1][line[1].parse::<usize>().expect("a label is 0, 1 or 2")]];
        let key = format!("T{at}");
        let item =
            json!({"ts_event": START + at, "id": key, "headline": line[0], "instruments": [key]});
        items.push(item.to_string());
        labels.push(json!({"key": key, "ts_event": START + at, "outcome": outcome}).to_string());
    }
    let items = folder.write("items.jsonl", items.join("\n"));
    let labels = folder.write("labels.jsonl", labels.join("\n"));
    let pipeline = pipeline();
    let done = given::foretick(&[
        "evaluate",
        text(&pipeline),
        "--input",
        text(&items),
        "--labels",
        text(&labels),
        "--json",
    ]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    let report: Value = serde_json::from_str(&done.stdout).expect("a report is JSON");
    assert_eq!(
        (&report["rows"], &report["unscored"]),
        (&json!(2_388), &json!(0)),
        "{report}"
    );
    assert_eq!(report["classes"], json!(["bearish", "neutral", "bullish"]));
    let figure = |name: &str| report[name].as_f64().expect("a figure");
    assert!(figure("weighted_f1") >= 0.86, "{report}");
    assert!(figure("macro_f1") >= 0.815, "{report}");
    let card = fs::read_to_string(pipeline.join("MODEL_CARD.md")).expect("it is shipped");
    // The last digit may differ by processor.
    let stated = format!("{:.2}", figure("weighted_f1"));
    assert!(card.contains(&stated), "the card does not say {stated}");
}
