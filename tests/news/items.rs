//! News items through the whole engine: each is scored, or dropped and counted by its reason, the same in any
//! batch.

use std::collections::BTreeMap;

use arrow_array::{Float64Array, StringArray};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Value, json};

use crate::given::{self, Folder};

/// A pipeline whose score is the sum of a headline's word pieces, which shows the input of the model.
const SUM: &str = r#"
name = "news"

[source]
topics = ["news.items.v1"]
max_frame_bytes = 4096

[row]
on = "news"

[news]
vocabulary = "vocab.txt"
names = "names.csv"
half_life_ms = 3_600_000

[[feature]]
name = "token"
kind = "tokens"
max_tokens = 8

[model]
kind = "sum"
normalise = "none"
"#;

const VOCABULARY: &str = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n$\nup\ndown\na\n##a\n##aa\n";
const HOUR: i64 = 3_600_000_000_000;
/// Hours from 1970 to August 2023.
const START: i64 = 470_000;

fn folder(test: &str) -> Folder {
    let folder = Folder::new(test);
    folder.write("vocab.txt", VOCABULARY);
    folder.write(
        "names.csv",
        "symbol,cashtag,names\nA.X,AAA,Alpha\nB.X,BBB,Beta\n",
    );
    folder.write("pipeline.toml", SUM);
    folder
}

/// Signals, dead letters by reason, and all counts of a replay.
fn replay(
    folder: &Folder,
    lines: &str,
    set: &[&str],
) -> (Vec<Value>, BTreeMap<String, usize>, Value) {
    folder.write("events.jsonl", lines);
    let [pipeline, events, to, dead] = ["pipeline.toml", "events.jsonl", "out.jsonl", "dead.jsonl"]
        .map(|name| folder.path(name).to_str().expect("text").to_owned());
    let mut args = vec!["replay", &pipeline, "--input", &events, "--output", &to];
    args.extend([
        "--dead-letters",
        &dead,
        "--json",
        "--force",
        "--max-unread",
        "100",
    ]);
    for one in set {
        args.extend(["--set", one]);
    }
    let done = given::foretick(&args);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    let values = |name: &str| -> Vec<Value> {
        let text = folder.read(name);
        let lines = text
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"));
        lines.collect()
    };
    let mut letters = BTreeMap::new();
    for letter in values("dead.jsonl") {
        *letters
            .entry(
                letter["error"]
                    .as_str()
                    .expect("a letter has its reason")
                    .to_owned(),
            )
            .or_default() += 1;
    }
    let summary = serde_json::from_str(&done.stdout).expect("the summary is JSON");
    (values("out.jsonl"), letters, summary)
}

fn item(hour: i64, id: &str, headline: &str) -> Value {
    json!({"ts_event": (START + hour) * HOUR, "id": id, "headline": headline})
}

#[test]
fn each_signal_has_the_decayed_average() {
    let folder = folder("news-average");
    let lines = [
        item(1, "1", "$AAA up"),
        item(2, "2", "Alpha and Beta down"),
        item(3, "1", "$AAA up up up"),
    ];
    let mut lines: Vec<Value> = lines.to_vec();
    lines[2]["revision"] = json!(1);
    let lines: Vec<String> = lines.iter().map(Value::to_string).collect();
    let (signals, letters, summary) = replay(&folder, &lines.join("\n"), &[]);
    assert!(letters.is_empty(), "{letters:?}");
    let scores: Vec<(&str, f64, f64, f64)> = signals
        .iter()
        .map(|signal| {
            let number = |value: &Value| value.as_f64().expect("a number");
            (
                signal["instrument"].as_str().expect("text"),
                number(&signal["score"]),
                number(&signal["sentiment"]["average"]),
                number(&signal["sentiment"]["weight"]),
            )
        })
        .collect();
    // [CLS] $ a ##aa up [SEP]; [CLS] unknown up [SEP] and so on.
    let (first, second) = (scores[0].1, scores[1].1);
    assert_eq!(scores[0], ("A.X", first, first, 1.0));
    let average = (0.5 * first + second) / 1.5;
    assert_eq!((scores[1].0, scores[1].3), ("A.X", 1.5));
    assert!((scores[1].2 - average).abs() < 1e-12, "{scores:?}");
    assert_eq!(
        scores[2],
        ("B.X", second, second, 1.0),
        "scored once, published for two instruments"
    );
    let revised = (0.5 * second + scores[3].1) / 1.5;
    assert!(
        (scores[3].2 - revised).abs() < 1e-12,
        "the score of the revised item is withdrawn: {scores:?}"
    );
    assert_eq!(summary["events"]["records"], 4, "{summary}");
    assert_eq!(summary["events"]["restated"], 1, "{summary}");
}

