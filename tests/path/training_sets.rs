//! Training sets: labels, splits, folds and weights of whole runs, against slow twins that see all rows, and
//! against cases worked out by hand.

#[path = "training_sets/refused.rs"]
mod refused;
#[path = "training_sets/set.rs"]
mod set;

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::Value;

use self::set::Set;
use crate::given::{self, Folder};

/// A Monday, at noon.
const START: i64 = 1_767_614_400_000_000_000;
const SECOND: i64 = 1_000_000_000;

const SEVERAL: &str = r#"
name = "several"

[row]
on = "trade"

[[feature]]
name = "return"
kind = "log_return"
of = "price"
hidden = true

[[feature]]
name = "volatility"
kind = "realised_volatility"
of = "return"
window = 20

[model]
kind = "sum"

[[label]]
name = "mid"
horizon_ms = 1_500
threshold_bps = 0.2

[[label]]
name = "smooth"
kind = "smoothed_move"
horizon_rows = 10
against = "past"
threshold_bps = 0.2

[[label]]
name = "barrier"
kind = "triple_barrier"
horizon_ms = 3_000
of = "volatility"
take_profit = 1.0
stop_loss = 1.0

[split]
steps = 5
validation_from = "2026-01-05T00:00:12Z"
test_from = "2026-01-05T00:00:16Z"
embargo_ms = 400

[split.folds]
kind = "combinatorial"
blocks = 4
test_blocks = 2
from = "2026-01-05T00:00:00Z"
"#;

fn text<'a>(row: &'a BTreeMap<String, Value>, column: &str) -> &'a str {
    row[column].as_str().unwrap_or("-")
}

#[test]
fn parts_and_weights_equal_those_of_a_slow_twin() {
    let folder = Folder::new("sets-several");
    let symbols = ["BTCUSDT", "ETHUSDT"];
    // The fixed column `mid` and a label of that name would be two.
    let pipeline = SEVERAL.replace("name = \"mid\"", "name = \"moved\"");
    let set = Set::of(&folder, &pipeline, &given::capture(51, 24, &symbols));
    let (validation, test) = (opened(12), opened(16));
    let mut counts = BTreeMap::<&str, u64>::new();
    for symbol in ["BTCUSDT.BINANCE", "ETHUSDT.BINANCE"] {
        let of_symbol = |row: &&BTreeMap<String, Value>| text(row, "instrument") == symbol;
        let rows: Vec<&BTreeMap<String, Value>> = set.rows.iter().filter(of_symbol).collect();
        assert!(rows.len() > 200);
        let at = |row: &BTreeMap<String, Value>, column: &str| row[column].as_i64();
        let ts: Vec<i64> = rows.iter().filter_map(|row| at(row, "ts_event")).collect();
        let spans: Vec<Option<(i64, i64)>> = (0..rows.len())
            .map(|row| Some((ts[row], at(rows[row], "moved_end")?)))
            .collect();
        let mut times = ts.clone();
        times.dedup();
        let spanning = |t: i64| {
            let spans = spans.iter().flatten();
            spans
                .filter(|(from, to)| (*from..=*to).contains(&t))
                .count() as f64
        };
        let uniqueness: BTreeMap<i64, f64> = times
            .iter()
            .map(|t| (*t, 1.0 / spanning(*t).max(1.0)))
            .collect();
        for (number, row) in rows.iter().enumerate() {
            let weight = row["weight"].as_f64().expect("each row has a weight");
            let expected = spans[number].map_or(1.0, |(from, to)| {
                let shares: Vec<f64> = uniqueness.range(from..=to).map(|one| *one.1).collect();
                shares.iter().sum::<f64>() / shares.len() as f64
            });
            assert!(
                (weight - expected).abs() < 1e-12,
                "{weight}, not {expected}: {row:?}"
            );
            let window = number.checked_sub(4).map(|first| &rows[first..=number]);
            let begins = window.map(|window| ts[number + 1 - window.len()]);
            assert_eq!(at(row, "window_start"), begins);
            let sound =
                window.is_some_and(|all| all.iter().all(|one| text(one, "quality") == "ok"));
            let ends = ["moved_end", "smooth_end", "barrier_end"];
            let end = ends.iter().filter_map(|column| at(row, column)).max();
            let (now, begins) = (ts[number], begins.unwrap_or(ts[number]));
            let part = |name, from: i64, to: i64| match end {
                Some(end) if end >= to => "purge",
                _ if begins < from => "purge",
                _ if now < from + 400_000_000 => "embargo",
                _ => name,
            };
            let expected = match end {
                None => "excluded",
                _ if !sound => "excluded",
                _ if now < validation => part("train", i64::MIN / 2, validation),
                _ if now < test => part("validation", validation, test),
                _ => part("test", test, i64::MAX),
            };
            assert_eq!(text(row, "split"), expected, "{row:?}");
            *counts.entry(expected).or_default() += 1;
        }
    }
    for part in [
        "train",
        "validation",
        "test",
        "purge",
        "embargo",
        "excluded",
    ] {
        assert!(
            counts.get(part).is_some_and(|count| *count > 8),
            "{part}: {counts:?}"
        );
        assert_eq!(set.summary[part], counts[part]);
    }
    let reasons = set.summary["excluded_by"].as_object().expect("reasons");
    let all: u64 = reasons.values().filter_map(Value::as_u64).sum();
    assert_eq!(set.summary["excluded"], all);
    for label in ["moved", "smooth", "barrier"] {
        for class in ["up", "flat", "down"] {
            let count = set.words(label).iter().filter(|one| **one == class).count();
            assert!(count > 3, "{label} {class}: {count}");
        }
    }
}

