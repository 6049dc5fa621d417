//! A model that does not fit its pipeline is refused before anything runs, with an error that names the
//! difference.
//!
//! The broken models are the shipped one with a few bytes changed, the broken pipelines the shipped one with
//! a few words changed, so that only the change can be the cause. No test scores a window.

mod needs;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const PIPELINE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/pipelines/price-direction");

#[test]
fn the_shipped_model_is_accepted() {
    if !has_runtime("the_shipped_model_is_accepted") {
        return;
    }
    let folder = copy("shipped");
    let done = check(&folder, &[]);
    assert!(done.status.success(), "{}", stderr(&done));
    let done = check(&folder, LINEAR);
    assert!(done.status.success(), "{}", stderr(&done));
}

/// The metadata that every shipped model has beside those that the engine needs.
#[test]
fn the_shipped_models_contain_their_metadata() {
    let pipelines = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines");
    for (name, baselines) in [
        ("price-direction", &["score", "feature"][..]),
        ("price-direction/daily", &["score", "feature"]),
        ("price-direction/ibm", &["score", "feature"]),
        ("default-alerts", &["score", "feature"]),
        ("loan-risk", &["score", "feature"]),
        ("news-sentiment", &["score"]),
    ] {
        let model = fs::read(pipelines.join(name).join("model.onnx")).expect("it ships");
        let says = |key: &str| {
            let key = format!("foretick.{key}\x12");
            model.windows(key.len()).any(|part| part == key.as_bytes())
        };
        let keys = [
            "name",
            "version",
            "features",
            "features_sha256",
            "steps",
            "metrics",
        ];
        let keys = keys.map(str::to_owned).into_iter();
        for key in keys.chain(baselines.iter().map(|of| format!("{of}_baseline"))) {
            assert!(says(&key), "{name}: {key}");
        }
        let data = ["training_sha256", "training_rows_sha256"];
        assert!(data.iter().any(|key| says(key)), "{name}: its data");
        let timed = name != "news-sentiment";
        assert_eq!(says("horizon_ms"), timed, "{name}: how far it looks");
    }
}

