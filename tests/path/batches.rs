//! Windows that are scored together: the same bits in any company, on the processor and on a GPU.
//!
//! How frames come together for a batch is in `batch_wait.rs`.

use std::fs;
use std::path::Path;

use foretick::command::diff;
use foretick::command::diff::diff;
use foretick::model::onnx::Onnx;
use foretick::model::provider::{Execution, Provider};
use foretick::model::{Model, ModelError};
use foretick::run::replay::{ReplayOptions, replay};

use crate::given::{self, Folder};
use crate::needs;

#[test]
fn a_window_has_the_same_score_in_any_batch() {
    let test = "a_window_has_the_same_score_in_any_batch";
    let pipeline = given::repository("pipelines/price-direction");
    if !needs::onnx(test) || !needs::file(test, &pipeline.join("model.onnx")) {
        return;
    }
    let folder = Folder::new("batches-company");
    let capture = folder.write("capture", given::capture(7, 14, &["BTCUSDT", "ETHUSDT"]));
    let run = |windows: usize, frames: usize| {
        let output = folder.path(&format!("{windows}.jsonl"));
        let options = ReplayOptions {
            inputs: vec![capture.clone()],
            output: Some(output.clone()),
            ..ReplayOptions::default()
        };
        let set = [
            // Windows that slide are not batched.
            "model.window=plain".to_owned(),
            format!("model.batch_max={windows}"),
            format!("engine.batch={frames}"),
            SCORES.to_owned(),
        ];
        let set = set.each_ref().map(String::as_str);
        let summary = replay(&given::load(&pipeline, &set), &options).expect("a sound replay");
        assert!(summary.signals > 100, "there is something to compare");
        (summary.digest, output)
    };
    let (_, alone) = run(1, 256);
    for windows in [4, 8] {
        let (digest, together) = run(windows, 1);
        for frames in [7, 4096] {
            assert_eq!(
                run(windows, frames).0,
                digest,
                "{windows} of {frames} frames"
            );
        }
        let options = diff::DiffOptions {
            tolerance: 1e-6,
            ..diff::DiffOptions::default()
        };
        let report = diff(&alone, &together, options).expect("both are signals");
        assert!(report.equal, "{windows} windows: {report}");
    }
}

#[test]
fn cuda_equals_cpu() {
    if !has_cuda("cuda_equals_cpu") {
        return;
    }
    // That of news-sentiment is int8, for which CUDA has no kernels.
    for name in [
        "price-direction",
        "price-direction/daily",
        "price-direction/ibm",
        "default-alerts",
        "loan-risk",
    ] {
        let path = given::repository("pipelines").join(name).join("model.onnx");
        let bytes = fs::read(&path).expect("it is there");
        let load = |execution| {
            Onnx::parse(&path, &bytes, String::new(), execution)
                .unwrap_or_else(|error| panic!("{error}"))
        };
        let ((mut cpu, contract), (mut cuda, _)) = (load(Execution::default()), load(ON_CUDA));
        assert_eq!(cuda.active().provider, ON_CUDA.provider);
        let cells = contract.steps * contract.features.len();
        let windows: Vec<f64> = (0..100 * cells).map(number).collect();
        let (mut expected, mut scores) = (vec![], vec![]);
        cpu.score(&windows, &mut expected)
            .expect("it has run before");
        cuda.score(&windows, &mut scores)
            .expect("it has run before");
        assert_eq!(scores.len(), 100 * contract.outputs());
        let furthest = scores.iter().zip(&expected).map(|(a, b)| (a - b).abs());
        let furthest = furthest.fold(0.0, f64::max);
        assert!(furthest <= 1e-4, "{}: {furthest}", path.display());
    }
}

/// Whether a small graph runs on a GPU; notes that `test` is skipped where not.
fn has_cuda(test: &str) -> bool {
    if !needs::onnx(test) {
        return false;
    }
    let graph = given::onnx::Graph::of(&["a".to_owned()], "", 2).bytes();
    match Onnx::parse(Path::new("small"), &graph, String::new(), ON_CUDA) {
        Err(ModelError::Cuda(reason)) => {
            needs::skip(test, "cuda", &reason);
            false
        }
        other => other.is_ok() || panic!("the small graph is sound"),
    }
}

const ON_CUDA: Execution = Execution {
    provider: Provider::Cuda { device: 0 },
    batch_max: None,
    fallback: false,
};

const SCORES: &str = r#"sink.fields=["instrument","ts_event","quality","probabilities"]"#;

/// The n-th of some numbers such as z-scores are.
fn number(n: usize) -> f64 {
    (n * 7_919 % 4_001) as f64 / 1_000.0 - 2.0
}
