//! Records of the topics about persons, firms and news; the first byte chooses the pipeline.
#![no_main]

use foretick::pipeline::Pipeline;
use foretick_fuzz::{folder, pipeline, read_lines};
use libfuzzer_sys::fuzz_target;

thread_local! {
    static PIPELINES: [Pipeline; 4] = [
        loans(),
        pipeline("pipelines/default-alerts", &[]),
        pipeline("pipelines/news-sentiment", &[]),
        pipeline("pipelines/price-direction/daily", &[]),
    ];
}

fn loans() -> Pipeline {
    let folder = folder();
    let key = folder.path().join("key");
    std::fs::write(&key, "a key that is long enough for the fuzzer").expect("the folder takes files");
    pipeline("pipelines/loan-risk", &[&format!("privacy.key=\"file:{}\"", key.display())])
}

fuzz_target!(|data: &[u8]| {
    if let Some((first, lines)) = data.split_first() {
        PIPELINES.with(|pipelines| {
            let pipeline = &pipelines[usize::from(*first) % pipelines.len()];
            read_lines(&mut pipeline.decoder(), None, lines);
        });
    }
});
