//! `foretick features`: the rows that the engine scores, with labels that look ahead and splits that
//! do not leak.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow_array::types::{Float64Type, TimestampNanosecondType};
use arrow_array::{Array, cast::AsArray};
use arrow_cast::cast;
use arrow_schema::DataType;
use foretick::engine::row_maker::RowMaker;
use foretick::event::Batch;
use foretick::frame::Origin;
use foretick::units::Nanos;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

use crate::given::{self, Folder};

/// Where the test rows begin: eight seconds after the simulator opens.
const BORDER: i64 = 1_767_571_208_000_000_000;
const HORIZON: i64 = 1_000_000_000;
const STEPS: usize = 5;
const LABEL: &str = r#"
[label]
horizon_ms = 1_000
threshold_bps = 0.1
test_from = "2026-01-05T00:00:08Z"
steps = 5
"#;

/// A row of the file.
#[derive(Clone, Debug, PartialEq)]
struct Row {
    ts_event: i64,
    mid: f64,
    flow: f64,
    move_bps: Option<f64>,
    label: Option<String>,
    split: String,
    quality: String,
}

#[test]
fn rows_are_split_without_a_leak() {
    let folder = Folder::new("export-split");
    let summary = export(
        &folder,
        &given::capture(41, 16, &["BTCUSDT", "ETHUSDT"]),
        "rows.parquet",
    );
    let keys = read(&folder.path("rows.parquet"));
    assert_eq!(keys.len(), 2);
    let mut count = BTreeMap::<&str, u64>::new();
    for rows in keys.values() {
        for (at, row) in rows.iter().enumerate() {
            let window = at.checked_sub(STEPS - 1).map(|first| &rows[first..=at]);
            let is_sound =
                window.is_some_and(|window| window.iter().all(|one| one.quality == "ok"));
            let begins = window.map_or(row.ts_event, |window| window[0].ts_event);
            let expected = match row.ts_event {
                _ if !is_sound || row.label.is_none() => "excluded",
                ts if ts + HORIZON < BORDER => "train",
                ts if ts < BORDER => "purge",
                _ if begins < BORDER => "purge",
                _ => "test",
            };
            assert_eq!(row.split, expected, "{row:?}");
            *count.entry(expected).or_default() += 1;
        }
    }
    for split in ["train", "test", "purge", "excluded"] {
        assert!(count[split] > 3, "{count:?}");
        assert_eq!(summary[split], count[split]);
    }
    assert_eq!(summary["rows"], count.values().sum::<u64>());
}

/// Computes the label from the list of all mids, without the queue that the export uses.
#[test]
fn a_label_is_the_move_of_the_mid_over_the_horizon() {
    let folder = Folder::new("export-label");
    let text = given::capture(42, 8, &["BTCUSDT"]);
    export(&folder, &text, "rows.parquet");
    let rows = &read(&folder.path("rows.parquet"))["BTCUSDT.BINANCE"];
    let mids = mids(&folder, &text);
    let last = mids.last().expect("mids").0;
    let mut seen = BTreeMap::<&str, u64>::new();
    for row in rows {
        let due = row.ts_event + HORIZON;
        if due >= last {
            assert_eq!(
                (&row.label, row.move_bps),
                (&None, None),
                "the horizon is not reached yet"
            );
            continue;
        }
        let known = mids.partition_point(|(ts, _)| *ts <= due);
        let move_bps = (mids[known - 1].1 / row.mid - 1.0) * 10_000.0;
        let exported = row.move_bps.expect("its future is in the capture");
        assert!((exported - move_bps).abs() < 1e-9, "{row:?}: {move_bps}");
        let expected = match move_bps {
            up if up > 0.1 => "up",
            down if down < -0.1 => "down",
            _ => "flat",
        };
        assert_eq!(row.label.as_deref(), Some(expected));
        *seen.entry(expected).or_default() += 1;
    }
    assert_eq!(seen.len(), 3, "all three happen: {seen:?}");
}

/// Every mid of the one instrument, with its time.
fn mids(folder: &Folder, text: &str) -> Vec<(i64, f64)> {
    let pipeline = folder.pipeline(given::SMALL, &[]);
    let mut decoder = pipeline.decoder();
    let mut rows = RowMaker::new(Arc::clone(&pipeline.plan), pipeline.rules);
    let (mut batch, mut cells) = (Batch::default(), vec![0.0; pipeline.plan.len()]);
    let mut mids = vec![];
    for line in text.lines() {
        batch.clear();
        let origin = Origin {
            ts_recv: Nanos(0),
            offset: 0,
            partition: 0,
            stream: 0,
            late: false,
            reprocessed: false,
        };
        decoder
            .decode(origin, line.as_bytes(), &mut batch)
            .expect("the test wrote it");
        for event in &batch.events {
            rows.apply(&batch, event, &mut cells);
            let point = rows.label_point(event.instrument);
            if let Some((now, mid)) = point.and_then(|point| Some((point.now, point.mid?))) {
                mids.push((now.0, mid));
            }
        }
    }
    mids
}

