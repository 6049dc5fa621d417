//! Events that come late, and clocks that differ from ours.

use serde_json::Value;

use crate::given::{Folder, foretick};
use crate::needs;
use crate::replayed::{Replayed, START, depth, one_feature, replay_with};

const SECOND: i64 = 1_000_000_000;

/// Trade `number` at a second after the start; its price is the second.
fn trade(second: i64, number: i64) -> String {
    let ts = START + second * SECOND;
    format!(
        r#"{{"ts_event":{ts},"symbol":"A.X","price":"{second}","size":"1","side":"buy","trade_id":{number}}}"#
    )
}

/// Trades of which the third and the fourth were overtaken, by 6 s and by 5 s.
fn overtaken() -> Vec<String> {
    let seconds = [1, 10, 4, 5, 11];
    let numbered = seconds.into_iter().zip(1..);
    numbered
        .map(|(second, number)| trade(second, number))
        .collect()
}

fn run(row: &str, set: &[&str], lines: &[String]) -> Replayed {
    let pipeline = one_feature("kind = \"price\"", "trade", row);
    let args: Vec<&str> = set.iter().flat_map(|one| ["--set", *one]).collect();
    replay_with(&pipeline, lines, &args)
}

/// Prices and times of the signals, in seconds after the start.
fn signals(run: &Replayed) -> Vec<(f64, i64)> {
    let times = run.signals.iter().map(|signal| {
        let ts = signal["ts_event"].as_i64().expect("a time");
        (ts - START) / SECOND
    });
    run.scores().into_iter().zip(times).collect()
}

#[test]
fn late_events_are_used_at_the_latest_time_or_dropped() {
    let used = [(1.0, 1), (10.0, 10), (4.0, 10), (5.0, 10), (11.0, 11)];
    for (set, updates) in [
        (&[][..], 2),
        (&["source.lateness_ms=5000"], 1),
        (&["source.lateness_ms=6000"], 0),
    ] {
        let run = run("late = \"update\"", set, &overtaken());
        assert_eq!(signals(&run), used, "{set:?}");
        let events = &run.summary["events"];
        assert_eq!(events["late_updates"], updates, "{set:?}");
        assert_eq!(
            (&events["late_drops"], &events["backwards"]),
            (&0.into(), &2.into())
        );
    }
    let run = run(
        "late = \"drop\"",
        &["source.lateness_ms=5000"],
        &overtaken(),
    );
    assert_eq!(signals(&run), [(1.0, 1), (10.0, 10), (5.0, 10), (11.0, 11)]);
    let events = &run.summary["events"];
    assert_eq!(
        (&events["late_drops"], &events["trades"]),
        (&1.into(), &4.into())
    );
    assert_eq!(
        events["gaps"], 0,
        "the number of a dropped trade is not missing"
    );
}

#[test]
fn late_changes_of_a_book_are_used_in_any_case() {
    let lines = [
        depth(0, 1, true, "[[10,1]]", "[[12,1]]"),
        depth(10 * SECOND, 2, false, "[[11,1]]", "[]"),
        depth(2 * SECOND, 3, false, "[[11,0]]", "[]"),
        depth(11 * SECOND, 4, false, "[]", "[[12,2]]"),
    ];
    let pipeline = one_feature("kind = \"mid\"", "book", "late = \"drop\"");
    let run = replay_with(&pipeline, &lines, &["--set", "source.lateness_ms=1000"]);
    assert_eq!(run.scores(), [11.0, 11.5, 11.0, 11.0]);
    let events = &run.summary["events"];
    assert_eq!(
        (&events["late_updates"], &events["late_drops"]),
        (&1.into(), &0.into())
    );
    assert_eq!(events["gaps"], 0);
}

#[test]
fn what_cannot_be_done_with_late_events_is_refused() {
    for (row, on, words) in [
        ("late = \"correct\"", "trade", "`correct` is not supported"),
        ("late = \"drop\"", "trade", "needs `source.lateness_ms`"),
        ("late = \"never\"", "trade", "unknown variant `never`"),
    ] {
        let pipeline = one_feature("kind = \"price\"", on, row);
        let run = replay_with(&pipeline, &overtaken(), &[]);
        assert_eq!(run.code, Some(2), "{row}");
        assert!(run.stderr.contains(words), "{}", run.stderr);
    }
}

#[test]
fn the_skew_of_a_venue_is_signed() {
    let line = |(at, skew): (i64, i64)| {
        let second = trade(at, at).replace("A.X", "A.XNAS");
        format!("{} {second}", START + at * SECOND + skew)
    };
    let skews = [-1_273_000_000, -1_270_000_000, 40_000_000];
    let lines: Vec<String> = (1..).zip(skews).map(line).collect();
    let run = run("", &[], &lines);
    let skew = &run.summary["skew_ns"]["XNAS"];
    assert_eq!(skew["count"], 3);
    assert_eq!(
        (&skew["min"], &skew["max"]),
        (&skews[0].into(), &skews[2].into())
    );
    let p50 = skew["p50"].as_i64().expect("a median");
    assert!((-1_273_000_000..=-1_250_000_000).contains(&p50), "{p50}");
}

/// The recorder's clock was 1.273 s behind the venue's, and no message is missing.
#[test]
fn a_recording_shows_the_skew_of_its_clock_and_no_gap() {
    let Some(data) = needs::data("a_recording_shows_the_skew_of_its_clock_and_no_gap") else {
        return;
    };
    let folder = Folder::new("field-skew");
    let pipeline = one_feature("kind = \"mid\"", "book", "");
    let pipeline = folder.write("pipeline.toml", pipeline);
    let gaps = folder.path("gaps.jsonl");
    let run = foretick(&[
        "replay".as_ref(),
        pipeline.as_os_str(),
        "--input".as_ref(),
        data.join("captures/binance-spot/btcusdt_20240808.gz")
            .as_os_str(),
        "--gaps".as_ref(),
        gaps.as_os_str(),
        "--json".as_ref(),
    ]);
    let summary: Value = serde_json::from_str(&run.stdout).expect("a summary");
    let skew = &summary["skew_ns"]["BINANCE"];
    let p50 = skew["p50"].as_f64().expect("a median") * 1e-9;
    assert!((-1.276..=-1.270).contains(&p50), "{skew}");
    assert!(skew["max"].as_i64().is_some_and(|max| max < 0), "{skew}");
    assert_eq!(folder.read("gaps.jsonl"), "");
}
