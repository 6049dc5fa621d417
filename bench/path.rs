//! The whole path, bytes to signals, in one thread: decode, books, windows, features, model, digest.
//!
//! Reads and writes no file: `bench/common_job.py` measures those too. Beside it what decoding alone costs,
//! and a plain parse by `serde_json`, which makes no signal at all.

mod market;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use foretick::event::Batch;
use foretick::pipeline::Pipeline;
use foretick::run::shard::Shard;

fn main() {
    divan::main();
}

/// Trades in, a signal each: the common job, variant A.
#[divan::bench]
fn common_job_a(bencher: Bencher<'_, '_>) {
    let pipeline = market::pipeline("bench/pipelines/common-job-a", &[]);
    whole_path(bencher, &pipeline, &market::trade_records());
}

#[divan::bench]
fn common_job_a_decode_only(bencher: Bencher<'_, '_>) {
    let pipeline = market::pipeline("bench/pipelines/common-job-a", &[]);
    decode_only(bencher, &pipeline, &market::trade_records());
}

#[divan::bench]
fn common_job_a_serde_json_only(bencher: Bencher<'_, '_>) {
    let frames = market::trade_records();
    bencher
        .counter(ItemsCount::new(frames.len()))
        .bench_local(|| {
            for frame in &frames {
                let value: serde_json::Value =
                    serde_json::from_slice(frame).expect("every frame is JSON");
                drop(black_box(value));
            }
        });
}

/// Trades, quotes and depth in; a signal at each change of the book. The sum stands in for the LSTM.
#[divan::bench]
fn price_direction(bencher: Bencher<'_, '_>) {
    let overrides = ["model.kind=\"sum\"", "model.normalise=\"expanding\""];
    let pipeline = market::pipeline("pipelines/price-direction", &overrides);
    whole_path(bencher, &pipeline, &market::capture());
}

#[divan::bench]
fn price_direction_decode_only(bencher: Bencher<'_, '_>) {
    let pipeline = market::pipeline("pipelines/price-direction", &[]);
    decode_only(bencher, &pipeline, &market::capture());
}

/// Frames that the engine works on at once.
const BATCH: usize = 256;

fn whole_path(bencher: Bencher<'_, '_>, pipeline: &Pipeline, frames: &[Vec<u8>]) {
    let loaded = pipeline.load_model().expect("the sum fits every pipeline");
    let new = || {
        let engine = loaded.engine().expect("the model was loaded before");
        Shard::new(pipeline.decoder(), engine, &loaded.lineage, false)
    };
    bencher
        .counter(ItemsCount::new(frames.len()))
        .with_inputs(|| (new(), vec![]))
        .bench_local_refs(|(shard, signals)| {
            for (number, frames) in (0..).step_by(BATCH).zip(frames.chunks(BATCH)) {
                for (at, frame) in (number..).zip(frames) {
                    black_box(shard.frame(market::origin(at), frame));
                }
                shard.step(signals).expect("the sum does not fail");
                black_box(signals.len());
                signals.clear();
            }
        });
}

fn decode_only(bencher: Bencher<'_, '_>, pipeline: &Pipeline, frames: &[Vec<u8>]) {
    let mut batch = Batch::default();
    bencher
        .counter(ItemsCount::new(frames.len()))
        .with_inputs(|| pipeline.decoder())
        .bench_local_refs(|decoder| {
            for (number, frame) in (0..).zip(frames) {
                if number % BATCH as i64 == 0 {
                    batch.clear();
                }
                let decoded = decoder.decode(market::origin(number), frame, &mut batch);
                black_box(decoded.is_ok());
            }
        });
}
