//! Real messages of OKX, recorded by others: the chain of changes of 2026, and the checksums of 2022.

use std::fs;

use crate::needs;
use crate::venue_frames::VenueRun;

#[test]
fn the_chain_of_changes_has_no_gap() {
    let Some(data) = needs::data("the_chain_of_changes_has_no_gap") else {
        return;
    };
    let path = data.join("captures/frames/okx_books.jsonl");
    let mut run = VenueRun::default();
    run.frames(fs::read_to_string(path).unwrap().lines());
    assert_eq!(run.counts(), "ack 1, changed 6, spliced 1");
    let book = &run.books["BTC-USDT.OKX"];
    assert_eq!(book.sequence(), 80_274_875_033);
    assert_eq!((book.bids().count(), book.asks().count()), (400, 400));
    assert!(book.is_live() && !book.is_crossed());
}

#[test]
fn every_checksum_of_an_archive_is_right() {
    let Some(data) = needs::data("every_checksum_of_an_archive_is_right") else {
        return;
    };
    let archive = fs::read_to_string(data.join("captures/cryptofeed/OKX.ws.1.0")).unwrap();
    let mut run = VenueRun::default();
    // `1652459225.5: {…}`; other lines are what the client sent.
    run.frames(
        archive
            .lines()
            .filter_map(|line| Some(&line[line.find(": {")? + 2..])),
    );
    let counts = "ack 18, changed 287, other unknown_type 31, spliced 3, trade 74";
    assert_eq!(run.counts(), counts);
    assert_eq!(run.checksums, 290);
    let names: Vec<&String> = run.books.keys().collect();
    assert_eq!(
        names,
        ["BTC-USD-220527.OKX", "BTC-USDT.OKX", "UNI-USD-SWAP.OKX"]
    );
    assert!(
        run.books
            .values()
            .all(|book| book.is_live() && !book.is_crossed())
    );
}

#[test]
fn every_example_of_a_channel_is_read_or_named() {
    let Some(data) = needs::data("every_example_of_a_channel_is_read_or_named") else {
        return;
    };
    let folder = data.join("captures/single-messages/okx");
    let outcome = |name: &str| {
        let message = fs::read_to_string(folder.join(format!("ws_{name}.json"))).unwrap();
        let mut run = VenueRun::default();
        run.frames([message.trim()].into_iter());
        run.counts()
    };
    let read = ["bbo_tbt", "trades", "books_snapshot", "books_update"].map(outcome);
    // The documentation's examples leave levels out, so their sums are others.
    let sums = ["gap Checksum 1", "waiting 1"];
    assert_eq!(read, ["quote 1", "agg_trade 1", sums[0], sums[1]]);
    for name in [
        "candle",
        "funding_rate",
        "instruments",
        "orders",
        "sprd_orders",
        "tickers",
    ] {
        assert_eq!(outcome(name), "other unknown_type 1", "{name}");
    }
}