/// So many seconds after the simulated market opens.
fn opened(seconds: i64) -> i64 {
    1_767_571_200_000_000_000 + seconds * SECOND
}

#[test]
fn a_set_says_what_it_is() {
    let folder = Folder::new("sets-says");
    let pipeline = SEVERAL.replace("name = \"mid\"", "name = \"moved\"");
    let capture = given::capture(52, 20, &["BTCUSDT"]);
    let set = Set::of(&folder, &pipeline, &capture);
    let fixed = [
        "instrument",
        "ts_event",
        "ts_recv",
        "source_stream",
        "source_offset",
        "quality",
    ];
    let expected = [
        &fixed[..],
        &["volatility", "mid"],
        &[
            "moved",
            "moved_value",
            "moved_end",
            "smooth",
            "smooth_value",
            "smooth_end",
        ],
        &[
            "barrier",
            "barrier_value",
            "barrier_end",
            "window_start",
            "weight",
            "split",
        ],
        &["fold_0", "fold_1", "fold_2", "fold_3", "fold_4", "fold_5"],
    ];
    assert_eq!(set.names, expected.concat());
    let says = &set.says;
    assert_eq!(says["version"], 1);
    assert_eq!(says["steps"], 5);
    assert_eq!(says["row"], "trade");
    assert_eq!(says["break_ms"], 600_000);
    assert_eq!(says["split"]["test_from"], "2026-01-05T00:00:16Z");
    assert_eq!(
        (&says["split"]["purge_ms"], &says["split"]["embargo_ms"]),
        (&3_000.into(), &400.into())
    );
    assert_eq!(says["labels"][2]["kind"], "triple_barrier");
    assert_eq!(says["labels"][1]["horizon_ms"], Value::Null);
    assert_eq!(
        says["labels"][0]["classes"],
        serde_json::json!(["down", "flat", "up"])
    );
    assert_eq!(says["folds"].as_array().map(Vec::len), Some(6));
    assert_eq!(says["folds"][5]["test"][0][1], "2026-01-05T00:00:12Z");
    assert_eq!(says["paths"].as_array().map(Vec::len), Some(3));
    // The position is that of the trade in the capture.
    let lines: Vec<&str> = capture.lines().collect();
    for (offset, ts) in set
        .integers("source_offset")
        .into_iter()
        .zip(set.integers("ts_event"))
    {
        let line = lines[offset.expect("a position") as usize];
        let traded = format!("\"T\":{}", ts.expect("a time") / 1_000_000);
        assert!(line.contains("@trade") && line.contains(&traded), "{line}");
    }
    assert!(
        set.words("source_stream")
            .iter()
            .all(|name| *name == "in.jsonl")
    );
    // A row of the test of a fold is in none of its training, and the last fold trains on the first half.
    let half = opened(6);
    for row in &set.rows {
        let now = row["ts_event"].as_i64().expect("a time");
        match text(row, "fold_5") {
            "train" => assert!(now < half),
            "test" => assert!((half..opened(12)).contains(&now)),
            "-" => assert!(now >= opened(12)),
            _ => {}
        }
    }
}

fn bar(ts: i64, close: f64) -> String {
    format!(
        r#"{{"ts_event":{ts},"symbol":"A.X","open":{close},"high":{close},"low":{close},"close":{close},"volume":1}}"#
    )
}

const BARS: &str = r#"
name = "bars"
[row]
on = "bar"
[[feature]]
name = "close"
kind = "close"
[model]
kind = "sum"
"#;

