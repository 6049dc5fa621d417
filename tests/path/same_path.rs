//! The same capture gives byte-equal signals in any batches and on any number of shards.
//!
//! The same through Kafka is in `live.rs`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use foretick::frame::binary::wrapped;
use foretick::run::replay::{ReplayOptions, replay};
use foretick::signal::field::SignalField;

use crate::given::stocks;
use crate::{given, needs};

#[test]
fn a_simulated_capture_gives_the_same_signals_in_any_split() {
    let folder = given::Folder::new("same-simulated");
    let symbols = ["BTCUSDT", "ETHUSDT", "BNBUSDT", "SOLUSDT"];
    let capture = folder.write("capture", given::capture(5, 12, &symbols));
    let pipeline = folder.write("pipeline.toml", given::EVERY_KIND);
    let signals = same_in_any_split(&folder, &pipeline, &[], &[capture]);
    assert_eq!(signals.len(), symbols.len(), "every instrument has signals");
}

#[test]
fn lists_about_several_symbols_give_the_same_signals_in_any_split() {
    let folder = given::Folder::new("same-lists");
    let pipeline = folder.write("pipeline.toml", stocks::PIPELINE);
    let session = stocks::session(400);
    let line = |(at, frame): (usize, String)| {
        format!("{} {frame}\n", 1_771_511_400_000_000_000 + at as u64)
    };
    let text = session.iter().map(ToString::to_string);
    let packed = session.iter().map(|list| wrapped(&stocks::packed(list)));
    let mixed = session.iter().enumerate().map(|(at, list)| match at % 2 {
        0 => list.to_string(),
        _ => wrapped(&stocks::packed(list)),
    });
    let mut all = vec![];
    for lines in [text.collect::<Vec<_>>(), packed.collect(), mixed.collect()] {
        let lines: String = lines.into_iter().enumerate().map(line).collect();
        let capture = folder.write("capture", lines);
        all.push(same_in_any_split(&folder, &pipeline, &[], &[capture]));
    }
    assert_eq!(
        all[0].len(),
        stocks::SYMBOLS.len(),
        "every instrument has signals"
    );
    for word in ["ok", "stale", "degraded"] {
        let word = format!("\"{word}\"");
        let lines = all[0]
            .values()
            .flatten()
            .filter(|line| line.contains(&word));
        let count = lines.count();
        assert!(count > 10, "{count} {word}");
    }
    assert_eq!(all[0], all[1], "in MessagePack");
    assert_eq!(all[0], all[2], "in both");
}

