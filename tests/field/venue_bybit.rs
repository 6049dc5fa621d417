//! Real messages of Bybit, recorded by others or by the venue itself: the numbers of books have no gap.

use std::fs;
use std::path::Path;

use crate::needs;
use crate::venue_frames::VenueRun;

#[test]
fn the_numbers_of_a_recorded_book_have_no_gap() {
    let Some(data) = needs::data("the_numbers_of_a_recorded_book_have_no_gap") else {
        return;
    };
    let frames = fs::read_to_string(data.join("captures/frames/bybit_orderbook.jsonl")).unwrap();
    let mut run = VenueRun::default();
    run.frames(frames.lines());
    assert_eq!(run.counts(), "ack 1, changed 8, spliced 1");
    let book = &run.books["BTCUSDT.BYBIT"];
    assert_eq!(book.sequence(), 217_107_092);
    assert_eq!((book.bids().count(), book.asks().count()), (50, 50));
    assert!(book.is_live() && !book.is_crossed());
}

#[test]
fn a_published_book_keeps_its_levels() {
    let Some(data) = needs::data("a_published_book_keeps_its_levels") else {
        return;
    };
    let archive = data.join("captures/single-messages/bybit/xrpusdt-ob500.data.zip");
    let frames = stored_in_zip(&archive);
    let mut run = VenueRun::default();
    for (number, frame) in frames.lines().enumerate() {
        run.frames([frame].into_iter());
        let book = &run.books["XRPUSDT.BYBIT"];
        let levels = (book.bids().count(), book.asks().count());
        assert_eq!((levels, book.is_crossed()), ((500, 500), false), "{number}");
    }
    assert_eq!(run.counts(), "changed 49, spliced 1");
    assert_eq!(run.books["XRPUSDT.BYBIT"].sequence(), 20_254_918);
}

#[test]
fn every_example_of_a_topic_is_read_or_named() {
    let Some(data) = needs::data("every_example_of_a_topic_is_read_or_named") else {
        return;
    };
    let folder = data.join("captures/single-messages/bybit");
    let outcome = |names: &[&str]| {
        let mut run = VenueRun::default();
        for name in names {
            let message = fs::read_to_string(folder.join(format!("ws_{name}.json"))).unwrap();
            run.frames([message.trim()].into_iter());
        }
        run.counts()
    };
    assert_eq!(
        outcome(&["orderbook_snapshot", "orderbook_delta"]),
        "quote 2"
    );
    assert_eq!(outcome(&["public_trade"]), "trade 1");
    assert_eq!(outcome(&["subscription_ack", "auth_success"]), "ack 2");
    assert_eq!(
        outcome(&["subscription_failure", "auth_failure"]),
        "venueerror 2"
    );
    let others = ["kline", "ticker_linear", "ticker_option"];
    assert_eq!(outcome(&others), "other unknown_type 3");
}

/// The one file of a zip archive, which is stored as it is.
fn stored_in_zip(path: &Path) -> String {
    let archive = fs::read(path).expect("the archive can be read");
    assert!(archive.starts_with(b"PK\x03\x04"), "a zip archive");
    let length = |at: usize| usize::from(u16::from_le_bytes([archive[at], archive[at + 1]]));
    let begin = 30 + length(26) + length(28);
    let text = &archive[begin..];
    let end = text.windows(4).position(|bytes| bytes == b"PK\x01\x02");
    let text = &text[..end.expect("a directory behind the file")];
    String::from_utf8(text.to_vec()).expect("a file that is stored is text")
}