#[test]
fn bars_are_labelled_by_the_next_one_and_by_the_next_session() {
    let folder = Folder::new("sets-bars");
    let labels = r#"
[[label]]
name = "next"
kind = "next_bar"
threshold_bps = 50.0
[[label]]
name = "session"
kind = "next_session"
zone = "UTC"
threshold_bps = 50.0
[[label]]
name = "two_days"
kind = "trade_move"
horizon_ms = 172_800_000
threshold_bps = 50.0
"#;
    let day = 24 * 3_600 * SECOND;
    // The third comes twice; three weeks without any; and the last two are of one day.
    let closes = [
        (0, 100.0),
        (1, 101.0),
        (2, 100.9),
        (2, 100.9),
        (23, 90.0),
        (24, 95.0),
    ];
    let mut lines: Vec<String> = closes
        .map(|(at, close)| bar(START + at * day, close))
        .into();
    lines.push(bar(START + 24 * day + SECOND, 96.0));
    lines.push(bar(START + 26 * day + 2 * SECOND, 96.0));
    let set = Set::of(&folder, &format!("{BARS}{labels}"), &lines.join("\n"));
    assert_eq!(
        set.words("next"),
        ["up", "flat", "-", "up", "up", "flat", "-"]
    );
    assert_eq!(
        set.words("session"),
        ["up", "-", "-", "up", "-", "-", "-"],
        "only weeks later is it known that the third day is over"
    );
    // Two days after the first the third is known, once an event has come after that; after it come weeks
    // without any.
    assert_eq!(
        set.words("two_days"),
        ["-", "-", "-", "up", "up", "flat", "-"]
    );
    let ends = set.integers("next_end");
    assert_eq!(ends[0], Some(START + day));
    assert_eq!(
        set.integers("session_end")[3],
        Some(START + 24 * day + SECOND)
    );
}

const TRADES: &str = r#"
name = "trades"
[row]
on = "trade"
max_gap_ms = 5_000
[[feature]]
name = "last"
kind = "price"
[model]
kind = "sum"
[[label]]
name = "moved"
kind = "trade_move"
horizon_ms = 2_000
threshold_bps = 1.0
"#;

fn trade(ms: i64, id: i64, price: f64) -> String {
    let ts = START + ms * 1_000_000;
    format!(
        r#"{{"ts_event":{ts},"symbol":"A.X","price":{price},"size":1,"side":"buy","trade_id":{id}}}"#
    )
}

#[test]
fn no_label_of_trades_reaches_over_a_gap_a_silence_or_the_end() {
    let folder = Folder::new("sets-trades");
    let lines = [
        trade(0, 1, 100.0),
        trade(0, 2, 101.0), // at the same time
        trade(0, 2, 101.0), // a copy
        trade(1_000, 3, 100.0),
        trade(2_000, 4, 102.0),
        trade(2_001, 5, 103.0),
        trade(3_000, 7, 104.0), // the sixth is missing
        trade(5_001, 8, 104.0),
        trade(11_000, 9, 104.0), // after a silence
        trade(13_001, 10, 105.0),
    ];
    let set = Set::of(&folder, TRADES, &lines.join("\n"));
    let moves = [
        Some(102.0 / 100.0),
        Some(102.0 / 101.0),
        None,
        None,
        None,
        Some(1.0),
        None,
        Some(1.0),
        None,
    ];
    let ours = set.numbers("moved_value");
    assert_eq!(ours.len(), moves.len(), "the copy makes no row");
    for (ours, theirs) in ours.into_iter().zip(moves) {
        let same = match (ours, theirs) {
            (Some(ours), Some(theirs)) => (ours - 1e4 * (theirs - 1.0)).abs() < 1e-9,
            (ours, theirs) => ours.is_none() && theirs.is_none(),
        };
        assert!(same, "{ours:?}, not {theirs:?}");
    }
}

#[test]
fn what_is_held_does_not_grow_with_the_rows() {
    let folder = Folder::new("sets-held");
    let mut held = vec![];
    for rows in [2_000, 20_000] {
        let mut lines = String::new();
        for at in 0..rows {
            writeln!(lines, "{}", trade(at * 10, at + 1, 100.0 + (at % 7) as f64)).expect("memory");
        }
        let set = Set::of(&folder, TRADES, &lines);
        assert_eq!(set.summary["rows"], rows);
        held.push(set.summary["held"].as_u64().expect("a count"));
    }
    // Two horizons of 200 rows each.
    assert!(
        held[0] == held[1] && (200..=404).contains(&held[1]),
        "{held:?}"
    );
}

