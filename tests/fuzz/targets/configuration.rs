//! `pipeline.toml`.
#![no_main]

use foretick::pipeline::Pipeline;
use foretick_fuzz::folder;
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;

thread_local! {
    static FOLDER: TempDir = folder();
}

fuzz_target!(|data: &[u8]| FOLDER.with(|folder| {
    let path = folder.path().join("pipeline.toml");
    std::fs::write(&path, data).expect("the folder takes files");
    if let Err(error) = Pipeline::load(&path, &[]) {
        assert!(!error.to_string().is_empty());
    }
}));
