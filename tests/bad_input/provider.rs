//! Where a model is to run, and does not: a GPU that is not there, graphs that cannot be batched.

use crate::given::onnx::Graph;
use crate::given::{self, Folder, Run};
use crate::needs;

#[test]
fn a_missing_gpu_is_an_error_without_a_fallback() {
    let Some(folder) = without_cuda("a_missing_gpu_is_an_error_without_a_fallback") else {
        return;
    };
    let run = check(&folder, &["model.provider=cuda"]);
    let message = [
        "while setting up CUDA: ",
        "(ONNX Runtime: ",
        "or write `provider = \"cpu\"`, or `fallback = \"cpu\"`",
    ];
    refused(&run, 1, &message);
}

#[test]
fn check_shows_a_configured_fallback() {
    let Some(folder) = without_cuda("check_shows_a_configured_fallback") else {
        return;
    };
    let set = ["model.provider=cuda", "model.fallback=cpu"];
    let run = check(&folder, &set);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(run.stdout.contains("on cpu (fallback: "), "{}", run.stdout);
    assert!(run.stderr.contains("WARN"), "{}", run.stderr);
    let run = check(&folder, &["model.provider=cpu"]);
    assert!(run.stdout.contains("on cpu, 1 window"), "{}", run.stdout);
    assert!(!run.stderr.contains("WARN"), "{}", run.stderr);
}

#[test]
fn a_graph_that_takes_one_window_takes_no_batches() {
    if !needs::onnx("a_graph_that_takes_one_window_takes_no_batches") {
        return;
    }
    let folder = given("provider-fixed", |_| {});
    let run = check(&folder, &["model.batch_max=8"]);
    refused(
        &run,
        1,
        &[
            "`batch_max` is 8",
            "one window at a time",
            "or take `batch_max` out",
        ],
    );
    let run = check(&folder, &["model.batch_max=1"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
}

#[test]
fn a_graph_that_mixes_its_windows_is_refused() {
    if !needs::onnx("a_graph_that_mixes_its_windows_is_refused") {
        return;
    }
    let open = |graph: &mut Graph| graph.inputs[0].1[0] = -1;
    let folder = given("provider-open", open);
    let run = check(&folder, &["model.batch_max=8"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(run.stdout.contains("on cpu, 8 windows"), "{}", run.stdout);
    let folder = given("provider-mixing", |graph| {
        open(graph);
        graph.softmax = 0;
    });
    let run = check(&folder, &["model.batch_max=8"]);
    refused(
        &run,
        1,
        &["the same window scores", "write `batch_max = 1`"],
    );
}

#[test]
fn invalid_execution_keys_are_refused_with_their_line() {
    for (key, what) in [
        ("device = 1", "`device` is for a GPU"),
        ("fallback = \"cpu\"", "`fallback` is for a GPU"),
        ("fallback = \"gpu\"", "unknown variant `gpu`"),
        ("provider = \"tpu\"", "unknown variant `tpu`"),
        ("batch_max = 0", "`batch_max` must be 1 to"),
        ("batch_wait_ms = 5", "unknown field `batch_wait_ms`"),
    ] {
        let folder = Folder::new("provider-keys");
        let text = given::small_onnx() + key;
        let line = text.lines().count();
        folder.write("pipeline.toml", text);
        let run = check(&folder, &[]);
        refused(&run, 2, &[what, &format!("pipeline.toml:{line}: ")]);
    }
}

/// The small pipeline with a model that fits it, changed.
fn given(name: &str, change: impl FnOnce(&mut Graph)) -> Folder {
    let folder = Folder::new(name);
    let plan = folder.pipeline(given::SMALL, &[]).plan;
    let mut graph = Graph::of(plan.names(), plan.sha256(), 4);
    change(&mut graph);
    folder.write("pipeline.toml", given::small_onnx());
    folder.write("model.onnx", graph.bytes());
    folder
}

/// A sound pipeline where there is ONNX Runtime but no GPU for it; notes that `test` is skipped elsewhere.
fn without_cuda(test: &str) -> Option<Folder> {
    if !needs::onnx(test) {
        return None;
    }
    let folder = given(test, |_| {});
    if check(&folder, &["model.provider=cuda"]).code == Some(0) {
        needs::skip(test, "no-cuda", "there is a GPU here");
        return None;
    }
    Some(folder)
}

fn check(folder: &Folder, set: &[&str]) -> Run {
    let path = folder.path("pipeline.toml");
    let path = path.to_str().expect("a temporary path is text");
    let set = set.iter().flat_map(|one| ["--set", one]);
    let arguments: Vec<&str> = ["check", "--offline", path]
        .into_iter()
        .chain(set)
        .collect();
    given::foretick(&arguments)
}

fn refused(run: &Run, code: i32, words: &[&str]) {
    assert_eq!(run.code, Some(code), "{}{}", run.stdout, run.stderr);
    for word in words {
        assert!(run.stderr.contains(word), "{word:?} in: {}", run.stderr);
    }
    assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
}