/// Published builds of ONNX Runtime keep their usage data in the cache folder of the user, except on a build
/// machine, which they recognise by its environment: hence the empty environment.
#[test]
fn onnx_runtime_sends_no_usage_data() {
    if !has_runtime("onnx_runtime_sends_no_usage_data") {
        return;
    }
    let folder = copy("silent");
    let home = folder.join("home");
    drop(fs::remove_dir_all(&home));
    fs::create_dir_all(&home).expect("its folder takes a folder");
    let mut command = foretick(&folder, &[]);
    command.env_clear().env("HOME", &home);
    if let Some(library) = env::var_os("ORT_DYLIB_PATH") {
        command.env("ORT_DYLIB_PATH", library);
    }
    let done = command
        .output()
        .expect("the binary was built with this test");
    assert!(done.status.success(), "{}", stderr(&done));
    let left: Vec<_> = fs::read_dir(&home).expect("it is there").collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_model_trained_on_other_features_is_refused() {
    if !has_runtime("a_model_trained_on_other_features_is_refused") {
        return;
    }
    let features = "foretick.features\x12";
    let order = |model: &mut Vec<u8>| {
        replace(model, features, "\"flow_1s\"", "\"flow_?s\"");
        replace(model, features, "\"flow_5s\"", "\"flow_1s\"");
        replace(model, features, "\"flow_?s\"", "\"flow_5s\"");
    };
    let other = |model: &mut Vec<u8>| replace(model, features, "\"spread\"", "\"depths\"");
    let hash = |model: &mut Vec<u8>| first_digit(model, "foretick.features_sha256\x12\x40");
    let window = |model: &mut Vec<u8>| replace(model, "foretick.steps\x12", "50", "49");
    let cases: [Case<'_>; 4] = [
        (
            "order",
            &order,
            &[
                "column 0 is `flow_5s` in the model and `flow_1s` in the pipeline",
                "train it again",
            ],
        ),
        (
            "other",
            &other,
            &["column 6 is `depths` in the model and `spread` in the pipeline"],
        ),
        (
            "hash",
            &hash,
            &["another definition", "restore the [[feature]] tables"],
        ),
        (
            "window",
            &window,
            &["shape [-1, 50, 14]", "49 steps of 14 features: [1, 49, 14]"],
        ),
    ];
    refuses(&cases);
}

#[test]
fn a_model_whose_contract_lacks_an_entry_is_refused() {
    if !has_runtime("a_model_whose_contract_lacks_an_entry_is_refused") {
        return;
    }
    let rename = |model: &mut Vec<u8>| replace(model, "", "foretick.steps", "foretick.stepz");
    let unnamed =
        |model: &mut Vec<u8>| replace(model, "", "foretick.features\x12", "foretick.featurez\x12");
    let cases: [Case<'_>; 2] = [
        (
            "steps",
            &rename,
            &["no `foretick.steps`", "write the contract into the file"],
        ),
        ("features", &unnamed, &["no `foretick.features`"]),
    ];
    refuses(&cases);
}

#[test]
fn a_file_that_is_not_a_model_is_refused() {
    if !has_runtime("a_file_that_is_not_a_model_is_refused") {
        return;
    }
    let text = |model: &mut Vec<u8>| *model = b"weights: see the other file\n".to_vec();
    let cut = |model: &mut Vec<u8>| model.truncate(model.len() / 2);
    let empty = |model: &mut Vec<u8>| model.clear();
    let cases: [Case<'_>; 3] = [
        ("text", &text, &["while loading the model"]),
        ("cut", &cut, &["while loading the model"]),
        ("empty", &empty, &["while loading the model"]),
    ];
    refuses(&cases);
}

#[test]
fn a_missing_file_is_named() {
    let folder = copy("missing");
    let file = folder.join("model.onnx");
    fs::remove_file(&file).unwrap();
    refused(
        &check(&folder, &[]),
        1,
        &["while reading the model", &file.display().to_string()],
    );
}

#[test]
fn a_pipeline_with_other_features_is_refused() {
    if !has_runtime("a_pipeline_with_other_features_is_refused") {
        return;
    }
    let changes = [
        (
            "name = \"spread\"",
            "name = \"gap\"",
            "column 6 is `spread` in the model and `gap` in the pipeline",
        ),
        (
            "window_ms = 10_000",
            "window_ms = 20_000",
            "the same names but another definition",
        ),
        (
            "window = 100",
            "window = 100\nhidden = true",
            "column 13 is `vwap_deviation` in the model and nothing",
        ),
    ];
    for (before, after, difference) in changes {
        let folder = copy("changed");
        let file = folder.join("pipeline.toml");
        let text = fs::read_to_string(&file).unwrap();
        assert_eq!(text.matches(before).count(), 1, "{before}");
        fs::write(&file, text.replace(before, after)).unwrap();
        for which in [LINEAR, &[]] {
            refused(&check(&folder, which), 1, &[difference, "train it again"]);
        }
    }
}

#[test]
fn another_horizon_is_refused() {
    if !has_runtime("another_horizon_is_refused") {
        return;
    }
    let done = check(Path::new(PIPELINE), &["--set", "label.horizon_ms=1000"]);
    let message = stderr(&done);
    assert!(!done.status.success(), "{message}");
    let difference = "`horizon_ms` of [label] is 1000 but the model was trained for 2000";
    assert!(
        message.contains(difference) && message.contains("make them agree"),
        "{message}"
    );
}

#[test]
fn the_error_of_a_missing_runtime_says_how_to_fetch_it() {
    let nowhere = Path::new(env!("CARGO_TARGET_TMPDIR")).join("libnowhere.so");
    let done = check_with(&nowhere, Path::new(PIPELINE), &[]);
    let advice = [
        "while loading ONNX Runtime",
        "libnowhere.so",
        "run `make onnxruntime`",
        "ORT_DYLIB_PATH",
    ];
    refused(&done, 1, &advice);
}

#[test]
#[cfg(target_os = "linux")]
fn another_library_than_onnx_runtime_is_refused() {
    let done = check_with(Path::new("libm.so.6"), Path::new(PIPELINE), &[]);
    refused(
        &done,
        1,
        &[
            "while loading ONNX Runtime",
            "does not export `OrtGetApiBase`",
            "ORT_DYLIB_PATH",
        ],
    );
}

/// A name, a change of the model's bytes, and words of the error.
type Case<'a> = (&'a str, &'a dyn Fn(&mut Vec<u8>), &'a [&'a str]);

const LINEAR: &[&str] = &[
    "--set",
    "model.kind=linear",
    "--set",
    "model.file=linear.json",
];

fn refuses(cases: &[Case<'_>]) {
    for (name, change, words) in cases {
        let folder = copy(name);
        let file = folder.join("model.onnx");
        let mut model = fs::read(&file).expect("it was just copied");
        change(&mut model);
        fs::write(&file, model).expect("the copy can be written");
        let done = check(&folder, &[]);
        refused(&done, 1, words);
        refused(&done, 1, &[&file.display().to_string()]);
    }
}

/// Checks that a command failed with this exit code and these words.
fn refused(done: &Output, code: i32, words: &[&str]) {
    let message = stderr(done);
    assert_eq!(done.status.code(), Some(code), "{message}");
    for word in words {
        assert!(message.contains(word), "`{word}` is not in: {message}");
    }
}

fn check(pipeline: &Path, arguments: &[&str]) -> Output {
    foretick(pipeline, arguments)
        .output()
        .expect("the binary was built with this test")
}

fn check_with(library: &Path, pipeline: &Path, arguments: &[&str]) -> Output {
    foretick(pipeline, arguments)
        .env("ORT_DYLIB_PATH", library)
        .output()
        .expect("the binary was built with this test")
}

fn foretick(pipeline: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_foretick"));
    // Only the model is checked; no broker is needed.
    command.args(["check", "--offline"]);
    command.arg(pipeline).args(arguments);
    command
}

fn stderr(done: &Output) -> String {
    String::from_utf8_lossy(&done.stderr).into_owned()
}

/// A copy of the shipped pipeline in a folder of its own.
fn copy(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("model_contract")
        .join(name);
    fs::create_dir_all(&folder).expect("tests have a folder for files");
    for file in ["pipeline.toml", "model.onnx", "linear.json"] {
        let bytes = fs::read(Path::new(PIPELINE).join(file)).expect("the pipeline ships it");
        fs::write(folder.join(file), bytes).expect("the copy can be written");
    }
    folder
}

/// Whether ONNX Runtime is where the binary will look for it.
fn has_runtime(test: &str) -> bool {
    let beside =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(foretick::model::onnx::library::LIBRARY);
    let named = env::var_os("ORT_DYLIB_PATH").is_some_and(|path| !path.is_empty());
    let there = named || beside.exists();
    if !there {
        needs::skip(
            test,
            "onnxruntime",
            "run `make onnxruntime`, or set ORT_DYLIB_PATH",
        );
    }
    there
}

/// The end of the first `needle` from `from` on.
fn end_of(bytes: &[u8], from: usize, needle: &[u8]) -> usize {
    let at = bytes[from..]
        .windows(needle.len().max(1))
        .position(|window| window.starts_with(needle));
    from + at.expect("the shipped model has it") + needle.len()
}

/// Overwrites the first `old` after `key`. The file stores the length before each text, so it must not
/// change.
fn replace(bytes: &mut [u8], key: &str, old: &str, new: &str) {
    assert_eq!(old.len(), new.len());
    let end = end_of(bytes, end_of(bytes, 0, key.as_bytes()), old.as_bytes());
    bytes[end - new.len()..end].copy_from_slice(new.as_bytes());
}

/// Changes the first hexadecimal digit after `key`.
fn first_digit(bytes: &mut [u8], key: &str) {
    let at = end_of(bytes, 0, key.as_bytes());
    bytes[at] = if bytes[at] == b'0' { b'1' } else { b'0' };
}
