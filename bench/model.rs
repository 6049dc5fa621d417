//! One window to a score: the LSTM of the common job in ONNX Runtime, and the sum that costs nearly nothing.
//!
//! Without ONNX Runtime the LSTM is left out, with a word about it.

mod market;

use divan::{Bencher, black_box};
use foretick::model::Model;
use foretick::model::linear::Linear;
use foretick::model::onnx::{self, Onnx};
use foretick::model::provider::Execution;

fn main() {
    divan::main();
}

/// The cost of measuring: looks at the window.
#[divan::bench]
fn nothing(bencher: Bencher<'_, '_>) {
    let window = window();
    bencher.bench_local(|| black_box(&window).len());
}

#[divan::bench]
fn sum(bencher: Bencher<'_, '_>) {
    let plan = market::pipeline("bench/pipelines/common-job-a", &[]).plan;
    each_window(bencher, &mut Linear::sum(&plan).0);
}

#[divan::bench]
fn lstm(bencher: Bencher<'_, '_>) {
    if let Err(error) = onnx::environment() {
        eprintln!("lstm left out: {error}");
        return;
    }
    let pipeline = market::pipeline("bench/pipelines/common-job-b", &[]);
    let path = pipeline.path().with_file_name("model.onnx");
    let bytes = std::fs::read(&path).expect("the model lies beside its pipeline");
    let (mut model, _) = Onnx::parse(&path, &bytes, String::new(), Execution::default())
        .expect("the model is sound");
    each_window(bencher, &mut model);
}

const STEPS: usize = 50;
const COLUMNS: usize = 8;

fn each_window(bencher: Bencher<'_, '_>, model: &mut dyn Model) {
    let (window, mut scores) = (window(), vec![]);
    bencher.bench_local(|| {
        scores.clear();
        model
            .score(black_box(&window), &mut scores)
            .expect("the window has the model's shape");
        scores[0]
    });
}

/// Numbers such as z-scores are, the same each time.
fn window() -> Vec<f64> {
    (0..STEPS * COLUMNS)
        .map(|at| (at * 7_919 % 401) as f64 / 100.0 - 2.0)
        .collect()
}