#[test]
fn a_revision_withdraws_the_former_scores() {
    let folder = folder("news-withdrawn");
    let mut lines = [
        item(1, "moves", "Alpha up"),
        item(1, "copy", "Beta and Alpha down down a"),
        item(2, "moves", "Beta up"),
        item(3, "later", "Alpha a a a"),
        item(4, "moves", "Beta and Alpha down down a"),
        item(5, "last", "Beta a a a a"),
        item(6, "moves", "nobody up"),
        item(7, "gone", "Beta up up down aa"),
    ];
    for (at, revision) in [(2, 1), (4, 2), (6, 3)] {
        lines[at]["revision"] = json!(revision);
    }
    let lines: Vec<String> = lines.iter().map(Value::to_string).collect();
    for batch in ["1", "3", "64"] {
        let set = format!("engine.batch={batch}");
        let (signals, _, summary) = replay(&folder, &lines.join("\n"), &[&set]);
        let weights: Vec<(i64, &str, f64)> = signals
            .iter()
            .map(|signal| {
                let hour = signal["ts_event"].as_i64().expect("a time") / HOUR - START;
                let weight = signal["sentiment"]["weight"].as_f64().expect("a number");
                (hour, signal["instrument"].as_str().expect("text"), weight)
            })
            .collect();
        let expected = [
            (1, "A.X", 1.0),
            (1, "B.X", 1.0),
            (1, "A.X", 2.0),
            (2, "B.X", 1.5),
            // Of Alpha the copy alone is left ...
            (3, "A.X", 1.25),
            // ... and of Beta too, after the revision of the item.
            (5, "B.X", 1.0625),
            (7, "B.X", 1.0 + 0.25 + 0.015_625),
        ];
        assert_eq!(weights, expected, "{batch}");
        // Moved; withdrawn from Alpha; withdrawn from Beta, a copy now.
        assert_eq!(summary["events"]["restated"], 3, "{summary}");
    }
}

#[test]
fn parquet_output_has_the_same_averages() {
    let folder = folder("news-table");
    let lines = [item(1, "a", "$AAA up"), item(2, "b", "Alpha down")];
    let lines: Vec<String> = lines.iter().map(Value::to_string).collect();
    let (signals, ..) = replay(&folder, &lines.join("\n"), &[]);
    let [pipeline, events, to] = ["pipeline.toml", "events.jsonl", "out.parquet"]
        .map(|name| folder.path(name).to_str().expect("text").to_owned());
    let done = given::foretick(&["replay", &pipeline, "--input", &events, "--output", &to]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    let file = std::fs::File::open(&to).expect("it was written");
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).expect("it is Parquet");
    let mut batches = reader.build().expect("it can be read");
    let batch = batches.next().expect("there are rows").expect("rows");
    let column = |name: &str| batch.column_by_name(name).expect("the column is there");
    let number = |name: &str, at: usize| {
        let numbers = column(name).as_any().downcast_ref::<Float64Array>();
        numbers.expect("numbers").value(at)
    };
    let items = column("item").as_any().downcast_ref::<StringArray>();
    let items = items.expect("text");
    assert_eq!(batch.num_rows(), 2);
    for (at, signal) in signals.iter().enumerate() {
        assert_eq!(signal["item"], items.value(at));
        let sentiment = &signal["sentiment"];
        assert_eq!(
            sentiment["average"].as_f64(),
            Some(number("sentiment_average", at))
        );
        assert_eq!(
            sentiment["weight"].as_f64(),
            Some(number("sentiment_weight", at))
        );
    }
    // The published SHA-256 of "a".
    assert_eq!(items.value(0), "ca978112ca1bbdca");
}

