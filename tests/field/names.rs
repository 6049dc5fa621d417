//! Names of instruments: snapshots without one, books by the names of their streams, symbols with and
//! without a venue, and listed instruments that cannot come.

use crate::given::{Folder, foretick};
use crate::replayed::{one_feature, replay};

fn diff(at: i64, symbol: &str, first: u64, last: u64, bid: &str) -> String {
    let (ms, ts) = (
        1_790_000_000_000 + at * 100,
        1_790_000_000_000_000_005 + at * 100_000_000,
    );
    format!(
        r#"{ts} {{"e":"depthUpdate","E":{ms},"s":"{symbol}","U":{first},"u":{last},"b":[["{bid}","{}"]],"a":[]}}"#,
        at + 1
    )
}

fn snapshot(at: i64, number: u64, bid: &str, ask: &str) -> String {
    let ts = 1_790_000_000_000_000_005 + at * 100_000_000;
    format!(r#"{ts} {{"lastUpdateId":{number},"bids":[["{bid}","1"]],"asks":[["{ask}","1"]]}}"#)
}

#[test]
fn a_snapshot_that_names_nobody_is_no_book_of_whoever_waits() {
    let lines = [
        diff(0, "OAKUSDT", 5_000_000, 5_000_001, "99"),
        snapshot(1, 5_000_001, "99", "101"),
        diff(2, "OAKUSDT", 5_000_002, 5_000_002, "99"),
        snapshot(3, 5_400_000, "7", "8"),
        diff(4, "ELMUSDT", 5_400_001, 5_400_001, "7"),
        diff(5, "OAKUSDT", 5_000_003, 5_000_003, "99"),
    ];
    let run = replay("mid", "book", &lines);
    assert!(
        run.scores().iter().all(|mid| *mid == 100.0),
        "{:?}",
        run.with_quality()
    );
    assert_eq!(
        run.summary["frames"]["dropped_by_reason"]["unnamed_snapshot"],
        1
    );
}

#[test]
fn a_partial_book_goes_by_the_name_of_its_stream() {
    for stream in ["depth5", "depth10", "depth20@100ms"] {
        let book = |at: i64, number: u64, size: i64| {
            let ts = 1_790_000_000_000_000_005 + at * 100_000_000;
            let trade = format!(
                r#"{ts} {{"stream":"oakusdt@trade","data":{{"e":"trade","E":{0},"s":"OAKUSDT","t":{at},"p":"100","q":"1","T":{0},"m":false}}}}"#,
                1_790_000_000_000 + at * 100
            );
            let book = format!(
                r#"{ts} {{"stream":"oakusdt@{stream}","data":{{"lastUpdateId":{number},"bids":[["99","{size}"],["98","1"]],"asks":[["101","1"]]}}}}"#
            );
            [trade, book]
        };
        // The venue's numbers begin anew after the third.
        let lines: Vec<String> = [book(1, 101, 1), book(2, 102, 3), book(3, 7, 1)].concat();
        let run = replay("queue_imbalance", "book", &lines);
        assert_eq!(run.scores(), [0.0, 0.5, 0.0], "{stream}");
    }
}

#[test]
fn a_symbol_with_and_without_a_venue_is_two_instruments() {
    let topic =
        r#"{"ts_event":1790000000000000000,"symbol":"OAKUSDT","price":1,"size":1,"side":"buy"}"#;
    let venue = r#"{"e":"trade","E":1790000000000,"s":"OAKUSDT","t":1,"p":"2","q":"1","T":1790000000000,"m":true}"#;
    for lines in [[topic, venue], [venue, topic]] {
        let run = replay("price", "trade", &lines);
        let mut names: Vec<(&str, f64)> = run
            .signals
            .iter()
            .map(|signal| {
                (
                    signal["instrument"].as_str().expect("a name"),
                    signal["score"].as_f64().expect("a score"),
                )
            })
            .collect();
        names.sort_by(|a, b| a.0.cmp(b.0));
        assert_eq!(names, [("OAKUSDT", 1.0), ("OAKUSDT.BINANCE", 2.0)]);
    }
}

#[test]
fn a_listed_instrument_that_cannot_come_is_refused_with_the_likely_name() {
    let folder = Folder::new("field-names");
    let pipeline = one_feature("kind = \"price\"", "trade", "");
    for (listed, likely) in [
        ("btcusdt.BINANCE", Some("BTCUSDT.BINANCE")),
        ("BTCUSDT.binance", Some("BTCUSDT.BINANCE")),
        (" OAK.X", Some("OAK.X")),
        ("oak.X", None),
        ("oak", None),
    ] {
        let list = format!("kind = \"kafka\"\ninstruments = [\"{listed}\"]");
        let path = folder.write(
            "pipeline.toml",
            pipeline.replacen("kind = \"kafka\"", &list, 1),
        );
        let run = foretick(&["check".into(), path]);
        match likely {
            Some(likely) => {
                assert_eq!(run.code, Some(2), "{listed}");
                assert!(
                    run.stderr.contains(&format!("did you mean `{likely}`?")),
                    "{}",
                    run.stderr
                );
            }
            // No broker answers here, which is another error.
            None => assert!(!run.stderr.contains("did you mean"), "{}", run.stderr),
        }
    }
}
