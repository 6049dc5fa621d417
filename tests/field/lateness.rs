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

/// Prices, times in seconds after the start, and revisions of the signals.
fn revisions(run: &Replayed) -> Vec<(f64, i64, i64)> {
    let revision = |signal: &Value| signal["revision"].as_i64().expect("a revision");
    let all = signals(run).into_iter().zip(&run.signals);
    all.map(|((price, second), signal)| (price, second, revision(signal)))
        .collect()
}

#[test]
fn late_events_are_put_in_their_place_and_signals_corrected() {
    let row = "late = \"correct\"\ncorrect_ms = 7000";
    let pipeline = one_feature("kind = \"max\"\nof = \"p\"\nwindow = 2", "trade", row).replace(
        "[[feature]]",
        "[[feature]]\nname = \"p\"\nkind = \"price\"\nhidden = true\n[[feature]]",
    );
    let trades = [(1, 1), (10, 3), (4, 2), (11, 4), (20, 5), (12, 6)];
    let lines = trades.map(|(second, number)| trade(second, number));
    let run = replay_with(&pipeline, &lines, &["--set", "source.lateness_ms=5000"]);
    // The trade at 4 s comes 6 s late: it has a signal of its own, and no trade is missing before that at
    // 10 s any more. The trade at 12 s comes too late.
    assert_eq!(
        revisions(&run),
        [
            (1.0, 1, 0),
            (10.0, 10, 0),
            (4.0, 4, 0),
            (10.0, 10, 1),
            (11.0, 11, 0),
            (20.0, 20, 0),
            (20.0, 20, 0),
        ]
    );
    let qualities: Vec<&Value> = run.signals.iter().map(|one| &one["quality"]).collect();
    assert_eq!(qualities[1..5], ["gap", "ok", "ok", "ok"]);
    let address = |at: usize| (&run.signals[at]["signal_id"], &run.signals[at]["source"]);
    assert_eq!(address(1), address(3));
    let events = &run.summary["events"];
    for (name, count) in [
        ("late_corrections", 1),
        ("corrected_signals", 1),
        ("late_updates", 1),
        ("late_unplaced", 0),
    ] {
        assert_eq!(events[name], count, "{name}");
    }
}

#[test]
fn a_signal_that_would_not_have_been_made_is_taken_back() {
    let quote = |second: i64, bid: &str| {
        let ts = START + second * SECOND;
        format!(
            r#"{{"ts_event":{ts},"symbol":"A.X","bid_px":{bid},"bid_sz":1,"ask_px":12,"ask_sz":1}}"#
        )
    };
    let lines = [
        quote(1, "10"),
        trade(3, 1),
        trade(4, 2),
        quote(2, "null").replace("\"bid_sz\":1", "\"bid_sz\":0"),
        quote(3, "11"),
    ];
    let row = "late = \"correct\"\ncorrect_ms = 7000\nstale_after_ms = 60000";
    let pipeline = one_feature("kind = \"mid\"", "trade", row);
    let run = replay_with(&pipeline, &lines, &["--set", "source.lateness_ms=0"]);
    // At 2 s the bid was withdrawn, so that there was no mid until the next quote.
    let seen: Vec<(f64, i64, i64)> = revisions(&run);
    assert_eq!(
        seen,
        [
            (11.0, 3, 0),
            (11.0, 4, 0),
            (11.0, 3, 1),
            (11.0, 4, 1),
            (11.5, 4, 2),
        ]
    );
    let qualities: Vec<&Value> = run.signals.iter().map(|one| &one["quality"]).collect();
    assert_eq!(qualities, ["ok", "ok", "gap", "gap", "ok"]);
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
    let correct = "late = \"correct\"\ncorrect_ms = 6000";
    let lateness = "source.lateness_ms=5000";
    for (row, set, words) in [
        ("late = \"drop\"", "", "needs `source.lateness_ms`"),
        ("late = \"never\"", "", "unknown variant `never`"),
        (correct, "", "needs `source.lateness_ms`"),
        ("late = \"correct\"", lateness, "needs `row.correct_ms`"),
        ("correct_ms = 6000", lateness, "is for `late = \"correct\"`"),
        (
            correct,
            "source.lateness_ms=6000",
            "must be above `source.lateness_ms`",
        ),
        (
            &format!("{correct}\nevery = 2"),
            lateness,
            "`every` must be 1",
        ),
    ] {
        let pipeline = one_feature("kind = \"price\"", "trade", row);
        let set = ["--set", set];
        let set = if set[1].is_empty() { &[] } else { &set[..] };
        let run = replay_with(&pipeline, &overtaken(), set);
        assert_eq!(run.code, Some(2), "{row}");
        assert!(run.stderr.contains(words), "{}", run.stderr);
    }
    let pipeline = one_feature("kind = \"price\"", "trade", correct);
    let set = ["--set", lateness, "--set", "model.window=\"carried\""];
    let run = replay_with(&pipeline, &overtaken(), &set);
    assert!(run.stderr.contains("cannot go back"), "{}", run.stderr);
    let set = [
        "--set",
        lateness,
        "--set",
        "sink.fields=[\"signal_id\", \"score\"]",
    ];
    let run = replay_with(&pipeline, &overtaken(), &set);
    assert!(
        run.stderr.contains("needs the field `revision`"),
        "{}",
        run.stderr
    );
    let figure = one_feature("kind = \"figure\"\nfigure = \"vix\"", "bar", correct);
    let run = replay_with(&figure, &overtaken(), &["--set", lateness]);
    assert!(
        run.stderr.contains("features of figures or sentiment"),
        "{}",
        run.stderr
    );
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
