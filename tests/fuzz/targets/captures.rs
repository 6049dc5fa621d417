//! Captures, plain and compressed; the first byte chooses the ending.
#![no_main]

use foretick::source::file::FileSource;
use foretick_fuzz::{folder, with_ending};
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;

thread_local! {
    static FOLDER: TempDir = folder();
}

fuzz_target!(|data: &[u8]| FOLDER.with(|folder| {
    let Some(path) = with_ending(folder, &["", ".gz", ".zst", ".jsonl"], data) else {
        return;
    };
    if let Ok(mut source) = FileSource::open(&[path], 1 << 16) {
        while let Ok(Some(_)) = source.next_frame() {}
    }
}));
