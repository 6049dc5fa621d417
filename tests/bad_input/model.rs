//! Models that cannot run, and a missing runtime: refused before the first frame, with advice.

use std::fs;
use std::process::Command;

use crate::given::onnx::Graph;
use crate::given::{self, Folder, Run};
use crate::needs;

/// Runs `foretick check` on the small pipeline with this model.
fn check(folder: &Folder, model: &[u8], library: Option<&str>) -> Run {
    folder.write("pipeline.toml", given::small_onnx());
    folder.write("model.onnx", model);
    let mut command = Command::new(env!("CARGO_BIN_EXE_foretick"));
    command
        .args(["check", "--offline"])
        .arg(folder.path("pipeline.toml"));
    if let Some(library) = library {
        command.env("ORT_DYLIB_PATH", library);
    }
    given::run(&mut command)
}

fn failed(run: &Run, what: &[&str]) {
    assert_eq!(run.code, Some(1), "{}{}", run.stdout, run.stderr);
    for what in what {
        assert!(run.stderr.contains(what), "{what:?} in: {}", run.stderr);
    }
    assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
}

/// The graph that fits the small pipeline.
fn fitting(folder: &Folder) -> Graph {
    let plan = folder.pipeline(given::SMALL, &[]).plan;
    Graph::of(plan.names(), plan.sha256(), 4)
}

#[test]
fn the_error_names_a_missing_runtime() {
    let folder = Folder::new("model-nowhere");
    let run = check(&folder, b"", Some("/nowhere/libonnxruntime.so"));
    let advice = [
        "while loading ONNX Runtime",
        "/nowhere/libonnxruntime.so",
        "set ORT_DYLIB_PATH",
    ];
    failed(&run, &advice);
}

#[test]
fn the_error_names_a_file_that_is_no_library() {
    let folder = Folder::new("model-text");
    let library = folder.write("libonnxruntime.so", "these are no instructions");
    let run = check(&folder, b"", library.to_str());
    failed(&run, &["while loading ONNX Runtime", "set ORT_DYLIB_PATH"]);
}

/// A library, but another one: the C library that this very process runs on.
#[test]
#[cfg(target_os = "linux")]
fn the_error_names_a_library_that_is_no_runtime() {
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let library = maps.lines().find_map(|line| {
        let path = line.split_whitespace().nth(5)?;
        path.contains("/libc.so").then(|| path.to_owned())
    });
    let folder = Folder::new("model-libc");
    let run = check(&folder, b"", library.as_deref());
    failed(&run, &["while loading ONNX Runtime", "set ORT_DYLIB_PATH"]);
}

#[test]
fn the_error_names_a_missing_model() {
    let folder = Folder::new("model-missing");
    folder.write("pipeline.toml", given::small_onnx());
    let run = given::foretick(&[
        "check".into(),
        "--offline".into(),
        folder.path("pipeline.toml"),
    ]);
    failed(&run, &["while reading the model", "model.onnx"]);
}

#[test]
fn a_model_that_fits_is_accepted() {
    if !needs::onnx("a_model_that_fits_is_accepted") {
        return;
    }
    let folder = Folder::new("model-fits");
    let run = check(&folder, &fitting(&folder).bytes(), None);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
}

#[test]
fn a_model_with_other_inputs_is_refused() {
    if !needs::onnx("a_model_with_other_inputs_is_refused") {
        return;
    }
    let folder = Folder::new("model-inputs");
    let fits = fitting(&folder);
    let mut two = fits.clone();
    two.inputs.push(("weather", vec![1, 1]));
    let mut integers = fits.clone();
    integers.element = 7;
    let mut longer = fits.clone();
    longer.inputs[0].1 = vec![1, 9, 2];
    let mut several = fits.clone();
    several.inputs[0].1 = vec![8, 4, 2];
    for (graph, what) in [
        (two, "it has 2 inputs"),
        (
            integers,
            "a tensor [1, T, F] of float32 or float64 is expected",
        ),
        (longer, "its metadata promises 4 steps of 2"),
        (several, "its metadata promises 4 steps of 2"),
        (
            fits.say("steps", Some("0")),
            "its metadata promises 0 steps of 2",
        ),
    ] {
        failed(&check(&folder, &graph.bytes(), None), &["model.onnx", what]);
    }
}