/// Trades and books of two products in the same frames of one counted connection. Number 50 is missing, and
/// number 70 comes once more, late.
fn counted_connection() -> String {
    let mut lines = String::new();
    let mut write = |number: u64, at: u64| {
        let time = format!("2026-08-24T22:{:02}:{:02}.5Z", at / 60, at % 60);
        let trade = |product: &str, price: u64| {
            format!(
                r#"{{"trade_id":"{}","product_id":"{product}","price":"{price}.5","size":"1","side":"BUY","time":"{time}"}}"#,
                1_000 + number
            )
        };
        let book = |product: &str, price: u64, kind: &str| {
            format!(
                r#"{{"type":"{kind}","product_id":"{product}","updates":[{{"side":"bid","event_time":"{time}","price_level":"{price}","new_quantity":"{number}"}},{{"side":"offer","event_time":"{time}","price_level":"{}","new_quantity":"2"}}]}}"#,
                price + 1
            )
        };
        let kind = if number < 2 || number == 80 {
            "snapshot"
        } else {
            "update"
        };
        let (channel, events) = match number % 2 {
            0 => {
                let both = [("OAK-USD", 100), ("ELM-USD", 200)];
                let both = both.map(|(product, price)| book(product, price, kind));
                ("l2_data", both.join(","))
            }
            _ => {
                let both = [trade("OAK-USD", 100), trade("ELM-USD", 200)].join(",");
                let events = format!(r#"{{"type":"update","trades":[{both}]}}"#);
                ("market_trades", events)
            }
        };
        let nanos = 1_787_609_000_000_000_000 + at * 1_000_000_000;
        lines += &format!(
            r#"{nanos} {{"channel":"{channel}","timestamp":"{time}","sequence_num":{number},"events":[{events}]}}"#
        );
        lines.push('\n');
    };
    for number in (0..200).filter(|&number| number != 50) {
        write(number, number);
        if number == 75 {
            write(70, 75);
        }
    }
    lines
}

#[test]
fn frames_about_several_symbols_are_each_shards_own() {
    let folder = given::Folder::new("same-counted");
    let pipeline = folder.write("pipeline.toml", BOOK_ON_TRADE);
    let capture = folder.write("capture", counted_connection());
    let signals = same_in_any_split(&folder, &pipeline, &[], &[capture]);
    assert_eq!(signals.len(), 2, "both products have signals");
    for lines in signals.values() {
        let qualities: String = lines
            .iter()
            .map(|line| if line.contains("\"gap\"") { 'g' } else { 'o' })
            .collect();
        // From the trade behind the missing message to the new snapshot. The first book has no bid.
        assert_eq!(
            qualities,
            format!("{}{}{}", "o".repeat(24), "g".repeat(15), "o".repeat(60))
        );
    }
}

/// A book whose changes have no numbers of their own cannot show which of them was dropped here.
#[test]
fn an_overflow_breaks_a_book_without_numbers() {
    let folder = given::Folder::new("same-overflow");
    let pipeline = folder.write("pipeline.toml", BOOK_ON_TRADE);
    let mut lines: Vec<String> = counted_connection().lines().map(String::from).collect();
    let gap = r#"{"foretick":"gap","symbol":"ELM-USD","venue":"COINBASE","reason":"overflow","missing":1}"#;
    let at = lines
        .iter()
        .position(|line| line.contains(r#""sequence_num":20,"#));
    let at = at.expect("it is there");
    let stamp = lines[at].split(' ').next().expect("a time").to_owned();
    lines.insert(at, format!("{stamp} {gap}"));
    let capture = folder.write("capture", lines.join("\n"));
    let signals = same_in_any_split(&folder, &pipeline, &[], &[capture]);
    let first_gap = |name: &str| {
        let lines = &signals[name];
        lines.iter().position(|line| line.contains("\"gap\""))
    };
    // Trades have odd numbers; that of number 1 meets a book without bids.
    assert_eq!(first_gap("ELM-USD.COINBASE"), Some(9), "from number 21 on");
    assert_eq!(first_gap("OAK-USD.COINBASE"), Some(24), "from number 51 on");
}

const BOOK_ON_TRADE: &str = r#"
name = "counted"
[row]
on = "trade"
stale_after_ms = 60000
max_gap_ms = 60000
[[feature]]
name = "bids"
kind = "queue_imbalance"
levels = 1
[model]
kind = "sum"
"#;

#[test]
fn probabilities_of_a_linear_model_are_the_same_in_any_split() {
    let folder = given::Folder::new("same-linear");
    let capture = folder.write("capture", given::capture(6, 8, &["BTCUSDT", "SOLUSDT"]));
    let case = given::repository("tests/golden/linear-expanding/pipeline.toml");
    same_in_any_split(&folder, &case, &[], &[capture]);
}

#[test]
fn recorded_captures_give_the_same_signals_in_any_split() {
    let Some(data) = needs::data("recorded_captures_give_the_same_signals_in_any_split") else {
        return;
    };
    let folder = given::Folder::new("same-recorded");
    let spot = data.join("captures/binance-spot");
    let inputs = ["btcusdt_20240808.gz", "ethusdt_20240808.gz"].map(|name| spot.join(name));
    let pipeline = folder.write("pipeline.toml", given::EVERY_KIND);
    same_in_any_split(&folder, &pipeline, &[], &inputs);
}

#[test]
fn an_onnx_model_gives_the_same_signals_in_any_split() {
    if !needs::onnx("an_onnx_model_gives_the_same_signals_in_any_split") {
        return;
    }
    let folder = given::Folder::new("same-onnx");
    let plan = folder.pipeline(&given::small_onnx(), &[]).plan;
    let model = given::onnx::Graph::of(plan.names(), plan.sha256(), 8);
    folder.write("model.onnx", model.bytes());
    let capture = folder.write("capture", given::capture(7, 12, &["BTCUSDT", "ETHUSDT"]));
    same_in_any_split(&folder, &folder.path("pipeline.toml"), &[], &[capture]);
}

#[test]
fn price_direction_gives_the_same_signals_in_any_split() {
    let test = "price_direction_gives_the_same_signals_in_any_split";
    let pipeline = given::repository("pipelines/price-direction");
    if !needs::onnx(test) || !needs::file(test, &pipeline.join("model.onnx")) {
        return;
    }
    let folder = given::Folder::new("same-direction");
    let capture = folder.write("capture", given::capture(7, 14, &["BTCUSDT", "ETHUSDT"]));
    for (set, name) in [
        ("auto", "slide"),
        ("plain", "plain"),
        ("carried", "carried"),
    ] {
        let set = format!("model.window={set}");
        let loaded = given::load(&pipeline, &[&set]).load_model();
        assert_eq!(
            loaded.expect("the shipped model loads").strategy.name(),
            name
        );
        same_in_any_split(&folder, &pipeline, &[&set], std::slice::from_ref(&capture));
    }
}

#[test]
fn a_changed_price_changes_the_digest() {
    let folder = given::Folder::new("same-changed");
    let text = given::capture(5, 3, &["BTCUSDT"]);
    let last = text.rfind(r#""e":"trade""#).expect("a trade");
    let at = last + text[last..].find(r#""p":"9"#).expect("its price") + 5;
    let mut changed = text.clone();
    changed.replace_range(at..=at, "8");
    let pipeline = folder.pipeline(given::SMALL, &[]);
    let digest = |name: &str, text: &str| {
        let inputs = vec![folder.write(name, text)];
        let options = ReplayOptions {
            inputs,
            ..ReplayOptions::default()
        };
        replay(&pipeline, &options).unwrap().digest
    };
    // No feature of this pipeline uses the price of a trade, only its signed size.
    assert_eq!(digest("a", &text), digest("b", &changed));
    let pipeline = folder.pipeline(&given::SMALL.replace("\"mid\"", "\"price\""), &[]);
    let digest = |name: &str| {
        let options = ReplayOptions {
            inputs: vec![folder.path(name)],
            ..ReplayOptions::default()
        };
        replay(&pipeline, &options).unwrap().digest
    };
    assert_ne!(digest("a"), digest("b"));
}

/// Replays in every split, compares the signals of each instrument with the first replay, byte by byte, and
/// returns them.
fn same_in_any_split(
    folder: &given::Folder,
    pipeline: &Path,
    set: &[&str],
    inputs: &[PathBuf],
) -> BTreeMap<String, Vec<String>> {
    let fields = format!("sink.fields={:?}", of_the_capture());
    let mut first: Option<(String, BTreeMap<String, Vec<String>>)> = None;
    for (shards, batch) in SPLITS {
        let split = [
            format!("engine.shards={shards}"),
            format!("engine.batch={batch}"),
            fields.clone(),
        ];
        let mut all: Vec<&str> = split.iter().map(String::as_str).collect();
        all.extend_from_slice(set);
        let options = ReplayOptions {
            inputs: inputs.to_vec(),
            output: Some(folder.path("signals.jsonl")),
            ..ReplayOptions::default()
        };
        let summary = replay(&given::load(pipeline, &all), &options).expect("a sound replay");
        assert!(summary.frames.balances(), "{:?}", summary.frames);
        assert!(summary.signals > 100, "there is something to compare");
        let signals = by_instrument(&folder.path("signals.jsonl"));
        let (digest, expected) = first.get_or_insert((summary.digest.clone(), signals.clone()));
        for (name, lines) in &signals {
            let first = expected
                .get(name)
                .expect("an instrument of the first split");
            let differs = lines.iter().zip(first).position(|(a, b)| a != b);
            assert_eq!(differs, None, "{shards} shards, batches of {batch}: {name}");
            assert_eq!(lines.len(), first.len(), "{shards} shards, {batch}: {name}");
        }
        assert_eq!(signals.len(), expected.len());
        assert_eq!(
            *digest, summary.digest,
            "{shards} shards, batches of {batch}"
        );
    }
    first.expect("there are splits").1
}

/// Shards, and frames in a batch.
const SPLITS: [(usize, usize); 10] = [
    (1, 1),
    (1, 7),
    (1, 4096),
    (2, 1),
    (2, 7),
    (2, 4096),
    (3, 7),
    (4, 1),
    (4, 7),
    (4, 4096),
];

/// All fields except the clock readings of a run.
fn of_the_capture() -> Vec<&'static str> {
    let names = SignalField::ALL.iter().map(|field| field.0);
    names
        .filter(|name| !["ts_out", "latency_ns"].contains(name))
        .collect()
}

/// The lines of each instrument, in order.
fn by_instrument(path: &Path) -> BTreeMap<String, Vec<String>> {
    let mut keys = BTreeMap::<String, Vec<String>>::new();
    for line in fs::read_to_string(path)
        .expect("signals were written")
        .lines()
    {
        let (_, rest) = line
            .split_once(r#""instrument":""#)
            .expect("the field is configured");
        let (name, _) = rest.split_once('"').expect("text ends");
        keys.entry(name.to_owned())
            .or_default()
            .push(line.to_owned());
    }
    keys
}
