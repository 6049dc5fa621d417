//! `inspect` reads a capture of any venue without being told whose it is, and shows what the venue proves.

use std::fs;

use serde_json::{Value, json};

use crate::given::{Folder, foretick};
use crate::needs;

fn inspect(name: &str, capture: &str) -> Value {
    let folder = Folder::new(&format!("inspected-{name}"));
    let path = folder.write("capture.jsonl", capture);
    let run = foretick(&["inspect".into(), "--json".into(), path.into_os_string()]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    serde_json::from_str(&run.stdout).expect("a report in JSON")
}

#[test]
fn every_venue_is_recognised_and_its_proof_shown() {
    let Some(data) = needs::data("every_venue_is_recognised_and_its_proof_shown") else {
        return;
    };
    let sequence = |first: u64, last: u64| json!({"first": first, "last": last, "missing": 0});
    let none = json!({"first": null, "last": null, "missing": 0});
    for (name, venue, sums, numbers) in [
        ("coinbase_l2", "COINBASE", 0, sequence(0, 11)),
        ("kraken_book", "KRAKEN", 4, none),
        (
            "okx_books",
            "OKX",
            0,
            sequence(80_274_874_800, 80_274_875_033),
        ),
        (
            "bybit_orderbook",
            "BYBIT",
            0,
            sequence(217_107_084, 217_107_092),
        ),
        (
            "binance_us_depth",
            "BINANCE",
            0,
            sequence(3_297_892_529, 3_297_892_634),
        ),
    ] {
        let capture = data.join(format!("captures/frames/{name}.jsonl"));
        let report = inspect(name, &fs::read_to_string(capture).unwrap());
        assert_eq!(report["venue"], venue);
        assert_eq!(report["sequence"], numbers, "{name}");
        assert_eq!(
            report["checksums"],
            json!({"compared": sums, "equal": sums})
        );
        for nothing in ["gaps", "missing", "crossed"] {
            assert_eq!(report[nothing], 0, "{name}: {nothing}");
        }
        assert_eq!(report["errors"], json!({}), "{name}");
    }
}

#[test]
fn a_frame_that_is_missing_or_wrong_shows() {
    let Some(data) = needs::data("a_frame_that_is_missing_or_wrong_shows") else {
        return;
    };
    let read = |name: &str| {
        fs::read_to_string(data.join(format!("captures/frames/{name}.jsonl"))).unwrap()
    };
    // Each frame but the first, which nothing shows, and the last, which nothing can show.
    let coinbase = read("coinbase_l2");
    let lines: Vec<&str> = coinbase.lines().collect();
    for left_out in 1..lines.len() - 1 {
        let kept = lines.iter().enumerate().filter(|(at, _)| *at != left_out);
        let capture: String = kept.map(|(_, line)| format!("{line}\n")).collect();
        let report = inspect("coinbase-lost", &capture);
        let sequence = json!({"first": 0, "last": 11, "missing": 1});
        assert_eq!(report["sequence"], sequence, "{left_out}");
        assert_eq!(
            (&report["gaps"], &report["frames"]),
            (&1.into(), &11.into())
        );
    }
    let kraken = read("kraken_book").replace("0.34775324", "0.34775325");
    let report = inspect("kraken-wrong", &kraken);
    assert_eq!(report["checksums"], json!({"compared": 2, "equal": 1}));
    assert_eq!(report["gaps"], 1);
}

#[test]
fn a_capture_of_several_venues_names_all_of_them() {
    let Some(data) = needs::data("a_capture_of_several_venues_names_all_of_them") else {
        return;
    };
    let frames = ["kraken_book", "coinbase_l2"].map(|name| {
        fs::read_to_string(data.join(format!("captures/frames/{name}.jsonl"))).unwrap()
    });
    let report = inspect("several", &frames.concat());
    assert_eq!(report["venue"], json!(["COINBASE", "KRAKEN"]));
    assert_eq!(report["by_instrument"]["BTC/USD.KRAKEN"]["events"], 4);
}
