//! Rows of archives to events, against the reader of each format alone, which makes no events of them.

mod dbn;
mod parquet;

use std::path::Path;

use foretick::decode::Decoder;
use foretick::event::Batch;
use foretick::instrument::Instruments;
use foretick::source::file::FileSource;

/// Records of each file.
const RECORDS: usize = 300_000;
/// Events in a batch.
const BATCH: usize = 256;

fn main() {
    divan::main();
}

/// Reads a file to events, and counts them.
fn events_of(path: &Path) -> usize {
    let mut source = FileSource::open(&[path.to_owned()], 1 << 20).expect("the file was written");
    let mut decoder = Decoder::new(Instruments::new(&[], 16), 1 << 20);
    let (mut batch, mut events) = (Batch::default(), 0);
    while let Some((origin, frame)) = source.next_frame().expect("the file is whole") {
        decoder
            .decode(origin, frame, &mut batch)
            .expect("every row is readable");
        if batch.events.len() >= BATCH {
            events += batch.events.len();
            batch.clear();
        }
    }
    events + batch.events.len()
}
