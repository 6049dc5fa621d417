//! The Python package of `deploy/python`: it reads what `features` writes, and its windows are the engine's.

mod given;
mod needs;

use std::process::Command;

use serde_json::Value;

use given::{Folder, foretick, json_lines, repository, run};

const PIPELINE: &str = "pipelines/price-direction";

/// Runs a script of `tests/python` with the package.
fn python(test: &str, script: &str, args: &[&str]) -> Option<given::Run> {
    let python = needs::python(test)?;
    let mut command = Command::new(python);
    command
        .arg(repository("tests/python").join(script))
        .args(args);
    command.env("PYTHONPATH", repository("deploy/python"));
    Some(run(command.env("PYTHONDONTWRITEBYTECODE", "1")))
}

/// Splits, folds, labels, weights and windows of sets that the script writes itself.
#[test]
fn a_set_is_read_as_it_is_described() {
    let test = "a_set_is_read_as_it_is_described";
    let Some(run) = python(test, "described_sets.py", &[]) else {
        return;
    };
    assert_eq!(run.code, Some(0), "{}{}", run.stdout, run.stderr);
    assert!(run.stdout.contains("15 checks"), "{}", run.stdout);
}

/// Each window that the engine scores as `ok`, and no other, with the rows that `explain` shows.
#[test]
fn windows_are_those_that_the_engine_scores() {
    let test = "windows_are_those_that_the_engine_scores";
    let pipeline = repository(PIPELINE);
    if !needs::onnx(test) || !needs::file(test, &pipeline.join("model.onnx")) {
        return;
    }
    if needs::python(test).is_none() {
        return;
    }
    let folder = Folder::new("python-windows");
    let capture = given::capture(71, 24, &["BTCUSDT", "ETHUSDT"]);
    let input = folder.write("capture", capture).display().to_string();
    let pipeline = pipeline.display().to_string();
    let [set, signals] =
        ["rows.parquet", "signals.jsonl"].map(|name| folder.path(name).display().to_string());
    for (command, output) in [("features", &set), ("replay", &signals)] {
        let run = foretick(&[command, &pipeline, "--input", &input, "--output", output]);
        assert_eq!(run.code, Some(0), "{command}: {}", run.stderr);
    }
    let found = python(test, "windows_of_set.py", &[&set]).expect("there is a Python");
    assert_eq!(found.code, Some(0), "{}", found.stderr);
    let found: Value = serde_json::from_str(&found.stdout).expect("the script prints JSON");
    let end = |value: &Value| (value[0].to_string(), value[1].as_i64());
    let mut windows: Vec<_> = found["ends"]
        .as_array()
        .expect("a list")
        .iter()
        .map(end)
        .collect();
    let scored = json_lines(&folder.read("signals.jsonl"));
    let ok = scored.iter().filter(|signal| signal["quality"] == "ok");
    let mut ok: Vec<_> = ok
        .map(|signal| {
            (
                signal["instrument"].to_string(),
                signal["ts_event"].as_i64(),
            )
        })
        .collect();
    windows.sort();
    ok.sort();
    assert!(
        ok.len() > 50 && ok.len() < scored.len(),
        "{} of {}",
        ok.len(),
        scored.len()
    );
    assert_eq!(windows, ok);
    for window in found["windows"].as_array().expect("a list") {
        let (name, at) = (&window["instrument"], &window["ts_event"]);
        let name = name.as_str().expect("a name");
        let which = ["--instrument", name, "--at", &at.to_string(), "--json"];
        let run = foretick(&[&["explain", &pipeline, "--input", &input][..], &which].concat());
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        let explained: Value = serde_json::from_str(&run.stdout).expect("a report in JSON");
        let rows = explained["rows"]
            .as_array()
            .expect("the rows of the window");
        let values: Vec<&Value> = rows.iter().map(|row| &row["values"]).collect();
        let theirs: Vec<&Value> = window["rows"].as_array().expect("rows").iter().collect();
        assert_eq!(values, theirs, "{name} at {at}");
    }
}
