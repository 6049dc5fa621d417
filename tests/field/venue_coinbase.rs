//! J: Coinbase's frames as captured: the numbers of the connection, and a book that never crosses.

use std::fs;

use foretick::decode::{Decoded, Decoder, Notice, Venues};
use foretick::engine::book::{Applied, Book};
use foretick::event::{Batch, Body, Level};
use foretick::frame::Origin;
use foretick::instrument::Instruments;
use foretick::units::{Nanos, Price, Size};

use crate::needs;

fn level(price: &str, size: &str) -> Option<Level> {
    Some(Level {
        price: Price::parse(price.as_bytes()).expect("a price"),
        size: Size::parse(size.as_bytes()).expect("a size"),
    })
}

#[test]
fn a_captured_connection_is_whole_and_its_book_uncrossed() {
    let Some(data) = needs::data("a_captured_connection_is_whole_and_its_book_uncrossed") else {
        return;
    };
    let capture = fs::read_to_string(data.join("captures/frames/coinbase_l2.jsonl"));
    let capture = capture.expect("the capture is readable");
    let venue = Venues::default().named("COINBASE").expect("it is known");
    let mut decoder = Decoder::new(Instruments::new(&[], 16), 1 << 20);
    let (mut book, mut batch) = (Book::default(), Batch::default());
    let (mut numbers, mut sizes, mut notices) = (vec![], vec![], vec![]);
    for (line, offset) in capture.lines().zip(0..) {
        assert!(venue.recognises(line.as_bytes()), "{line}");
        numbers.extend(venue.connection_number(line.as_bytes()));
        let origin = Origin {
            ts_recv: Nanos::UNDEFINED,
            offset,
            partition: 0,
            stream: 0,
            late: false,
            reprocessed: false,
        };
        batch.clear();
        match decoder.decode(origin, line.as_bytes(), &mut batch) {
            Ok(Decoded::Events) => {}
            Ok(Decoded::Notice(notice)) => notices.push((offset, notice)),
            Err(error) => panic!("{error:?}: {line}"),
        }
        for event in &batch.events {
            let Body::Depth(depth) = event.body else {
                panic!("{line}")
            };
            assert_eq!(
                venue.symbol_of(line.as_bytes()).as_deref(),
                Some("BTC-USD"),
                "{line}"
            );
            let (bids, asks) = batch.levels(&depth);
            sizes.push((bids.len(), asks.len()));
            let expected = match depth.snapshot {
                Some(_) => Applied::Spliced { dropped: 0 },
                None => Applied::Changed,
            };
            let applied = book.apply(&depth, bids, asks, event.ts_event);
            assert_eq!(applied, expected, "{line}");
            assert!(book.is_live() && !book.is_crossed(), "{line}");
        }
    }
    assert_eq!(numbers, (0..12).collect::<Vec<u64>>(), "none is missing");
    assert_eq!(notices, [(3, Notice::Ack)]);
    let levels: Vec<usize> = sizes.iter().map(|(bids, asks)| bids + asks).collect();
    assert_eq!(levels, [30, 0, 2, 0, 3, 0, 4, 1, 0, 2, 1]);
    assert_eq!(sizes[0], (15, 15));
    assert_eq!(decoder.instruments().len(), 1);
    let best = (book.best_bid(), book.best_ask());
    // Computed from the capture by other means.
    let (bid, ask) = (
        level("78856.05", "0.04868904"),
        level("78856.06", "0.08023149"),
    );
    assert_eq!(best, (bid, ask));
    assert_eq!((book.bids().count(), book.asks().count()), (15, 16));
}
