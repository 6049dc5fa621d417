//! Times that cannot be: in another unit, of another year, far ahead of the clock or of the records around
//! them.

use crate::given::{Folder, foretick};
use crate::replayed::{Replayed, one_feature, replay, replay_with};

const START: i64 = 1_790_000_000_000_000_000;
const SECOND: i64 = 1_000_000_000;
const DAY: i64 = 86_400 * SECOND;

fn trade(ts: i64, number: i64, received: Option<i64>) -> String {
    let received = received.map_or(String::new(), |ts| format!(r#""ts_recv":{ts},"#));
    format!(
        r#"{{"ts_event":{ts},{received}"symbol":"ABC.X","price":"{}","size":"1","side":"buy"}}"#,
        100 + number
    )
}

/// Twenty trades a second apart; the sixth is `ahead` of its time.
fn one_ahead(ahead: i64, received: bool) -> Vec<String> {
    ahead_at(&[5], ahead, |ts, _| received.then_some(ts + 1_000))
}

/// The same where the trades at these places are ahead, with the receive time of each by its right time and
/// the one that it tells.
fn ahead_at(places: &[i64], ahead: i64, received: impl Fn(i64, i64) -> Option<i64>) -> Vec<String> {
    let line = |number: i64| {
        let ts = START + number * SECOND;
        let told = if places.contains(&number) {
            ts + ahead
        } else {
            ts
        };
        trade(told, number, received(ts, told))
    };
    (0..20).map(line).collect()
}

/// The times of the signals, in seconds after the start.
fn seconds(run: &Replayed) -> Vec<i64> {
    let times = run.signals.iter().map(|signal| {
        let ts = signal["ts_event"].as_i64().expect("a time");
        (ts - START) / SECOND
    });
    times.collect()
}

/// The numbers to 19 without these.
fn all_but(places: &[i64]) -> Vec<i64> {
    (0..20).filter(|number| !places.contains(number)).collect()
}

#[test]
fn one_time_far_ahead_is_a_dead_letter_and_holds_no_other() {
    for (ahead, received) in [
        (365 * DAY, true),
        (1_800 * SECOND, true),
        (365 * DAY, false),
        (2 * DAY, false),
        // Local time that was written as UTC.
        (3_600 * SECOND, false),
    ] {
        let run = replay("price", "trade", &one_ahead(ahead, received));
        assert_eq!(
            run.refusals(),
            ["time_ahead ts_event"],
            "{ahead} {received}"
        );
        assert_eq!(seconds(&run), all_but(&[5]), "{ahead} {received}");
    }
}

#[test]
fn a_clock_that_also_writes_the_receive_time_is_caught() {
    for ahead in [365 * DAY, 2 * DAY] {
        for places in [&[5][..], &[5, 6], &[0], &[0, 1]] {
            let lines = ahead_at(places, ahead, |_, told| Some(told + 1_000));
            let run = replay("price", "trade", &lines);
            let refused = vec!["time_ahead ts_event"; places.len()];
            assert_eq!(run.refusals(), refused, "{ahead} {places:?}");
            assert_eq!(seconds(&run), all_but(places), "{ahead} {places:?}");
        }
    }
    // With the stamp of a capture, which is our own receive time, every such line is caught.
    let places = [2, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14];
    let lines = ahead_at(&places, 1_800 * SECOND, |_, told| Some(told + 1_000));
    let stamped =
        |(line, number): (&String, i64)| format!("{} {line}", START + number * SECOND + 500);
    let lines: Vec<String> = lines.iter().zip(0..).map(stamped).collect();
    let run = replay("price", "trade", &lines);
    assert_eq!(run.refusals(), ["time_ahead ts_event"; 11]);
    assert_eq!(seconds(&run), all_but(&places));
}

#[test]
fn an_outlier_is_found_whatever_stands_around_it() {
    let whole = |places: &[i64]| ahead_at(places, 365 * DAY, |_, _| None);
    let far = START + 365 * DAY + 5 * SECOND;
    for (behind, letters) in [
        (r#"{"type":"heartbeat"}"#, 0),
        (r#"{"u":1,"s":"X","b":"1","B":"1","a":"2","A":"1"}"#, 0),
        ("", 0),
        ("{no json}", 1),
    ] {
        let mut lines = whole(&[5]);
        lines.insert(6, behind.to_owned());
        let run = replay("price", "trade", &lines);
        assert_eq!(run.refusals()[0], "time_ahead ts_event", "{behind}");
        assert_eq!(run.dead_letters.len(), 1 + letters, "{behind}");
        assert_eq!(seconds(&run), all_but(&[5]), "{behind}");
    }
    for places in [&[0][..], &[5, 6], &[5, 6, 7], &[0, 9, 11]] {
        let run = replay("price", "trade", &whole(places));
        assert_eq!(run.refusals(), vec!["time_ahead ts_event"; places.len()]);
        assert_eq!(seconds(&run), all_but(places), "{places:?}");
    }
    for written in [
        format!("{}e9", far / SECOND),
        format!("{far}.0"),
        format!("\"{far}\""),
    ] {
        let mut lines = whole(&[]);
        lines[5] = lines[5].replace(&(START + 5 * SECOND).to_string(), &written);
        let run = replay("price", "trade", &lines);
        assert_eq!(run.refusals(), ["time_ahead ts_event"], "{written}");
        assert_eq!(seconds(&run), all_but(&[5]), "{written}");
    }
}

#[test]
fn files_are_merged_by_times_in_every_form() {
    let trade = |number: i64, time: &str| {
        format!(
            r#"{{"e":"trade","E":{time},"s":"ABC","t":{number},"p":"{number}","q":"1","T":{time},"m":true}}"#
        )
    };
    let time = |number: i64| format!("17900000000{number:02}");
    let forms: [fn(String) -> String; 3] = [
        |time| format!("\"{time}\""),
        |time| format!("{time}.0"),
        |time| format!("{}.{}e12", &time[..1], &time[1..]),
    ];
    for form in forms {
        let folder = Folder::new("field-merged");
        let pipeline = folder.write("p.toml", one_feature("kind = \"price\"", "trade", ""));
        let file = |name: &str, numbers: &[i64]| {
            let line = |number: &i64| trade(*number, &form(time(*number)));
            folder.write(
                name,
                numbers.iter().map(line).collect::<Vec<_>>().join("\n"),
            )
        };
        let (one, two) = (file("one.jsonl", &[1, 2, 5]), file("two.jsonl", &[3, 4, 6]));
        let output = folder.path("out.jsonl");
        let run = foretick(&[
            "replay".into(),
            pipeline,
            "--input".into(),
            one,
            "--input".into(),
            two,
            "--output".into(),
            output,
        ]);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        let text = folder.read("out.jsonl");
        let signals = text.lines().map(|line| {
            let signal: serde_json::Value = serde_json::from_str(line).expect("JSON");
            format!(
                "{} {}",
                signal["score"],
                signal["quality"].as_str().expect("text")
            )
        });
        let expected: Vec<String> = (1..7).map(|number| format!("{number}.0 ok")).collect();
        assert_eq!(signals.collect::<Vec<_>>(), expected);
    }
}

#[test]
fn a_time_is_refused_with_its_unit_or_its_year() {
    let line = |ts: &str| {
        format!(r#"{{"ts_event":{ts},"symbol":"A.X","price":"1","size":"1","side":"buy"}}"#)
    };
    let lines = [
        line("1790000000.123"),
        line("\"1790000000123.5\""),
        line("\"9999-12-31T00:00:00Z\""),
        line("1790000000000000000.5"),
        line("\"noon\""),
        line("\"2026-09-21T10:00Z\""),
    ];
    let run = replay("price", "trade", &lines);
    assert_eq!(
        run.refusals(),
        [
            "time_in_seconds ts_event",
            "time_in_milliseconds ts_event",
            "implausible_time ts_event",
            "bad_number ts_event",
            "bad_number ts_event",
        ]
    );
    assert_eq!(run.signals.len(), 1);
}

#[test]
fn a_stamp_in_another_form_is_named() {
    let stamped = |stamp: &str, number: i64| {
        format!("{stamp}{}", trade(START + number * SECOND, number, None))
    };
    let good = |number: i64| stamped(&format!("{} ", START + number * SECOND), number);
    let lines = [
        good(0),
        stamped("1790000001.123456 ", 1),
        stamped("2026-09-21T10:00:00Z ", 2),
        stamped(&format!("{}\t", START + 3 * SECOND), 3),
    ];
    let run = replay("price", "trade", &lines);
    assert_eq!(
        run.refusals(),
        ["time_in_seconds ts_recv", "bad_number ts_recv"]
    );
    assert_eq!(run.scores(), [100.0, 103.0]);
}

#[test]
fn how_far_ahead_a_clock_may_be_is_configured() {
    let pipeline = one_feature("kind = \"price\"", "trade", "");
    for received in [true, false] {
        let lines = one_ahead(90 * SECOND, received);
        for (most, refused) in [("60000", 1), ("120000", 0)] {
            let set = format!("source.max_ahead_ms={most}");
            let run = replay_with(&pipeline, &lines, &["--set", &set]);
            assert_eq!(run.dead_letters.len(), refused, "{most} {received}");
        }
    }
}

#[test]
fn time_that_goes_on_after_a_night_is_no_fault() {
    let lines: Vec<String> = (0..4)
        .map(|number| {
            trade(
                START + number * SECOND + (number / 2) * 3 * DAY,
                number,
                None,
            )
        })
        .collect();
    let run = replay("price", "trade", &lines);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(run.scores(), [100.0, 101.0, 102.0, 103.0]);
}

#[test]
fn time_that_goes_back_where_another_instrument_begins_is_no_fault() {
    let of = |symbol: &str| {
        let line = |at: i64| {
            let ts = START + at * SECOND + (at / 2) * 3 * DAY;
            trade(ts, at, None).replace("ABC.X", symbol)
        };
        (0..4).map(line).collect::<Vec<_>>()
    };
    let run = replay("price", "trade", &[of("A"), of("B"), of("C")].concat());
    assert!(run.dead_letters.is_empty(), "{:?}", run.dead_letters);
    assert_eq!(run.signals.len(), 12);
}

#[test]
fn the_first_line_is_read_and_bars_of_several_instruments_are_not_compared() {
    let bar = |symbol: &str, day: i64| {
        let ts = START + day * DAY;
        format!(
            r#"{{"ts_event":{ts},"symbol":"{symbol}","open":1,"high":2,"low":1,"close":2,"volume":3}}"#
        )
    };
    // The second line would be an outlier if bars were held against each other.
    let lines = [
        bar("A", 0),
        bar("A", 3),
        bar("B", 0),
        bar("B", 1),
        bar("B", 3),
    ];
    let run = replay("close", "bar", &lines);
    assert!(run.dead_letters.is_empty(), "{:?}", run.dead_letters);
    assert_eq!(run.signals.len(), 5);
    let pipeline = one_feature("kind = \"close\"", "bar", "");
    let run = replay_with(
        &pipeline,
        &lines,
        &["--set", "source.max_ahead_ms=172800000"],
    );
    assert_eq!(run.refusals(), ["time_ahead ts_event"], "as configured");
}

#[test]
fn a_time_in_another_unit_is_refused_with_the_unit() {
    for (scale, reason) in [
        (1_000, "time_in_microseconds ts_event"),
        (1_000_000, "time_in_milliseconds ts_event"),
        (1_000_000_000, "time_in_seconds ts_event"),
        (i64::MAX, "implausible_time ts_event"),
    ] {
        let lines: Vec<String> = (0..3)
            .map(|number| trade((START + number * SECOND) / scale, number, None))
            .collect();
        let run = replay("price", "trade", &lines);
        assert_eq!(run.refusals(), [reason; 3]);
        assert!(run.signals.is_empty());
        let lines: Vec<String> = (0..3)
            .map(|number| {
                let ts = START + number * SECOND;
                trade(ts, number, Some(ts / scale))
            })
            .collect();
        let run = replay("price", "trade", &lines);
        assert_eq!(
            run.refusals(),
            vec![reason.replace("ts_event", "ts_recv"); 3]
        );
    }
}

#[test]
fn a_venue_time_in_seconds_is_refused() {
    let line =
        r#"{"e":"trade","E":1790000000,"s":"A","t":1,"p":"1","q":"1","T":1790000000,"m":true}"#;
    let run = replay("price", "trade", &[line]);
    assert_eq!(run.refusals(), ["time_in_seconds T"]);
}

#[test]
fn a_capture_without_any_venue_time_is_said_to_have_none() {
    let ticker = r#"1790000000000000005 {"u":1,"s":"X","b":"1","B":"1","a":"2","A":"1"}"#;
    let run = replay("mid", "quote", &[ticker; 3]);
    assert_eq!((run.code, run.signals.len()), (Some(0), 0));
    let said = "none of the 3 frames that were read has a time of its own";
    assert!(run.stderr.contains(said), "{}", run.stderr);
    let trade = r#"1790000000000000006 {"e":"trade","E":1790000000000,"s":"X","t":1,"p":"1","q":"1","T":1790000000000,"m":true}"#;
    let run = replay("mid", "quote", &[ticker, trade, ticker]);
    assert!(!run.stderr.contains("a time of its own"), "{}", run.stderr);
}

/// A recorder whose clock was wrong for a moment writes both the stamp and the event's time.
#[test]
fn a_stamp_that_jumps_and_comes_back_is_caught() {
    for (places, is_event_wrong) in [
        (&[5][..], true),
        (&[5, 6, 7], true),
        (&[0], true),
        (&[5], false),
    ] {
        let lines = (0..20).map(|number| {
            let ts = START + number * SECOND;
            let wrong = ts + 365 * DAY;
            let is_wrong = places.contains(&number);
            let event = if is_wrong && is_event_wrong {
                wrong
            } else {
                ts
            };
            let stamp = if is_wrong { wrong } else { ts };
            format!("{stamp} {}", trade(event, number, None))
        });
        let run = replay("price", "trade", &lines.collect::<Vec<_>>());
        let refused = if is_event_wrong { places } else { &[] };
        assert_eq!(run.refusals(), vec!["time_ahead ts_event"; refused.len()]);
        assert_eq!(seconds(&run), all_but(refused), "{places:?}");
    }
    // A capture that goes on a year later is no outlier.
    let lines = [0, 1, 2].map(|second| START + second * SECOND);
    let later = lines.map(|ts| ts + 365 * DAY);
    let lines: Vec<String> = lines
        .into_iter()
        .chain(later)
        .map(|ts| format!("{ts} {}", trade(ts, 1, None)))
        .collect();
    assert_eq!(replay("price", "trade", &lines).signals.len(), 6);
}

#[test]
fn many_outliers_in_a_row_are_caught() {
    let mut lines: Vec<String> = (0..10)
        .map(|at| trade(START + at * SECOND, at, None))
        .collect();
    lines.extend((10..15).map(|at| trade(START + at * SECOND + 365 * DAY, at, None)));
    lines.extend((15..60).map(|at| trade(START + at * SECOND, at, None)));
    let run = replay("price", "trade", &lines);
    assert_eq!(run.refusals(), ["time_ahead ts_event"; 5]);
    assert_eq!(run.signals.len(), 55);
}
