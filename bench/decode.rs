//! Frames to events: our decoder against `serde_json::Value`, the parser one reaches for first.
//!
//! Both read every frame of a capture; only ours also makes fixed-point numbers and events of it.

mod market;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use foretick::decode::Decoder;
use foretick::event::Batch;
use foretick::frame::split_stamp;
use foretick::instrument::Instruments;

fn main() {
    divan::main();
}

/// The cost of measuring: looks at each frame and reads none.
#[divan::bench(args = FORMATS)]
fn nothing(bencher: Bencher<'_, '_>, format: &str) {
    let frames = frames(format);
    bencher
        .counter(ItemsCount::new(frames.len()))
        .bench_local(|| {
            frames
                .iter()
                .map(|frame| black_box(frame).len())
                .sum::<usize>()
        });
}

#[divan::bench(args = FORMATS)]
fn foretick(bencher: Bencher<'_, '_>, format: &str) {
    let frames = frames(format);
    let mut decoder = Decoder::new(Instruments::new(&[], 16), market::MAX_FRAME_BYTES);
    let mut batch = Batch::default();
    bencher
        .counter(ItemsCount::new(frames.len()))
        .bench_local(|| {
            for (number, frame) in (0..).zip(&frames) {
                if number % BATCH == 0 {
                    batch.clear();
                }
                decoder
                    .decode(market::origin(number), frame, &mut batch)
                    .expect("every frame is readable");
            }
            batch.events.len()
        });
}

#[divan::bench(args = FORMATS)]
fn serde_json_value(bencher: Bencher<'_, '_>, format: &str) {
    let frames = frames(format);
    bencher
        .counter(ItemsCount::new(frames.len()))
        .bench_local(|| {
            for frame in &frames {
                let (_, message) = split_stamp(frame);
                let value: serde_json::Value =
                    serde_json::from_slice(message).expect("every frame is JSON");
                drop(black_box(value));
            }
        });
}

/// Binance's messages of all kinds, and our own trades topic.
const FORMATS: [&str; 2] = ["binance", "md.trades"];
const BATCH: i64 = 256;

fn frames(format: &str) -> Vec<Vec<u8>> {
    match format {
        "binance" => market::capture(),
        _ => market::trade_records(),
    }
}
