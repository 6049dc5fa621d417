//! A pipeline over the table `tests/given/exporters/applicants.csv`, with one of the models beside it.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::given::{self, Folder, Run};

/// A folder with a pipeline and its model.
pub(crate) struct Table(pub(crate) Folder);

/// The columns that most of the models take.
pub(crate) const NUMBERS: [&str; 3] = ["amount", "months", "rate"];

impl Table {
    /// A pipeline of these features whose table `[model]` ends in these lines, with no model yet.
    pub(crate) fn new(test: &str, features: &[&str], model: &str) -> Self {
        let folder = Folder::new(&format!("foreign-{test}"));
        let feature = |name: &&str| {
            let more = match *name {
                "region" => "categories = [\"north\", \"south\", \"island\"]\n",
                _ => "",
            };
            format!("[[feature]]\nname = \"{name}\"\nkind = \"field\"\n{more}\n")
        };
        let features: String = features.iter().map(feature).collect();
        let text = format!(
            "name = \"foreign\"\n\n[source.table]\nkey = \"client\"\noutcome = \"bad\"\n\n[row]\n\
             on = \"application\"\n\n{features}[model]\nkind = \"onnx\"\nfile = \"model.onnx\"\n{model}\n\n\
             [signal]\nschema = \"grades.loan.v1\"\n\n[privacy]\nkey = \"env:FORETICK_PRIVACY_KEY\"\n\
             key_id = \"k1\"\n"
        );
        folder.write("pipeline.toml", text);
        Self(folder)
    }

    /// The same with a model of `tests/given/exporters`.
    pub(crate) fn with(test: &str, name: &str, features: &[&str], model: &str) -> Self {
        let table = Self::new(test, features, model);
        table.0.write("model.onnx", graph(name));
        table
    }

    /// Runs `check`.
    pub(crate) fn check(&self) -> Run {
        self.run(&["check", &self.text("pipeline.toml"), "--offline"])
    }

    /// Runs `check`, which must refuse the pipeline with these words.
    pub(crate) fn refused(&self, words: &[&str]) {
        let run = self.check();
        let is_refused = matches!(run.code, Some(1 | 2));
        assert!(is_refused, "{}{}", run.stdout, run.stderr);
        for word in words {
            assert!(run.stderr.contains(word), "{word:?} in: {}", run.stderr);
        }
        assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
    }

    /// The signals of the table, in its order, and the summary.
    pub(crate) fn replay(&self) -> (Vec<Value>, Value) {
        let input = given::repository("tests/given/exporters/applicants.csv");
        let input = input.to_str().expect("text");
        let (pipeline, to) = (self.text("pipeline.toml"), self.text("signals.jsonl"));
        let args = [
            "replay", &pipeline, "--input", input, "--output", &to, "--force", "--json",
        ];
        let done = self.run(&args);
        assert_eq!(done.code, Some(0), "{}", done.stderr);
        let value = |line: &str| serde_json::from_str(line).expect("a line is JSON");
        let signals = self.0.read("signals.jsonl");
        (signals.lines().map(value).collect(), value(&done.stdout))
    }

    /// The probabilities of each signal in the order of these labels.
    pub(crate) fn probabilities(&self, labels: &[&str]) -> Vec<Vec<f64>> {
        let (signals, _) = self.replay();
        let of = |signal: &Value| {
            let of = |label: &&str| signal["probabilities"][*label].as_f64();
            labels.iter().map(|label| of(label).expect(label)).collect()
        };
        signals.iter().map(of).collect()
    }

    fn text(&self, name: &str) -> String {
        self.0.path(name).to_str().expect("text").to_owned()
    }

    fn run(&self, args: &[&str]) -> Run {
        let mut command = Command::new(env!("CARGO_BIN_EXE_foretick"));
        let key = "of a test, sixteen bytes or more";
        given::run(command.args(args).env("FORETICK_PRIVACY_KEY", key))
    }
}

/// A model of `tests/given/exporters`.
pub(crate) fn graph(name: &str) -> Vec<u8> {
    std::fs::read(path(&format!("{name}.onnx"))).expect("it is committed")
}

/// The numbers that ONNX Runtime gives for each row, in Python.
pub(crate) fn expected(name: &str) -> Vec<Vec<f64>> {
    let text = std::fs::read_to_string(path("expected.json")).expect("it is committed");
    let all: Value = serde_json::from_str(&text).expect("it is JSON");
    let rows = all[name].as_array().expect("there is one for each model");
    let row = |row: &Value| {
        let numbers = row.as_array().expect("a row is a list").iter();
        numbers
            .map(|number| number.as_f64().expect("a number"))
            .collect()
    };
    rows.iter().map(row).collect()
}

pub(crate) fn path(name: &str) -> PathBuf {
    given::repository("tests/given/exporters").join(name)
}

/// Asserts that all numbers are equal to 1e-6.
pub(crate) fn assert_equal(found: &[Vec<f64>], expected: &[Vec<f64>]) {
    assert_eq!(found.len(), expected.len());
    for (row, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert_eq!(found.len(), expected.len(), "row {row}");
        for (a, b) in found.iter().zip(expected) {
            assert!(
                (a - b).abs() <= 1e-6,
                "row {row}: {found:?}, not {expected:?}"
            );
        }
    }
}
