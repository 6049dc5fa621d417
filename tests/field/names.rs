//! Names of instruments: snapshots without one, books by the names of their streams, symbols with and
//! without a venue, and listed instruments that cannot come.

use crate::given::{Folder, foretick};
use crate::replayed::{one_feature, replay, replay_with};

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
    let scores = run.scores();
    assert!(
        !scores.is_empty() && scores.iter().all(|mid| *mid == 100.0),
        "{:?}",
        run.with_quality()
    );
    assert_eq!(
        run.summary["frames"]["dropped_by_reason"]["unnamed_snapshot"],
        1
    );
}

#[test]
fn whose_book_a_snapshot_is_does_not_depend_on_the_number_of_shards() {
    let symbols = ["BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT"];
    let pipeline = one_feature("kind = \"mid\"", "book", "");
    let run = |lines: &[String], shards: u32, more: &[&str]| {
        let shards = format!("engine.shards={shards}");
        let args = [&["--set", &shards], more].concat();
        replay_with(&pipeline, lines, &args)
    };
    for shards in 1..8 {
        // The numbers are among those of all four.
        let mut lines: Vec<String> = (0..)
            .zip(symbols)
            .map(|(at, symbol)| diff(at, symbol, 10, 12, "99"))
            .collect();
        lines.push(snapshot(5, 11, "99", "101"));
        lines.extend(
            (6..)
                .zip(symbols)
                .map(|(at, symbol)| diff(at, symbol, 13, 13, "99")),
        );
        let of_all = run(&lines, shards, &["--max-unread", "100"]);
        assert_eq!(of_all.scores(), [0.0; 0], "{shards}: {:?}", of_all.signals);
        let dropped = &of_all.summary["frames"]["dropped_by_reason"];
        assert_eq!(dropped["unnamed_snapshot"], 1, "{shards}");
        // Its numbers are those of the last one alone.
        let mut lines: Vec<String> = (0..)
            .zip(symbols)
            .map(|(at, symbol)| {
                let first = 10 + 1_000_000 * at as u64;
                diff(at, symbol, first, first + 2, "99")
            })
            .collect();
        lines.push(diff(4, symbols[0], 13, 13, "98"));
        lines.push(snapshot(5, 3_000_011, "99", "101"));
        lines.push(diff(6, symbols[3], 3_000_013, 3_000_013, "99"));
        let of_one = run(&lines, shards, &[]);
        assert!(!of_one.signals.is_empty(), "{shards}: {}", of_one.stderr);
        for signal in &of_one.signals {
            assert_eq!(
                (&signal["instrument"], &signal["score"]),
                (&"XRPUSDT.BINANCE".into(), &100.0.into())
            );
        }
    }
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
fn no_symbol_is_empty() {
    let trade = |symbol: &str, number: &str| {
        format!(
            r#"{{"e":"trade","E":1790000000000,"s":"{symbol}","t":{number},"p":"2","q":"1","T":1790000000000,"m":true}}"#
        )
    };
    let book = |stream: &str| {
        format!(
            r#"{{"stream":"{stream}","data":{{"lastUpdateId":5,"bids":[["1","1"]],"asks":[["2","1"]]}}}}"#
        )
    };
    let lines = [
        trade("", "1"),
        trade("", "\"2\""),
        r#"{"e":"aggTrade","E":1790000000000,"s":"","a":1,"p":"2","q":"1","T":1790000000000,"m":true}"#
            .into(),
        r#"{"u":1,"s":"","b":"1","B":"1","a":"2","A":"1"}"#.into(),
        r#"{"e":"depthUpdate","E":1790000000000,"s":"","U":1,"u":2,"b":[],"a":[]}"#.into(),
        book("@depth5"),
        book("!x@depth5"),
        trade("ABC", "3"),
    ];
    let run = replay("price", "trade", &lines);
    let mut expected = vec!["out_of_range s"; 5];
    expected.extend(["out_of_range stream"; 2]);
    assert_eq!(run.refusals(), expected);
    assert_eq!(run.scores(), [2.0]);
}

#[test]
fn a_record_may_name_its_instrument_twice_if_it_is_the_same() {
    let line = |at: i64, names: &str| {
        let ts = 1_790_000_000_000_000_000 + at;
        format!(
            r#"{{"ts_event":{ts},{names},"price":{},"size":1,"side":"buy"}}"#,
            at + 1
        )
    };
    let lines = [
        line(0, r#""symbol":"A.X","instrument":"A.X""#),
        line(1, r#""symbol":null,"instrument":"A.X""#),
        line(2, r#""instrument":null,"symbol":"A.X""#),
        line(3, r#""symbol":"A.X","instrument":"B.X""#),
        line(4, r#""symbol":null,"instrument":null"#),
        line(5, r#""instrument":"""#),
    ];
    let run = replay("price", "trade", &lines);
    assert_eq!(run.scores(), [1.0, 2.0, 3.0]);
    assert_eq!(
        run.refusals(),
        [
            "repeated_field instrument",
            "missing_field symbol",
            "out_of_range instrument"
        ]
    );
}

#[test]
fn no_name_begins_or_ends_with_a_blank_or_a_dot() {
    let ts = 1_790_000_000_000_000_000_i64;
    let wrong = [" ", ".", ".X", "A.", " A.X", "A.X ", "..", "\\t"];
    let mut lines = vec![];
    for name in wrong {
        lines.extend([
            format!(r#"{{"ts_event":{ts},"symbol":"{name}","price":1,"size":1,"side":"buy"}}"#),
            format!(r#"{{"ts_event":{ts},"instrument":"{name}","price":1,"size":1,"side":"buy"}}"#),
            format!(
                r#"{{"ts_event":{ts},"symbol":"{name}","bid_px":1,"bid_sz":1,"ask_px":2,"ask_sz":1}}"#
            ),
            format!(
                r#"{{"e":"trade","E":1790000000000,"s":"{name}","t":1,"p":"2","q":"1","T":1790000000000,"m":true}}"#
            ),
        ]);
    }
    for name in ["A X.Y", "brk.b"] {
        lines.push(format!(
            r#"{{"ts_event":{ts},"symbol":"{name}","price":3,"size":1,"side":"buy"}}"#
        ));
    }
    let run = replay("price", "trade", &lines);
    let of_one = ["symbol", "instrument", "symbol", "s"].map(|at| format!("out_of_range {at}"));
    let expected: Vec<String> = wrong.iter().flat_map(|_| of_one.clone()).collect();
    assert_eq!(run.refusals(), expected);
    assert_eq!(run.scores(), [3.0, 3.0]);
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
        ("BTC/USDT.BINANCE", Some("BTCUSDT.BINANCE")),
        ("BTCUSDT.", Some("BTCUSDT")),
        (".X", Some("SYMBOL.X")),
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

#[test]
fn a_websocket_is_asked_for_no_symbol_that_its_venue_cannot_have() {
    let folder = Folder::new("field-websocket-names");
    let pipeline =
        one_feature("kind = \"price\"", "trade", "").replace("topics = [\"md.x.v1\"]\n", "");
    for (listed, likely) in [
        (" BTCUSDT.BINANCE", "BTCUSDT.BINANCE"),
        ("BTC/USDT.BINANCE", "BTCUSDT.BINANCE"),
        ("BTC-USDT.BINANCE", "BTCUSDT.BINANCE"),
        (".BINANCE", "SYMBOL.BINANCE"),
        ("BTC USDT.BINANCE", "BTCUSDT.BINANCE"),
    ] {
        let source = format!("kind = \"websocket\"\ninstruments = [\"{listed}\"]");
        let text = pipeline.replacen("kind = \"kafka\"", &source, 1);
        let path = folder.write("pipeline.toml", text);
        let run = foretick(&["check".into(), path]);
        assert_eq!(run.code, Some(2), "{listed}: {}", run.stderr);
        let said = format!("did you mean {likely}?");
        assert!(run.stderr.contains(&said), "{}", run.stderr);
    }
}

/// Messages are spread over shards by the stream's name.
#[test]
fn a_message_about_another_symbol_than_its_stream_is_refused() {
    let trade = |stream: &str| {
        format!(
            r#"{{"stream":"{stream}@trade","data":{{"e":"trade","E":1790000000000,"s":"ABCUSDT","t":1,"p":"100","q":"1","T":1790000000000,"m":false}}}}"#
        )
    };
    for shards in ["engine.shards=1", "engine.shards=2", "engine.shards=3"] {
        let pipeline = one_feature("kind = \"price\"", "trade", "");
        let args = ["--set", shards, "--max-unread", "100"];
        let run = replay_with(&pipeline, &[trade("xyzusdt"), trade("abcusdt")], &args);
        assert_eq!(run.refusals(), ["out_of_range stream"], "{shards}");
        assert_eq!(run.scores(), [100.0], "{shards}");
    }
}
