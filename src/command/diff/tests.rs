//! Pairs of signals, and both kinds of files.

use super::*;
use crate::signal::field::SignalField;
use crate::signal::tests::{signal, two_models};
use crate::sink::Sink;
use crate::sink::json::JsonWriter;
use crate::sink::parquet::ParquetSink;
use crate::tests::scratch::Scratch;

#[test]
fn parquet_and_json_lines_of_the_same_signals_are_equal() {
    let scratch = Scratch::new();
    let (lines, table) = (
        scratch.path().join("signals.jsonl"),
        scratch.path().join("signals"),
    );
    let fields: Vec<SignalField> = SignalField::ALL.iter().map(|field| field.1).collect();
    let mut sink = ParquetSink::create(two_models(), &fields, &table).unwrap();
    let writer = JsonWriter::new(two_models(), &fields);
    let mut text = vec![];
    for model in [0, 1, 0] {
        sink.signal(&signal(model), "X.Y").unwrap();
        writer.write(&signal(model), "X.Y", &mut text);
        text.push(b'\n');
    }
    sink.close().unwrap();
    std::fs::write(&lines, text).unwrap();
    for all_fields in [false, true] {
        let options = DiffOptions {
            all_fields,
            tolerance: 0.0,
        };
        for (left, right) in [(&lines, &table), (&table, &lines), (&table, &table)] {
            let report = diff(left, right, options).unwrap();
            assert!(report.equal && report.equal_pairs == 3, "{report:?}");
        }
    }
}

#[test]
fn signals_are_paired_by_time_and_not_by_line() {
    let scratch = Scratch::new();
    let write = |name: &str, signals: &[(&str, i64, f64)]| {
        let line = |(key, ts, score): &(&str, i64, f64)| {
            format!("{{\"instrument\":\"{key}\",\"ts_event\":{ts},\"score\":{score}}}\n")
        };
        let path = scratch.path().join(name);
        std::fs::write(&path, signals.iter().map(line).collect::<String>()).unwrap();
        path
    };
    let left = [
        ("A", 10, 0.1),
        ("A", 20, 0.2),
        ("B", 20, 0.3),
        ("A", 20, 0.4),
        ("A", 30, 0.5),
    ];
    let right = [
        ("B", 20, 0.3),
        ("A", 20, 0.2),
        ("A", 20, 0.7),
        ("A", 30, 0.5),
        ("A", 40, 0.6),
    ];
    let (left, right) = (write("left", &left), write("right", &right));
    let report = diff(&left, &right, DiffOptions::default()).unwrap();
    assert_eq!((report.left, report.right), (5, 5));
    assert_eq!((report.equal_pairs, report.different), (3, 1));
    assert_eq!((report.only_left, report.only_right), (1, 1));
    assert_eq!((report.differences, report.by_field["score"]), (3, 1));
    let said = report.to_string();
    assert!(
        said.contains("first: A, ts_event 10, only on the left"),
        "{said}"
    );
    let mirrored = diff(&right, &left, DiffOptions::default()).unwrap();
    assert_eq!((mirrored.only_left, mirrored.differences), (1, 3));
}
