//! Times that cannot be: in another unit, of another year, far ahead of the clock or of the records around
//! them.

use crate::replayed::{one_feature, replay, replay_with};

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
    let line = |number: i64| {
        let ts = START + number * SECOND;
        let told = if number == 5 { ts + ahead } else { ts };
        trade(told, number, received.then_some(ts + 1_000))
    };
    (0..20).map(line).collect()
}

#[test]
fn one_time_far_ahead_is_a_dead_letter_and_holds_no_other() {
    for (ahead, received) in [
        (365 * DAY, true),
        (1_800 * SECOND, true),
        (365 * DAY, false),
        (2 * DAY, false),
    ] {
        let run = replay("price", "trade", &one_ahead(ahead, received));
        assert_eq!(
            run.refusals(),
            ["time_ahead ts_event"],
            "{ahead} {received}"
        );
        let times: Vec<i64> = run
            .signals
            .iter()
            .filter_map(|signal| signal["ts_event"].as_i64())
            .collect();
        let expected: Vec<i64> = (0..20)
            .filter(|number| *number != 5)
            .map(|number| START + number * SECOND)
            .collect();
        assert_eq!(times, expected, "{ahead} {received}");
    }
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
fn the_first_line_is_read_and_bars_of_several_instruments_are_not_compared() {
    let bar = |symbol: &str, day: i64| {
        let ts = START + day * DAY;
        format!(
            r#"{{"ts_event":{ts},"symbol":"{symbol}","open":1,"high":2,"low":1,"close":2,"volume":3}}"#
        )
    };
    let lines = [bar("A", 0), bar("A", 3), bar("B", 0), bar("B", 3)];
    let run = replay("close", "bar", &lines);
    assert!(run.dead_letters.is_empty(), "{:?}", run.dead_letters);
    assert_eq!(run.signals.len(), 4);
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
