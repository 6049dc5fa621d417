//! Gaps as records of `md.gaps.v1`: from the last proof to the proof that ends them.

use serde_json::{Value, json};

use super::feed::{START, depth, snapshot, trade};
use crate::given::{self, Folder};

const PIPELINE: &str = r#"
name = "gaps"
[row]
on = "trade"
[[feature]]
name = "imbalance"
kind = "queue_imbalance"
levels = 1
[model]
kind = "sum"
"#;

/// The gap records of these frames, received a millisecond after each other from the start on, on so many
/// shards. All are valid.
fn gaps(test: &str, frames: &[(&str, String)], shards: usize) -> Vec<Value> {
    let folder = Folder::new(test);
    let line = |(at, (mark, frame)): (usize, &(&str, String))| {
        format!("{}{mark} {frame}\n", (START + at as i64) * 1_000_000)
    };
    let lines: String = frames.iter().enumerate().map(line).collect();
    let (pipeline, input) = (
        folder.write("pipeline.toml", PIPELINE),
        folder.write("in.jsonl", lines),
    );
    let output = folder.path("gaps.jsonl");
    let run = given::foretick(&[
        "replay".as_ref(),
        pipeline.as_os_str(),
        "--input".as_ref(),
        input.as_os_str(),
        "--gaps".as_ref(),
        output.as_os_str(),
        "--set".as_ref(),
        format!("engine.shards={shards}").as_ref(),
    ]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let records = given::json_lines(&folder.read("gaps.jsonl"));
    let schema = std::fs::read_to_string(given::repository("schemas/md.gaps.v1.json"));
    let schema = serde_json::from_str(&schema.expect("the schema is there"));
    let validator = jsonschema::draft202012::new(&schema.expect("a schema is JSON"));
    let validator = validator.expect("a schema is a schema");
    for record in &records {
        let errors: Vec<_> = validator.iter_errors(record).collect();
        assert!(errors.is_empty(), "{record}: {errors:?}");
    }
    records
}

/// Input, reason, state, missing, and the suspect span in milliseconds after the start.
fn short(record: &Value) -> Value {
    let after = |field: &str| record[field].as_i64().map(|ts| ts / 1_000_000 - START);
    json!([
        record["input"],
        record["reason"],
        record["state"],
        record["missing"],
        after("suspect_from"),
        after("suspect_to"),
    ])
}

fn change(symbol: &str, ms: i64, id: u64) -> String {
    depth(symbol, ms, (id, id), r#"[["10","2"]]"#, "[]")
}

/// A book of an instrument, and a trade.
fn ready(symbol: &str) -> Vec<(&'static str, String)> {
    let frames = [
        change(symbol, 0, 100),
        snapshot(symbol, 100),
        change(symbol, 100, 101),
        trade(symbol, 110, 1),
    ];
    frames.map(|frame| ("", frame)).into()
}

fn control(text: &str) -> (&'static str, String) {
    ("", format!(r#"{{"foretick":"gap",{text}}}"#))
}

#[test]
fn a_book_is_suspect_from_its_last_update_to_the_splice() {
    let mut frames = ready("BTCUSDT");
    frames.push(("", trade("BTCUSDT", 250, 2)));
    frames.push(("", change("BTCUSDT", 300, 105)));
    frames.push(("", change("BTCUSDT", 400, 106)));
    frames.push(control(r#""reason":"reconnect""#));
    frames.push(("", change("BTCUSDT", 500, 107)));
    frames.push(("", snapshot("BTCUSDT", 107)));
    frames.push(("", change("BTCUSDT", 600, 108)));
    let records = gaps("gap-book", &frames, 1);
    assert_eq!(
        records.iter().map(short).collect::<Vec<_>>(),
        [
            json!(["book", "sequence", "open", 3, 100, null]),
            json!(["all", "reconnect", "open", null, 100, null]),
            json!(["all", "sequence", "closed", 3, 100, 500]),
        ]
    );
    let found = &records[0];
    assert_eq!(found["instrument"], "BTCUSDT.BINANCE");
    assert_eq!(found["venue"], "BINANCE");
    assert_eq!(found["pipeline"], "gaps");
    assert_eq!(found["ts_event"], (START + 300) * 1_000_000);
    assert_eq!(found["ts_recv"], (START + 5) * 1_000_000);
    let source = json!({"topic": "in.jsonl", "partition": 0, "offset": 5});
    assert_eq!(found["source"], source);
}

#[test]
fn missing_and_dropped_trades_are_over_with_the_next_one() {
    let mut frames = ready("BTCUSDT");
    frames.push(("", trade("BTCUSDT", 200, 5)));
    frames.push(control(
        r#""symbol":"BTCUSDT","venue":"BINANCE","reason":"overflow","missing":2"#,
    ));
    frames.push(("", change("BTCUSDT", 300, 102)));
    frames.push(("", trade("BTCUSDT", 400, 8)));
    // It began to number anew.
    frames.push(("", trade("BTCUSDT", 500, 1)));
    let expected = [
        json!(["trades", "sequence", "closed", 3, 110, 200]),
        json!(["trades", "overflow", "open", 2, 200, null]),
        json!(["trades", "sequence", "closed", 2, 200, 400]),
        json!(["trades", "overflow", "closed", 2, 200, 400]),
        json!(["trades", "renumbered", "closed", null, 400, 500]),
    ];
    for shards in [1, 3] {
        let records = gaps("gap-trades", &frames, shards);
        let shorts: Vec<_> = records.iter().map(short).collect();
        assert_eq!(shorts, expected, "{shards} shards");
    }
}

#[test]
fn a_gap_of_a_feed_is_one_of_each_instrument_on_any_number_of_shards() {
    let mut frames = vec![control(r#""reason":"reconnect""#)];
    for symbol in ["BTCUSDT", "ETHUSDT"] {
        frames.extend(ready(symbol));
    }
    // Without a book the next trade ends it.
    frames.push(("", trade("SOLUSDT", 150, 1)));
    frames.push(control(r#""reason":"reconnect""#));
    frames.push(("", trade("SOLUSDT", 250, 2)));
    frames.push(("", trade("ETHUSDT", 250, 2)));
    for shards in [1, 2, 3] {
        let records = gaps("gap-feed", &frames, shards);
        let mut shorts: Vec<_> = records
            .iter()
            .map(|record| format!("{} {}", record["instrument"], short(record)))
            .collect();
        shorts.sort_unstable();
        assert_eq!(
            shorts,
            [
                r#""BTCUSDT.BINANCE" ["all","reconnect","open",null,100,null]"#,
                r#""ETHUSDT.BINANCE" ["all","reconnect","open",null,100,null]"#,
                r#""SOLUSDT.BINANCE" ["all","reconnect","closed",null,150,250]"#,
                r#""SOLUSDT.BINANCE" ["all","reconnect","open",null,150,null]"#,
            ],
            "{shards} shards"
        );
    }
}

#[test]
fn gaps_of_reprocessed_frames_are_not_written_again() {
    let mut frames = ready("BTCUSDT");
    frames.push(("", change("BTCUSDT", 300, 105)));
    for frame in &mut frames {
        frame.0 = "?";
    }
    frames.push(("", change("BTCUSDT", 500, 106)));
    frames.push(("", snapshot("BTCUSDT", 106)));
    let records = gaps("gap-reprocessed", &frames, 1);
    let closed = json!(["book", "sequence", "closed", 3, 100, 500]);
    assert_eq!(records.iter().map(short).collect::<Vec<_>>(), [closed]);
}
