//! Frames of venues and market topics, a line each, through the decoder into books, windows and rows.
#![no_main]

use std::sync::Arc;

use foretick::engine::row_maker::RowMaker;
use foretick::pipeline::Pipeline;
use foretick_fuzz::{pipeline, read_lines};
use libfuzzer_sys::fuzz_target;

thread_local! {
    static PIPELINE: Pipeline = pipeline("tests/given/every_kind.toml", &[]);
}

fuzz_target!(|data: &[u8]| PIPELINE.with(|pipeline| {
    let mut rows = RowMaker::new(Arc::clone(&pipeline.plan), pipeline.rules);
    read_lines(&mut pipeline.decoder(), Some(&mut rows), data);
}));
