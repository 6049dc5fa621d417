//! Real messages of Binance's USD-M futures: none is taken for one of the spot market, whatever stream is
//! alone in a capture, and each change of a book follows the one before.

use std::fs;
use std::io::Read;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use crate::given::{Folder, foretick};
use crate::needs;
use crate::replayed::{START, replay};

#[test]
fn a_session_of_four_futures_has_no_gap() {
    let Some(data) = needs::data("a_session_of_four_futures_has_no_gap") else {
        return;
    };
    let recorded = data.join("captures/cryptofeed");
    // A message is recorded as `seconds: {…}`, the answer to a request as `address -> seconds: {…}`. All
    // futures have numbers of one series, so that an answer needs its symbol.
    let mut frames = vec![];
    for name in ["BINANCE_FUTURES.ws.1.0", "BINANCE_FUTURES.http.0.0"] {
        let text = fs::read_to_string(recorded.join(name)).expect("a recording is text");
        for line in text.lines().filter(|line| line.contains(": {")) {
            let (address, line) = line.split_once(" -> ").unwrap_or(("", line));
            let (seconds, frame) = line.split_once(": ").expect("a time stands before a frame");
            let seconds: f64 = seconds.parse().expect("a time in seconds");
            let symbol = address.split_once("symbol=").map(|(_, rest)| rest);
            let symbol = symbol.and_then(|rest| rest.split('&').next());
            let frame = match symbol.map(str::to_ascii_lowercase) {
                Some(symbol) => {
                    format!(r#"{{"stream":"{symbol}@depth_snapshot","data":{frame}}}"#)
                }
                None => frame.to_owned(),
            };
            frames.push(((seconds * 1e9) as i64, frame));
        }
    }
    frames.sort();
    let lines = frames.iter().map(|(at, frame)| format!("{at} {frame}\n"));
    let report = inspect(&lines.collect::<String>());
    assert_eq!(report["frames"], 1_539);
    assert_eq!(
        report["events"],
        json!({"agg_trade": 91, "depth": 764, "quote": 613, "snapshot": 4})
    );
    assert_eq!(report["errors"], json!({"unknown_type": 67}), "klines");
    assert_eq!(report["gaps"], 0);
    assert_eq!(report["crossed"], 0);
    let compared = &report["book_vs_quote"];
    assert_eq!(compared, &json!({"compared": 719, "equal": 719}));
    let symbols = ["AKROUSDT", "CTKUSDT", "KEEPUSDT", "SUSHIUSDT"];
    assert_eq!(
        instruments(&report),
        symbols.map(|s| format!("{s}.BINANCE_USDM"))
    );
}

#[test]
fn a_stream_alone_shows_its_market() {
    let Some(data) = needs::data("a_stream_alone_shows_its_market") else {
        return;
    };
    let usdm = unpacked(&data.join("captures/binance-usdm/btcusdt_20240808.gz"));
    let spot = unpacked(&data.join("captures/binance-spot/btcusdt_20240808.gz"));
    for (text, name) in [(&usdm, "BTCUSDT.BINANCE_USDM"), (&spot, "BTCUSDT.BINANCE")] {
        for stream in ["@trade", "@bookTicker", "@depth"] {
            let of_stream = text.lines().filter(|line| line.contains(stream)).take(500);
            // With the stream's name and without it.
            for bare in [false, true] {
                let written = of_stream.clone().map(|line| match bare {
                    true => format!("{}\n", line.split_once("\"data\":").expect("combined").1),
                    false => format!("{line}\n"),
                });
                let trimmed = written.map(|line| match bare {
                    true => line.replace("}}\n", "}\n"),
                    false => line,
                });
                let report = inspect(&trimmed.collect::<String>());
                assert_eq!(report["errors"], json!({}), "{stream} of {name}");
                assert_eq!(instruments(&report), [name], "{stream}, bare: {bare}");
            }
        }
    }
}

/// Between its trades the venue sends numbers that no trade has, with price and size zero.
#[test]
fn a_number_without_a_trade_is_no_trade_and_is_not_missing() {
    let trade = |id: i64, price: &str, kind: &str| {
        let ms = START / 1_000_000 + id;
        let size = if price == "0" { "0" } else { "1" };
        format!(
            r#"{{"e":"trade","E":{ms},"T":{ms},"s":"BTCUSDT","t":{id},"p":"{price}","q":"{size}","X":"{kind}","m":false,"st":1}}"#
        )
    };
    let lines = [
        trade(5, "100", "MARKET"),
        trade(6, "0", "NA"),
        trade(7, "101", "MARKET"),
        trade(8, "60", "INSURANCE_FUND"),
        trade(9, "0", "NA"),
        trade(9, "0", "NA"),
        trade(10, "102", "MARKET"),
        trade(12, "0", "NA"),
        trade(13, "103", "MARKET"),
    ];
    let run = replay("price", "trade", &lines);
    assert!(run.dead_letters.is_empty(), "{:?}", run.dead_letters);
    let qualities = ["100.0 ok", "101.0 ok", "102.0 ok", "103.0 gap"];
    assert_eq!(run.with_quality(), qualities, "number 11 is missing");
    let report = inspect(&lines.map(|line| line + "\n").concat());
    assert_eq!(report["events"], json!({"skipped_trade": 5, "trade": 4}));
    assert_eq!(
        (&report["gaps"], &report["missing"]),
        (&json!(1), &json!(1))
    );
}

fn unpacked(path: &std::path::Path) -> String {
    let mut text = String::new();
    let file = fs::File::open(path).expect("the capture is there");
    let mut gzip = flate2::read::GzDecoder::new(file);
    gzip.read_to_string(&mut text).expect("a capture is text");
    text
}

fn inspect(capture: &str) -> Value {
    static RUNS: AtomicU64 = AtomicU64::new(0);
    let number = RUNS.fetch_add(1, Ordering::Relaxed);
    let folder = Folder::new(&format!("usdm-{number}"));
    let path = folder.write("capture", capture);
    let run = foretick(&["inspect".into(), "--json".into(), path.into_os_string()]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    serde_json::from_str(&run.stdout).expect("a report in JSON")
}

fn instruments(report: &Value) -> Vec<String> {
    let names = report["instruments"].as_array().expect("a list of names");
    let names = names.iter().map(|name| name.as_str().expect("a name"));
    let mut names: Vec<String> = names.map(str::to_owned).collect();
    names.sort();
    names
}
