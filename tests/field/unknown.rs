//! A: what is known to be unknown is never shown as known: withdrawn sides, fields that were not sent,
//! silence.

use crate::replayed::{self, START, exported_rows, one_feature, replay, replay_with};

const SECOND: i64 = 1_000_000_000;

/// A quote; a side without a price has no size either.
fn quote(at: i64, bid: &str, ask: &str) -> String {
    let ts = START + at * SECOND;
    let size = |price| if price == "null" { "null" } else { "1" };
    let (bid_size, ask_size) = (size(bid), size(ask));
    format!(
        r#"{{"ts_event":{ts},"symbol":"A.X","bid_px":{bid},"bid_sz":{bid_size},"ask_px":{ask},"ask_sz":{ask_size}}}"#
    )
}

fn trade(at: i64, price: f64) -> String {
    let ts = START + at * SECOND;
    format!(r#"{{"ts_event":{ts},"symbol":"A.X","price":{price},"size":1,"side":"buy"}}"#)
}

fn depth(at: i64, number: i64, snapshot: bool, bids: &str, asks: &str) -> String {
    replayed::depth(at * SECOND, number, snapshot, bids, asks)
}

#[test]
fn a_withdrawn_side_takes_the_mid_away() {
    let empty_size = quote(2, "99", "101").replace("\"bid_sz\":1", "\"bid_sz\":0");
    let sized = quote(2, "null", "101").replace("\"bid_sz\":null", "\"bid_sz\":1");
    for withdrawn in [
        quote(2, "null", "101"),
        quote(2, "99", "null"),
        empty_size,
        sized,
    ] {
        let lines = [
            quote(0, "99", "101"),
            trade(1, 100.0),
            withdrawn,
            trade(3, 100.0),
            trade(4, 100.0),
        ];
        let run = replay("mid", "trade", &lines);
        assert_eq!(run.with_quality(), ["100.0 ok"], "{}", lines[2]);
        assert_eq!(
            run.summary["events"]["incomplete_rows"], 2,
            "{}",
            run.summary
        );
    }
}

#[test]
fn an_emptied_side_of_the_book_leaves_no_number_at_any_depth() {
    let lines = [
        depth(0, 1, true, r#"[["99","1"],["98","1"]]"#, r#"[["101","1"]]"#),
        depth(1, 2, false, "[]", r#"[["101","0"]]"#),
        depth(2, 3, false, "[]", r#"[["103","3"]]"#),
    ];
    assert_eq!(replay("mid", "book", &lines).scores(), [100.0, 101.0]);
    for levels in [1, 2, 5] {
        let feature = format!("kind = \"queue_imbalance\"\nlevels = {levels}");
        let run = replay_with(&one_feature(&feature, "book", ""), &lines, &[]);
        let bids = f64::from(levels.min(2));
        assert_eq!(
            run.scores(),
            [(bids - 1.0) / (bids + 1.0), (bids - 3.0) / (bids + 3.0)]
        );
    }
}

#[test]
fn a_quote_that_lacks_a_side_does_not_renew_the_freshness() {
    // The feature is of the bids and asks of the book; the quotes that follow have one side only.
    let mut lines = vec![
        depth(0, 1, true, r#"[["99","1"]]"#, r#"[["101","1"]]"#),
        trade(1, 100.0),
    ];
    lines.extend((2..10).map(|at| quote(at, "99", "null")));
    lines.push(trade(10, 100.0));
    let feature = "kind = \"queue_imbalance\"\nlevels = 2";
    let run = replay_with(&one_feature(feature, "trade", ""), &lines, &[]);
    assert_eq!(run.with_quality(), ["0.0 ok", "0.0 stale"]);
}

#[test]
fn a_bar_without_a_volume_has_no_volume() {
    let bar = |at: i64, volume: &str| {
        let ts = START + at * 60 * SECOND;
        format!(r#"{{"ts_event":{ts},"symbol":"A.X","open":1,"high":1,"low":1,"close":1{volume}}}"#)
    };
    let lines = [
        bar(0, r#","volume":5"#),
        bar(1, ""),
        bar(2, r#","volume":null"#),
        bar(3, r#","volume":0"#),
        bar(4, r#","volume":7"#),
    ];
    assert_eq!(replay("volume", "bar", &lines).scores(), [5.0, 0.0, 7.0]);
    // Nor has a sum over it, until it has left the window.
    let sum = one_feature(
        "kind = \"sum\"\nof = \"volume\"\nwindow = 2",
        "bar",
        "while_warming = false",
    );
    assert_eq!(replay_with(&sum, &lines, &[]).scores(), [7.0]);
    assert_eq!(
        replay("close", "bar", &lines).scores().len(),
        5,
        "the prices are known"
    );
}

#[test]
fn a_silence_ends_the_windows() {
    let feature = "kind = \"mean\"\nof = \"price\"\nwindow = 3";
    let lines: Vec<String> = [0, 1, 2, 3, 700, 701, 702, 703]
        .into_iter()
        .map(|at| trade(at, 1.0 + at as f64))
        .collect();
    let qualities = |row: &str| -> Vec<String> {
        let run = replay_with(&one_feature(feature, "trade", row), &lines, &[]);
        let quality = |line: &String| line.split(' ').nth(1).unwrap_or("").to_owned();
        run.with_quality().iter().map(quality).collect()
    };
    let (warming, ok, gap) = ("warming", "ok", "gap");
    // The default for trades is ten minutes. Two windows of three hold prices of both sides.
    assert_eq!(qualities(""), [warming, warming, ok, ok, gap, gap, ok, ok]);
    assert_eq!(
        qualities("max_gap_ms = 800_000"),
        [warming, warming, ok, ok, ok, ok, ok, ok]
    );
    assert_eq!(
        qualities("max_gap_ms = 500")[3..],
        [gap, gap, gap, gap, gap]
    );
}

#[test]
fn a_crossed_quote_is_crossed_without_a_book() {
    let lines = [
        quote(0, "101", "100"),
        quote(1, "100", "100"),
        quote(2, "99", "100"),
    ];
    let run = replay("spread", "quote", &lines);
    assert_eq!(run.with_quality(), ["-1.0 crossed", "0.0 ok", "1.0 ok"]);
}

/// Rows of an export with their labels.
fn labels(lines: &[String]) -> Vec<Option<String>> {
    let pipeline = one_feature("kind = \"mid\"", "quote", "max_gap_ms = 5_000")
        + "[label]\nhorizon_ms = 2_000\nthreshold_bps = 1.0\n";
    let rows = exported_rows(&pipeline, lines);
    rows.into_iter().map(|row| row.label).collect()
}

#[test]
fn no_label_reaches_across_a_silence_or_needs_an_unknown_mid() {
    let some = |label: &str| Some(label.to_owned());
    let steady: Vec<String> = (0..6)
        .map(|at| quote(at, &(99 + at).to_string(), "110"))
        .collect();
    assert_eq!(
        labels(&steady),
        [some("up"), some("up"), some("up"), None, None, None],
        "the data end"
    );
    let mut silent = steady.clone();
    silent.push(quote(20, "104", "110"));
    silent.push(quote(23, "104", "110"));
    assert_eq!(labels(&silent)[3..], [None, None, None, some("flat"), None]);
    let mut withdrawn = steady.clone();
    withdrawn[4] = quote(4, "null", "110");
    // The row at 2 looks at 4, when there is no mid.
    assert_eq!(labels(&withdrawn)[..3], [some("up"), some("up"), None]);
    let mut crossed = steady;
    crossed[4] = quote(4, "111", "110");
    assert_eq!(labels(&crossed)[..3], [some("up"), some("up"), None]);
}

#[test]
fn an_input_without_what_features_need_is_told_so() {
    let run = replay("mid", "trade", &[trade(0, 100.0), trade(1, 100.0)]);
    assert_eq!(run.signals.len(), 0);
    let folder = crate::given::Folder::new("field-no-row");
    let pipeline = folder.write("pipeline.toml", one_feature("kind = \"mid\"", "trade", ""));
    let input = folder.write("in.jsonl", trade(0, 100.0));
    let run = crate::given::foretick(&["replay".into(), pipeline, "--input".into(), input]);
    assert!(
        run.stdout.contains("none of 1 events had all features"),
        "{}",
        run.stdout
    );
}

/// Labels of trades between quotes.
fn trade_labels(lines: &[String]) -> Vec<Option<String>> {
    let pipeline = one_feature("kind = \"price\"", "trade", "max_gap_ms = 5_000")
        + "[label]\nhorizon_ms = 2_000\nthreshold_bps = 1.0\n";
    let rows = exported_rows(&pipeline, lines);
    rows.into_iter().map(|row| row.label).collect()
}

#[test]
fn no_label_reaches_across_a_silence_whatever_comes_after_it() {
    let before = [quote(0, "99", "101"), trade(0, 100.0)];
    let quote_first = [
        quote(60, "109", "111"),
        trade(60, 110.0),
        quote(63, "109", "111"),
    ];
    let trade_first = [
        trade(60, 110.0),
        quote(61, "109", "111"),
        trade(61, 110.0),
        quote(64, "109", "111"),
    ];
    let flat = Some("flat".to_owned());
    assert_eq!(
        trade_labels(&[&before[..], &quote_first].concat()),
        [None, flat.clone()]
    );
    assert_eq!(
        trade_labels(&[&before[..], &trade_first].concat()),
        [None, None, flat],
        "the mid at 60 s is of before"
    );
    let mut without_quotes = before.to_vec();
    without_quotes.extend((1..20).map(|at| trade(at, 100.0)));
    let labels = trade_labels(&without_quotes);
    assert_eq!(
        labels[..3],
        [
            Some("flat".into()),
            Some("flat".into()),
            Some("flat".into())
        ]
    );
    assert!(labels[6..].iter().all(Option::is_none), "{labels:?}");
}

#[test]
fn a_locked_book_is_crossed_and_no_base_of_a_label() {
    let lines = [
        depth(0, 1, true, r#"[["99","1"]]"#, r#"[["101","1"]]"#),
        depth(1, 2, false, r#"[["101","1"]]"#, "[]"),
        depth(2, 3, false, r#"[["101","0"]]"#, "[]"),
        depth(5, 4, false, r#"[["98","1"]]"#, "[]"),
    ];
    let pipeline = one_feature("kind = \"mid\"", "book", "")
        + "[label]\nhorizon_ms = 2_000\nthreshold_bps = 1.0\n";
    let run = replay_with(&one_feature("kind = \"mid\"", "book", ""), &lines, &[]);
    assert_eq!(run.with_quality()[1], "101.0 crossed");
    let rows = exported_rows(&pipeline, &lines);
    let labels: Vec<_> = rows.iter().map(|row| row.label.is_some()).collect();
    assert_eq!(labels, [true, false, true, false]);
}

/// Rows are those that are scored, also where there is no mid to label them by.
#[test]
fn rows_without_a_mid_are_exported_without_a_label() {
    let lines = [
        trade(0, 1.0),
        quote(1, "99", "null"),
        trade(2, 2.0),
        quote(3, "99", "101"),
        trade(4, 3.0),
        quote(7, "99", "101"),
    ];
    let flat = Some("flat".to_owned());
    assert_eq!(trade_labels(&lines), [None, None, flat]);
}

#[test]
fn a_row_behind_a_long_time_without_rows_is_gap() {
    let mut lines = vec![
        quote(0, "99", "101"),
        trade(1, 100.0),
        quote(2, "null", "101"),
    ];
    lines.extend((3..21).map(|at| trade(at, 100.0)));
    lines.extend([quote(21, "99", "101"), trade(22, 100.0), trade(23, 100.0)]);
    let pipeline = one_feature("kind = \"mid\"", "trade", "max_gap_ms = 5_000");
    let run = replay_with(&pipeline, &lines, &[]);
    assert_eq!(run.with_quality(), ["100.0 ok", "100.0 gap", "100.0 ok"]);
    assert_eq!(run.summary["events"]["silences"], 1);
}