#[test]
fn a_model_of_other_features_is_refused() {
    if !needs::onnx("a_model_of_other_features_is_refused") {
        return;
    }
    let folder = Folder::new("model-features");
    let fits = || fitting(&folder);
    for (graph, what) in [
        (
            fits().say("features", Some(r#"["mid","spread"]"#)),
            "column 1 is `spread` in the model and `flow`",
        ),
        (
            fits().say("features", Some(r#"["flow","mid"]"#)),
            "column 0 is `flow` in the model and `mid`",
        ),
        (
            fits().say("features_sha256", Some("0123")),
            "same names but another definition",
        ),
        (
            fits().say("features", None),
            "metadata_props has no `foretick.features`",
        ),
        (
            fits().say("steps", None),
            "metadata_props has no `foretick.steps`",
        ),
        (
            fits().say("labels", Some("up or down")),
            "metadata `foretick.labels`",
        ),
        (
            fits().say("labels", Some(r#"["down","up"]"#)),
            "but 2 scores are expected",
        ),
        (
            fits().say("mean", Some("[1.0]")),
            "must both have 2 numbers",
        ),
        (
            fits().say("mean", Some("[1.0, 2.0]")),
            "must both have 2 numbers",
        ),
        (
            fits()
                .say("mean", Some("[NaN, 2.0]"))
                .say("std", Some("[1.0, 2.0]")),
            "`foretick.mean`",
        ),
        (
            fits()
                .say("mean", Some("[1.0, 2.0]"))
                .say("std", Some("[0.0, 2.0]")),
            "std above 0",
        ),
    ] {
        failed(&check(&folder, &graph.bytes(), None), &[what]);
    }
}

#[test]
fn bytes_that_are_no_model_are_refused() {
    if !needs::onnx("bytes_that_are_no_model_are_refused") {
        return;
    }
    let folder = Folder::new("model-bytes");
    let whole = fitting(&folder).bytes();
    for bytes in [&b""[..], b"weights", &whole[..whole.len() / 2]] {
        failed(&check(&folder, bytes, None), &["model.onnx"]);
    }
}

#[test]
fn a_linear_model_of_another_shape_is_refused() {
    let folder = Folder::new("model-linear");
    let text = given::SMALL.replace("kind = \"sum\"", "kind = \"linear\"\nfile = \"model.json\"");
    let pipeline = folder.write("pipeline.toml", text);
    let good =
        r#"{"name":"m","version":"1","features":["mid","flow"],"weights":[[1,0]],"bias":[0]}"#;
    for (from, to, what) in [
        ("[[1,0]]", "[[1]]", "`weights` must be 1 rows"),
        (
            "\"flow\"",
            "\"ebb\"",
            "column 1 is `ebb` in the model and `flow` in the pipeline",
        ),
        ("\"bias\"", "\"base\"", "unknown field `base`"),
        ("[0]", "[0", "while loading the model"),
        (
            "\"bias\":[0]",
            "\"bias\":[0],\"mean\":[1,1]",
            "`mean` and `std` must both",
        ),
    ] {
        folder.write("model.json", good.replace(from, to));
        let run = given::foretick(&["check".into(), "--offline".into(), pipeline.clone()]);
        failed(&run, &["model.json", what]);
    }
    folder.write("model.json", good);
    assert_eq!(
        given::foretick(&["check".into(), "--offline".into(), pipeline]).code,
        Some(0)
    );
}

#[test]
fn a_horizon_that_the_model_was_not_trained_for_is_refused() {
    let folder = Folder::new("model-horizon");
    let text = given::SMALL.replace("kind = \"sum\"", "kind = \"linear\"\nfile = \"model.json\"");
    let text = format!("{text}\n[signal]\nhorizon_ms = 5_000\n");
    let pipeline = folder.write("pipeline.toml", text);
    folder.write(
        "model.json",
        r#"{"name":"m","version":"1","features":["mid","flow"],"weights":[[1,0]],"bias":[0],"horizon_ms":2000}"#,
    );
    let run = given::foretick(&["check".into(), "--offline".into(), pipeline]);
    assert_eq!(run.code, Some(2), "{}", run.stderr);
    let contains = run
        .stderr
        .contains("is 5000 but the model was trained for 2000; make them agree");
    assert!(
        contains && run.stderr.contains("pipeline.toml:"),
        "{}",
        run.stderr
    );
}
