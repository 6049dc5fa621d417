//! Networks whose sliding windows are not exact, or that are no plain stack of layers, are computed whole,
//! and `check` reports the reason.

use std::path::Path;

use foretick::model::kernel::Isa;
use foretick::model::onnx::Onnx;
use foretick::model::proto::{ModelProto, StringStringEntryProto, TensorProto};
use foretick::model::strategy::{Strategy, TOLERANCE, WindowMode};
use serde_json::Value;

use crate::given::{self, Folder, Run};
use crate::needs;
use crate::recurrent::{files, given as file};

#[test]
fn every_file_gets_its_strategy() {
    if !needs::onnx("every_file_gets_its_strategy") {
        return;
    }
    for (name, steps, bytes) in files() {
        let strategy = choose(&bytes, steps, WindowMode::Auto);
        // Some files that are not recurrent networks are convolutions, whose windows slide.
        let refused = name.contains("refused") && !name.contains("convolution");
        let expected = if refused { "plain" } else { "slide" };
        assert_eq!(strategy.name(), expected, "{name}: {}", strategy.reason);
        assert_eq!(strategy.max_rel_diff.is_none(), refused, "{name}");
        let plain = choose(&bytes, steps, WindowMode::Plain);
        assert_eq!((plain.name(), plain.max_rel_diff), ("plain", None));
    }
}

/// Recurrent weights so large that the layers are chaotic: a difference in rounding grows at each step,
/// until the scores have nothing in common.
#[test]
fn a_chaotic_network_is_computed_whole() {
    if !needs::onnx("a_chaotic_network_is_computed_whole") {
        return;
    }
    const STEPS: usize = 60;
    let symbolic = file("onnx-lstm-symbolic");
    let calm = choose(&symbolic, STEPS, WindowMode::Auto);
    assert_eq!(calm.name(), "slide", "{}", calm.reason);
    let wild = reweighed(&symbolic, |weight| weight * 12.0);
    let strategy = choose(&wild, STEPS, WindowMode::Auto);
    assert_eq!(strategy.name(), "plain", "{}", strategy.reason);
    assert!(
        strategy.reason.contains("differ from ONNX Runtime's by"),
        "{}",
        strategy.reason
    );
    assert!(strategy.max_rel_diff.is_some_and(|far| far > TOLERANCE));
    let error = carried(&wild, STEPS);
    assert!(error.contains("differ from ONNX Runtime's by"), "{error}");
}

#[test]
fn a_network_with_a_nan_weight_is_computed_whole() {
    if !needs::onnx("a_network_with_a_nan_weight_is_computed_whole") {
        return;
    }
    let mut first = true;
    let none = reweighed(&file("onnx-lstm"), |weight| {
        if std::mem::take(&mut first) {
            f32::NAN
        } else {
            weight
        }
    });
    let strategy = choose(&none, 7, WindowMode::Auto);
    assert_eq!(strategy.name(), "plain", "{}", strategy.reason);
    assert!(
        strategy.reason.contains("by inf relative"),
        "{}",
        strategy.reason
    );
}

#[test]
fn no_state_is_carried_for_an_unrecognised_network() {
    if !needs::onnx("no_state_is_carried_for_an_unrecognised_network") {
        return;
    }
    let error = carried(&file("torch-dynamo-refused-bidirectional"), 9);
    for words in [
        "layer 1 is bidirectional",
        "needs a recognised recurrent network",
        "write `window = \"auto\"`",
    ] {
        assert!(error.contains(words), "{words:?} in: {error}");
    }
    let strategy = choose(&file("onnx-lstm"), 7, WindowMode::Carried);
    assert_eq!(strategy.name(), "carried");
    assert!(
        strategy.reason.contains("never reset"),
        "{}",
        strategy.reason
    );

    let folder = Folder::new("slide-linear");
    for kind in [
        "kind = \"sum\"",
        "kind = \"linear\"\nfile = \"linear.json\"",
    ] {
        let asked = format!("{kind}\nwindow = \"carried\"");
        let text = given::SMALL.replace("kind = \"sum\"", &asked);
        let path = folder.write("pipeline.toml", text);
        folder.write("linear.json", LINEAR);
        let run = given::foretick(&["check".as_ref(), "--offline".as_ref(), path.as_os_str()]);
        assert_eq!(run.code, Some(2), "{}", run.stderr);
        for words in [
            "`window = \"carried\"` is not possible",
            "take it out",
            "newest row",
        ] {
            assert!(run.stderr.contains(words), "{words:?} in: {}", run.stderr);
        }
    }
}

