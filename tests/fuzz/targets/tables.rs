//! Tables: CSV and Parquet, with the columns of a pipeline; the first byte chooses the ending.
#![no_main]

use foretick::pipeline::Pipeline;
use foretick_fuzz::{folder, pipeline, with_ending};
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;

thread_local! {
    static GIVEN: (Pipeline, TempDir) = (
        pipeline("pipelines/default-alerts", &["source.table.key=\"firm\""]),
        folder(),
    );
}

fuzz_target!(|data: &[u8]| GIVEN.with(|(pipeline, folder)| {
    let Some(path) = with_ending(folder, &[".csv", ".parquet", ".tsv", ".csv.gz"], data) else {
        return;
    };
    if let Ok(mut source) = pipeline.open(&[path], None) {
        while let Ok(Some(_)) = source.next_frame() {}
    }
}));