const STATEMENTS: &str = r#"
name = "firms"
[row]
on = "statement"
[[feature]]
name = "a"
kind = "field"
[model]
kind = "sum"
[label]
name = "fails"
kind = "default_within"
horizon_ms = 31_536_000_000
outcomes = "FILE"
[split]
group_by = "key"
test_share = 0.3
"#;

#[test]
fn firms_fail_within_the_horizon_and_are_in_one_part_each() {
    let folder = Folder::new("sets-firms");
    let year = 365 * 24 * 3_600 * SECOND;
    let (mut lines, mut failures) = (String::new(), String::new());
    for firm in 0..60 {
        for period in 0..4 {
            let ts = START - (6 - period) * year;
            writeln!(
                lines,
                r#"{{"ts_event":{ts},"obligor":"f{firm}","period":{},"items":{{"a":1.0}}}}"#,
                2019 + period
            )
            .expect("memory");
        }
        // Every third one, half a year after its second statement; all are known for three years.
        if firm % 3 == 0 {
            let ts = START - 5 * year + year / 2;
            writeln!(failures, r#"{{"key":"f{firm}","ts_failure":{ts}}}"#).expect("memory");
        }
    }
    let last = START - 3 * year;
    writeln!(failures, r#"{{"key":"other","ts_event":{last}}}"#).expect("memory");
    let outcomes = folder.write("failures.jsonl", failures);
    let folds = "[split.folds]\nkind = \"combinatorial\"\nblocks = 4\ntest_blocks = 1\n";
    let pipeline = STATEMENTS.replace("FILE", outcomes.to_str().expect("text")) + folds;
    let set = Set::of(&folder, &pipeline, &lines);
    assert_eq!(set.rows.len(), 240);
    let mut parts = BTreeMap::<&str, &str>::new();
    let mut counts = BTreeMap::<&str, u32>::new();
    let mut roles = BTreeMap::<&str, u32>::new();
    for row in &set.rows {
        let firm = text(row, "obligor");
        let number: u32 = firm[1..].parse().expect("a number");
        let expected = match (row["period"].as_i64(), number % 3) {
            (Some(2019), _) => "no_default",
            (Some(2020), 0) => "default",
            (Some(2020 | 2021), 1 | 2) => "no_default",
            _ => "-",
        };
        assert_eq!(text(row, "fails"), expected, "{row:?}");
        assert_eq!(text(row, "group"), firm);
        let part = text(row, "split");
        if expected == "-" {
            assert_eq!(part, "excluded");
        } else {
            assert_eq!(
                *parts.entry(firm).or_insert(part),
                part,
                "a firm is in one part"
            );
        }
        for fold in 0..4 {
            let role = text(row, &format!("fold_{fold}"));
            assert!(
                part != "test" || role == "-",
                "a firm held out is in no fold"
            );
            *roles.entry(role).or_default() += 1;
        }
        *counts.entry(part).or_default() += 1;
    }
    assert!(counts["test"] > 20 && counts["train"] > 80, "{counts:?}");
    assert!(roles["train"] > 80 && roles["test"] > 20, "{roles:?}");
}

#[test]
fn a_feature_of_a_figure_says_when_it_became_known() {
    let folder = Folder::new("sets-known");
    let features = r#"
[[feature]]
name = "rate"
kind = "figure"
figure = "wti"
hidden = true
[[feature]]
name = "change"
kind = "difference"
of = "rate"
"#;
    let pipeline = BARS.replace("[model]", &format!("{features}[model]"));
    let figure = |at: i64, value: f64| {
        let ts = START + at * SECOND;
        format!(r#"{{"ts_event":{ts},"figure":"wti","value":{value}}}"#)
    };
    let at = |second: i64| START + second * SECOND;
    let lines = [
        figure(0, 1.0),
        figure(10, 2.0),
        figure(100, 3.0), // arrives early
        bar(at(60), 1.0),
        bar(at(99), 1.0),
        bar(at(100), 1.0),
    ];
    let set = Set::of(&folder, &pipeline, &lines.join("\n"));
    let known = [Some(at(10)), Some(at(10)), Some(at(100))];
    assert_eq!(set.integers("change_known"), known);
    assert_eq!(set.numbers("change"), [Some(1.0), Some(1.0), Some(1.0)]);
    let expected = serde_json::json!([
        {"feature": "change", "figure": "wti", "known_column": "change_known", "release": "ts_event"}
    ]);
    assert_eq!(set.says["inputs"], expected);
}
