//! The ONNX files of `given/recurrent`, and numbers to run them on.
//!
//! Recognises and runs nothing.

use std::fs;
use std::path::{Path, PathBuf};

/// Rows in the windows of the files of each script.
const STEPS: [(&str, usize); 3] = [("keras-", 9), ("onnx-", 7), ("torch-", 9)];

/// Name, steps and bytes of every file.
pub(crate) fn files() -> impl Iterator<Item = (String, usize, Vec<u8>)> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder())
        .expect("the files are part of the repository")
        .map(|entry| entry.expect("the folder can be listed").path())
        .filter(|path| path.extension().is_some_and(|end| end == "onnx"))
        .collect();
    paths.sort();
    paths.into_iter().map(|path| {
        let name = path
            .file_stem()
            .expect("a file has a name")
            .to_string_lossy()
            .into_owned();
        let steps = STEPS.iter().find(|(start, _)| name.starts_with(start));
        let (_, steps) = steps.expect("each script's windows are listed");
        (name, *steps, fs::read(path).expect("the file can be read"))
    })
}

/// The bytes of one file.
pub(crate) fn given(name: &str) -> Vec<u8> {
    fs::read(folder().join(format!("{name}.onnx"))).expect("the file is part of the repository")
}

/// Numbers between −2 and 2.
pub(crate) fn draw(count: usize, seed: u64) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1_u32 << 22) as f32 - 2.0
    };
    (0..count).map(|_| next()).collect()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/given/recurrent")
}
