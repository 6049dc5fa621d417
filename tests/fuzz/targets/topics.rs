//! Records of the topics about persons, firms and news; the first byte chooses the pipeline.
#![no_main]

use foretick::pipeline::Pipeline;
use foretick_fuzz::{pipeline, read_lines};
use libfuzzer_sys::fuzz_target;

thread_local! {
    static PIPELINES: [Pipeline; 4] = [
        pipeline("pipelines/loan-risk", &["privacy.key=\"a key that is long enough for the fuzzer\""]),
        pipeline("pipelines/default-alerts", &[]),
        pipeline("pipelines/news-sentiment", &[]),
        pipeline("pipelines/price-direction/daily", &[]),
    ];
}

fuzz_target!(|data: &[u8]| {
    if let Some((first, lines)) = data.split_first() {
        PIPELINES.with(|pipelines| {
            let pipeline = &pipelines[usize::from(*first) % pipelines.len()];
            read_lines(&mut pipeline.decoder(), None, lines);
        });
    }
});
