//! Golden cases: each folder of `tests/golden` is one, with the expected result in `expected.toml`.
//!
//! Digests are of bits, and the same on every machine. Where a case has `signals.jsonl` too, the scores in
//! it are held to 1e-6: of a digest that differs they say where, and how much. Nothing here rewrites a
//! case: an intended change is copied from the failure by hand.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use foretick::command::diff;
use foretick::command::diff::diff;
use foretick::engine::row_maker::RowMaker;
use foretick::event::Batch;
use foretick::pipeline::Pipeline;
use foretick::run::replay::{ReplayOptions, replay};
use foretick::source::file::FileSource;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::{given, needs};

/// `expected.toml`
#[derive(Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
struct Expected {
    /// The pipeline's folder below the repository's; the case's own where it has none.
    pipeline: Option<PathBuf>,
    /// Rows made, and the hash of their bits.
    rows: u64,
    rows_sha256: String,
    /// Signals made.
    signals: u64,
    /// Their digest.
    digest: String,
}

/// What is recorded of a signal: no label, which may turn where two probabilities are as good as equal.
const SCORES: &str = r#"sink.fields=["instrument","ts_event","quality","probabilities"]"#;

#[test]
fn every_golden_case_gives_the_recorded_signals() {
    let folder = given::repository("tests/golden");
    let mut cases: Vec<PathBuf> = fs::read_dir(&folder)
        .expect("the cases are there")
        .map(|entry| entry.expect("a folder can be read").path())
        .filter(|path| path.is_dir())
        .collect();
    cases.sort();
    assert!(
        cases.len() >= 2,
        "{} cases in {}",
        cases.len(),
        folder.display()
    );
    for case in cases {
        check(&case, &folder.join("capture.zst"));
    }
}

fn check(case: &Path, capture: &Path) {
    let name = case
        .file_name()
        .expect("a case has a name")
        .to_string_lossy();
    let path = case.join("expected.toml");
    let text = fs::read_to_string(&path).expect("a case has its expected result");
    let expected: Expected = toml::from_str(&text).expect("expected.toml is as described above");
    let (of, scores) = match &expected.pipeline {
        Some(pipeline) => (given::repository(&pipeline.to_string_lossy()), true),
        None => (case.to_owned(), false),
    };
    let pipeline = given::load(&of, &[SCORES]);
    let inputs = vec![capture.to_owned()];
    let (rows, rows_sha256) = hash_rows(&pipeline, &inputs);
    assert_eq!(
        (rows, rows_sha256),
        (expected.rows, expected.rows_sha256),
        "rows of {name}: if they are meant to differ, change {}",
        path.display()
    );
    if scores && !(needs::onnx(&name) && needs::file(&name, &of.join("model.onnx"))) {
        return;
    }
    let folder = given::Folder::new(&format!("golden-{name}"));
    let output = folder.path("signals.jsonl");
    let options = ReplayOptions {
        inputs,
        output: Some(output.clone()),
        ..ReplayOptions::default()
    };
    let summary = replay(&pipeline, &options).expect("a golden case runs");
    assert_eq!(summary.signals, expected.signals, "signals of {name}");
    let recorded = case.join("signals.jsonl");
    if recorded.exists() {
        same_scores(&recorded, &output);
    }
    assert_eq!(summary.digest, expected.digest, "digest of {name}");
}

fn same_scores(recorded: &Path, made: &Path) {
    let options = diff::DiffOptions {
        tolerance: 1e-6,
        ..diff::DiffOptions::default()
    };
    let report = diff(recorded, made, options).expect("both are signals");
    assert!(report.equal, "{report}");
}

/// The number of rows, and a hash over the instrument, time, quality and cells of each.
fn hash_rows(pipeline: &Pipeline, inputs: &[PathBuf]) -> (u64, String) {
    let limit = pipeline.file.source.max_frame_bytes;
    let mut source = FileSource::open(inputs, limit).expect("the capture is there");
    let mut decoder = pipeline.decoder();
    let mut rows = RowMaker::new(Arc::clone(&pipeline.plan), pipeline.rules);
    let (mut batch, mut cells) = (Batch::default(), vec![0.0; pipeline.plan.len()]);
    let (mut hash, mut count) = (Sha256::new(), 0);
    while let Some((origin, bytes)) = source.next_frame().expect("the capture is whole") {
        batch.clear();
        decoder
            .decode(origin, bytes, &mut batch)
            .expect("it was written by us");
        for event in &batch.events {
            if let Some(row) = rows.apply(&batch, event, &mut cells) {
                hash.update(decoder.instruments().name(row.instrument));
                hash.update(row.ts_event.0.to_le_bytes());
                hash.update(row.quality.word());
                for cell in &cells {
                    hash.update(cell.to_bits().to_le_bytes());
                }
                count += 1;
            }
        }
    }
    let hex = hash
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    (count, hex)
}
