//! J: Kraken's frames as captured. Every change of a book is held against the venue's checksum, which
//! needs none of our code to be right.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use foretick::decode::{Decoded, Decoder};
use foretick::engine::book::{Applied, Book};
use foretick::event::{Batch, Body, Checksum, GapReason};
use foretick::frame::Origin;
use foretick::instrument::{InstrumentId, Instruments};
use foretick::units::Nanos;
use serde_json::Value;

use crate::needs;

/// Reads frames and keeps the books that they are about.
struct Reader {
    decoder: Decoder,
    books: HashMap<InstrumentId, Book>,
    /// The checksums that the books were held against.
    checksums: Vec<u32>,
    notices: usize,
}

impl Reader {
    fn new() -> Self {
        Self {
            decoder: Decoder::new(Instruments::new(&[], 16), 1 << 20),
            books: HashMap::new(),
            checksums: vec![],
            notices: 0,
        }
    }

    /// Reads a frame; gives what it did to the books.
    fn read(&mut self, frame: &str) -> Vec<Applied> {
        let origin = Origin {
            ts_recv: Nanos::UNDEFINED,
            offset: 0,
            partition: 0,
            stream: 0,
            late: false,
            reprocessed: false,
        };
        let mut batch = Batch::default();
        let decoded = self.decoder.decode(origin, frame.as_bytes(), &mut batch);
        let decoded = decoded.unwrap_or_else(|error| panic!("{error:?}: {frame}"));
        self.notices += usize::from(decoded != Decoded::Events);
        let mut all = vec![];
        for event in &batch.events {
            let Body::Depth(depth) = event.body else {
                panic!("{frame}")
            };
            let (bids, asks) = batch.levels(&depth);
            let book = self.books.entry(event.instrument).or_default();
            let applied = book.apply(&depth, bids, asks, event.ts_event);
            assert!(!book.is_crossed(), "{frame}");
            self.checksums
                .extend(depth.checksum.map(|Checksum { value, .. }| value));
            all.push(applied);
        }
        all
    }

    fn name(&self, instrument: InstrumentId) -> &str {
        self.decoder.instruments().name(instrument)
    }
}

fn is_gap(applied: &Applied) -> bool {
    matches!(applied, Applied::Gap { .. })
}

#[test]
fn a_captured_book_adds_up_to_each_checksum() {
    let Some(data) = needs::data("a_captured_book_adds_up_to_each_checksum") else {
        return;
    };
    let capture = fs::read_to_string(data.join("captures/frames/kraken_book.jsonl"));
    let capture = capture.expect("the capture is readable");
    let mut reader = Reader::new();
    let applied: Vec<Applied> = capture.lines().flat_map(|line| reader.read(line)).collect();
    let spliced = Applied::Spliced { dropped: 0 };
    let changed = Applied::Changed;
    assert_eq!(applied, [spliced, changed, changed, changed]);
    assert_eq!(
        reader.checksums,
        [1_406_471_562, 2_416_540_570, 2_136_263_304, 2_126_323_084]
    );
    assert_eq!(reader.notices, 4, "a status, an answer, two heartbeats");
    let (&instrument, book) = reader.books.iter().next().expect("one book");
    assert_eq!(reader.name(instrument), "BTC/USD.KRAKEN");
    assert_eq!((book.bids().count(), book.asks().count()), (10, 10));
    // A digit of one size is enough to break the book.
    let wrong = capture.replace("0.34775324", "0.34775325");
    let mut reader = Reader::new();
    let applied: Vec<Applied> = wrong.lines().flat_map(|line| reader.read(line)).collect();
    let gap = Applied::Gap {
        reason: GapReason::Checksum,
        missing: 0,
    };
    assert_eq!(applied[..2], [spliced, gap]);
    assert_eq!(applied[2..], [Applied::Waiting; 2]);
}