/// Later records must not change the columns of a row; they may set its label.
#[test]
fn a_row_does_not_depend_on_later_records() {
    let folder = Folder::new("export-future");
    let text = given::capture(43, 9, &["BTCUSDT"]);
    export(&folder, &text, "whole.parquet");
    let cut = text.len() / 2;
    let half = &text[..text[..cut].rfind('\n').unwrap()];
    export(&folder, half, "half.parquet");
    let (whole, half) = (folder.path("whole.parquet"), folder.path("half.parquet"));
    let (whole, half) = (read(&whole), read(&half));
    let (whole, half) = (&whole["BTCUSDT.BINANCE"], &half["BTCUSDT.BINANCE"]);
    assert!(half.len() > 20 && half.len() < whole.len());
    let mut labelled = 0;
    for (ours, theirs) in half.iter().zip(whole) {
        let features = |row: &Row| (row.ts_event, row.mid.to_bits(), row.flow.to_bits());
        assert_eq!(features(ours), features(theirs));
        if ours.label.is_some() {
            assert_eq!(ours, theirs, "a label is final once it is known");
            labelled += 1;
        }
    }
    assert!(
        labelled > 10 && labelled < half.len(),
        "the last have no label yet"
    );
}

#[test]
fn the_rows_are_those_that_are_scored() {
    let folder = Folder::new("export-same");
    let text = given::capture(44, 6, &["BTCUSDT"]);
    export(&folder, &text, "rows.parquet");
    let rows = &read(&folder.path("rows.parquet"))["BTCUSDT.BINANCE"];
    let (pipeline, capture) = (folder.path("pipeline.toml"), folder.path("capture"));
    let args = [
        "replay".into(),
        pipeline,
        "--input".into(),
        capture,
        "--output".into(),
        "-".into(),
    ];
    let run = given::foretick(&args);
    let mut scores = BTreeMap::<(i64, u64), i64>::new();
    for line in run.stdout.lines() {
        let signal: Value = serde_json::from_str(line).unwrap();
        let score = signal["score"].as_f64().unwrap().to_bits();
        *scores
            .entry((signal["ts_event"].as_i64().unwrap(), score))
            .or_default() += 1;
    }
    for row in rows {
        let sum = 0.0 + (0.0 + row.mid + row.flow);
        *scores.entry((row.ts_event, sum.to_bits())).or_default() -= 1;
    }
    let unmatched: Vec<_> = scores.iter().filter(|(_, left)| **left != 0).collect();
    assert!(unmatched.is_empty(), "{unmatched:?}");
}

fn export(folder: &Folder, capture: &str, name: &str) -> Value {
    let pipeline = folder.write("pipeline.toml", format!("{}{LABEL}", given::SMALL));
    let (input, output) = (folder.write("capture", capture), folder.path(name));
    let args = [
        "features".as_ref(),
        pipeline.as_os_str(),
        "--input".as_ref(),
        input.as_os_str(),
        "--output".as_ref(),
        output.as_os_str(),
        "--json".as_ref(),
    ];
    let run = given::foretick(&args);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    serde_json::from_str(&run.stdout).expect("a summary in JSON")
}

/// The rows of each instrument, in the order of the file.
fn read(path: &Path) -> BTreeMap<String, Vec<Row>> {
    let file = File::open(path).expect("rows were written");
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).and_then(|builder| builder.build());
    let mut keys = BTreeMap::<String, Vec<Row>>::new();
    for batch in reader.expect("the file is Parquet") {
        let batch = batch.expect("the file is whole");
        let column = |name: &str| batch.column_by_name(name).expect("a column").as_ref();
        let words = |name: &str| cast(column(name), &DataType::Utf8).expect("words");
        let (quality, labels, splits) = (words("quality"), words("label"), words("split"));
        let text = |name: &str| column(name).as_string::<i32>();
        let number = |name: &str| column(name).as_primitive::<Float64Type>();
        let times = column("ts_event").as_primitive::<TimestampNanosecondType>();
        for at in 0..batch.num_rows() {
            let label = labels.as_string::<i32>();
            let moved = number("move_bps");
            let row = Row {
                ts_event: times.value(at),
                mid: number("mid").value(at),
                flow: number("flow").value(at),
                move_bps: moved.is_valid(at).then(|| moved.value(at)),
                label: label.is_valid(at).then(|| label.value(at).to_owned()),
                split: splits.as_string::<i32>().value(at).to_owned(),
                quality: quality.as_string::<i32>().value(at).to_owned(),
            };
            let name = text("instrument").value(at).to_owned();
            keys.entry(name).or_default().push(row);
        }
    }
    keys
}
