//! Windows to scores: LSTMs in ONNX Runtime, alone and in batches, and the sum of a row for comparison.
//!
//! `FORETICK_PROVIDER=cuda` runs the batches on a GPU. A model or a runtime that is missing is skipped, with
//! a message.

mod market;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use foretick::model::Model;
use foretick::model::contract::Contract;
use foretick::model::linear::Linear;
use foretick::model::onnx;
use foretick::model::onnx::Onnx;
use foretick::model::provider::{Execution, Provider};

fn main() {
    divan::main();
}

/// The cost of measuring: looks at the window.
#[divan::bench]
fn nothing(bencher: Bencher<'_, '_>) {
    let window = numbers(STEPS * COLUMNS);
    bencher.bench_local(|| black_box(&window).len());
}

#[divan::bench]
fn sum(bencher: Bencher<'_, '_>) {
    let plan = market::pipeline("bench/pipelines/common-job-a", &[]).plan;
    each(
        bencher,
        &numbers(plan.len()),
        &mut Linear::sum(plan.names()).0,
    );
}

#[divan::bench]
fn lstm(bencher: Bencher<'_, '_>) {
    if let Some((mut model, _)) = load("bench/pipelines/common-job-b", Execution::default()) {
        each(bencher, &numbers(STEPS * COLUMNS), &mut model);
    }
}

/// The LSTM of price-direction (64 → 32 → dense, windows of [50, 14]) with so many windows per run. The time
/// is that of a run; the items are windows.
#[divan::bench(args = [1, 4, 8, 32])]
fn windows(bencher: Bencher<'_, '_>, batch: usize) {
    let execution = Execution {
        provider: provider(),
        batch_max: Some(batch),
        fallback: false,
    };
    if let Some((mut model, contract)) = load("pipelines/price-direction", execution) {
        let windows = numbers(batch * contract.steps * contract.features.len());
        let bencher = bencher.counter(ItemsCount::new(batch));
        each(bencher, &windows, &mut model);
    }
}

/// `FORETICK_PROVIDER`: `cpu`, or `cuda` for the first GPU.
fn provider() -> Provider {
    match std::env::var("FORETICK_PROVIDER").as_deref() {
        Ok("cuda") => Provider::Cuda { device: 0 },
        Ok("cpu") | Err(_) => Provider::Cpu,
        Ok(other) => panic!("FORETICK_PROVIDER is `{other}`; make it cpu or cuda"),
    }
}

fn load(pipeline: &str, execution: Execution) -> Option<(Onnx, Contract)> {
    if let Err(error) = onnx::library::environment() {
        eprintln!("left out: {error}");
        return None;
    }
    let pipeline = market::pipeline(pipeline, &[]);
    let path = pipeline.path().with_file_name("model.onnx");
    let bytes = std::fs::read(&path).expect("the model lies beside its pipeline");
    match Onnx::parse(&path, &bytes, String::new(), execution) {
        Ok(loaded) => Some(loaded),
        Err(error) => {
            eprintln!("left out: {error}");
            None
        }
    }
}

const STEPS: usize = 50;
const COLUMNS: usize = 8;

fn each(bencher: Bencher<'_, '_>, windows: &[f64], model: &mut dyn Model) {
    let mut scores = vec![];
    bencher.bench_local(|| {
        scores.clear();
        model
            .score(black_box(windows), &mut scores)
            .expect("the windows have the model's shape");
        scores[0]
    });
}

/// Numbers in the range of z-scores, the same each time.
fn numbers(count: usize) -> Vec<f64> {
    (0..count)
        .map(|at| (at * 7_919 % 401) as f64 / 100.0 - 2.0)
        .collect()
}
