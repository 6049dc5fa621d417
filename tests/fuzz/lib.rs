//! What the fuzz targets share: pipelines, and files that hold the fuzzer's bytes.

use std::fs;
use std::path::{Path, PathBuf};

use foretick::decode::Decoder;
use foretick::engine::row_maker::RowMaker;
use foretick::event::{Batch, Body, Event};
use foretick::frame::Origin;
use foretick::pipeline::Pipeline;
use foretick::units::Nanos;
use tempfile::TempDir;

/// A pipeline of the repository.
///
/// # Panics
/// Where it cannot be loaded.
#[must_use]
pub fn pipeline(path: &str, set: &[&str]) -> Pipeline {
    let set: Vec<String> = set.iter().map(|one| (*one).to_owned()).collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    Pipeline::load(&root.join(path), &set).expect("the pipeline is sound")
}

/// A folder for one process of the fuzzer.
///
/// # Panics
/// Where the system has no room for it.
#[must_use]
pub fn folder() -> TempDir {
    tempfile::tempdir().expect("the system gives a folder")
}

/// Writes the bytes to a file with the ending that the first byte chooses.
///
/// # Panics
/// Where the file cannot be written.
#[must_use]
pub fn with_ending(folder: &TempDir, endings: &[&str], data: &[u8]) -> Option<PathBuf> {
    let (first, rest) = data.split_first()?;
    let ending = endings[usize::from(*first) % endings.len()];
    let path = folder.path().join(format!("input{ending}"));
    fs::write(&path, rest).expect("the folder takes files");
    Some(path)
}

/// Where the `number`th frame comes from; its time is given in the frame or not at all.
#[must_use]
pub fn origin(number: i64) -> Origin {
    Origin {
        ts_recv: Nanos(1_790_000_000_000_000_000 + number),
        offset: number,
        partition: 0,
        stream: 0,
        late: false,
        reprocessed: false,
    }
}

/// Decodes a frame a line, and makes rows of the events.
pub fn read_lines(decoder: &mut Decoder, rows: Option<&mut RowMaker>, data: &[u8]) {
    let mut batch = Batch::default();
    let mut rows = rows;
    let mut cells = vec![0.0; rows.as_ref().map_or(0, |rows| rows.plan().len())];
    for (number, line) in (0..).zip(data.split(|&byte| byte == b'\n')) {
        batch.clear();
        let read = decoder.decode(origin(number), line, &mut batch);
        if read.is_err() {
            // Where the venue counts its messages, one that cannot be read is missing.
            let is_gap = |event: &Event| matches!(event.body, Body::Gap(_));
            let none = batch.events.iter().all(is_gap);
            assert!(none, "a refused frame gives no events but a gap");
            continue;
        }
        if let Some(rows) = rows.as_deref_mut() {
            for event in &batch.events {
                let row = rows.apply(&batch, event, &mut cells);
                let finite = cells.iter().all(|cell| cell.is_finite());
                assert!(row.is_none() || finite, "a row has numbers only: {cells:?}");
            }
        }
    }
}
