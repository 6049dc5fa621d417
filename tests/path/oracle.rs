//! Figures of the recorded captures that were computed without Foretick and are stated beside the data.

use serde_json::Value;

use crate::{given, needs};

#[test]
fn the_rebuilt_book_equals_the_quotes_of_the_venue() {
    let Some(data) = needs::data("the_rebuilt_book_equals_the_quotes_of_the_venue") else {
        return;
    };
    let spot = data.join("captures/binance-spot");
    let bitcoin = inspect(&[
        spot.join("btcusdt_20240808.gz"),
        spot.join("btcusdt_20240809.gz"),
    ]);
    assert_eq!(bitcoin["splice_dropped"], 2);
    assert_eq!(bitcoin["gaps"], 0);
    assert_eq!(bitcoin["crossed"], 0);
    assert_eq!(bitcoin["errors"], serde_json::json!({}));
    assert_eq!(bitcoin["book_vs_quote"]["compared"], 6_492);
    assert_eq!(bitcoin["book_vs_quote"]["equal"], 6_490);
    assert_eq!(
        bitcoin["instruments"],
        serde_json::json!(["BTCUSDT.BINANCE"])
    );

    let ether = inspect(&[spot.join("ethusdt_20240808.gz")]);
    assert_eq!(ether["gaps"], 0);
    assert_eq!(ether["events"]["depth"], 3_434);
    assert_eq!(
        ether["book_vs_quote"]["compared"], ether["book_vs_quote"]["equal"],
        "in every update"
    );
}

#[test]
fn the_recorder_clock_is_behind_the_venue_clock() {
    let Some(data) = needs::data("the_recorder_clock_is_behind_the_venue_clock") else {
        return;
    };
    let report = inspect(&[data.join("captures/binance-spot/btcusdt_20240808.gz")]);
    let least = report["delay_ns"][0]
        .as_i64()
        .expect("a number of nanoseconds");
    assert!(
        (-1_280_000_000..=-1_270_000_000).contains(&least),
        "some 1.273 s behind, and so below zero: {least}"
    );
}

#[test]
fn the_rebuilt_book_of_futures_equals_their_quotes() {
    let Some(data) = needs::data("the_rebuilt_book_of_futures_equals_their_quotes") else {
        return;
    };
    let report = inspect(&[data.join("captures/binance-usdm/btcusdt_20240808.gz")]);
    assert_eq!(report["errors"], serde_json::json!({}));
    assert_eq!(
        report["events"],
        serde_json::json!({"depth": 6_551, "quote": 66_089, "snapshot": 1, "trade": 21_313})
    );
    assert_eq!(report["splice_dropped"], 4);
    assert_eq!(
        (&report["gaps"], &report["crossed"]),
        (&0.into(), &0.into())
    );
    let compared = &report["book_vs_quote"];
    assert_eq!(
        compared,
        &serde_json::json!({"compared": 6_544, "equal": 6_544})
    );
    let instruments = serde_json::json!(["BTCUSDT.BINANCE_USDM"]);
    assert_eq!(report["instruments"], instruments);
}

fn inspect(captures: &[std::path::PathBuf]) -> Value {
    let mut args = vec!["inspect".into(), "--json".into()];
    args.extend(captures.iter().map(|path| path.as_os_str().to_owned()));
    let run = given::foretick(&args);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    serde_json::from_str(&run.stdout).expect("a report in JSON")
}