#[test]
fn check_reports_the_strategy_and_its_reason() {
    if !needs::onnx("check_reports_the_strategy_and_its_reason") {
        return;
    }
    let cases = [
        (
            "torch-script-lstm",
            "auto",
            "slide",
            "recognised, and equal",
        ),
        ("torch-script-lstm", "plain", "plain", "configured"),
        ("torch-script-lstm", "carried", "carried", "never reset"),
        (
            "torch-script-refused-bidirectional",
            "auto",
            "plain",
            "is bidirectional",
        ),
        (
            "torch-script-refused-mean",
            "auto",
            "plain",
            "pools all steps",
        ),
        (
            "torch-script-refused-attention",
            "auto",
            "plain",
            "is attention",
        ),
    ];
    for (name, asked, path, why) in cases {
        let run = check(name, asked);
        assert_eq!(run.code, Some(0), "{name}: {}", run.stderr);
        let report: Value = serde_json::from_str(&run.stdout).expect("a report in JSON");
        assert_eq!(report["path"], path, "{name} {asked}: {report}");
        let message = report["why"].as_str().expect("a reason");
        assert!(
            message.contains(why),
            "{name} {asked}: {message:?} has no {why:?}"
        );
        let compared = report["max_rel_diff"].as_f64();
        assert_eq!(compared.is_some(), path != "plain", "{report}");
        assert!(compared.is_none_or(|far| far <= TOLERANCE), "{report}");
        // The log names it too.
        assert!(run.stderr.contains(why), "{name} {asked}: {}", run.stderr);
    }
    let run = check("torch-script-refused-mean", "carried");
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stderr.contains("pools all steps"), "{}", run.stderr);
}

/// Runs `foretick check` on a file, with a contract of its own, in a pipeline of as many features.
fn check(name: &str, window: &str) -> Run {
    let folder = Folder::new(&format!("slide-check-{name}-{window}"));
    let features = 4;
    let feature = |n: usize| {
        format!("[[feature]]\nname = \"f{n}\"\nkind = \"queue_imbalance\"\nlevels = {n}\n")
    };
    let features: String = (1..=features).map(feature).collect();
    let text = format!(
        "name = \"small\"\n[row]\non = \"book\"\n{features}[model]\nkind = \"onnx\"\nfile = \"model.onnx\"\n\
         window = \"{window}\"\n"
    );
    let plan = folder.pipeline(&text, &[]).plan;
    let bytes = file(name);
    let outputs = Onnx::bare(&bytes, 9).expect("the model loads").outputs();
    let labels: Vec<String> = (0..outputs).map(|n| n.to_string()).collect();
    let mut model = ModelProto::parse(&bytes).expect("the file is whole");
    for (key, value) in [
        ("features", format!("{:?}", plan.names())),
        ("steps", "9".to_owned()),
        ("labels", format!("{labels:?}")),
    ] {
        model.metadata_props.push(StringStringEntryProto {
            key: format!("foretick.{key}"),
            value,
        });
    }
    folder.write("model.onnx", model.bytes());
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_foretick"));
    let command = command.args(["check", "--offline", "--json"]);
    let command = command.arg(folder.path("pipeline.toml"));
    given::run(command.env("FORETICK_LOG", "info"))
}

fn choose(bytes: &[u8], steps: usize, asked: WindowMode) -> Strategy {
    let strategy = Strategy::choose(Path::new("this file"), bytes, steps, asked, Isa::best());
    strategy.unwrap_or_else(|error| panic!("{error}"))
}

/// The error for a pipeline that configures a carried state.
fn carried(bytes: &[u8], steps: usize) -> String {
    let asked = WindowMode::Carried;
    let strategy = Strategy::choose(Path::new("this file"), bytes, steps, asked, Isa::best());
    strategy.expect_err("it cannot be had").to_string()
}

/// The file with its recurrent weights changed one by one.
fn reweighed(bytes: &[u8], mut change: impl FnMut(f32) -> f32) -> Vec<u8> {
    let mut model = ModelProto::parse(bytes).expect("the file is whole");
    let graph = model.graph.as_mut().expect("the file has a graph");
    let layers = graph.node.iter().filter(|node| node.op_type == "LSTM");
    let names: Vec<String> = layers
        .filter_map(|node| node.argument(2).map(str::to_owned))
        .collect();
    assert!(!names.is_empty(), "the file has layers");
    for tensor in &mut graph.initializer {
        if names.contains(&tensor.name) {
            let mut numbers = tensor.floats().expect("they are float32");
            numbers
                .iter_mut()
                .for_each(|number| *number = change(*number));
            *tensor = TensorProto::of(tensor.name.clone(), tensor.dims.clone(), &numbers);
        }
    }
    model.bytes()
}

/// A linear model over the two columns of the small pipeline.
const LINEAR: &str = r#"{"name": "linear", "version": "1", "features": ["mid", "flow"], "weights": [[1.0, 2.0]], "bias": [0.0]}"#;
