//! Features against a slow twin, on recorded captures, to 1e-9.
//!
//! The twin (`slow_twin/naive.rs`) keeps everything that ever happened to an instrument and works out a
//! row from the very beginning; here the two are run side by side and compared.

#[path = "slow_twin/naive.rs"]
mod naive;

use std::path::PathBuf;
use std::sync::Arc;

use foretick::engine::row::RowTrigger;
use foretick::engine::row_maker::RowMaker;
use foretick::event::Batch;
use foretick::source::file::FileSource;

use self::naive::Naive;
use crate::{given, needs};

/// Every so many rows are worked out from the beginning: that takes long.
const EVERY: u64 = 40;
const TOLERANCE: f64 = 1e-9;

#[test]
fn features_on_book_changes_equal_their_slow_twin() {
    let Some(data) = needs::data("features_on_book_changes_equal_their_slow_twin") else {
        return;
    };
    let spot = data.join("captures/binance-spot");
    let bitcoin = ["btcusdt_20240808.gz", "btcusdt_20240809.gz"].map(|name| spot.join(name));
    compare("row.on=\"book\"", RowTrigger::Book, &bitcoin, EVERY);
    compare(
        "row.on=\"book\"",
        RowTrigger::Book,
        &[spot.join("ethusdt_20240808.gz")],
        EVERY,
    );
}

#[test]
fn features_on_trades_equal_their_slow_twin() {
    let Some(data) = needs::data("features_on_trades_equal_their_slow_twin") else {
        return;
    };
    let ether = data.join("captures/binance-spot/ethusdt_20240808.gz");
    compare("row.on=\"trade\"", RowTrigger::Trade, &[ether], EVERY);
}

#[test]
fn features_on_quotes_of_the_simulator_equal_their_slow_twin() {
    let folder = given::Folder::new("twin-simulated");
    let capture = folder.write("capture", given::capture(3, 12, &["ETHUSDT"]));
    compare("row.on=\"quote\"", RowTrigger::Quote, &[capture], 7);
}

/// Runs both over captures of one instrument.
fn compare(on: &str, trigger: RowTrigger, inputs: &[PathBuf], every: u64) {
    let folder = given::Folder::new(&format!("twin-{}", on.len() + inputs.len()));
    let pipeline = folder.pipeline(given::EVERY_KIND, &[on]);
    let mut source = FileSource::open(inputs, 4 << 20).expect("the captures are there");
    let mut decoder = pipeline.decoder();
    let mut rows = RowMaker::new(Arc::clone(&pipeline.plan), pipeline.rules);
    let mut twin = Naive::new(&pipeline.file.features, trigger);
    let (mut batch, mut cells) = (Batch::default(), vec![0.0; pipeline.plan.len()]);
    let (mut made, mut compared) = (0, 0);
    while let Some((origin, bytes)) = source.next_frame().expect("the captures are whole") {
        batch.clear();
        if decoder.decode(origin, bytes, &mut batch).is_err() {
            continue;
        }
        for event in &batch.events {
            let row = rows.apply(&batch, event, &mut cells);
            let due = twin.see(&batch, event);
            let Some(row) = row else {
                // A row that lacks a value is no row.
                let lacks = || twin.row().iter().any(|cell| !cell.is_finite());
                assert!(
                    !due || made == 0 || lacks(),
                    "the twin alone makes a row after {made}"
                );
                continue;
            };
            assert!(due, "row {made} at {} has no twin", row.ts_event.0);
            made += 1;
            if made % every == 1 {
                let expected = twin.row();
                hold(pipeline.plan.names(), &cells, &expected, made);
                compared += 1;
            }
        }
    }
    assert!(compared > 50, "{compared} of {made} rows compared");
}

/// What rounding leaves where the true value is nothing, well below the smallest value that means
/// something: a tick is 1e-7 of these prices.
fn rounding(name: &str) -> f64 {
    match name {
        // A ratio near one, minus one.
        _ if name.starts_with("vwap_deviation") => 1e-13,
        // Sums of sizes that cancel.
        "flow_by_depth" | "order_flow_20" => 1e-12,
        // Ratios whose numerator is what is left of a sum of numbers near one.
        _ if ["skew", "z_score", "correlation", "impact"]
            .iter()
            .any(|kind| name.starts_with(kind)) =>
        {
            1e-10
        }
        // Sums of returns near 1e-5 that cancel.
        _ => 1e-15,
    }
}

fn hold(names: &[String], cells: &[f64], expected: &[f64], row: u64) {
    assert_eq!(cells.len(), expected.len());
    for ((name, &cell), &twin) in names.iter().zip(cells).zip(expected) {
        let room = TOLERANCE * cell.abs().max(twin.abs()) + rounding(name);
        assert!(
            (cell - twin).abs() <= room,
            "{name} of row {row}: {cell:e}, by the twin {twin:e}"
        );
    }
}
