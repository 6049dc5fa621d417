//! Unreadable frames, and frames that the pipeline does not use, among valid ones: each is counted by its
//! reason, and the unreadable ones are kept byte for byte.

use serde_json::{Value, json};

use crate::given::{self, Folder};

/// A bad frame, the reason under which it is counted, and the field at fault.
struct Case {
    frame: Vec<u8>,
    reason: &'static str,
    field: Option<&'static str>,
    set: &'static [&'static str],
}

fn case(frame: impl Into<Vec<u8>>, reason: &'static str) -> Case {
    Case {
        frame: frame.into(),
        reason,
        field: None,
        set: &[],
    }
}

fn of_field(field: &'static str, case: Case) -> Case {
    Case {
        field: Some(field),
        ..case
    }
}

fn trade(symbol: &str, price: &str, size: &str) -> String {
    format!(
        r#"{{"e":"trade","E":1767571201000,"s":{symbol},"t":9,"p":{price},"q":{size},"T":1767571201000,"m":false,"M":true}}"#
    )
}

const BITCOIN: &str = r#""BTCUSDT""#;

fn unreadable() -> Vec<Case> {
    let whole = trade(BITCOIN, r#""1.5""#, r#""2""#);
    let depth = |ids: &str, bids: &str| {
        format!(r#"{{"e":"depthUpdate","E":1767571201000,"s":"BTCUSDT",{ids},"b":{bids},"a":[]}}"#)
    };
    vec![
        case(&whole.as_bytes()[..whole.len() - 20], "truncated"),
        case(r#"{"e":"trade""#, "truncated"),
        case("hello", "malformed"),
        case(whole.replace(r#","q""#, r#";"q""#), "malformed"),
        case("\u{0}\u{1}", "malformed"),
        case(b"{\"e\":\"trade\",\"s\":\"\xff\xfe\"}".to_vec(), "not_utf8"),
        Case {
            set: &["source.max_frame_bytes=300"],
            ..case(format!("{}{}", whole, " ".repeat(300)), "oversized")
        },
        of_field("s", case(trade("7", r#""1.5""#, r#""2""#), "wrong_type")),
        of_field("t", case(r#"{"e":"trade"}"#, "missing_field")),
        case("[1,2]", "wrong_shape"),
        of_field("b", case(depth(r#""U":1,"u":2"#, "7"), "wrong_type")),
        of_field(
            "reason",
            case(r#"{"foretick":"gap","reason":"boredom"}"#, "out_of_range"),
        ),
        of_field("foretick", case(r#"{"foretick":"song"}"#, "out_of_range")),
        of_field(
            "p",
            case(trade(BITCOIN, r#""NaN""#, r#""2""#), "bad_number"),
        ),
        of_field(
            "p",
            case(trade(BITCOIN, r#""inf""#, r#""2""#), "bad_number"),
        ),
        of_field(
            "q",
            case(trade(BITCOIN, r#""1.5""#, r#""two""#), "bad_number"),
        ),
        of_field(
            "p",
            case(trade(BITCOIN, r#""-1.5""#, r#""2""#), "out_of_range"),
        ),
        of_field(
            "p",
            case(trade(BITCOIN, r#""0""#, r#""2""#), "out_of_range"),
        ),
        of_field(
            "q",
            case(trade(BITCOIN, r#""1.5""#, r#""0""#), "out_of_range"),
        ),
        of_field(
            "p",
            case(
                trade(BITCOIN, r#""99999999999999999999""#, r#""2""#),
                "out_of_range",
            ),
        ),
        of_field("U", case(depth(r#""U":3,"u":2"#, "[]"), "out_of_range")),
        of_field(
            "price",
            case(depth(r#""U":1,"u":2"#, r#"[["NaN","1"]]"#), "bad_number"),
        ),
        of_field(
            "size",
            case(depth(r#""U":1,"u":2"#, r#"[["1","-1"]]"#), "out_of_range"),
        ),
    ]
}

fn unused() -> Vec<Case> {
    vec![
        case(
            r#"{"e":"kline","E":1767571201000,"s":"BTCUSDT"}"#,
            "unknown_type",
        ),
        Case {
            set: &[r#"source.instruments=["BTCUSDT.BINANCE"]"#],
            ..case(
                r#"{"e":"depthUpdate","E":1767571201000,"T":1767571201000,"s":"BTCUSDT","U":1,"u":2,"pu":0,"b":[],"a":[]}"#,
                "instrument_not_listed",
            )
        },
        Case {
            set: &[r#"source.instruments=["BTCUSDT.BINANCE"]"#],
            ..case(
                trade(r#""DOGEUSDT""#, r#""1""#, r#""2""#),
                "instrument_not_listed",
            )
        },
        Case {
            set: &["source.max_instruments=1"],
            ..case(
                trade(r#""DOGEUSDT""#, r#""1""#, r#""2""#),
                "too_many_instruments",
            )
        },
    ]
}

#[test]
fn an_unreadable_frame_is_kept_with_its_origin() {
    let folder = Folder::new("bad-unreadable");
    for case in unreadable() {
        let (summary, letters) = replay_among_valid(&folder, &case, true);
        let name = String::from_utf8_lossy(&case.frame).into_owned();
        assert_eq!(
            summary["dead_lettered_by_reason"],
            json!({ case.reason: 1 }),
            "{name}"
        );
        assert_eq!(
            (&summary["dropped"], &summary["in"]),
            (&json!(0), &json!(11)),
            "{name}"
        );
        assert_eq!(summary["used"], 10, "{name}");
        let [letter] = letters.as_slice() else {
            panic!("{name}: {letters:?}");
        };
        assert_eq!(letter["error"], case.reason);
        assert_eq!(letter["field"], json!(case.field), "{name}");
        let source = json!({"topic": "capture", "partition": 0, "offset": 5});
        assert_eq!(letter["source"], source, "{name}");
        assert_eq!(letter["ts_recv"], 1_767_571_200_000_000_005_i64);
        let kept = match letter["payload"].as_str() {
            Some(text) => text.as_bytes().to_vec(),
            None => from_hex(letter["payload_hex"].as_str().expect("text or hexadecimal")),
        };
        if case.reason == "oversized" {
            assert!(case.frame.starts_with(&kept[..15]), "{name}");
        } else {
            assert_eq!(kept, case.frame, "byte for byte");
        }
    }
}

fn from_hex(text: &str) -> Vec<u8> {
    let digits = |at| u8::from_str_radix(&text[at..at + 2], 16).expect("two digits");
    (0..text.len()).step_by(2).map(digits).collect()
}

#[test]
fn an_unreadable_frame_without_dead_letters_is_dropped_and_counted() {
    let folder = Folder::new("bad-dropped");
    for case in unreadable() {
        let (summary, _) = replay_among_valid(&folder, &case, false);
        assert_eq!(summary["dropped_by_reason"], json!({ case.reason: 1 }));
        assert_eq!(
            (&summary["dead_lettered"], &summary["used"]),
            (&json!(0), &json!(10))
        );
    }
}

#[test]
fn a_frame_that_the_pipeline_does_not_use_is_dropped_and_counted() {
    let folder = Folder::new("bad-not-ours");
    for case in unused() {
        let (summary, letters) = replay_among_valid(&folder, &case, true);
        let name = String::from_utf8_lossy(&case.frame).into_owned();
        assert_eq!(
            summary["dropped_by_reason"],
            json!({ case.reason: 1 }),
            "{name}"
        );
        assert_eq!(
            (&summary["used"], &summary["in"]),
            (&json!(10), &json!(11)),
            "{name}"
        );
        assert!(letters.is_empty(), "{name}: it is readable");
    }
}

#[test]
fn a_snapshot_without_an_instrument_is_dropped() {
    let folder = Folder::new("bad-snapshot");
    let bare = case(
        r#"{"lastUpdateId":5,"bids":[],"asks":[]}"#,
        "unnamed_snapshot",
    );
    let (summary, _) = replay_among_valid(&folder, &bare, true);
    assert_eq!(summary["dropped_by_reason"], json!({"unnamed_snapshot": 1}));
}

#[test]
fn a_clock_that_runs_back_is_counted_and_time_stands_still() {
    let folder = Folder::new("bad-backwards");
    let mut text = String::new();
    for (id, time) in [(1, 5_000), (2, 6_000), (3, 4_000), (4, 6_500), (5, 0)] {
        let time = 1_767_571_200_000_i64 + time;
        text += &format!(
            "{{\"e\":\"trade\",\"E\":{time},\"s\":\"BTCUSDT\",\"t\":{id},\"p\":\"1.5\",\"q\":\"2\",\"T\":{time},\"m\":false,\"M\":true}}\n"
        );
    }
    let pipeline = given::SMALL.replace("\"mid\"", "\"price\"");
    let (pipeline, capture) = (
        folder.write("p.toml", pipeline),
        folder.write("capture", text),
    );
    let args = [
        "replay".into(),
        pipeline,
        "--input".into(),
        capture,
        "--output".into(),
        "-".into(),
    ];
    let run = given::foretick(&args);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let times: Vec<i64> = run
        .stdout
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).unwrap()["ts_event"]
                .as_i64()
                .unwrap()
        })
        .map(|ts| ts / 1_000_000 - 1_767_571_200_000)
        .collect();
    assert_eq!(times, [5_000, 6_000, 6_000, 6_500, 6_500]);
    assert!(run.stderr.contains("2 backwards"), "{}", run.stderr);
    assert!(run.stderr.contains("sorted by time?"), "{}", run.stderr);
}

/// A recorder whose clock is behind the venue's stamps messages before the time at which they were sent.
#[test]
fn a_recorder_whose_clock_is_behind_changes_no_signal() {
    let folder = Folder::new("bad-behind");
    let text = given::capture(51, 4, &["BTCUSDT"]);
    let behind: String = text
        .lines()
        .map(|line| {
            let (stamp, rest) = line.split_once(' ').expect("a stamp comes first");
            let stamp: i64 = stamp.parse().expect("a stamp is a number");
            format!("{} {rest}\n", stamp - 1_273_000_000)
        })
        .collect();
    let pipeline = folder.write("p.toml", given::EVERY_KIND);
    let summary = |name: &str, text: &str| {
        let capture = folder.write(name, text);
        let args = [
            "replay".into(),
            pipeline.clone(),
            "--input".into(),
            capture,
            "--json".into(),
        ];
        let run = given::foretick(&args);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        serde_json::from_str::<Value>(&run.stdout).expect("a summary")
    };
    let (right, late) = (summary("right", &text), summary("behind", &behind));
    assert!(right["signals"].as_u64().is_some_and(|count| count > 20));
    assert_eq!(right["digest"], late["digest"]);
    assert_eq!(right["events"], late["events"]);
    let report = given::foretick(&["inspect".into(), "--json".into(), folder.path("behind")]);
    let report: Value = serde_json::from_str(&report.stdout).unwrap();
    assert!(
        report["delay_ns"][0]
            .as_i64()
            .is_some_and(|least| least < -1_200_000_000)
    );
}

/// Replays the bad frame as the sixth of eleven; gives the account and the dead letters.
fn replay_among_valid(folder: &Folder, case: &Case, keep: bool) -> (Value, Vec<Value>) {
    let mut text = vec![];
    for n in 0..11 {
        text.extend_from_slice(format!("{} ", 1_767_571_200_000_000_000_i64 + n).as_bytes());
        match n {
            5 => text.extend_from_slice(&case.frame),
            _ => {
                let good = trade(BITCOIN, r#""1.5""#, r#""2""#)
                    .replace(r#""t":9"#, &format!(r#""t":{}"#, n + 1));
                text.extend_from_slice(good.as_bytes());
            }
        }
        text.push(b'\n');
    }
    let pipeline = folder.write("p.toml", given::SMALL);
    let (capture, letters) = (folder.write("capture", text), folder.path("letters"));
    let mut args = vec![
        "replay".into(),
        pipeline,
        "--input".into(),
        capture,
        "--json".into(),
        "--max-unread".into(),
        "100".into(),
    ];
    if keep {
        args.extend(["--dead-letters".into(), letters, "--force".into()]);
    }
    for set in case.set {
        args.extend(["--set".into(), (*set).into()]);
    }
    let run = given::foretick(&args);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let summary: Value = serde_json::from_str(&run.stdout).expect("a summary");
    let parse = |line| serde_json::from_str(line).expect("a dead letter is JSON");
    let letters = if keep {
        folder.read("letters")
    } else {
        String::new()
    };
    (
        summary["frames"].clone(),
        letters.lines().map(parse).collect(),
    )
}