#[test]
fn each_bad_item_has_its_own_error() {
    let folder = folder("news-bad");
    let long = format!("$AAA {}", "up ".repeat(30_000));
    let lines = [
        item(1, "1", "$AAA up").to_string(),
        item(1, "1", "$AAA down").to_string(),
        item(2, "2", "$AAA - up!").to_string(),
        item(2, "3", "$CCC up").to_string(),
        json!({"ts_event": (START + 2) * HOUR, "id": "4", "headline": "$AAA hoch", "language": "de"})
            .to_string(),
        item(2, "5", "株価が上がる $AAA").to_string(),
        item(2, "6", "").to_string(),
        item(2, "7", &long).to_string(),
        "{\"ts_event\":1700000000000000001,\"id\":\"8\",\"headline\":\"$AAA \u{1}\"}".to_owned(),
        r#"{"ts_event":1700000000000000001,"id":"9","headline":7}"#.to_owned(),
        r#"{"ts_event":1700000000000000001,"id":"10"}"#.to_owned(),
        item(3, "11", "$AAA down down a a a a a a a a").to_string(),
    ];
    let mut bytes = lines.join("\n").into_bytes();
    bytes.extend_from_slice(
        b"\n{\"ts_event\":1700000000000000001,\"id\":\"12\",\"headline\":\"$AAA \xff\"}",
    );
    let text = bytes;
    folder.write("events.jsonl", &text);
    let [pipeline, events, to, dead] = ["pipeline.toml", "events.jsonl", "out.jsonl", "dead.jsonl"]
        .map(|name| folder.path(name).to_str().expect("text").to_owned());
    let done = given::foretick(&[
        "replay",
        &pipeline,
        "--input",
        &events,
        "--output",
        &to,
        "--dead-letters",
        &dead,
        "--json",
        "--max-unread",
        "100",
    ]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    let summary: Value = serde_json::from_str(&done.stdout).expect("the summary is JSON");
    let frames = &summary["frames"];
    let buried = json!({"malformed": 1, "missing_field": 1, "not_utf8": 1, "out_of_range": 1, "oversized": 1, "wrong_type": 1});
    assert_eq!(frames["dead_lettered_by_reason"], buried, "{frames}");
    let dropped =
        json!({"near_duplicate": 1, "no_instrument": 1, "old_revision": 1, "other_language": 2});
    assert_eq!(frames["dropped_by_reason"], dropped, "{frames}");
    assert_eq!(frames["used"], 2, "{frames}");
    let signals = folder.read("out.jsonl");
    let last: Value = serde_json::from_str(signals.lines().last().expect("two")).expect("JSON");
    assert_eq!(last["quality"], "degraded", "cut at its end: {last}");
}

#[test]
fn signals_do_not_depend_on_the_batch() {
    let folder = folder("news-batches");
    let mut lines = vec![];
    for at in 0..600_i64 {
        let who = ["$AAA", "$BBB", "Alpha Beta"][at as usize % 3];
        let words = ["up", "down", "a", "aa", "aaa"];
        let mut rest = at * 7919;
        let mut text = who.to_owned();
        while rest > 0 {
            text += " ";
            text += words[rest as usize % 5];
            rest /= 5;
        }
        let mut item = item(at / 3, &(at % 450).to_string(), &text);
        item["revision"] = json!(at / 450);
        lines.push(item.to_string());
    }
    let digest = |set: &[&str]| {
        let (signals, _, summary) = replay(&folder, &lines.join("\n"), set);
        assert!(signals.len() > 20, "{}", signals.len());
        summary["digest"].as_str().expect("a digest").to_owned()
    };
    let expected = digest(&["engine.batch=1"]);
    for batch in ["2", "7", "64"] {
        assert_eq!(
            digest(&[&format!("engine.batch={batch}")]),
            expected,
            "{batch}"
        );
    }
}

#[test]
fn the_error_names_the_key_at_fault() {
    let folder = folder("news-config");
    for (from, to, message) in [
        ("vocab.txt\"", "none.txt\"", "while reading"),
        ("max_tokens = 8", "max_tokens = 2", "4..=512"),
        (
            "half_life_ms = 3_600_000",
            "half_life_ms = 0",
            "half_life_ms",
        ),
        ("on = \"news\"", "on = \"trade\"", "on = \"news\""),
        (
            "[model]",
            "[engine]\nshards = 2\n\n[model]",
            "`shards` must be 1",
        ),
    ] {
        folder.write("pipeline.toml", SUM.replace(from, to));
        let path = folder.path("pipeline.toml");
        let done = given::foretick(&["check", path.to_str().expect("text")]);
        assert_ne!(done.code, Some(0), "{to}");
        assert!(done.stderr.contains(message), "{to}: {}", done.stderr);
    }
}