/// The books of ten pairs of all magnitudes, 1,000 levels a side, as the first version of the feed wrote
/// them.
#[test]
fn captured_books_of_the_first_version_add_up_to_each_checksum() {
    let Some(data) = needs::data("captured_books_of_the_first_version_add_up_to_each_checksum")
    else {
        return;
    };
    let capture = read_first_version(&data.join("captures/cryptofeed/KRAKEN.ws.50.0"));
    let mut reader = Reader::new();
    let (mut snapshots, mut changes) = (0, 0);
    for frame in &capture {
        for applied in reader.read(frame) {
            match applied {
                Applied::Spliced { .. } => snapshots += 1,
                Applied::Changed => changes += 1,
                other => panic!("{other:?}: {frame}"),
            }
        }
    }
    assert_eq!((snapshots, changes), (10, 4_269));
    assert_eq!(reader.checksums.len(), 4_279);
    assert!(reader.books.values().all(Book::is_live));
    for depth in [10, 25] {
        let shallow: Vec<String> = capture
            .iter()
            .map(|frame| frame.replace(r#""depth":1000"#, &format!(r#""depth":{depth}"#)))
            .collect();
        let mut reader = Reader::new();
        let applied = shallow.iter().flat_map(|frame| reader.read(frame));
        let gaps = applied.filter(is_gap).count();
        assert!(
            gaps > 0,
            "books that are cut off too early lack levels later"
        );
    }
}

/// The messages of a capture of the first version, as the second version writes them: the digits are the
/// venue's. A snapshot had no checksum in the first version; it gets that of its own digits.
fn read_first_version(path: &Path) -> Vec<String> {
    let capture = fs::read_to_string(path).expect("the capture is readable");
    let frames = capture.lines().filter(|line| !line.starts_with("wss"));
    let messages = frames.filter_map(|line| line.split_once(": "));
    let messages = messages.map(|(_, message)| -> Value {
        serde_json::from_str(message).expect("a line is a message")
    });
    messages
        .filter_map(|message| second_version(&message))
        .collect()
}

fn second_version(message: &Value) -> Option<String> {
    if message["event"] == "subscriptionStatus" {
        let (depth, pair) = (&message["subscription"]["depth"], &message["pair"]);
        return Some(format!(
            r#"{{"method":"subscribe","result":{{"channel":"book","depth":{depth},"snapshot":true,"symbol":{pair}}},"success":true}}"#
        ));
    }
    let parts = message.as_array()?;
    let pair = parts.last()?;
    let bodies = &parts[1..parts.len() - 2];
    let levels = |names: [&str; 2]| -> Vec<&Value> {
        let lists = bodies.iter().flat_map(|body| names.map(|name| &body[name]));
        lists.filter_map(Value::as_array).flatten().collect()
    };
    let (bids, asks) = (levels(["b", "bs"]), levels(["a", "as"]));
    let checksum = bodies.iter().find_map(|body| body["c"].as_str());
    let (kind, checksum) = match checksum {
        Some(checksum) => ("update", checksum.parse().expect("a number")),
        None => ("snapshot", crc32fast::hash(digits(&asks, &bids).as_bytes())),
    };
    let (bids, asks) = (side(&bids), side(&asks));
    Some(format!(
        r#"{{"channel":"book","type":"{kind}","data":[{{"symbol":{pair},"bids":[{bids}],"asks":[{asks}],"checksum":{checksum}}}]}}"#
    ))
}

fn side(levels: &[&Value]) -> String {
    let level = |level: &&Value| {
        let [price, size] = [0, 1].map(|at| level[at].as_str().expect("a number as text"));
        format!(r#"{{"price":{price},"qty":{size}}}"#)
    };
    let levels: Vec<String> = levels.iter().map(level).collect();
    levels.join(",")
}

/// The text of a checksum, from digits as they are written.
fn digits(asks: &[&Value], bids: &[&Value]) -> String {
    let best = asks.iter().take(10).chain(bids.iter().take(10));
    let numbers =
        best.flat_map(|level| [0, 1].map(|at| level[at].as_str().expect("a number as text")));
    let digits = numbers.map(|number| number.replace('.', "").trim_start_matches('0').to_owned());
    digits.collect()
}
